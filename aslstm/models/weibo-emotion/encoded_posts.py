"""Holds the results of encoding posts; takes texts and gives batches of them, takes joined ids and gives those of each post."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

# How many words, and how many emoji, have their ids remembered. A vocabulary is smaller than this, and the limit keeps hostile
# text from filling the memory.
_MAX_REMEMBERED = 500_000
# A text of more characters is encoded alone. Where it is truncated, its words are cut no further than truncation keeps them, so
# that a text of any length takes no longer than this many characters do: rare words take 2.5 µs a character.
_LONG_TEXT = 10_000
# The id of the separator between joined posts, which no token has.
SEPARATOR_ID = -1


class TokenSpan(NamedTuple):
    """A token and its place in the user's own text, ``text[start:end]``."""

    token: str
    start: int
    end: int


class EncodedPost(NamedTuple):
    """The ids of a post, their places in it, and its emoji.

    Attributes:
        ids: The ids of the tokens that truncation keeps.
        spans: The place of each of these tokens in the user's own text, ``text[start:end]``.
        emoji: All emoji of the post as the user wrote them. Truncation removes none of them.
    """

    ids: list[int]
    spans: list[tuple[int, int]]
    emoji: list[str]


def check_texts(texts: Iterable[str]) -> list[str]:
    """Return several texts as a list.

    Raises:
        ValueError: It is a single text, or an entry is no text.
    """
    if isinstance(texts, str | bytes | Mapping) or not isinstance(texts, Iterable):
        raise ValueError(f"texts: expected a list of texts, found {texts!r:.100}; put a single text into a list")
    texts = list(texts)
    for number, text in enumerate(texts, start=1):
        if not isinstance(text, str):
            raise ValueError(f'text {number}: expected a text, found {text!r:.100}; give "" for an empty post')
    return texts


class Remembered(dict[str, tuple[Any, ...]]):
    """Results of a function of words, or of emoji, each worked out once.

    Args:
        work_out: The function.
    """

    def __init__(self, work_out: Callable[[str], tuple[Any, ...]]) -> None:
        self.work_out = work_out

    def __missing__(self, word: str) -> tuple[Any, ...]:
        if len(self) >= _MAX_REMEMBERED:
            self.clear()
        found = self[word] = self.work_out(word)
        return found

    def __reduce__(self) -> tuple[Any, ...]:
        # Pickled without its content, so that a used encoder has the same fingerprint as a new one.
        return Remembered, (self.work_out,)


def batches_of(texts: Sequence[str], size: int, max_length: int | None) -> Iterator[tuple[Sequence[str], int | None]]:
    """Yield texts that are encoded at once, in order, and how many words are needed: None for all.

    >>> list(batches_of(["a", "b", "c"], 2, None))
    [(['a', 'b'], None), (['c'], None)]
    """
    for first in range(0, len(texts), size):
        batch = texts[first : first + size]
        if max_length is None or max(map(len, batch)) <= _LONG_TEXT:
            yield batch, None
        else:
            yield from (([text], max_length if len(text) > _LONG_TEXT else None) for text in batch)


def posts_in(ids: list[int], num_separators: int) -> Iterator[tuple[int, int]]:
    """Yield the positions at which each of the joined posts begins and ends.

    >>> list(posts_in([5, 6, -1, -1, 7], 2))
    [(0, 2), (3, 3), (4, 5)]
    """
    start = 0
    for _ in range(num_separators):
        end = ids.index(SEPARATOR_ID, start)
        yield start, end
        start = end + 1
    yield start, len(ids)
