"""Gives the error for bad input, whose one line says what was expected, what was found and what to do, and two checks."""

from importlib.util import find_spec

# A launcher passes on to its processes the Ctrl-C that the terminal has already sent to them: within this time, two are one.
SECONDS_OF_ONE_INTERRUPT = 1.0


class UserError(Exception):
    """Tells the user about bad input.

    The message is one line. It writes the names of arguments in backticks, ```num_train_epochs`: expected 1 or more, found 0``;
    a command prints them as its flags (``--num_train_epochs``).
    """


def check_encoding(name: str) -> None:
    """Refuse an encoding that does not exist or cannot be read line by line.

    Raises:
        UserError: There is no encoding of this name, or its files cannot be cut into lines.
    """
    try:
        newline = "\n".encode(name)
    except (LookupError, ValueError) as error:
        raise UserError(f"`encoding`: expected the name of an encoding, e.g. GB18030, found {name!r}") from error
    if b"\n" not in newline:
        raise UserError(f"`encoding`: expected an encoding with the line feed of ASCII, found {name!r}; convert the file")


def install_line(extra: str) -> str:
    """Return the commands that install an extra of this project, which is in no package index.

    >>> install_line("fast").split(" in a checkout")[0]
    "pip install '.[fast]'"
    """
    # Imported here and not above: the package may be importing this module.
    from aslstm import __version__

    wheel = f"aslstm-{__version__}-py3-none-any.whl"
    return f"pip install '.[{extra}]' in a checkout, or pip install '{wheel}[{extra}]' in the folder of the wheel"


def check_packages(extra: str, *names: str, instead: str = "") -> None:
    """Refuse to go on without packages that only some commands need; the message names the extra that installs them.

    Args:
        extra: The extra of ``setup.cfg`` that lists the packages.
        names: The modules that will be imported.
        instead: What the user can do without the packages.

    Raises:
        UserError: A package is not installed.
    """
    missing = [name for name in names if find_spec(name) is None]
    if missing:
        raise UserError(
            f"expected the package {', '.join(missing)}, found none; install the extra {extra!r} of aslstm: "
            f"{install_line(extra)}{instead and f'; or {instead}'}"
        )
