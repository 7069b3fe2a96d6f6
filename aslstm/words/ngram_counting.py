"""Takes texts and gives counts of n-grams and of their neighbours: the map and reduce functions.

A *unit* is a Chinese character, a run of Latin letters or a run of digits; with a segmenter, a
Chinese word. Everything else (white space, punctuation, emoji, URLs, @names, #topics#) is one boundary symbol that no n-gram
crosses.

Counting goes level by level (Agrawal and Srikant 1994): an n-gram is counted only where its first n - 1 units are frequent,
so a level is small although the corpus is not. :func:`encode` and :func:`count_level` map a chunk, :func:`merge_counts`
reduces: it is associative and commutative, so the chunks may be counted in any order, in several processes, or on several
machines. ``corpus_ngrams.py`` does it on one.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tokenization.emoji_splitting import KEYCAP
from tokenization.text_normalization import TextNormalizer

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Segment = Callable[[str], list[str]]

BOUNDARY = 0
# Codes of units that are no single character lie behind the last code point.
_FIRST_NAME = 1 << 21
_LAST_CHINESE = 0x9FD5  # as far as jieba keeps characters together
_NO_WORDS = re.compile(rf"@[^\s:：@,，。!！?？、]{{1,30}}|#[^#\n]{{1,40}}#|\[[^\W_]{{1,8}}\]|{KEYCAP}")
_CHINESE_RUN = re.compile(f"[\u4e00-\\u{_LAST_CHINESE:04x}]+")


@dataclass(frozen=True)
class Chunk:
    """Holds a part of a corpus as units.

    Attributes:
        units: The codes of the units, (num_units,) int64; there is a boundary at either end, and never two side by side.
        names: The text of each code that is no single character.
        text: The normalised posts, one on each line.
    """

    units: Ints
    names: dict[int, str]
    text: str


@dataclass(frozen=True)
class Counts:
    """Holds distinct keys in rising order and how often each was seen: two (num_keys,) int64 arrays."""

    keys: Ints
    counts: Ints


# ---- map: one chunk ----


def clean(texts: Iterable[str]) -> list[str]:
    """Return the texts normalised, on one line each, with a space for what is no word: URLs, @names, #topics#, emoji codes."""
    # White space between Chinese characters may part words here, although the tokenizer removes it.
    normalize = TextNormalizer(remove_cjk_white_space=False).normalize
    return [_NO_WORDS.sub(" ", normalize(text)).replace("\n", " ") for text in texts]


def encode(texts: Sequence[str], segment: Segment | None = None) -> Chunk:
    """Turn texts into units.

    Args:
        texts: The raw posts.
        segment: A function that cuts a run of Chinese characters into words; None for single characters.

    >>> chunk = encode(["PK掉他😂, hold住"])
    >>> [chunk.names.get(code) or chr(code) for code in chunk.units.tolist() if code]
    ['pk', '掉', '他', 'hold', '住']
    """
    text = "\n" + "\n".join(clean(texts)) + "\n"
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.int64)
    chinese = (codes >= 0x4E00) & (codes <= _LAST_CHINESE)
    letter = (codes >= ord("a")) & (codes <= ord("z"))
    digit = (codes >= ord("0")) & (codes <= ord("9"))
    inside = np.zeros(len(codes), dtype=bool)  # goes on with the unit before it
    for run in (letter, digit, ~(chinese | letter | digit)):
        inside[1:] |= run[1:] & run[:-1]
    if segment is not None:
        for match in _CHINESE_RUN.finditer(text):
            position = match.start()
            for word in segment(match.group()):
                inside[position + 1 : position + len(word)] = True
                position += len(word)
    starts = np.flatnonzero(~inside)
    ends = np.append(starts[1:], len(codes))
    units = np.where((chinese | letter | digit)[starts], codes[starts], BOUNDARY)
    names: dict[str, int] = {}
    for i in np.flatnonzero((units != BOUNDARY) & (ends - starts > 1)).tolist():
        name = text[starts[i] : ends[i]]
        units[i] = names.get(name) or names.setdefault(name, _name_code(name))
    return Chunk(units, {code: name for name, code in names.items()}, text)


def _name_code(name: str) -> int:
    """Return a code that is the same in every process and on every machine; with 56 bits, ten million names hardly collide."""
    return _FIRST_NAME + int.from_bytes(hashlib.blake2b(name.encode(), digest_size=7).digest(), "little")


def count_values(values: Ints) -> Counts:
    """Count how often each value occurs."""
    keys, counts = np.unique(values, return_counts=True)
    return Counts(keys, counts.astype(np.int64))


def count_level(units: Ints, ranks: Ints, keys: Ints, n: int, num_names: int) -> tuple[Ints, Counts, Counts]:
    """Count the n-grams of one length in one chunk.

    Args:
        units: The number of each unit, (num_units,).
        ranks: The rank of the (n - 1)-gram that starts at each unit, (num_units,); -1 where it is not frequent, and zeros for
            the first level.
        keys: The keys of the frequent n-grams, (num_ngrams,).
        n: The number of units of an n-gram.
        num_names: The number of distinct units in the corpus.

    Returns:
        The rank of the n-gram that starts at each unit, (num_units,), or -1; and how often each unit stands in front of each
        n-gram and behind it, keyed by ``rank * num_names + unit``.
    """
    starts = np.flatnonzero(ranks[: len(ranks) - n] >= 0)
    wanted = ranks[starts] * num_names + units[starts + n - 1]
    found = np.searchsorted(keys, wanted)
    found[found == len(keys)] = 0
    hit = keys[found] == wanted if len(keys) else np.zeros(len(wanted), dtype=bool)
    starts, found = starts[hit], found[hit]
    new_ranks = np.full(len(ranks), -1, dtype=np.int64)
    new_ranks[starts] = found
    return (
        new_ranks,
        count_values(found * num_names + units[starts - 1]),
        count_values(found * num_names + units[starts + n]),
    )


# ---- reduce ----


def merge_counts(parts: Iterable[Counts]) -> Counts:
    """Merge the counts of several chunks; the merging is associative and commutative.

    >>> merge_counts([Counts(np.array([1, 5]), np.array([2, 1])), Counts(np.array([5]), np.array([4]))]).counts.tolist()
    [2, 5]
    """
    parts = list(parts)
    keys = np.concatenate([np.zeros(0, dtype=np.int64), *(part.keys for part in parts)])
    counts = np.concatenate([np.zeros(0, dtype=np.int64), *(part.counts for part in parts)])
    order = np.argsort(keys, kind="stable")
    keys, counts = keys[order], counts[order]
    first = np.flatnonzero(np.diff(keys, prepend=-1))
    return Counts(keys[first], np.add.reduceat(counts, first) if len(first) else counts)


def branching_entropy(neighbours: Counts, num_names: int) -> tuple[Ints, Floats]:
    """Return the entropy of the unit next to each n-gram, in nats: ``log n - sum(c log c) / n``.

    Args:
        neighbours: The counts of all neighbours of the n-grams, keyed by ``rank * num_names + unit``.
        num_names: The number of distinct units in the corpus.

    Returns:
        The ranks that occur, and their entropies.
    """
    ranks, counts = neighbours.keys // num_names, neighbours.counts
    first = np.flatnonzero(np.diff(ranks, prepend=-1))
    if not len(first):
        return ranks, np.zeros(0)
    totals = np.add.reduceat(counts, first)
    # Rounding may leave a number a little below zero.
    return ranks[first], np.maximum(np.log(totals) - np.add.reduceat(counts * np.log(counts), first) / totals, 0.0)
