"""Errors that a user can mend: one line that says what was expected, what was found and what to do; exit code 2."""

import argparse
import errno
import os
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import NoReturn

EXIT_CODE = 2
_GRACE_SECONDS = 10
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class UserError(Exception):
    """Bad input. The message is one line."""


class OneLineArgumentParser(argparse.ArgumentParser):
    """An argument parser whose errors are one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage."""
        raise UserError(f"{message} (see {self.prog} --help)")


def _name_full_disk(main: Callable[[], None]) -> None:
    """Run; a full disk, which any write may meet, becomes a :class:`UserError`."""
    try:
        main()
    except OSError as error:
        # NumPy has no number: "12001 requested and 7664 written".
        if error.errno not in _NO_ROOM and not str(error).endswith(" written"):
            raise
        place = f"{error.filename}: " if error.filename else ""
        raise UserError(
            f"{place}expected room on the disk, found: {error.strerror or error}; make room, then run again"
        ) from error


def run(main: Callable[[], None]) -> None:
    """Run a script's main function; a :class:`UserError` becomes one line on standard error and exit code 2."""
    try:
        _name_full_disk(main)
    except UserError as error:
        # Under a launcher every process meets the same error, soon or late, and the launcher ends all others with the first
        # that ends: process 0 goes first, and one line is printed, also of an error that only another met.
        if os.environ.get("RANK", "0") != "0":
            time.sleep(_GRACE_SECONDS)
        print(f"error: {error}", file=sys.stderr)
        sys.exit(EXIT_CODE)


def check_encoding(name: str) -> None:
    """Refuse an encoding that does not exist.

    Raises:
        UserError: such an encoding.
    """
    try:
        "".encode(name)
    except LookupError as error:
        raise UserError(f"--encoding: expected the name of an encoding, e.g. GB18030, found {name!r}") from error


def check_seed(seed: int) -> None:
    """Refuse a seed that NumPy does not take.

    Raises:
        UserError: such a seed.
    """
    if not 0 <= seed < 2**32:
        raise UserError(f"--seed: expected 0 to {2**32 - 1}, found {seed}")


def check_packages(extra: str, *names: str) -> None:
    """Refuse to go on without packages that only some commands need; the extra that brings them is named.

    Raises:
        UserError: one is not installed.
    """
    missing = [name for name in names if find_spec(name) is None]
    if missing:
        raise UserError(f"expected the package {', '.join(missing)}, found none; pip install 'aslstm[{extra}]'")
