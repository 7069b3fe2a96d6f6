"""Takes texts that may come from anybody's posts and gives them as a terminal, a page or a picture may show them.

It also gives tables of plain text.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any

# These characters move a terminal's cursor or turn the direction of a line; begin a line in some views, and end the expressions
# of charts with an error (the line separators of Unicode); or can be in no file (lone surrogates). XML forbids two more: the
# renderer of charts ends the whole process at a character that XML forbids.
_UNSHOWN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
# Vega looks texts up in JavaScript objects, where every one of these names finds a function instead of nothing.
_MEMBERS_OF_EVERY_OBJECT = frozenset((
    "constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString", "toString", "valueOf",
    "__proto__", "__defineGetter__", "__defineSetter__", "__lookupGetter__", "__lookupSetter__",
))  # fmt: skip
_WIDE = 1_000_000  # With this many characters in a line, no cell is wrapped or cut.


def printable(text: str) -> str:
    """Return a text with a replacement character in the place of each control character."""
    return _UNSHOWN.sub("\ufffd", text)


def printable_chart(value: Any) -> Any:
    r"""Return the JSON of a chart in which every text can be drawn: each is as :func:`printable` gives it.

    A text that is the name of a member of every JavaScript object gets a space at its end.

    >>> printable_chart({"labels": ["a\x1b", "toString", 1]})
    {'labels': ['a�', 'toString ', 1]}
    """
    if isinstance(value, dict):
        return {key: printable_chart(one) for key, one in value.items()}
    if isinstance(value, list):
        return [printable_chart(one) for one in value]
    if not isinstance(value, str):
        return value
    return f"{value} " if value in _MEMBERS_OF_EVERY_OBJECT else printable(value)


def table_text(header: Sequence[str], rows: Iterable[Sequence[str]], left: Collection[int] = (0,)) -> str:
    """Return a table of plain text, whose columns line up in a terminal for Chinese and emoji too.

    >>> print(table_text(["post", "score"], [["加班[泪]", "0.91"], ["ok", "0.5"]]))
    post      score
    加班[泪]   0.91
    ok          0.5

    Args:
        header: The names of the columns.
        rows: The cells of each row, formatted.
        left: The places of the columns that are aligned left; the others hold numbers and are aligned right.
    """
    # Imported here and not above: whoever shows only HTML does not need rich.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for place, name in enumerate(header):
        table.add_column(Text(printable(name)), justify="left" if place in left else "right", no_wrap=True)
    for row in rows:
        # Cells are Text objects, because rich takes "[泪]" in a string for a style.
        table.add_row(*(Text(printable(cell)) for cell in row))
    console = Console(width=_WIDE, color_system=None, force_terminal=False, force_jupyter=False)
    with console.capture() as capture:
        console.print(table)
    # Of a cell with several lines, rich makes several lines of the table.
    return "\n".join(line.rstrip() for line in capture.get().rstrip("\n").split("\n"))
