"""Takes a :class:`TextSource`, which names paths and globs, and gives the raw posts of its files, one after the other.

The files may be labelled or not.
"""

import glob
import logging
from collections.abc import Iterator
from dataclasses import MISSING, dataclass
from pathlib import Path

from aslstm.errors import UserError, check_encoding
from aslstm.settings import check_settings, setting

from .cleaning import NO_CLEAN_HELP, CleaningCounts, clean
from .row_readers import read_texts

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TextSource:
    """Says where raw posts come from.

    Raises:
        UserError: The encoding does not exist.
    """

    input: tuple[str, ...] = setting(MISSING, "files of text, JSONL, CSV, TSV, Parquet or XML, also .gz; globs; - for stdin")
    text_column: tuple[str, ...] = setting(("text",), "the column of the texts; of several the first that a row has")
    encoding: str = setting("utf-8", "the encoding of text files, e.g. GB18030")
    no_clean: bool = setting(False, NO_CLEAN_HELP)

    def __post_init__(self) -> None:
        check_settings(self)
        check_encoding(self.encoding)

    def paths(self) -> list[Path]:
        """Return the files of all paths and globs, in the order of ``input``; the files of one glob are sorted by name.

        Raises:
            UserError: No file fits a path or glob.
        """
        paths = []
        for pattern in self.input:
            found = ["-"] if pattern == "-" else sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 (takes absolute ones)
            if not found:
                raise UserError(f"`input` {pattern}: expected a file, found none; check the path")
            paths += [Path(path) for path in found]
        return paths

    def texts(self) -> Iterator[str]:
        """Yield the posts of all files, one after the other, and log at their end how many were cleaned of what a crawler left.

        Raises:
            UserError: A file is missing or cannot be read; see :meth:`paths` and :func:`aslstm.data.row_readers.read_texts`.
        """
        counts = CleaningCounts()
        for path in self.paths():
            for text in read_texts(path, text_columns=self.text_column, encoding=self.encoding):
                if self.no_clean:
                    yield text
                    continue
                cleaned = clean(text)
                counts.add(cleaned.rules)
                yield cleaned.text
        if line := counts.line():
            logger.info("%s", line)
