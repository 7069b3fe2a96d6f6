"""Takes dataclasses of settings and gives instances with the values of the command line; all commands share this.

The fields of the dataclasses are made by :func:`aslstm.settings.setting`. The parser and the way in which an error ends a
command are also here.
"""

import argparse
import difflib
import errno
import itertools
import logging
import os
import re
import signal
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, fields
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, TextIO, TypeVar, get_args, get_origin, get_type_hints

from aslstm.errors import SECONDS_OF_ONE_INTERRUPT, UserError
from aslstm.model_folder.choosing import BUILT_IN, DEFAULT_HELP, folder_of, model_path
from aslstm.printing import printable
from aslstm.settings import Setting, settings_of

from .surroundings import prepare_surroundings

T = TypeVar("T")

EXIT_CODE = 2
INTERRUPTED = 128 + signal.SIGINT
_GRACE_SECONDS = 10
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# Two dashes or one, or a dash that a word processor made of them; neither a number nor a post that begins with a dash.
_FLAG = re.compile(r"(--?|[–—−]+)[A-Za-z][A-Za-z0-9_-]*")
_ARGUMENT = re.compile(r"`([a-z][a-z0-9_]*)`")


class CommandParser(argparse.ArgumentParser):
    """Parses the flags of a command, with errors of one line that name the nearest flag, and with defaults in the help.

    Args:
        name: The command as it is typed, e.g. ``train-vectors``.
        description: A sentence that says what the command does.
    """

    def __init__(self, name: str, description: str) -> None:
        super().__init__(
            prog=f"aslstm {name}",
            description=description,
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage.

        Raises:
            UserError: Always.
        """
        raise UserError(f"{message} (see {self.prog} --help)")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse the flags; an unknown flag is refused before anything that follows from it, such as a missing flag."""
        given = sys.argv[1:] if args is None else list(args)
        known = sorted(flag for action in self._actions for flag in action.option_strings)
        # What follows "--" is no flag, such as a post that begins with a dash.
        for one in itertools.takewhile(lambda one: one != "--", given):
            flag = one.split("=")[0]
            if _FLAG.fullmatch(flag) and flag not in known:
                # Without its dashes and in small letters, so that -input, —input and --INPUT are found, too.
                names = {name.lstrip("-"): name for name in known}
                nearest = difflib.get_close_matches(flag.lstrip("-–—−").lower().replace("-", "_"), names, n=1)
                no_flag = "; put -- in front of what is no flag" if self._get_positional_actions() else ""
                hint = f"; did you mean {names[nearest[0]]}?" if nearest else no_flag
                self.error(f"unrecognized arguments: {flag}{hint}")
        return super().parse_known_args(given, namespace)

    def _parse_optional(self, arg_string: str) -> Any:
        """Return None, which means no flag, for what is not written as one, such as a post that begins with a dash."""
        return super()._parse_optional(arg_string) if _FLAG.fullmatch(arg_string.split("=")[0]) else None


def add_settings(parser: argparse.ArgumentParser, *classes: type, leave_out: Sequence[str] = ()) -> None:
    """Add a flag for every setting of the dataclasses, in the group of the setting or in one named after the dataclass."""
    groups: dict[str, Any] = {group.title: group for group in parser._action_groups if group.title}
    for cls in classes:
        hints = get_type_hints(cls)
        defaults = {one.name: one.default for one in fields(cls)}
        for name, known in settings_of(cls).items():
            if name in leave_out:
                continue
            title = known.group or re.sub(r"(?<!^)(?=[A-Z])", " ", cls.__name__).lower().removesuffix(" settings")
            if title not in groups:
                groups[title] = parser.add_argument_group(title)
            _add_flag(groups[title], name, known, hints[name], defaults[name])


def _add_flag(group: Any, name: str, known: Setting, hint: Any, default: Any) -> None:
    if hint is bool:
        group.add_argument(f"--{name}", action="store_true", help=known.help, default=argparse.SUPPRESS)
        return
    arguments = [one for one in get_args(hint) if one is not type(None)]
    is_list = get_origin(hint) is tuple or any(get_origin(one) is tuple for one in arguments)
    kind = hint
    if get_origin(hint) in (types.UnionType, None) and arguments:
        kind = arguments[0]
    if is_list:
        kind = get_args(kind)[0] if get_origin(kind) is tuple else kind
    options: dict[str, Any] = {"help": known.help, "default": default, "metavar": known.placeholder}
    if known.choices:
        options["choices"] = list(known.choices)
    if is_list:
        options["nargs"] = "+"
    elif known.implied is not None:
        options |= {"nargs": "?", "const": known.implied}
    parse = known.parse or kind
    if parse is not str:
        options["type"] = parse
    if default is MISSING:
        options |= {"required": True, "default": argparse.SUPPRESS}
    elif default in (None, "", ()):
        # The help text of the setting says what happens without a value; "(default: None)" would say nothing.
        options["default"] = argparse.SUPPRESS
    group.add_argument(f"--{name}", **options)


def add_model_flag(parser: argparse.ArgumentParser) -> None:
    """Add the flag of a model folder that may be left out; :func:`chosen_model` reads it."""
    parser.add_argument("--model", type=Path, default=argparse.SUPPRESS, help=f"model folder, or {BUILT_IN}; {DEFAULT_HELP}")


def chosen_model(arguments: argparse.Namespace) -> Path:
    """Return the model folder that the command line names, or else the default model.

    Raises:
        UserError: There is no default model.
    """
    return folder_of(arguments.model) if hasattr(arguments, "model") else model_path()


def make_settings(cls: type[T], arguments: argparse.Namespace, **given: Any) -> T:
    """Make a dataclass of settings from the values of the command line and from those given here, which win.

    Raises:
        UserError: A value is not possible.
    """
    values = {name: getattr(arguments, name) for name in settings_of(cls) if getattr(arguments, name, None) is not None}
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    return cls(**values | given)


def show_flags(message: str) -> str:
    """Return the message of a library, an error or one of the log, with its arguments written as flags.

    >>> show_flags("`num_train_epochs`: expected 1 or more, found 0")
    '--num_train_epochs: expected 1 or more, found 0'
    """
    return _ARGUMENT.sub(r"--\1", message)


class _MessageFormatter(logging.Formatter):
    """Writes a message of the log as a command says it: its arguments as flags, and without control characters."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(show_flags(super().format(record)))


def set_up_log(level: int = logging.NOTSET) -> None:
    """Print warnings on standard error, and what this package logs from a level on.

    Args:
        level: The level of this package; without one it is that of all libraries, whose warnings are printed.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(_MessageFormatter())
    logging.basicConfig(handlers=[handler])
    logging.getLogger("aslstm").setLevel(level)


def say(text: str, file: TextIO | None = None) -> None:
    """Print a text that may hold what comes from posts or from a model folder, without its control characters.

    Args:
        text: The text to print.
        file: The stream to print to; None is standard output.
    """
    print(printable(text), file=file)


def _name_full_disk(main: Callable[[], None]) -> None:
    """Run a function and turn the error of a full disk, which any write may raise, into a :class:`UserError`."""
    try:
        main()
    except OSError as error:
        # NumPy's error of a full disk has no error number; it says "12001 requested and 7664 written".
        if error.errno not in _NO_ROOM and not str(error).endswith(" written"):
            raise
        place = f"{error.filename}: " if error.filename else ""
        raise UserError(
            f"{place}expected room on the disk, found: {error.strerror or error}; make room, then run again"
        ) from error


@contextmanager
def _one_interrupt() -> Iterator[None]:
    """Let the first Ctrl-C raise ``KeyboardInterrupt`` and a second one end the process at once, while this context lasts.

    A process that was forked for a part of the work ends without a word: the first process speaks for all.
    """
    if threading.current_thread() is not threading.main_thread():  # Only the main thread may set a handler.
        yield
        return
    process, interrupted_at = os.getpid(), float("inf")

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted_at
        now = time.monotonic()
        if os.getpid() != process or now - interrupted_at > SECONDS_OF_ONE_INTERRUPT:
            os._exit(INTERRUPTED)
        if interrupted_at > now:
            interrupted_at = now
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def run(main: Callable[[], None]) -> None:
    """Run the main function of a command; what ends it early becomes one line on standard error and an exit code.

    The code is 2 for a :class:`UserError`, and 130 for Ctrl-C.
    """
    try:
        with _one_interrupt():
            prepare_surroundings()
            set_up_log()
            _name_full_disk(main)
    except KeyboardInterrupt as error:
        if os.environ.get("RANK", "0") == "0":
            say(f"stopped by Ctrl-C{show_flags(f'; {error}' if str(error) else '')}", sys.stderr)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        if "RANK" in os.environ:
            # Not sys.exit, which would wait for ever for the other processes of a group that have ended already.
            os._exit(INTERRUPTED)
        sys.exit(INTERRUPTED)
    except UserError as error:
        # A launcher ends all processes when the first one ends. If every process has the same error, process 0 prints it and
        # ends while the others still wait, so that the line is printed once. An error of another process alone is printed
        # after the wait.
        if os.environ.get("RANK", "0") != "0":
            time.sleep(_GRACE_SECONDS)
        say(f"error: {show_flags(str(error))}", sys.stderr)
        sys.exit(EXIT_CODE)
