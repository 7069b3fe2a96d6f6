"""Takes some rows of a file and finds the columns of its texts and of its dates; gives the value of such a column in any row.

A column inside of a JSON object is named with dots (``weibo.text``), and two columns that are read as one text with a plus
(``标题+内容``).
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from aslstm.errors import UserError

from .column_names import date_rank, names_a_date, text_rank
from .dates import needs_reference, parse_time

MISSING = object()
_ROWS = 500  # Columns are looked for in this many rows.
_DEEPEST = 6
_HAN = re.compile("[\u3400-\u9fff]")
_NUMBER = re.compile(r"[-+]?[\d.,]+\s?[%万亿kKwW+]?")
_ADDRESS = re.compile(r"(https?:)?//\S+|[\w.-]+\.(com|cn|net|org)(/\S*)?|data:\S+")
_LEAST_TEXTS = 0.5  # of the cells that are not blank
_LEAST_HAN = 0.3  # of the characters
# A column of texts is this many times longer than the next one, or both may be meant.
_CLEARLY_LONGER = 1.5
_SHOWN = 16


def names_of(names: Iterable[Any]) -> str:
    """Write column names for a message of one line."""
    return ", ".join(name if name.isprintable() else repr(name) for name in map(str, names))


def value_at(row: Mapping[str, Any], column: str) -> Any:
    """Return the value of a column of a row, or ``MISSING``.

    >>> value_at({"weibo": {"text": "好"}}, "weibo.text"), value_at({"标题": "好", "内容": "好！"}, "标题+内容")
    ('好', '好！')
    >>> value_at({"text": "好"}, "label") is MISSING
    True
    """
    if column in row:
        return row[column]
    if "+" in column:
        parts = [value_at(row, part.strip()) for part in column.split("+")]
        return MISSING if MISSING in parts else _joined([str(part) for part in parts if part not in (None, "")])
    value: Any = row
    names = column.split(".")
    while names and isinstance(value, Mapping):
        # A name may hold a dot itself.
        name = next((".".join(names[:n]) for n in range(len(names), 0, -1) if ".".join(names[:n]) in value), None)
        if name is None:
            return MISSING
        value, names = value[name], names[name.count(".") + 1 :]
    return MISSING if names else value


def _joined(parts: list[str]) -> str:
    """Join a headline and a text; many sites take the beginning of the text as its headline, which is not read twice."""
    return "\n".join(part for i, part in enumerate(parts) if not any(other.startswith(part) for other in parts[i + 1 :]))


def leaves_of(row: Mapping[str, Any], start: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield the dotted name and the value of every column of a row, also inside of JSON objects."""
    for name, value in row.items():
        is_object = isinstance(value, Mapping) and depth < _DEEPEST
        if is_object and not (len(value) == 1 and next(iter(value)).startswith("$")):
            yield from leaves_of(value, f"{start}{name}.", depth + 1)
        else:
            yield f"{start}{name}", value


class Column(NamedTuple):
    """Holds what some rows tell of a column.

    Attributes:
        name: The dotted name.
        filled: The cells that are not blank.
        texts: Those of them that may be posts: no numbers, dates, addresses or JSON.
        han: The share of Chinese characters in the texts.
        length: The mean length of the texts in characters.
        num_rows: The number of rows that were looked at.
    """

    name: str
    filled: list[Any]
    texts: list[str]
    han: float
    length: float
    num_rows: int

    @property
    def last_name(self) -> str:
        """The name without those of the objects around it."""
        return self.name.rsplit(".", 1)[-1]

    @property
    def depth(self) -> int:
        """How many objects are around it."""
        return self.name.count(".")

    @property
    def has_texts(self) -> bool:
        """Whether most cells may be posts; a column without any cell may hold posts, too."""
        return len(self.texts) >= _LEAST_TEXTS * len(self.filled)

    @property
    def is_seldom_filled(self) -> bool:
        """Whether most rows have nothing in the column."""
        return len(self.filled) * 5 < self.num_rows


def columns_of(rows: Sequence[Mapping[str, Any]]) -> list[Column]:
    """Return what some rows tell of each of their columns, in the order of the columns."""
    step = max(1, len(rows) // _ROWS)
    chosen = rows[::step]
    cells: dict[str, list[Any]] = {}
    for row in chosen:
        for name, value in leaves_of(row):
            cells.setdefault(name, []).append(value)
    return [_column(name, values, len(chosen)) for name, values in cells.items()]


def _column(name: str, values: list[Any], num_rows: int) -> Column:
    filled = [value for value in values if value is not None and not (isinstance(value, str) and not value.strip())]
    texts = [value for value in filled if isinstance(value, str) and _may_be_a_post(value)]
    characters = "".join(texts)
    han = len(_HAN.findall(characters)) / max(len(characters), 1)
    return Column(name, filled, texts, han, len(characters) / max(len(texts), 1), num_rows)


def _may_be_a_post(text: str) -> bool:
    text = text.strip()
    is_other = _NUMBER.fullmatch(text) or _ADDRESS.fullmatch(text) or text[0] == "{" or text.startswith(("[{", '["'))
    return not is_other and (len(text) > 40 or parse_time(text) is None)


def find_text_column(columns: Sequence[Column], place: str) -> str:
    """Return the name of the column of posts: the one whose name says so, or else the longest mostly Chinese one.

    Args:
        columns: The columns of some rows, as :func:`columns_of` gives them.
        place: The file, for messages.

    Raises:
        UserError: No column can be it, or several can.
    """
    ranked = [(rank, column) for column in columns if (rank := text_rank(column.name) or text_rank(column.last_name))]
    named = [((column.is_seldom_filled, rank[0], column.depth, rank[1]), column) for rank, column in ranked if column.has_texts]
    # A headline, and a note that few posts have, win only where nothing else is a text.
    best = min(named, key=lambda one: one[0], default=None)
    if best is not None and best[0][:2] < (True, 0) and best[0][1] < 3:
        return best[1].name
    chosen = _longest_chinese(columns, place)
    if chosen is not None:
        return chosen
    if best is not None:
        return best[1].name
    others = [column for column in columns if column.has_texts and column.texts]
    if len(others) == 1:
        return others[0].name
    if ranked and not others:
        column = ranked[0][1]
        raise UserError(
            f"{place}: expected texts in column {column.name!r}, found {_example(column)} and other values that are no texts; "
            "name another column with `text_column`"
        )
    shown = "; ".join(f"{column.name!r} ({_example(column)})" for column in others[:8])
    found = f"no column that is surely it: {shown}" if shown else f"none among {names_of(column.name for column in columns)}"
    raise UserError(f"{place}: expected a column of posts, found {found}; name it with `text_column`")


def _longest_chinese(columns: Sequence[Column], place: str) -> str | None:
    found = [column for column in columns if column.has_texts and column.han >= _LEAST_HAN and column.length >= 2]
    # What repeats itself, such as a place, a topic or a name, is no post.
    found = [column for column in found if len(set(column.texts)) * 2 > len(column.texts)] or found
    found.sort(key=lambda column: -column.length)
    if len(found) > 1 and found[0].length < _CLEARLY_LONGER * found[1].length:
        shown = "; ".join(f"{column.name!r} ({_example(column)})" for column in found[:8])
        raise UserError(
            f"{place}: expected one column of posts, found several that may be it: {shown}; name it with `text_column`"
        )
    return found[0].name if found else None


def _example(column: Column) -> str:
    text = " ".join(str((column.texts or column.filled or [""])[0]).split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


class DateColumn(NamedTuple):
    """Holds the column of dates that was found.

    Attributes:
        name: Its dotted name, or "" if there is none.
        unread: An example of a value that cannot be read, if no value can be; else "".
        is_relative: Whether there are dates such as "3分钟前", which need the time of the file.
    """

    name: str
    unread: str = ""
    is_relative: bool = False


def find_date_column(columns: Sequence[Column], text_column: str, named: str | None = None) -> DateColumn:
    """Return the column of the dates of publication.

    Args:
        columns: The columns of some rows, as :func:`columns_of` gives them.
        text_column: The column of texts, which is none of dates.
        named: The name of the column if the user gave it.
    """
    if named is not None:
        return next((_described(column) for column in columns if column.name == named), DateColumn(named))
    unread = None
    others = [column for column in columns if column.name != text_column and column.filled]
    by_name = [(column.depth, rank, column) for column in others if (rank := date_rank(column.last_name)) is not None]
    for _, _, column in sorted(by_name, key=lambda one: one[:2]):
        found = _described(column)
        if not found.unread and _share_of_dates(column) >= _LEAST_TEXTS:
            return found
        unread = unread or found
    # A column of another name holds dates where nearly all of its cells are written as dates.
    other = next((column for column in others if _share_of_dates(column) > 0.8), None)
    return DateColumn(other.name) if other is not None else unread or DateColumn("")


def is_epoch_column(name: str) -> bool:
    """Return whether numbers in a column are dates."""
    return names_a_date(name.rsplit(".", 1)[-1])


def _share_of_dates(column: Column) -> float:
    epoch = is_epoch_column(column.name)
    # A reference of any time tells that a word can be read; without a name that says so, words are no dates.
    reference = _ANY_TIME if epoch else None
    read = sum(parse_time(value, epoch=epoch, reference=reference) is not None for value in column.filled)
    return read / max(len(column.filled), 1)


_ANY_TIME = parse_time(date(2000, 1, 1))


def _described(column: Column) -> DateColumn:
    is_relative = any(needs_reference(value) for value in column.filled)
    read = any(parse_time(value, epoch=True, reference=_ANY_TIME) is not None for value in column.filled)
    return DateColumn(column.name, "" if read or not column.filled else str(column.filled[0])[:_SHOWN], is_relative)
