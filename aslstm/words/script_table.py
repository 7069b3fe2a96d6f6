"""Gives the table of traditional characters and the simplified ones that they are read as.

OpenCC makes it at training. It travels with a tokenizer, so that answering needs no converter.
"""

import unicodedata
from functools import cache

from opencc import OpenCC

# Radicals, ideographs of the BMP with those of compatibility, and the planes beyond it.
_BLOCKS = ((0x2E80, 0x2FE0), (0x3400, 0x4DC0), (0x4E00, 0xA000), (0xF900, 0xFB00), (0x20000, 0x323B0))


@cache
def simplified_characters() -> dict[str, str]:
    """Return every traditional character with the simplified one; one stands for one, so every place in a text stays.

    Characters that NFKC makes traditional are among them, because NFKC comes later.

    >>> simplified_characters()["淚"], "泪" in simplified_characters()
    ('泪', False)
    """
    convert = OpenCC("t2s").convert
    table: dict[str, str] = {}
    for character in (chr(point) for first, behind in _BLOCKS for point in range(first, behind)):
        plain = unicodedata.normalize("NFKC", character)
        # Twice, because one simplified character is the traditional one of another.
        simplified = convert(convert(plain))
        if len(simplified) == 1 and simplified not in (plain, character):
            table[character] = simplified
    return table
