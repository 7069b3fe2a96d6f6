"""Takes the first bytes of a text file and gives its encoding.

A byte order mark tells it, and so do bytes that are UTF-8 or have the zeros of UTF-16. Of GB18030 and Big5, which can both read
most files, a detector says which one fits, and the characters must be frequent Chinese ones.
"""

from aslstm.errors import check_packages
from aslstm.text_files import is_chinese_utf8, marked_encoding

# What the detector calls the encodings that are tried where a file is not UTF-8. Big5 is that of Hong Kong.
_NAMES_OF_DETECTOR = {"gb18030": "gb18030", "big5": "big5hkscs", "big5hkscs": "big5hkscs", "cp950": "big5hkscs"}
# The national set of each, and the first bytes of its punctuation and of its frequent characters.
_FIRST_LEVEL = {
    "gb18030": ("gb2312", ((0xA1, 0xA3), (0xB0, 0xD7))),
    "big5hkscs": ("big5", ((0xA1, 0xC6),)),
}
# On 250 single posts of NLPCC 2014 in GB18030 the detector is right for 230, the shares are for 249; in Big5 218 and 226.
_BONUS = 0.15
_LEAST_BYTES = 32  # Of fewer, the detector says anything.
_LEAST_COMMON = 0.6
_SAMPLE_BYTES = 1 << 15
_NAMES = {"utf-8": "UTF-8", "gb18030": "GB18030", "big5hkscs": "Big5", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16"}


def shown_encoding(name: str) -> str:
    """Return the name of an encoding as people write it.

    >>> shown_encoding("big5hkscs"), shown_encoding("latin-1")
    ('Big5', 'LATIN-1')
    """
    return _NAMES.get(name, name.upper())


def find_encoding(head: bytes) -> str:
    r"""Return the encoding of a text file; UTF-8 where nothing fits, so that the first line that is not UTF-8 is named.

    >>> find_encoding("今天好累".encode("gb18030")), find_encoding("今天好累\n".encode("utf-16-be")), find_encoding(b"abc")
    ('gb18030', 'utf-16-be', 'utf-8')

    Args:
        head: The beginning of the file; it may end inside a character.
    """
    if marked := marked_encoding(head):
        return marked
    if wide := _utf16_of(head):
        return wide
    if head.isascii() or _is_utf8(head):
        return "utf-8"
    lines = head.split(b"\n")
    in_utf8 = sum(map(is_chinese_utf8, lines))
    # Where some lines are UTF-8, the others are faults, unless they are the most.
    if in_utf8 * 2 >= sum(not line.isascii() for line in lines):
        return "utf-8"
    return _chinese_encoding(b"\n".join(line for line in lines if not is_chinese_utf8(line)))


def _is_utf8(head: bytes) -> bool:
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start >= len(head) - 3 and error.reason == "unexpected end of data"
    return True


def _utf16_of(head: bytes) -> str | None:
    """Return the kind of UTF-16 of text without a byte order mark, or None: its line feeds and Latin letters have a zero."""
    head = head[:_SAMPLE_BYTES]
    for encoding, zeros in (("utf-16-le", head[1::2]), ("utf-16-be", head[0::2])):
        text = head[: len(head) // 2 * 2].decode(encoding, "replace")
        likely = sum(one.isascii() or "\u2e80" <= one <= "\u9fff" or one > "\uf000" for one in text)
        if zeros.count(0) * 50 > len(zeros) and likely >= 0.9 * len(text) and "\0" not in text:
            return encoding
    return None


def _chinese_encoding(sample: bytes) -> str:
    check_packages("files", "charset_normalizer", instead="name the encoding with `encoding`")
    # Imported here and not above: most files are UTF-8.
    from charset_normalizer import from_bytes

    # A sample that is cut at a line feed does not end inside a character.
    cut = sample[: sample.rfind(b"\n", 0, _SAMPLE_BYTES) + 1 or _SAMPLE_BYTES] if len(sample) > _SAMPLE_BYTES else sample
    detected = from_bytes(cut, cp_isolation=list(_NAMES_OF_DETECTOR), preemptive_behaviour=False).best()
    shares = {encoding: share_of_common(cut.decode(encoding, "replace"), encoding) for encoding in _FIRST_LEVEL}
    bonus = {_NAMES_OF_DETECTOR[detected.encoding]: _BONUS} if detected is not None and len(cut) >= _LEAST_BYTES else {}
    best = max(shares, key=lambda encoding: shares[encoding] + bonus.get(encoding, 0))
    return best if shares[best] >= _LEAST_COMMON else "utf-8"


def share_of_common(text: str, encoding: str) -> float:
    """Return how many of the characters beyond Latin ones are punctuation or frequent characters; 0 without any.

    Frequent is what the first level of GB 2312 or of Big5 has: a text in another encoding is read as rare characters.

    >>> share_of_common("今天好累，", "gb18030"), share_of_common("今天好累".encode("big5").decode("gb18030"), "gb18030")
    (1.0, 0.25)

    Args:
        text: The text, as the encoding reads it.
        encoding: ``gb18030`` or ``big5hkscs``.
    """
    codec, levels = _FIRST_LEVEL[encoding]
    # Emoji are in neither; a broken character counts as rare.
    found = [one for one in text if "\u0370" <= one <= "\uffff" and not "\u2600" <= one <= "\u27bf"]
    codes = [one.encode(codec, "ignore") for one in found]
    return sum(bool(code) and any(first <= code[0] <= last for first, last in levels) for code in codes) / max(len(found), 1)
