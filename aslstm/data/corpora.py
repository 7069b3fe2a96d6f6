"""Takes a :class:`CorpusSource` and gives a ``datasets.DatasetDict`` with the string columns ``text`` and ``label``.

A source is the embedded sample, a known corpus, files or a data set of the Hub. The splits are named train, validation and
test. A validation split is cut where there is none, and rows that two splits share are removed. Texts stay as they are,
because whatever changes a text travels with the tokenizer.
"""

import logging
import os
import random
import re
import zlib
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets import Dataset, DatasetDict
from datasets.exceptions import DatasetGenerationError

from aslstm import packed_files, text_files
from aslstm.errors import UserError, check_encoding
from aslstm.files import sha256
from aslstm.settings import check_settings, optional_path, setting
from tokenization.emoji_splitting import UNICODE_EMOJI

from .file_formats import Row
from .hub_rows import read_hub
from .known_corpora import KNOWN_CORPORA, SAMPLE_FOLDER, KnownCorpus
from .row_readers import check_can_be_read_again, find_labelled_file, read_rows

logger = logging.getLogger(__name__)

SPLITS = ("train", "validation", "test")
VALIDATION_SHARE = 0.1
# The cut does not depend on the seed of training, so that runs with several seeds are compared on the same validation rows.
VALIDATION_SEED = 0
DATA_VARIABLE = "ASLSTM_DATA"

_WHITE_SPACE = re.compile(r"\s+")
_BRACKETED = re.compile(r"\[[^\[\]\s]{1,8}\]")


@dataclass(frozen=True)
class CorpusSource:
    """Says where a corpus comes from.

    An empty ``dataset`` becomes ``files`` where files are given, and ``sample`` otherwise. If ``data_dir`` is not given, it is
    taken from the environment variable ``ASLSTM_DATA``.

    Raises:
        UserError: Settings contradict each other, or the encoding does not exist.
    """

    dataset: str = setting(
        "",
        f"{', '.join(KNOWN_CORPORA)}, or a data set of the Hub (owner/name); default: sample, or the files given",
    )
    data_dir: Path | None = setting(None, f"the folder of a known corpus; default: the variable {DATA_VARIABLE}")
    train_file: Path | None = setting(None, "the training rows: CSV, JSON, Excel, SQLite, Parquet, Feather or XML, also packed")
    validation_file: Path | None = setting(None, "the validation rows; default: a tenth of train")
    test_file: Path | None = setting(None, "the test rows; default: none")
    text_column: str | None = setting(None, "the column of the texts; default: that of a known corpus, or found")
    label_column: str | None = setting(None, "the column of the labels; default: that of a known corpus, or label")
    encoding: str | None = setting(None, "the encoding of text files, e.g. GB18030; default: found")

    def __post_init__(self) -> None:
        check_settings(self)
        if self.encoding is not None:
            check_encoding(self.encoding)
        files = [name for name in ("train_file", "validation_file", "test_file") if getattr(self, name)]
        if files and self.dataset not in ("", "files"):
            raise UserError(
                f"expected `dataset` or `train_file`, found both ({self.dataset}, `{files[0]}`); leave out one of them"
            )
        if (files or self.dataset == "files") and not self.train_file:
            beside = f"`{files[0]}`" if files else "`dataset` files"
            raise UserError(f"expected `train_file` beside {beside}, found none; name the training rows")
        object.__setattr__(self, "dataset", "files" if files else self.dataset or "sample")
        object.__setattr__(self, "data_dir", optional_path(self.data_dir or os.environ.get(DATA_VARIABLE)))
        for name in files:
            object.__setattr__(self, name, Path(getattr(self, name)))

    @property
    def known(self) -> KnownCorpus:
        """The known facts about the corpus; for an unknown one, only the default column names text and label."""
        by_hub_id = {corpus.hub_id: corpus for corpus in KNOWN_CORPORA.values() if corpus.hub_id}
        return KNOWN_CORPORA.get(self.dataset) or by_hub_id.get(self.dataset) or KnownCorpus(self.dataset, {})

    @property
    def columns(self) -> tuple[str, str]:
        """The names of the text and label columns."""
        return self.text_column or self.known.text_column, self.label_column or self.known.label_column

    @property
    def columns_of_files(self) -> tuple[str | None, str]:
        """The names of the text and label columns in files; None for a text column that each file tells by itself."""
        text_column, label_column = self.columns
        return self.text_column if self.dataset == "files" else text_column, label_column

    @property
    def is_on_hub(self) -> bool:
        """Whether the corpus is read by ``datasets.load_dataset``."""
        return self.dataset not in KNOWN_CORPORA and self.dataset != "files"

    def files(self) -> dict[str, Path]:
        """Return the file of each split, or an empty dictionary for a corpus of the Hub.

        Raises:
            UserError: A file of the corpus does not exist.
        """
        if self.dataset == "sample":
            return {split: SAMPLE_FOLDER / names[0] for split, names in self.known.files.items()}
        if self.dataset in KNOWN_CORPORA:
            return {split: self._first_file(names) for split, names in self.known.files.items()}
        given = {"train": self.train_file, "validation": self.validation_file, "test": self.test_file}
        return {split: path for split, path in given.items() if path is not None}

    def _first_file(self, names: tuple[str, ...]) -> Path:
        if self.data_dir is None:
            raise UserError(
                f"expected `data_dir` (or the variable {DATA_VARIABLE}) with the files of {self.dataset}, found none; name the "
                "folder"
            )
        # `data_dir` is the folder of the corpus, or a folder that holds one folder for each corpus.
        for path in (
            folder / name for folder in (self.data_dir, self.data_dir / (self.known.folder or self.dataset)) for name in names
        ):
            if path.is_file():
                return path
        raise UserError(f"{self.data_dir}: expected one of {', '.join(names)}, found none; check `data_dir`")


def without_white_space(text: str) -> str:
    """Return the text without its white space: two texts are the same if they agree in this."""
    return _WHITE_SPACE.sub("", text)


def has_emoji(text: str) -> bool:
    """Return whether a raw text has emoji, which are bracketed names other than ``[视频]`` and Unicode emoji.

    On NLPCC 2014 these are the 2,212 gate rows; the rule does not depend on a tokenizer's settings.
    """
    return bool(bracketed_names(text)) or UNICODE_EMOJI.search(text) is not None


def bracketed_names(text: str) -> list[str]:
    """Return every ``[name]`` of 1 to 8 characters except ``[视频]``; white space is ignored."""
    return [name for name in _BRACKETED.findall(without_white_space(text)) if name != "[视频]"]


def _generate_rows(path: str, columns: tuple[str | None, str], encoding: str | None, stamp: tuple[str, int]) -> Iterator[Row]:
    # The stamp is not used here. It is part of the cache key, so that a file is read again when it or a reader has changed.
    # Contents are hashed, because a file can be replaced by one of the same size and time.
    yield from read_rows(Path(path), text_column=columns[0], label_column=columns[1], encoding=encoding)


def _checksum_of_readers() -> int:
    paths = [*sorted(Path(__file__).parent.glob("*.py")), Path(text_files.__file__), Path(packed_files.__file__)]
    return zlib.crc32(b"".join(path.read_bytes() for path in paths))


def _read_file(path: Path, source: CorpusSource) -> Dataset:
    check_can_be_read_again(path)
    try:
        checksum = sha256(path)
    except OSError as error:
        raise UserError(f"{path}: expected a readable file, found: {error.strerror}; check the path") from error
    if source.dataset == "files":
        # The rows may come from the cache; what was found out about the file is said in any case.
        logger.info("%s", find_labelled_file(path, text_column=source.text_column, encoding=source.encoding).line())
    arguments: dict[str, Any] = {
        "path": str(path),
        "columns": source.columns_of_files,
        "encoding": source.encoding,
        "stamp": (checksum, _checksum_of_readers()),
    }
    try:
        return Dataset.from_generator(_generate_rows, gen_kwargs=arguments)
    except DatasetGenerationError as error:
        # The datasets library wraps whatever a reader raises.
        if isinstance(error.__cause__, UserError | OSError):
            raise error.__cause__ from None
        raise


def read_splits(source: CorpusSource, skip: Container[str] = ()) -> dict[str, Dataset]:
    """Read the splits as they are published, with the columns ``text``, ``label`` and ``post``.

    No split is cut and no row is removed.

    Args:
        source: The corpus to read.
        skip: The names of splits that are not read.
    """
    if source.is_on_hub:
        splits = read_hub(source.dataset, source.columns)
        splits = {split: splits[split] for split in SPLITS if split in splits and split not in skip}
    else:
        splits = {split: _read_file(path, source) for split, path in source.files().items() if split not in skip}
    label_names = source.known.label_names
    if not label_names:
        return splits
    return {
        split: rows.map(lambda row: {"label": label_names.get(row["label"], row["label"])}, desc="Naming labels")
        for split, rows in splits.items()
    }


def _cut_validation(rows: Dataset) -> tuple[Dataset, Dataset]:
    """Cut rows into train and validation by post: no post has sentences in both, and train keeps rows of every label."""
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
    """Read a corpus; a second call reads it from the cache of ``datasets``.

    Args:
        source: The corpus to read.

    Returns:
        The splits ``train``, ``validation`` and, where there is one, ``test``. No text of test is in train or validation,
        and no text of train is in validation.

    Raises:
        UserError: A file cannot be read (see :func:`row_readers.read_rows`), a split is left without rows, or train lacks a
            label that another split has.
    """
    splits = read_splits(source)
    places = {split: str(source.files().get(split, f"`dataset` {source.dataset}, {split}")) for split in splits}
    _check_labels(splits, places)
    if "validation" not in splits:
        splits["train"], splits["validation"] = _cut_validation(splits["train"])
    if "test" in splits:
        splits["train"] = _without(splits["train"], splits["test"], "train that also stand in test")
        splits["validation"] = _without(splits["validation"], splits["test"], "validation that also stand in test")
    splits["validation"] = _without(splits["validation"], splits["train"], "validation that also stand in train")
    for split, rows in splits.items():
        if len(rows) == 0:
            place = places.get(split, places["train"])
            raise UserError(f"{place}: expected rows for {split} that no other split has, found none; add rows")
    logger.info("rows: %s", ", ".join(f"{split} {len(rows)}" for split, rows in splits.items()))
    return DatasetDict({split: splits[split].remove_columns("post") for split in SPLITS if split in splits})


def _check_labels(splits: dict[str, Dataset], places: dict[str, str]) -> None:
    labels = set(splits["train"]["label"])
    if len(labels) < 2:
        raise UserError(f"{places['train']}: expected two labels or more, found {sorted(labels)}; check `label_column`")
    for split, rows in splits.items():
        for number, label in enumerate(rows["label"], start=1):
            if label not in labels:
                raise UserError(
                    f"{places[split]}, row {number}: expected a label that train has ({', '.join(sorted(labels))}), found "
                    f"{label!r}; correct the row or add the label to train"
                )


def load_split(source: CorpusSource, split: str) -> Dataset:
    """Read one split for evaluation, as it is published; a split that is not published is the one that training cuts.

    Args:
        source: The corpus to read.
        split: The name of the split.

    Raises:
        UserError: The corpus has no such split.
    """
    published = read_splits(source)
    rows = published.get(split) or load_corpus(source).get(split)
    if rows is None:
        raise UserError(f"`split` {split}: expected one of {', '.join(published)}, found no such split; choose another")
    return rows
