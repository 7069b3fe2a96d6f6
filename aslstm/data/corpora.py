"""Takes a :class:`CorpusSource` and gives a ``datasets.DatasetDict`` with the string columns ``text`` and ``label``.

A source is the embedded sample, a known corpus, files or a data set of the Hub. The splits are named train, validation and
test. A validation split is cut where there is none, and rows that two splits share are removed. The texts of the user's own
files are cleaned of what a crawler left, as ``aslstm predict`` does it. Those of published corpora stay as they are, because
figures on them are compared.
"""

import logging
import os
import re
import zlib
from collections.abc import Callable, Container, Iterable, Iterator
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

from .cleaning import NO_CLEAN_HELP, CleaningCounts, clean
from .faulty_rows import ON_ERROR, without_faulty
from .file_formats import Row
from .hub_rows import read_hub
from .known_corpora import KNOWN_CORPORA, LABEL_MAPS, SAMPLE_FOLDER, KnownCorpus
from .labels import MULTI_LABEL, PROBLEM_TYPES, REGRESSION, SINGLE_LABEL, label_renamer
from .row_readers import check_can_be_read_again, find_labelled_file, read_rows
from .splits import check_labels, cut_validation, renamed, without_shared, without_white_space

logger = logging.getLogger(__name__)

SPLITS = ("train", "validation", "test")
DATA_VARIABLE = "ASLSTM_DATA"

# The column of the rules that cleaned a row, which the cache of ``datasets`` keeps with it.
_RULES = "cleaned by"
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
    label_column: str | None = setting(
        None, "the column of the labels; default: that of a known corpus, or label; with commas: columns of 0 and 1"
    )
    encoding: str | None = setting(None, "the encoding of text files, e.g. GB18030; default: found")
    no_clean: bool = setting(False, f"with train_file: {NO_CLEAN_HELP}")
    map_labels: str | None = setting(
        None, f"other labels for those of the corpus: {', '.join(LABEL_MAPS)}, or a file with lines such as 1,negative"
    )
    problem_type: str = setting(
        SINGLE_LABEL, "whether a post has one label or any number of them (lists, or names with | between them)",
        choices=PROBLEM_TYPES,
    )  # fmt: skip
    on_error: str = setting(
        "stop", "a row that cannot be read or has no label ends the run (stop) or is passed over (skip)", choices=ON_ERROR
    )

    def __post_init__(self) -> None:
        check_settings(self)
        if self.problem_type == REGRESSION:
            raise UserError(
                f"`problem_type`: expected {SINGLE_LABEL} or {MULTI_LABEL}, found {REGRESSION}, for which the stock Trainer "
                "trains a model; or name ranges of the numbers with `map_labels`"
            )
        if self.encoding is not None:
            check_encoding(self.encoding)
        files = [name for name in ("train_file", "validation_file", "test_file") if getattr(self, name)]
        if files and self.dataset not in ("", "files"):
            raise UserError(
                f"expected `dataset` or `train_file`, found both ({self.dataset}, `{files[0]}`); leave out one of them"
            )
        if self.dataset == "files" and not files:
            raise UserError("expected `train_file` beside `dataset` files, found none; name the training rows")
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
    def cleans(self) -> bool:
        """Whether the texts are cleaned of what a crawler left; those of published corpora are not."""
        return self.dataset == "files" and not self.no_clean

    @property
    def is_on_hub(self) -> bool:
        """Whether the corpus is read by ``datasets.load_dataset``."""
        return self.dataset not in KNOWN_CORPORA and self.dataset != "files"

    @property
    def is_own(self) -> bool:
        """Whether the corpus is the user's own or one of the Hub, and not one that this project knows."""
        return self.dataset not in KNOWN_CORPORA

    def label_renamer(self) -> Callable[[str], str] | None:
        """Return the function that gives the labels of the files their names, or None if they stay as they are.

        Raises:
            UserError: ``map_labels`` cannot be read.
        """
        return label_renamer(self.known.label_names, self.map_labels, self.problem_type)

    def check_has_train(self) -> None:
        """Refuse files of which none is for training; ``aslstm evaluate`` alone does without.

        Raises:
            UserError: There are files for other splits only.
        """
        if self.dataset == "files" and not self.train_file:
            beside = "`test_file`" if self.test_file else "`validation_file`"
            raise UserError(f"expected `train_file` beside {beside}, found none; name the training rows")

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


def has_emoji(text: str) -> bool:
    """Return whether a raw text has emoji, which are bracketed names other than ``[视频]`` and Unicode emoji.

    On NLPCC 2014 these are the 2,212 gate rows; the rule does not depend on a tokenizer's settings.
    """
    return bool(bracketed_names(text)) or UNICODE_EMOJI.search(text) is not None


def bracketed_names(text: str) -> list[str]:
    """Return every ``[name]`` of 1 to 8 characters except ``[视频]``; white space is ignored."""
    return [name for name in _BRACKETED.findall(without_white_space(text)) if name != "[视频]"]


def _generate_rows(
    path: str,
    columns: tuple[str | None, str],
    encoding: str | None,
    problem_type: str,
    cleans: bool,
    stamp: tuple[str, int],
) -> Iterator[Row]:
    # The stamp is not used here. It is part of the cache key, so that a file is read again when it or a reader has changed.
    # Contents are hashed, because a file can be replaced by one of the same size and time.
    text_column, label_column = columns
    rows = read_rows(
        Path(path), text_column=text_column, label_column=label_column, encoding=encoding, problem_type=problem_type,
        keep_faulty=True,
    )  # fmt: skip
    for row in rows:
        if not cleans:
            yield row
            continue
        cleaned = clean(row["text"])
        # A label of a post without words of its own can only be that of what it passes on.
        text, rules = (cleaned.text, cleaned.rules) if cleaned.text.strip() else (row["text"], ())
        yield row | {"text": text, _RULES: "|".join(rules)}


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
        "problem_type": source.problem_type,
        "cleans": source.cleans,
        "stamp": (checksum, _checksum_of_readers()),
    }
    try:
        return _say_what_was_cleaned(path, Dataset.from_generator(_generate_rows, gen_kwargs=arguments))
    except DatasetGenerationError as error:
        # The datasets library wraps whatever a reader raises.
        if isinstance(error.__cause__, UserError | OSError):
            raise error.__cause__ from None
        raise


def _say_what_was_cleaned(path: Path, rows: Dataset) -> Dataset:
    """Log how many rows were cleaned by which rule, and return the rows without the column that says so."""
    if _RULES not in rows.column_names:
        return rows
    counts = CleaningCounts()
    for rules in rows[_RULES]:
        counts.add(filter(None, rules.split("|")))
    if line := counts.line():
        logger.info("%s: %s", path, line)
    return rows.remove_columns(_RULES)


def read_splits(source: CorpusSource, skip: Container[str] = ()) -> dict[str, Dataset]:
    """Read the splits as they are published, with the columns ``text``, ``label`` and ``post``.

    No split is cut and no row is removed.

    Args:
        source: The corpus to read.
        skip: The names of splits that are not read.
    """
    if source.is_on_hub:
        splits = read_hub(source.dataset, source.columns, source.problem_type)
        splits = {split: splits[split] for split in SPLITS if split in splits and split not in skip}
    else:
        splits = {split: _read_file(path, source) for split, path in source.files().items() if split not in skip}
    places = places_of(source, splits)
    splits = {split: without_faulty(rows, places[split], on_error=source.on_error) for split, rows in splits.items()}
    rename = source.label_renamer()
    if rename is None:
        return splits
    return {split: renamed(rows, rename, places[split]) for split, rows in splits.items()}


def places_of(source: CorpusSource, splits: Iterable[str]) -> dict[str, str]:
    """Return what messages call the place of each split: its file, or the data set and the name of the split."""
    files = {} if source.is_on_hub else source.files()
    return {split: str(files.get(split, f"`dataset` {source.dataset}, {split}")) for split in splits}


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
    source.check_has_train()
    splits = read_splits(source)
    if "train" not in splits:
        raise UserError(f"`dataset` {source.dataset}: expected a split named train, found {', '.join(splits) or 'others'}")
    places = places_of(source, splits)
    check_labels(splits, places, source.problem_type)
    if "validation" not in splits:
        splits["train"], splits["validation"] = cut_validation(splits["train"], source.problem_type)
    if "test" in splits:
        splits["train"] = without_shared(splits["train"], splits["test"], "train that also stand in test")
        splits["validation"] = without_shared(splits["validation"], splits["test"], "validation that also stand in test")
    splits["validation"] = without_shared(splits["validation"], splits["train"], "validation that also stand in train")
    for split, rows in splits.items():
        if len(rows) == 0:
            place = places.get(split, places["train"])
            raise UserError(f"{place}: expected rows for {split} that no other split has, found none; add rows")
    logger.info("rows: %s", ", ".join(f"{split} {len(rows)}" for split, rows in splits.items()))
    return DatasetDict({split: splits[split].remove_columns("post") for split in SPLITS if split in splits})


def load_split(source: CorpusSource, split: str) -> Dataset:
    """Read one split for evaluation, as it is published; a split that is not published is the one that training cuts.

    Args:
        source: The corpus to read.
        split: The name of the split.

    Raises:
        UserError: The corpus has no such split.
    """
    published = read_splits(source)
    rows = published.get(split)
    if rows is None and "train" in published:
        rows = load_corpus(source).get(split)
    if rows is None:
        raise UserError(f"`split` {split}: expected one of {', '.join(published)}, found no such split; choose another")
    return rows
