"""Takes fields of frozen dataclasses and gives settings that know their default, their help and their bounds.

Each setting is written down once. A dataclass whose fields are made by :func:`setting` calls :func:`check_settings` in its
``__post_init__``;
``aslstm.commands.flags`` turns the same fields into the flags of a command.
"""

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from aslstm.errors import UserError

MAX_SEED = 2**32 - 1
_KEY = "setting"


@dataclass(frozen=True)
class Setting:
    """Holds what is known about a field besides its type and default.

    Attributes:
        help: What the field does, with its unit, as a command's help shows it.
        choices: The values that are possible; if it is empty, every value is.
        at_least: The smallest value.
        at_most: The largest value.
        above: A bound that the value must exceed.
        below: A bound that the value must not reach.
        group: The heading under which the help of a command lists the field; if it is empty, the name of the dataclass.
        parse: The function that makes a value of the text of a flag, if the type of the field cannot do it.
        implied: The value of a flag that is given without a value; None if the flag needs a value.
        placeholder: The word that stands for the value in the help of a command.
    """

    help: str
    choices: Collection[str] = ()
    at_least: float | None = None
    at_most: float | None = None
    above: float | None = None
    below: float | None = None
    group: str = ""
    parse: Callable[[str], Any] | None = None
    implied: str | None = None
    placeholder: str | None = None


def setting(default: Any, help: str, **more: Any) -> Any:
    """Make a field of a dataclass of settings.

    Args:
        default: The value if none is given; ``dataclasses.MISSING`` if a value must be given.
        help: What the field does, as in :class:`Setting`.
        more: Further attributes of :class:`Setting`.
    """
    return field(default=default, metadata={_KEY: Setting(help, **more)})


def setting_like(cls: Any, name: str, default: Any) -> Any:
    """Make a field like that of another dataclass, with another default.

    Args:
        cls: The other dataclass.
        name: The name of its field.
        default: The value if none is given.
    """
    return field(default=default, metadata={_KEY: settings_of(cls)[name]})


def seed_setting(help: str = "seed of everything that is random") -> Any:
    """Make the field of a seed, whose range is the one that NumPy accepts."""
    return setting(0, help, at_least=0, at_most=MAX_SEED)


def settings_of(cls: Any) -> dict[str, Setting]:
    """Return the settings among the fields of a dataclass, by name."""
    return {one.name: one.metadata[_KEY] for one in fields(cls) if _KEY in one.metadata}


def check_settings(values: Any) -> None:
    """Check every setting of a dataclass against its choices and bounds.

    Raises:
        UserError: A value is not possible.
    """
    for name, known in settings_of(values).items():
        value = getattr(values, name)
        if value is None:
            continue
        for one in value if isinstance(value, tuple) else (value,):
            if known.choices and one not in known.choices:
                raise UserError(f"`{name}`: expected one of {', '.join(known.choices)}, found {one!r}")
            if isinstance(one, int | float) and not isinstance(one, bool) and not _is_within(one, known):
                raise UserError(f"`{name}`: expected {_range_of(known)}, found {one}")


def _is_within(number: float, known: Setting) -> bool:
    return (
        math.isfinite(number)
        and (known.at_least is None or number >= known.at_least)
        and (known.at_most is None or number <= known.at_most)
        and (known.above is None or number > known.above)
        and (known.below is None or number < known.below)
    )


def _range_of(known: Setting) -> str:
    """Return the bounds of a setting in words.

    >>> _range_of(Setting("", at_least=0, below=1)), _range_of(Setting("", above=0)), _range_of(Setting("", at_least=1))
    ('0 or more and less than 1', 'a number above 0', '1 or more')
    """
    if known.at_least is not None and known.at_most is not None:
        return f"{known.at_least} to {known.at_most}"
    parts = [] if known.at_least is None else [f"{known.at_least} or more"]
    parts += [] if known.above is None else [f"a number above {known.above}"]
    parts += [] if known.below is None else [f"less than {known.below}"]
    return " and ".join(parts) or "a finite number"


def optional_path(value: str | Path | None) -> Path | None:
    """Return the value as a path, or None if it is None or empty."""
    return Path(value) if value else None
