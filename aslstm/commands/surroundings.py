"""Takes the surroundings of a process and makes them such that every command can run: output, threads, home and caches.

Libraries that commands import read the variables set here when they are imported, so this runs before.
"""

import atexit
import io
import os
import shutil
import sys
import tempfile
from pathlib import Path

from aslstm.errors import UserError
from aslstm.threads import share_the_machine

# The folders in which the libraries of Hugging Face keep files, and their names in HF_HOME.
_CACHES = {"HF_HUB_CACHE": "hub", "HF_MODULES_CACHE": "modules", "HF_DATASETS_CACHE": "datasets", "HF_XET_CACHE": "xet"}


def prepare_surroundings() -> None:
    """Make output take every character and threads leave time to others, and replace a home or cache that cannot be written.

    Raises:
        UserError: There is no place for temporary files.
    """
    for stream in (sys.stdout, sys.stderr):
        # An encoding such as GBK or ASCII lacks emoji; an escape is shown for each.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    share_the_machine(os.environ)
    unusable = _unusable_places()
    if not unusable:
        return
    try:
        temporary = Path(tempfile.mkdtemp(prefix="aslstm-"))
    except OSError as error:
        raise UserError(f"expected a place for temporary files, found: {error.strerror}; name one with TMPDIR") from error
    atexit.register(shutil.rmtree, temporary, ignore_errors=True)
    for name in unusable:
        os.environ[name] = str(temporary / name.lower())
        Path(os.environ[name]).mkdir()
    found = ", ".join(f"{name} ({folder})" for name, folder in unusable.items())
    print(f"note: {found} cannot be written; a temporary folder serves this run", file=sys.stderr)


def _unusable_places() -> dict[str, Path]:
    """Return the variables that name a folder which cannot be written, with the folder; HOME stands for those in it."""
    # Without HOME, and for a user whom the system does not know, this stays "~".
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 (Path.home() raises an error there)
    if not home.is_absolute() or not home.is_dir() or not _can_write(home):
        unusable = {"HOME": home}
        if not any(os.environ.get(name) for name in ("HF_HOME", "XDG_CACHE_HOME", *_CACHES)):
            return unusable
    else:
        unusable = {}
    cache = Path(os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache", "huggingface"))
    for name, folder in _CACHES.items():
        place = Path(os.environ.get(name) or cache / folder)
        # Models that lie in a cache which can only be read can be loaded from there.
        if not _can_write(place) and not (name == "HF_HUB_CACHE" and place.is_dir()):
            unusable[name] = place
    return unusable


def _can_write(folder: Path) -> bool:
    """Try to write into a folder, or where it would be made."""
    existing = next(one for one in (folder, *folder.parents) if one.exists() or one == one.parent)
    try:
        with tempfile.TemporaryFile(dir=existing):
            return True
    except OSError:
        return False
