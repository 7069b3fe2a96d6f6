"""Takes paths and makes writing to them safe: files reach the disk, links stay, and two runs never write to one place.

Only what the operating system offers is used here; :mod:`aslstm.files` says what a command may write, and where.
"""

import errno
import logging
import os
import platform
import shutil
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import UserError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

logger = logging.getLogger(__name__)

_HELD = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
# The places that this process has locked; the locks of the operating system do not keep a process from locking twice.
_places: set[Path] = set()


def is_stream(path: Path) -> bool:
    """Return whether a path can be read only once: ``-`` for standard input, a pipe such as ``/dev/fd/63``, or a device."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return str(path) == "-"
    return str(path) == "-" or not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def target_of(path: Path) -> Path:
    """Return the absolute path of the file itself, which is the target if the path is a symbolic link."""
    return Path(os.path.realpath(path))


def is_same_file(path: Path, other: Path) -> bool:
    """Return whether two paths lead to one file, also by links; of files that do not exist, whether the paths are the same."""
    try:
        return path.samefile(other)
    except OSError:
        return target_of(path) == target_of(other)


def sync(path: Path) -> None:
    """Wait until a file, or the names of the files in a folder, are on the disk; without this, a power cut may take them."""
    if path.is_dir() and sys.platform == "win32":
        return  # Windows does not open folders; it writes their names by itself.
    descriptor = os.open(path, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def put_file(file: Path, place: Path) -> None:
    """Move a complete file to its place, and wait until it is on the disk; if the place is a link, its target is replaced."""
    target = target_of(place)
    sync(file)
    try:
        file.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        # The link leads to another disk, where a file cannot be moved to in one step.
        copy = target.with_name(f".partial-{target.name}")
        shutil.copyfile(file, copy)
        sync(copy)
        copy.replace(target)
        file.unlink()
    sync(target.parent)


@contextmanager
def locked(path: Path, *, name: str = "output") -> Iterator[None]:
    """Keep other runs from writing to a path while this context lasts; the end of the process, also by a kill, ends it too.

    The lock is on a file ``.NAME.lock`` beside the path, which says who holds it. It is removed in the end; one that a killed
    run left is taken over.

    Args:
        path: The file or folder that will be written; the folder that holds it is created if missing.
        name: The argument that names it, for the message.

    Raises:
        UserError: Another run writes to the path, or nothing can be written there.
    """
    place = target_of(path)
    lock = place.with_name(f".{place.name}.lock")
    if place in _places:
        raise UserError(f"`{name}` {path}: expected no other run that writes to it, found one in this process; wait for it")
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        descriptor = _take(lock, name, path)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise UserError(
                f"`{name}` {path}: expected a place to write, found: {error.strerror}; choose another or make room"
            ) from error
        logger.warning("%s: the disk has no locks, so a second run on the same output would not be noticed", place.parent)
        yield
        return
    _places.add(place)
    try:
        yield
    finally:
        _places.discard(place)
        _release(lock, descriptor)


def _take(lock: Path, name: str, path: Path) -> int:
    """Lock a file and write into it who holds it; return its descriptor.

    Raises:
        UserError: Another run holds it.
    """
    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _lock(descriptor)
            # The run that held it may have removed the file after it was opened here.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), lock.stat()):
                    os.ftruncate(descriptor, 0)
                    since = time.strftime("%Y-%m-%d %H:%M:%S")
                    os.write(descriptor, f"process {os.getpid()} on {platform.node()}, since {since}".encode())
                    return descriptor
        except OSError as error:
            if error.errno in _HELD:
                holder = _holder(descriptor)
                os.close(descriptor)
                raise UserError(
                    f"`{name}` {path}: expected no other run that writes to it, found one ({holder}); wait until it ends, or "
                    f"choose another"
                ) from error
            os.close(descriptor)
            raise
        os.close(descriptor)


def _holder(descriptor: int) -> str:
    """Return what the holder of a lock wrote about itself."""
    with suppress(OSError):  # Windows does not let others read a locked file.
        os.lseek(descriptor, 0, os.SEEK_SET)
        if found := os.read(descriptor, 1000).decode("utf-8", "replace"):
            return found
    return "it does not say which"


if sys.platform == "win32":

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _release(lock: Path, descriptor: int) -> None:
        os.close(descriptor)
        with suppress(OSError):  # Windows does not remove a file that another run has opened.
            lock.unlink()

else:

    def _lock(descriptor: int) -> None:
        # Not flock: processes that this one has forked would hold it too, and may outlive a kill. This lock ends when a process
        # closes the file anywhere, so nothing in it may open the file a second time.
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _release(lock: Path, descriptor: int) -> None:
        lock.unlink(missing_ok=True)
        os.close(descriptor)
