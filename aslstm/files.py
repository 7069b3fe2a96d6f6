"""Files and folders that a command writes: their place is checked before the work begins, and nothing is seen half written.

Takes paths; gives places to write, JSON, checksums, or in one line what is wrong with a folder.
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
    """Refuse a place where no file can be written, or must not be.

    Args:
        path: The file that is going to be written.
        name: The argument that names it, for the message.
        overwrite: Whether a file that exists may be replaced.

    Raises:
        UserError: The place is a folder, a file that exists, or lies in no folder.
    """
    if path.is_dir():
        raise UserError(f"`{name}` {path}: expected the name of a file, found a folder; name a file in it")
    if path.exists() and not overwrite:
        raise UserError(f"`{name}` {path}: expected a new file, found one; choose another or add `overwrite`")
    if not path.absolute().parent.is_dir():
        raise UserError(f"`{name}` {path}: expected an existing folder, found none; make it first")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Where to write a file that takes the place of ``path`` once it is complete; after an error ``path`` is as it was."""
    # The suffix stays: it tells gensim and the charts what to write.
    partial = path.with_name(f".partial-{path.name}")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def json_text(content: Any) -> str:
    """JSON as the files of a model folder have it."""
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def sha256(path: Path) -> str:
    """The SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_checksums(folder: Path, names: Iterable[str] | None = None) -> None:
    """Write ``checksums.json``: the SHA-256 of these files, or of every other file in the folder."""
    if names is None:
        files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != CHECKSUMS and "__pycache__" not in p.parts)
        names = [p.relative_to(folder).as_posix() for p in files]
    checksums = {name: sha256(folder / name) for name in names}
    (folder / CHECKSUMS).write_text(json_text(checksums), encoding="utf-8")


def find_damage(folder: Path, required: Collection[str]) -> str | None:
    """What is not as :func:`write_checksums` left it, in words that begin with the path; None if nothing.

    Args:
        folder: of any kind.
        required: files that it must list.
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
        # As Windows reads it, everywhere: it knows every way out of a folder, "/", ".." and drives among them.
        if (path := PureWindowsPath(name)).anchor or ".." in path.parts:
            return f"{folder / CHECKSUMS}: expected files of the folder, found {name!r}, which leads out"
    for name, checksum in checksums.items():
        if not (folder / name).is_file() or sha256(folder / name) != checksum:
            return f"{folder / name}: expected the file that was saved ({CHECKSUMS}), found another or none"
    return None


def put_folder(folder: Path, staging: Path) -> None:
    """Put a folder in its place; what stands there goes beside ``staging``, or stays where that fails."""
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
