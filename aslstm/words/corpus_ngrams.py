"""Takes the posts of a corpus of any size and gives all its frequent n-grams as :class:`Ngrams`, level by level.

These hold counts and branching entropies. The counts are exact. One machine counts in chunks, in bounded memory and on several
cores, with the map and reduce functions of ``ngram_counting.py``. The tables of the chunks lie sorted on disk and are merged
one range of keys at a time.
"""

import math
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from .ngram_counting import (
    BOUNDARY,
    Counts,
    Floats,
    Ints,
    Segment,
    branching_entropy,
    count_level,
    count_values,
    encode,
    merge_counts,
)

CHUNK_CHARACTERS = 1_000_000
# How many entries of a merged table are held in memory at once: they take about 200 MB while they are sorted.
MERGED_ENTRIES = 4_000_000


@dataclass(frozen=True)
class Level:
    """Holds the frequent n-grams of one length, in the order of their keys.

    Attributes:
        keys: The keys, (num_ngrams,) int64: ``rank of the first n - 1 units * num_units + last unit``.
        counts: How often each n-gram occurs, (num_ngrams,) int64.
        left_entropy, right_entropy: The entropies of the unit before and of the unit behind, (num_ngrams,), in nats; the
            boundary counts as one unit.
        prefix, suffix: The ranks, in the level below, of the n-gram without its last and without its first unit,
            (num_ngrams,).
        last: The last unit of each n-gram, (num_ngrams,).
    """

    keys: Ints
    counts: Ints
    left_entropy: Floats
    right_entropy: Floats
    prefix: Ints
    suffix: Ints
    last: Ints


@dataclass(frozen=True)
class Ngrams:
    """Holds all frequent n-grams of a corpus.

    Attributes:
        levels: The n-grams of 1, 2, … units.
        names: The text of each unit, by its number; the boundary is number 0.
        num_units: The number of units in the corpus, without boundaries.
    """

    levels: list[Level]
    names: list[str]
    num_units: int

    def texts(self, n: int) -> list[str]:
        """Return the n-grams of ``n`` units as texts."""
        columns, ranks = [], np.arange(len(self.levels[n - 1].keys))
        for level in self.levels[n - 1 :: -1]:
            columns.append(level.last[ranks].tolist())
            ranks = level.prefix[ranks]
        names = self.names
        return ["".join([names[unit] for unit in reversed(row)]) for row in zip(*columns, strict=True)]

    def split_counts(self, n: int, left: int) -> tuple[Ints, Ints]:
        """Return how often the first ``left`` units and the remaining ones were seen, for each n-gram of ``n`` units."""
        first = last = np.arange(len(self.levels[n - 1].keys))
        for level in self.levels[n - 1 : left - 1 : -1]:
            first = level.prefix[first]
        for level in self.levels[n - 1 : n - left - 1 : -1]:
            last = level.suffix[last]
        return self.levels[left - 1].counts[first], self.levels[n - left - 1].counts[last]


def _save(path: Path, counts: Counts) -> None:
    np.save(f"{path}-keys.npy", counts.keys)
    np.save(f"{path}-counts.npy", counts.counts)


def _merged_ranges(paths: Sequence[Path], step: int) -> Iterator[Counts]:
    """Merge sorted tables on disk one range of keys at a time; the ``step`` keys of an n-gram are always in one range."""
    if not paths:
        return
    tables = [np.load(f"{path}-keys.npy", mmap_mode="r") for path in paths]
    largest = max(tables, key=len)
    num_ranges = math.ceil(sum(map(len, tables)) / MERGED_ENTRIES)
    cuts = sorted({int(largest[len(largest) * i // num_ranges]) // step * step for i in range(1, num_ranges)})
    bounds = [[0, *np.searchsorted(table, cuts).tolist(), len(table)] for table in tables]
    del tables, largest  # A corpus of 10 GB has more tables than a process may hold open.
    for i in range(len(cuts) + 1):
        parts = []
        for path, bound in zip(paths, bounds, strict=True):
            keys, counts = (np.load(f"{path}-{kind}.npy", mmap_mode="r") for kind in ("keys", "counts"))
            parts.append(Counts(np.array(keys[bound[i] : bound[i + 1]]), np.array(counts[bound[i] : bound[i + 1]])))
        yield merge_counts(parts)


_segment: Segment | None = None


def _set_segment(segment: Segment | None) -> None:
    # This runs once in each process. A segmenter that was sent with every chunk would read its dictionary for every chunk.
    global _segment
    _segment = segment


def _encode_to(path: Path, texts: Sequence[str]) -> tuple[dict[int, str], Counts]:
    chunk = encode(texts, _segment)
    np.save(f"{path}-units.npy", chunk.units)
    Path(f"{path}.txt").write_text(chunk.text, encoding="utf-8", newline="\n")
    return chunk.names, count_values(chunk.units)


def _number_units(codes: Ints, path: Path) -> None:
    np.save(f"{path}-units.npy", np.searchsorted(codes, np.load(f"{path}-units.npy")).astype(np.int32))


def _count_level_to(path: Path, keys_path: Path, n: int, num_names: int) -> None:
    units = np.load(f"{path}-units.npy").astype(np.int64)
    ranks = np.zeros_like(units) if n == 1 else np.load(f"{path}-ranks.npy").astype(np.int64)
    ranks, left, right = count_level(units, ranks, np.load(keys_path, mmap_mode="r"), n, num_names)
    np.save(f"{path}-ranks.npy", ranks.astype(np.int32))
    _save(Path(f"{path}-left"), left)
    _save(Path(f"{path}-right"), right)


def chunks_of(texts: Iterable[str], characters: int) -> Iterator[list[str]]:
    """Yield the texts in chunks of about ``characters`` characters."""
    texts = iter(texts)
    while True:
        chunk: list[str] = []
        size = 0
        for text in texts:
            chunk.append(text)
            size += len(text)
            if size >= characters:
                break
        if not chunk:
            return
        yield chunk


def _map(pool: Executor, function: Callable, items: Iterable, num_workers: int, description: str) -> list:
    """Return the results in order; only as many items are taken ahead as the workers need, so no stream fills the memory."""
    results: list = []
    pending: list = []
    with tqdm(desc=description, unit="chunk", leave=False, disable=None) as progress:
        items = iter(items)
        while True:
            for item in islice(items, 2 * num_workers - len(pending)):
                pending.append(pool.submit(function, *item))
            if not pending:
                return results
            results.append(pending.pop(0).result())
            progress.update()


def count_ngrams(
    texts: Iterable[str],
    *,
    max_units: int,
    min_count: Callable[[int], int],
    segment: Segment | None = None,
    chunk_characters: int = CHUNK_CHARACTERS,
    num_workers: int = 1,
    scratch: Path | None = None,
) -> Ngrams:
    """Count the n-grams of a corpus of any size.

    Args:
        texts: The raw posts.
        max_units: The number of units of the longest n-grams.
        min_count: A function from the number of units in the corpus to the smallest count that is kept.
        segment: A function that cuts Chinese text into words (see :func:`encode`), which pickle must be able to store.
        chunk_characters: The size of a chunk; the result does not depend on it.
        num_workers: The number of processes.
        scratch: An empty folder for tables and normalised texts (``chunk-*.txt``), or None for a temporary one.
    """
    workers = ProcessPoolExecutor(num_workers, initializer=_set_segment, initargs=(segment,))
    with tempfile.TemporaryDirectory() as temporary, workers as pool:
        folder = scratch or Path(temporary)
        run = partial(_map, pool, num_workers=num_workers)
        paths: list[Path] = []

        def encodings() -> Iterator[tuple[Path, list[str]]]:
            for chunk in chunks_of(texts, chunk_characters):
                paths.append(folder / f"chunk-{len(paths):06d}")
                yield paths[-1], chunk

        encoded = run(_encode_to, encodings(), description="Reading")
        units = merge_counts([Counts(np.array([BOUNDARY]), np.array([0])), *(counts for _, counts in encoded)])
        names_of = {code: name for names, _ in encoded for code, name in names.items()}
        names = ["" if code == BOUNDARY else names_of.get(code) or chr(code) for code in units.keys.tolist()]
        num_units = int(units.counts[1:].sum())
        threshold = min_count(num_units)
        run(_number_units, ((units.keys, path) for path in paths), description="Numbering")

        size = len(names)
        keys = np.flatnonzero(units.counts >= threshold)
        keys = keys[keys != BOUNDARY]
        counts = units.counts[keys]
        prefix = suffix = np.zeros_like(keys)
        levels: list[Level] = []
        keys_path = folder / "keys.npy"
        for n in range(1, max_units + 1):
            np.save(keys_path, keys)
            jobs = ((path, keys_path, n, size) for path in paths)
            run(_count_level_to, jobs, description=f"Counting {n}-grams")
            left, right = np.zeros(len(keys)), np.zeros(len(keys))
            next_keys, next_counts = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
            for part in _merged_ranges([Path(f"{path}-left") for path in paths], size):
                ranks, entropies = branching_entropy(part, size)
                left[ranks] = entropies
            for part in _merged_ranges([Path(f"{path}-right") for path in paths], size):
                ranks, entropies = branching_entropy(part, size)
                right[ranks] = entropies
                kept = (part.counts >= threshold) & (part.keys % size != BOUNDARY)
                next_keys.append(part.keys[kept])
                next_counts.append(part.counts[kept])
            levels.append(Level(keys, counts, left, right, prefix, suffix, keys % size))
            keys, counts = np.concatenate(next_keys), np.concatenate(next_counts)
            prefix = keys // size
            # The n-gram without its first unit is its prefix without the first unit, followed by the last unit.
            suffix = np.searchsorted(levels[-1].keys, levels[-1].suffix[prefix] * size + keys % size)
        return Ngrams(levels, names, num_units)
