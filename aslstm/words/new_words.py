"""Takes raw posts without labels and gives the new words in them as :class:`NewWord` entries, best first.

A word is a stretch of text whose parts belong together and whose surroundings vary (Sproat and Shih 1990 for the first, Jin
and Tanaka-Ishii 2006 for the second):

    cohesion = min over all splits of log(count(w) N / (count(a) count(b)))      w = a b, N units in the corpus
    score    = cohesion * sqrt(left_entropy * right_entropy)

The boundary counts as one neighbour among many, so that a text is not taken for a word only because it stands alone between
punctuation. Then a boundary test removes phrases: see :func:`_is_phrase`.
"""

import importlib.util
import math
import re
import tempfile
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tokenization.word_segmentation import MAX_WORD_LENGTH

from .corpus_ngrams import CHUNK_CHARACTERS, Ngrams, count_ngrams
from .ngram_counting import Segment

METHODS = ("jieba", "characters", "words")
# These function words are far more often at the edge of a phrase (让我, 这本书, 忙的) than at the edge of a word.
_FUNCTION_WORDS = frozenset("的了是我你您他她它这那一每")
# A candidate with such a cohesion, in nats, is a word all the same (我们, 一样, 目的).
_FIRM_COHESION = 4.0
_MEASURE_WORDS = "分元寸岁年月日点号个块楼天小层折星张件次多人米平钱页本秒周名位条倍万亿千百度斤级届期集"
_QUANTITY = re.compile(
    rf"\d[{_MEASURE_WORDS}]|[年月日号第]\d|[\u4e00-\u9fff]\d+$"
    r"|^\d+(?:[a-z]*[\u4e00-\u9fff]{2,}|(?:[gwpkx]|[mgt]b|[ckm]m|kg|hz)\b)"
)
# These prepositions and adverbs open a phrase when a known word follows (给孩子, 才发现).
_OPENING_WORDS = frozenset("给让把被离才还向对从与和跟已刚又再很太越也都就并仍最更只")
# The smallest share of a part's occurrences that must lie in the word: 都|是 is frequent only because its parts are frequent,
# but 并|不 is not.
_MIN_DEPENDENCE = 0.1
_EXAMPLE_CHARACTERS = 60
_MAX_JOINED_WORDS = 4
_RUN = re.compile("[a-z]+|[0-9]+")


@dataclass(frozen=True)
class NewWord:
    """Holds a found word as the tokenizer sees it (in lower case), its measures in nats and a post that contains it."""

    word: str
    count: int
    cohesion: float
    left_entropy: float
    right_entropy: float
    score: float
    example: str


class Thresholds(NamedTuple):
    """Holds what a candidate must reach; only the count depends much on the size of the corpus, the measures hardly do."""

    min_count: int | None = None
    min_cohesion: float = 2.0
    min_entropy: float = 1.0
    min_score: float = 10.0

    def count_for(self, num_units: int) -> int:
        """Return the smallest count: 5 up to a million units, then growing with their root (300 at 3.5 billion units)."""
        return self.min_count or max(5, math.ceil(5 * math.sqrt(num_units / 1e6)))


class Candidates(NamedTuple):
    """Holds measured n-grams as columns, (num_candidates,) each; shorter n-grams come first.

    ``prefix`` and ``suffix`` are the places of the n-gram without its last and without its first unit; a single unit has -1.
    """

    words: list[str]
    counts: NDArray[np.int64]
    cohesion: NDArray[np.float64]
    left_entropy: NDArray[np.float64]
    right_entropy: NDArray[np.float64]
    dependence: NDArray[np.float64]
    prefix: NDArray[np.int64]
    suffix: NDArray[np.int64]

    @property
    def scores(self) -> NDArray[np.float64]:
        """The score of each candidate."""
        return self.cohesion * np.sqrt(self.left_entropy * self.right_entropy)


def measure(ngrams: Ngrams) -> Candidates:
    """Measure the cohesion, entropies and dependence of all n-grams of two units or more.

    The dependence is the larger share of the first or of the last unit's occurrences that lie in the n-gram.
    """
    words: list[str] = []
    columns = []
    start = 0
    for n in range(2, len(ngrams.levels) + 1):
        level = ngrams.levels[n - 1]
        # `start` is where the level below begins among the candidates; single units are not candidates.
        parts = (np.full(len(level.keys), -1),) * 2 if n == 2 else (start + level.prefix, start + level.suffix)
        start = 0 if n == 2 else start + len(ngrams.levels[n - 2].keys)
        words += ngrams.texts(n)
        splits = [ngrams.split_counts(n, left) for left in range(1, n)]
        cohesion = np.min([np.log(level.counts * ngrams.num_units / (a * b.astype(float))) for a, b in splits], axis=0)
        dependence = level.counts / np.minimum(splits[0][0], splits[-1][1])
        columns.append((level.counts, cohesion, level.left_entropy, level.right_entropy, dependence, *parts))
    return Candidates(words, *(np.concatenate(column) for column in zip(*columns, strict=True)))


def known_words() -> set[str]:
    """Return the words of jieba's dictionary in lower case; its file is read and jieba itself is not imported."""
    spec = importlib.util.find_spec("jieba")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("expected the package jieba, whose dictionary says which words are known; install it")
    with Path(spec.origin).with_name("dict.txt").open(encoding="utf-8") as file:
        return {line.split(" ", 1)[0].lower() for line in file}


def _is_phrase(word: str, cohesion: float, known: Collection[str]) -> bool:
    """Return whether a word is a phrase: a quantity, a function word at an edge, or two known words side by side."""
    if _QUANTITY.search(word) or (len(word) > 3 and "的" in word[1:-1]):
        return True
    first, last = word[0] in _FUNCTION_WORDS, word[-1] in _FUNCTION_WORDS
    if (first or last) and cohesion < _FIRM_COHESION:
        return True
    # A single character is more often a part of a word than a word: 并不 is not a phrase.
    if len(word) > 2 and (((first or word[0] in _OPENING_WORDS) and word[1:] in known) or (last and word[:-1] in known)):
        return True
    return any(word[:i] in known and word[i:] in known for i in range(2, len(word) - 1))


def _inner(candidates: Candidates, strong: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark, (num_candidates,) bool, the candidates that are mostly inside one longer strong candidate, like half of a name."""
    inner = np.zeros(len(strong), dtype=bool)
    whole = np.flatnonzero(strong)
    parts = [(whole, whole)]
    while parts:
        whole, part = parts.pop()
        for step in (candidates.prefix, candidates.suffix):
            shorter = step[part]
            exists = shorter >= 0
            if exists.any():
                of, shorter = whole[exists], shorter[exists]
                inner[shorter[2 * candidates.counts[of] >= candidates.counts[shorter]]] = True
                parts.append((of, shorter))
    return inner


def select(candidates: Candidates, thresholds: Thresholds, *, known: Collection[str], min_dependence: float) -> list[int]:
    """Choose the candidates that are new words, and return their places, best first.

    Args:
        candidates: The candidates of one corpus.
        thresholds: The values that a new word must reach.
        known: The words of a dictionary. They are not new, and two of them side by side are a phrase. If there are none, every
            word is new.
        min_dependence: The dependence that a new word must reach; see :func:`measure`.
    """
    scores = candidates.scores
    strong = (
        (candidates.cohesion >= thresholds.min_cohesion)
        & (np.minimum(candidates.left_entropy, candidates.right_entropy) >= thresholds.min_entropy)
        & (scores >= thresholds.min_score)
        & (candidates.dependence >= min_dependence)
    )
    # Words are sorted by score and then by spelling, so that the order of the texts does not matter.
    order = sorted(np.flatnonzero(strong).tolist(), key=lambda i: (-scores[i], candidates.words[i]))
    words = [candidates.words[i] for i in order]
    inner = _inner(candidates, strong)
    parts = known or set(words)
    return [
        i
        for i, word in zip(order, words, strict=True)
        if word not in known and not inner[i] and not _is_phrase(word, candidates.cohesion[i], parts)
    ]


def _examples(words: Sequence[str], folder: Path) -> dict[str, str]:
    """Find the first post that contains each word, and cut it to the surroundings of the word."""
    examples: dict[str, str] = {}
    missing = list(words)
    for path in sorted(folder.glob("chunk-*.txt")):
        text = path.read_text(encoding="utf-8")
        still_missing = []
        for word in missing:
            position = _find_word(text, word)
            if position < 0:
                still_missing.append(word)
                continue
            examples[word] = surroundings(text, position)
        missing = still_missing
    return examples


def surroundings(text: str, position: int) -> str:
    """Return the text around a position, within its post."""
    start = max(text.rfind("\n", 0, position) + 1, position - _EXAMPLE_CHARACTERS // 2)
    return " ".join(text[start : min(text.find("\n", position), position + _EXAMPLE_CHARACTERS)].split())


def _find_word(text: str, word: str) -> int:
    if not (word[0].isascii() or word[-1].isascii()):
        return text.find(word)
    # A run of letters or of digits is one unit, so the word cannot be a part of it.
    before, behind = ("0-9" if edge.isdecimal() else "a-z" if edge.isascii() else "\n" for edge in (word[0], word[-1]))
    match = re.search(f"(?<![{before}]){re.escape(word)}(?![{behind}])", text)
    return match.start() if match else -1


def discover_words(
    texts: Iterable[str],
    *,
    method: str = "words",
    thresholds: Thresholds | None = None,
    max_word_length: int = 6,
    known: Collection[str] | None = None,
    segment: Segment | None = None,
    chunk_characters: int = CHUNK_CHARACTERS,
    num_workers: int = 1,
) -> list[NewWord]:
    """Find the new words of a corpus.

    Args:
        texts: The raw posts; a stream is read once.
        method: What candidates are made of: ``characters`` takes n-grams of characters; ``words`` takes n-grams of jieba's
            words, which joins what jieba wrongly cuts; ``jieba`` looks for no new words.
        thresholds: The values that a word must reach.
        max_word_length: The largest number of characters in a word; a run of letters or digits counts as one. A word has at
            most as many characters as jieba can keep, though.
        known: The words that are not new. None means the words of jieba's dictionary; with an empty collection, every
            candidate is judged alike.
        segment: A function that cuts Chinese text into words, for the method ``words``; None means jieba.
        chunk_characters: The size of the parts that are counted at once; the result does not depend on it.
        num_workers: The number of processes.

    Returns:
        The words, best first; texts without Chinese have none. The order of the texts changes nothing but the examples.

    Raises:
        ValueError: The method is unknown, or the word length is below two.
    """
    if method not in METHODS:
        raise ValueError(f"expected a method among {', '.join(METHODS)}, found {method!r}")
    if max_word_length < 2:
        raise ValueError(f"expected max_word_length of 2 or more, found {max_word_length}")
    if method == "jieba":
        return []
    thresholds = thresholds or Thresholds()
    with tempfile.TemporaryDirectory() as scratch:
        ngrams = count_ngrams(
            texts,
            max_units=max_word_length if method == "characters" else min(max_word_length, _MAX_JOINED_WORDS),
            min_count=thresholds.count_for,
            segment=(segment or _segmenter()) if method == "words" else None,
            chunk_characters=chunk_characters,
            num_workers=num_workers,
            scratch=Path(scratch),
        )
        candidates = measure(ngrams)
        chosen = select(
            candidates,
            thresholds,
            known=known_words() if known is None else known,
            min_dependence=0.0 if method == "characters" else _MIN_DEPENDENCE,
        )
        words = candidates.words
        chosen = [i for i in chosen if len(words[i]) <= MAX_WORD_LENGTH and _length(words[i]) <= max_word_length]
        examples = _examples([candidates.words[i] for i in chosen], Path(scratch))
    scores = candidates.scores
    return [
        NewWord(
            candidates.words[i],
            int(candidates.counts[i]),
            float(candidates.cohesion[i]),
            float(candidates.left_entropy[i]),
            float(candidates.right_entropy[i]),
            float(scores[i]),
            examples[candidates.words[i]],
        )
        for i in chosen
    ]


def _length(word: str) -> int:
    return len(_RUN.sub("x", word))


def _segmenter() -> Segment:
    # This import stands here because the search in characters must not wait for jieba.
    from tokenization.word_segmentation import WordSegmenter

    return WordSegmenter(use_hmm=False).cut
