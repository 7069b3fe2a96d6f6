"""Takes an SQLite database and gives the rows of its tables and views; the database is only read."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

from aslstm.errors import UserError
from aslstm.packed_files import Unpacked
from aslstm.text_files import MAX_LINE_BYTES

from .file_formats import NumberedRow, Table, refuse_repeated

_SECONDS = 5.0  # how long a program that is writing is waited for


def read_database(source: Unpacked) -> list[Table]:
    """Return the tables and views of a database, in the order in which they were made.

    Raises:
        UserError: The file is no SQLite database, is damaged, or another program has locked it.
    """
    folder = tempfile.TemporaryDirectory()  # for the copy of a packed database
    path = source.on_disk(Path(folder.name), "SQLite")
    try:
        with closing(_open(path)) as database:
            names = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite@_%' ESCAPE '@'"
            found = [str(name) for (name,) in database.execute(names)]
    except sqlite3.Error as error:
        raise _fault(source.path, error) from error
    if not found:
        raise UserError(f"{source.path}: expected a database with tables, found an empty one; check the file")
    # The rows hold the folder, so that the copy lives as long as they do.
    return [
        Table(_rows(source.path, path, name, folder), name, count=partial(_count, source.path, path, name)) for name in found
    ]


def _open(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=_SECONDS)
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_LINE_BYTES)
    return database


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _rows(shown: Path, path: Path, name: str, _folder: tempfile.TemporaryDirectory) -> Iterator[NumberedRow]:
    place, number = f"{shown}, table {name}", 0
    try:
        with closing(_open(path)) as database:
            cursor = database.execute(f"SELECT * FROM {_quoted(name)}")
            names = [column[0] for column in cursor.description]
            refuse_repeated(place, names)
            for number, cells in enumerate(cursor, start=1):
                yield number, dict(zip(names, cells, strict=True))
    except sqlite3.Error as error:
        raise _fault(f"{place}, row {number + 1}", error) from error


def _count(shown: Path, path: Path, name: str) -> int:
    try:
        with closing(_open(path)) as database:
            return int(database.execute(f"SELECT count(*) FROM {_quoted(name)}").fetchone()[0])
    except sqlite3.Error as error:
        raise _fault(shown, error) from error


def _fault(place: str | Path, error: sqlite3.Error) -> UserError:
    found = " ".join(str(error).split())
    what, help = "a readable SQLite database", "check the file"
    if "locked" in found or "busy" in found:
        what, help = "a database that no program writes", "close the program that uses it, or copy the file and read the copy"
    elif "not a database" in found:
        found, help = "another file, or a database with a password", "export the table as CSV"
    elif "too big" in found:
        what, help = f"cells of at most {MAX_LINE_BYTES:,} bytes", "leave the column out of a view, and name that with `table`"
    elif "unable to open" in found:
        help = "copy the database, with the files -wal and -shm beside it, into a folder that you may write to"
    return UserError(f"{place}: expected {what}, found: {found}; {help}")
