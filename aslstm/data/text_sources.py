"""Takes a :class:`TextSource`, which names paths, folders and globs, and gives the raw posts of its files, one after the other.

The files may be labelled or not.
"""

import glob
import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import MISSING, dataclass
from pathlib import Path

from aslstm.errors import UserError, check_encoding
from aslstm.packed_files import SUFFIXES_OF_PACKED
from aslstm.settings import check_settings, setting

from .cleaning import NO_CLEAN_HELP, CleaningCounts, clean
from .formats import SUFFIXES
from .found_files import Named
from .row_readers import read_texts

logger = logging.getLogger(__name__)

FILES_HELP = (
    "files of posts: text, CSV, JSON, Excel, SQLite, Parquet, Feather, HTML or XML, also packed; folders; globs; - for stdin"
)
COLUMN_HELP = "the column of the posts; default: found by its name or content"
ENCODING_HELP = "the encoding of text files, e.g. GB18030; default: found"
# The endings of what stands beside answers and holds no posts, or none that can be read.
_BESIDE_OUTPUT = (".counts.json", ".errors.jsonl")
TABLE_HELP = "the sheet of a workbook, table of a database or list of a JSON file; default: the first with posts"


def paths_of(patterns: Sequence[str], leave_out: Collection[Path] = ()) -> list[Path]:
    """Return the files of paths, folders and globs, in the order in which they are given.

    The files of a glob or a folder are sorted by name. Of a folder, also of those inside of it, the files with an ending that
    posts have are taken, but not what ``aslstm predict`` writes beside its output.

    Args:
        patterns: The paths, folders and globs; ``-`` is standard input.
        leave_out: Files that a folder or glob may hold and that are not meant, such as the output.

    Raises:
        UserError: No file fits a path, folder or glob.
    """
    unwanted = {path.resolve() for path in leave_out}
    paths: list[Path] = []
    for pattern in patterns:
        if pattern == "-" or (Path(pattern).exists() and not Path(pattern).is_dir()):
            found = [Path(pattern)]
        else:
            found = _in_folder(Path(pattern)) if Path(pattern).is_dir() else _of_glob(pattern)
            found = [path for path in found if path.resolve() not in unwanted]
        if not found:
            raise UserError(f"`input` {pattern}: expected a file, found none; check the path")
        paths += found
    return paths


def _of_glob(pattern: str) -> list[Path]:
    return [Path(path) for path in sorted(glob.glob(pattern, recursive=True))]  # noqa: PTH207 (takes absolute ones)


def _in_folder(folder: Path) -> list[Path]:
    def is_of_posts(path: Path) -> bool:
        inside = path.relative_to(folder)
        is_hidden = any(part.startswith((".", "~$")) or part.endswith(".parts") for part in inside.parts)
        name = Path(path.stem) if path.suffix.lower() in SUFFIXES_OF_PACKED else path
        is_archive = path.suffix.lower() == ".zip"
        is_beside_output = path.name.endswith(_BESIDE_OUTPUT)
        return not is_hidden and not is_beside_output and path.is_file() and (is_archive or name.suffix.lower() in SUFFIXES)

    return sorted(path for path in folder.rglob("*") if is_of_posts(path))


@dataclass(frozen=True)
class TextSource:
    """Says where raw posts come from.

    Raises:
        UserError: The encoding does not exist.
    """

    input: tuple[str, ...] = setting(MISSING, FILES_HELP)
    text_column: tuple[str, ...] | None = setting(None, f"{COLUMN_HELP}; of several the first that a row has")
    encoding: str | None = setting(None, ENCODING_HELP)
    table: str | None = setting(None, TABLE_HELP)
    no_clean: bool = setting(False, NO_CLEAN_HELP)

    def __post_init__(self) -> None:
        check_settings(self)
        if self.encoding is not None:
            check_encoding(self.encoding)

    def paths(self) -> list[Path]:
        """Return the files of all paths, folders and globs; see :func:`paths_of`."""
        return paths_of(self.input)

    def texts(self) -> Iterator[str]:
        """Yield the posts of all files, one after the other.

        What was found out about each file is logged, and at the end how many posts were cleaned of what a crawler left.

        Raises:
            UserError: A file is missing or cannot be read; see :meth:`paths` and :func:`aslstm.data.row_readers.read_texts`.
        """
        named = Named(text_column=self.text_column, encoding=self.encoding, table=self.table)
        counts = CleaningCounts()
        for path in self.paths():
            for text in read_texts(path, named, tell=logger.info):
                if self.no_clean:
                    yield text
                    continue
                cleaned = clean(text)
                counts.add(cleaned.rules)
                yield cleaned.text
        if line := counts.line():
            logger.info("%s", line)
