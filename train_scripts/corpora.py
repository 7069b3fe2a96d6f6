"""Corpora to ``datasets.DatasetDict`` with the columns ``text`` and ``label`` (strings) and clear split names.

Takes what the command line names (the embedded sample, a known corpus or files), cuts a validation split where there is
none, and removes what stands in two splits. Texts stay as they are: what changes text travels with the tokenizer.
"""

import logging
import random
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets import Dataset, DatasetDict
from datasets.exceptions import DatasetGenerationError

import row_readers
from row_readers import Row, read_rows
from tokenization.emoji_splitting import UNICODE_EMOJI
from user_errors import UserError

logger = logging.getLogger(__name__)

SAMPLE_FOLDER = Path(__file__).parent / "sample_data"
SPLITS = ("train", "validation", "test")
NLPCC2014_FILES = {
    "train": (
        "Training data for Emotion Classification.xml",
        "Training data for Emotion Classification.xml.gz",
        "train.jsonl",
        "train.jsonl.gz",
    ),
    "test": ("EmotionClassficationTest.xml", "EmotionClassficationTest.xml.gz"),  # spelled so by its publishers
}
VALIDATION_SHARE = 0.1
# Cutting does not follow --seed: runs of several seeds are compared on the same validation rows.
VALIDATION_SEED = 0

_WHITE_SPACE = re.compile(r"\s+")
_BRACKETED = re.compile(r"\[[^\[\]\s]{1,8}\]")


@dataclass(frozen=True)
class CorpusSource:
    """Where a corpus comes from: ``dataset`` is ``sample``, ``nlpcc2014`` or ``files``."""

    dataset: str = "sample"
    data_dir: Path | None = None
    train_file: Path | None = None
    validation_file: Path | None = None
    test_file: Path | None = None
    text_column: str = "text"
    label_column: str = "label"

    def files(self) -> dict[str, Path]:
        """The file of each split.

        Raises:
            UserError: a file that is not there.
        """
        if self.dataset == "sample":
            return {split: SAMPLE_FOLDER / f"{split}.jsonl" for split in SPLITS}
        if self.dataset == "nlpcc2014":
            return {split: self._first_file(names) for split, names in NLPCC2014_FILES.items()}
        given = {"train": self.train_file, "validation": self.validation_file, "test": self.test_file}
        return {split: path for split, path in given.items() if path is not None}

    def _first_file(self, names: tuple[str, ...]) -> Path:
        if self.data_dir is None:
            raise UserError(
                f"expected --data_dir (or ASLSTM_DATA) with the files of {self.dataset}, found none; name the folder"
            )
        for name in names:
            if (self.data_dir / name).is_file():
                return self.data_dir / name
        raise UserError(f"{self.data_dir}: expected one of {', '.join(names)}, found none; check --data_dir")


def without_white_space(text: str) -> str:
    """The key under which two texts are the same."""
    return _WHITE_SPACE.sub("", text)


def has_emoji(text: str) -> bool:
    """Whether a raw text counts as one with emoji: a bracketed name other than ``[视频]``, or a Unicode emoji.

    On NLPCC 2014 these are the 2,212 gate rows; the rule does not depend on a tokenizer's settings.
    """
    packed = without_white_space(text)
    return any(name != "[视频]" for name in _BRACKETED.findall(packed)) or UNICODE_EMOJI.search(text) is not None


def _generate_rows(path: str, text_column: str, label_column: str, stamp: tuple[int, ...]) -> Iterator[Row]:
    # The stamp is unused here: it is part of the cache key, so that a changed file, or a changed reader, reads anew.
    yield from read_rows(Path(path), text_column=text_column, label_column=label_column)


def _read_split(path: Path, source: CorpusSource) -> Dataset:
    try:
        status = path.stat()
    except OSError as error:
        raise UserError(f"{path}: expected a readable file, found: {error.strerror}; check the path") from error
    arguments: dict[str, Any] = {
        "path": str(path),
        "text_column": source.text_column,
        "label_column": source.label_column,
        "stamp": (status.st_mtime_ns, status.st_size, zlib.crc32(Path(row_readers.__file__).read_bytes())),
    }
    try:
        return Dataset.from_generator(_generate_rows, gen_kwargs=arguments)
    except DatasetGenerationError as error:
        # datasets wraps whatever a reader raises.
        if isinstance(error.__cause__, UserError):
            raise error.__cause__ from None
        raise


def _cut_validation(rows: Dataset) -> tuple[Dataset, Dataset]:
    """Train and validation, cut by post so that no post has sentences in both; train keeps rows of every label."""
    posts, labels = rows["post"][:], rows["label"][:]
    unique = sorted(set(posts))
    random.Random(VALIDATION_SEED).shuffle(unique)
    held_out = set(unique[: max(1, round(len(unique) * VALIDATION_SHARE))])
    kept_labels = {label for post, label in zip(posts, labels, strict=True) if post not in held_out}
    held_out -= {post for post, label in zip(posts, labels, strict=True) if label not in kept_labels}
    train = rows.select([i for i, post in enumerate(posts) if post not in held_out])
    return train, rows.select([i for i, post in enumerate(posts) if post in held_out])


def _without(rows: Dataset, other: Dataset, names: str) -> Dataset:
    texts = {without_white_space(text) for text in other["text"]}
    kept = [i for i, text in enumerate(rows["text"]) if without_white_space(text) not in texts]
    if len(kept) < len(rows):
        logger.info("removed %d rows of %s (white space ignored)", len(rows) - len(kept), names)
    return rows.select(kept)


def load_corpus(source: CorpusSource) -> DatasetDict:
    """Read a corpus.

    Returns:
        The splits ``train``, ``validation`` and, where there is one, ``test``; no text of test stands in train or
        validation, and none of train in validation. The second call reads from the cache of ``datasets``.

    Raises:
        UserError: see :func:`row_readers.read_rows`; also a split that is left without rows, or a label that train lacks.
    """
    files = source.files()
    splits = {split: _read_split(path, source) for split, path in files.items()}
    _check_labels(splits, files)
    if "validation" not in splits:
        splits["train"], splits["validation"] = _cut_validation(splits["train"])
    if "test" in splits:
        splits["train"] = _without(splits["train"], splits["test"], "train that also stand in test")
        splits["validation"] = _without(splits["validation"], splits["test"], "validation that also stand in test")
    splits["validation"] = _without(splits["validation"], splits["train"], "validation that also stand in train")
    for split, rows in splits.items():
        if len(rows) == 0:
            raise UserError(
                f"{files.get(split, files['train'])}: expected rows for {split} that no other split has, found none; add rows"
            )
    logger.info("rows: %s", ", ".join(f"{split} {len(rows)}" for split, rows in splits.items()))
    return DatasetDict({split: rows.remove_columns("post") for split, rows in splits.items()})


def _check_labels(splits: dict[str, Dataset], files: dict[str, Path]) -> None:
    labels = set(splits["train"]["label"])
    if len(labels) < 2:
        raise UserError(f"{files['train']}: expected two labels or more, found {sorted(labels)}; check --label_column")
    for split, rows in splits.items():
        for number, label in enumerate(rows["label"], start=1):
            if label not in labels:
                raise UserError(
                    f"{files[split]}, row {number}: expected a label that train has ({', '.join(sorted(labels))}), found "
                    f"{label!r}; mend the row or add it to train"
                )
