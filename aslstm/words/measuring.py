"""The measures of given words in a corpus, however rare the words are: for words that something else than counting has found.

Takes words and normalised texts, gives :class:`NewWord` entries in the order of the words.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from .new_words import NewWord, surroundings

_UNIT = re.compile("[\u4e00-\u9fd5]|[a-z]+|[0-9]+")
# The unit that ends or begins at a place; nothing where a boundary is.
_UNIT_BEFORE = re.compile("(?:[\u4e00-\u9fd5]|[a-z]+|[0-9]+|)$")
_UNIT_BEHIND = re.compile("[\u4e00-\u9fd5]|[a-z]+|[0-9]+|")
_LONGEST_RUN = 50


def measure_words(words: Iterable[str], texts: Sequence[str]) -> list[NewWord]:
    """The measures of given words of Chinese characters, however rare; those that do not occur are left out.

    Args:
        words: two characters or more each.
        texts: of :func:`ngram_counting.clean`, held in memory: each word is looked for in all of them.
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
    """Where a word stands, overlaps among them."""
    return [match.start() for match in re.finditer(f"(?={re.escape(word)})", text)]


def _entropy(counts: Counter[str]) -> float:
    total = counts.total()
    # Rounding may leave a little less than nothing.
    return max(0.0, math.log(total) - sum(count * math.log(count) for count in counts.values()) / total)
