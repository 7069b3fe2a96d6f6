"""Errors that a user can mend: one line that says what was expected, what was found and what to do; exit code 2."""

import argparse
import os
import sys
from collections.abc import Callable
from typing import NoReturn

EXIT_CODE = 2


class UserError(Exception):
    """Bad input. The message is one line."""


class OneLineArgumentParser(argparse.ArgumentParser):
    """An argument parser whose errors are one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage."""
        raise UserError(f"{message} (see {self.prog} --help)")


def run(main: Callable[[], None]) -> None:
    """Run a script's main function; a :class:`UserError` becomes one line on standard error and exit code 2."""
    try:
        main()
    except UserError as error:
        # Under a launcher every process meets the same error; one line is enough.
        if os.environ.get("RANK", "0") == "0":
            print(f"error: {error}", file=sys.stderr)
        sys.exit(EXIT_CODE)
