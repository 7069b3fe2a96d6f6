"""Takes the paths of files and folders that a command writes, and gives places to write, JSON and checksums.

Paths are checked before the work begins, and no file appears under its name before it is complete. A damaged folder is
described in one line.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PureWindowsPath
from typing import Any

from .errors import UserError

CHECKSUMS = "checksums.json"


def check_output_file(path: Path, *, name: str = "output", overwrite: bool) -> None:
    """Refuse a path where no file can be written, or where a file exists that must stay.

    Args:
        path: The file that will be written.
        name: The argument that names it, for the message.
        overwrite: Whether a file that exists may be replaced.

    Raises:
        UserError: The path is a folder or an existing file, or its folder does not exist.
    """
    if path.is_dir():
        raise UserError(f"`{name}` {path}: expected the name of a file, found a folder; name a file in it")
    if path.exists() and not overwrite:
        raise UserError(f"`{name}` {path}: expected a new file, found one; choose another or add `overwrite`")
    if not path.absolute().parent.is_dir():
        raise UserError(f"`{name}` {path}: expected an existing folder, found none; make it first")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path to write to; the file becomes ``path`` when it is complete, and an error leaves ``path`` as it was."""
    # The suffix stays the same, because gensim and the charts choose the format by it.
    partial = path.with_name(f".partial-{path.name}")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def json_text(content: Any) -> str:
    """Return JSON as it is written in the files of a model folder."""
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_checksums(folder: Path, names: Iterable[str] | None = None) -> None:
    """Write ``checksums.json`` with the SHA-256 of the named files, or of every other file in the folder if none is named."""
    if names is None:
        files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != CHECKSUMS and "__pycache__" not in p.parts)
        names = [p.relative_to(folder).as_posix() for p in files]
    checksums = {name: sha256(folder / name) for name in names}
    (folder / CHECKSUMS).write_text(json_text(checksums), encoding="utf-8")


def find_damage(folder: Path, required: Collection[str], *, editable: Collection[str] = ()) -> str | None:
    """Describe the first file that is not as :func:`write_checksums` left it; the description begins with its path.

    Args:
        folder: The folder, of any kind.
        required: The names of files that the checksums must list.
        editable: The names of files that may be changed.

    Returns:
        The description, or None if every file is as it was.
    """
    try:
        checksums = json.loads((folder / CHECKSUMS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return f"{folder / CHECKSUMS}: expected a file, found none"
    except ValueError as error:
        return f"{folder / CHECKSUMS}: expected JSON, found: {error}"
    if not isinstance(checksums, dict) or not set(required) <= set(checksums):
        return f"{folder / CHECKSUMS}: expected a checksum of every file, found fewer"
    for name in checksums:
        # Names are read as Windows reads them, on every system, because it knows every way out of a folder, also drives.
        if (path := PureWindowsPath(name)).anchor or ".." in path.parts:
            return f"{folder / CHECKSUMS}: expected files of the folder, found {name!r}, which leads out"
    for name, checksum in checksums.items():
        if not (folder / name).is_file() or (name not in editable and sha256(folder / name) != checksum):
            return f"{folder / name}: expected the file that was saved ({CHECKSUMS}), found another or none"
    return None


def put_folder(folder: Path, staging: Path) -> None:
    """Move ``staging`` to ``folder``; an old folder is moved beside ``staging`` first, and moved back if that fails."""
    if not folder.is_dir():
        staging.rename(folder)
        return
    old = staging.with_name("old")
    folder.rename(old)
    try:
        staging.rename(folder)
    except OSError:
        old.rename(folder)
        raise
