"""Files that a script leaves: their place is looked at before the work begins, and they stand there whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aslstm.errors import UserError


def check_output_file(path: Path, *, flag: str = "--output", overwrite: bool) -> None:
    """Refuse a place where no file can be written, or must not be.

    Raises:
        UserError: a folder, a file that exists, or a place in no folder.
    """
    if path.is_dir():
        raise UserError(f"{flag} {path}: expected the name of a file, found a folder; name a file in it")
    if path.exists() and not overwrite:
        raise UserError(f"{flag} {path}: expected a new file, found one; choose another or add --overwrite")
    if not path.absolute().parent.is_dir():
        raise UserError(f"{flag} {path}: expected an existing folder, found none; make it first")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Where to write a file that takes the place of ``path`` once it is whole; after an error ``path`` is as it was."""
    # The suffix stays: it tells gensim what to write.
    partial = path.with_name(f".partial-{path.name}")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
