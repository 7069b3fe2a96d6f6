"""Takes texts that may come from anybody's posts and gives them as a terminal, a page or a picture may show them.

It also gives tables of plain text.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any

# What moves a terminal's cursor or turns the direction of a line, halves of surrogate pairs, which no file takes, and two more
# characters that XML forbids: the renderer of charts ends the whole process at one that it forbids.
_UNSHOWN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_WIDE = 1_000_000  # With this many characters in a line, no cell is wrapped or cut.


def printable(text: str) -> str:
    """Return a text with a replacement character in the place of each control character."""
    return _UNSHOWN.sub("\ufffd", text)


def printable_json(value: Any) -> Any:
    r"""Return a JSON value in which every text is as :func:`printable` gives it.

    >>> printable_json({"labels": ["a\x1b", 1]})
    {'labels': ['a�', 1]}
    """
    if isinstance(value, dict):
        return {key: printable_json(one) for key, one in value.items()}
    if isinstance(value, list):
        return [printable_json(one) for one in value]
    return printable(value) if isinstance(value, str) else value


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
    # str.splitlines() would also split at U+2028, which a post may hold and which is no new line to a terminal.
    return "\n".join(line.rstrip() for line in capture.get().rstrip("\n").split("\n"))
