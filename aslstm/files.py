"""Takes the paths of files and folders that a command writes, and gives places to write, JSON and checksums.

Paths are checked before the work begins, and no file appears under its name before it is complete. A damaged folder is
described in one line.
"""

import hashlib
import json
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path, PureWindowsPath
from typing import Any

from .disk import is_same_file, locked, put_file, sync, target_of
from .errors import UserError

CHECKSUMS = "checksums.json"


def check_output_file(path: Path, *, name: str = "output", overwrite: bool, inputs: Iterable[Path] = ()) -> None:
    """Refuse a path where no file can be written, or where a file exists that must stay.

    Args:
        path: The file that will be written. If it is a link, this is about the file that it leads to.
        name: The argument that names it, for the message.
        overwrite: Whether a file that exists may be replaced.
        inputs: The files that are read, which are never replaced.

    Raises:
        UserError: The path is a folder, a device, an existing file or one of the inputs, or its folder does not exist.
    """
    if path.is_dir():
        raise UserError(f"`{name}` {path}: expected the name of a file, found a folder; name a file in it")
    if path.exists() and any(is_same_file(path, one) for one in inputs):
        raise UserError(f"`{name}` {path}: expected another file than `input`, found the same; choose another")
    if path.exists() and not path.is_file():
        raise UserError(f"`{name}` {path}: expected the name of a file, found a device or a pipe; name a file")
    if path.exists() and not overwrite:
        raise UserError(f"`{name}` {path}: expected a new file, found one; choose another or add `overwrite`")
    if not target_of(path).parent.is_dir():
        raise UserError(f"`{name}` {path}: expected an existing folder, found none; make it first")


@contextmanager
def claimed(outputs: Mapping[str, Path | None], *, overwrite: bool, inputs: Iterable[Path] = ()) -> Iterator[None]:
    """Check the files that a command will write, and keep other runs from writing them while this context lasts.

    Args:
        outputs: The files by the arguments that name them; None stands for a file that is not asked for.
        overwrite: Whether files that exist may be replaced.
        inputs: The files that are read.

    Raises:
        UserError: A file cannot or must not be written, another run is writing it, or two of the files are the same.
    """
    named = {name: path for name, path in outputs.items() if path is not None}
    read = list(inputs)

    def check() -> None:
        for name, path in named.items():
            check_output_file(path, name=name, overwrite=overwrite, inputs=read)

    check()
    names = list(named)
    for number, name in enumerate(names):
        for other in names[:number]:
            if is_same_file(named[name], named[other]):
                raise UserError(f"`{name}` {named[name]}: expected another file than `{other}`, found the same; choose another")
    with ExitStack() as stack:
        for name, path in named.items():
            stack.enter_context(locked(path, name=name))
        check()  # Another run may have written them since.
        yield


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path to write to; the file becomes ``path`` when it is complete, and an error leaves ``path`` as it was."""
    # The suffix stays the same, because gensim and the charts choose the format by it.
    target = target_of(path)
    partial = target.with_name(f".partial-{path.name}")
    try:
        yield partial
        put_file(partial, target)
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


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """Yield the path of a folder to make; it becomes ``folder`` when it is complete, and an error leaves ``folder`` as it was.

    Args:
        folder: The absolute path of the folder; the folder that it lies in exists.
    """
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as beside:
        staging = Path(beside) / "new"
        yield staging
        _put_folder(folder, staging)


def _put_folder(folder: Path, staging: Path) -> None:
    """Move ``staging`` to ``folder``; an old folder is moved beside ``staging`` first, and moved back if that fails."""
    for path in (*staging.rglob("*"), staging):
        sync(path)
    if not folder.is_dir():
        staging.rename(folder)
        sync(folder.parent)
        return
    old = staging.with_name("old")
    folder.rename(old)
    try:
        staging.rename(folder)
    except OSError:
        old.rename(folder)
        raise
    sync(folder.parent)
