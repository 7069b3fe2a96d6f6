"""Takes words and normalised texts and gives the words' measures as :class:`NewWord` entries, in the order of the words.

It measures words that were not found by counting, however rare they are.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from .new_words import NewWord, surroundings

_UNIT = re.compile("[\u4e00-\u9fd5]|[a-z]+|[0-9]+")
# These match the unit that ends or begins at a place, and nothing where a boundary is.
_UNIT_BEFORE = re.compile("(?:[\u4e00-\u9fd5]|[a-z]+|[0-9]+|)$")
_UNIT_BEHIND = re.compile("[\u4e00-\u9fd5]|[a-z]+|[0-9]+|")
_LONGEST_RUN = 50


def measure_words(words: Iterable[str], texts: Sequence[str]) -> list[NewWord]:
    """Measure given words of Chinese characters, however rare they are; words that do not occur are left out.

    Args:
        words: The words, each of two characters or more.
        texts: The texts as :func:`ngram_counting.clean` gives them. They are held in memory, because each word is searched
            for in all of them.
    """
    text = "\n".join(["", *texts, ""])
    num_units = len(_UNIT.findall(text))
    measured = []
    for word in words:
        places = _places(text, word)
        if not places:
            continue
        count = len(places)
        left = _entropy(Counter(_UNIT_BEFORE.search(text, max(0, i - _LONGEST_RUN), i).group() for i in places))  # type: ignore[union-attr]
        right = _entropy(Counter(_UNIT_BEHIND.match(text, i + len(word)).group() for i in places))  # type: ignore[union-attr]
        parts = [(len(_places(text, word[:i])), len(_places(text, word[i:]))) for i in range(1, len(word))]
        cohesion = min(math.log(count * num_units / (a * b)) for a, b in parts)
        score = cohesion * math.sqrt(left * right)
        measured.append(NewWord(word, count, cohesion, left, right, score, surroundings(text, places[0])))
    return measured


def _places(text: str, word: str) -> list[int]:
    """Return every position of a word, also of occurrences that overlap."""
    return [match.start() for match in re.finditer(f"(?={re.escape(word)})", text)]


def _entropy(counts: Counter[str]) -> float:
    total = counts.total()
    # Rounding may leave a number a little below zero.
    return max(0.0, math.log(total) - sum(count * math.log(count) for count in counts.values()) / total)
