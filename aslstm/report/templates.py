"""Takes a folder of HTML templates and gives an environment that escapes whatever is shown and removes control characters."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from aslstm.printing import printable


def environment(folder: Path) -> Environment:
    """Return the templates of a folder; only ``Markup`` is put into a page as it is, and a missing value is an error."""
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _shown(value: Any) -> str:
    return value if isinstance(value, Markup) else printable(str(value))
