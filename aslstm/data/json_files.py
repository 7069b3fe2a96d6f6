"""Takes an open text file of JSON and gives its rows: JSON Lines, a list, or objects that hold lists of objects.

Lines are read one by one. Any other JSON is read whole, so its size has a bound.
"""

import io
import itertools
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from aslstm.errors import UserError
from aslstm.text_files import MAX_LINE_BYTES, BadRow

from .column_names import text_rank
from .file_formats import Row, Rows, Table, TextFile, refuse_bad

# How deep the values of a JSON object may lie in each other.
MAX_NESTING = 100
# The first lines of JSON that is written over several lines.
_PRETTY = re.compile(r"\s*(\{\s*\n\s*[\"}]|\[\s*(\{|\n|\]|\"|$)|\{\s*\"[^\n]*[\[{,:]\s*\n\s*[\"{\[}\]])")
_DEEPEST_LIST = 6
_WHITE_SPACE = re.compile(r"\s*")


def is_json(head: str) -> bool:
    """Return whether a text is the beginning of JSON, and no post that begins with a bracket.

    >>> is_json('{"text": "好"}'), is_json("[泪]好累"), is_json('[ {"text": 1}'), is_json('["好"]'), is_json("{好}")
    (True, False, True, True, False)
    """
    return is_line(head) or _PRETTY.match(head) is not None


def is_line(head: str) -> bool:
    """Return whether the first line of a text that is not blank is a JSON object."""
    try:
        return isinstance(json.loads(head.lstrip().split("\n", 1)[0]), dict)
    except (ValueError, RecursionError):
        return False


def is_document(head: str) -> bool:
    """Return whether JSON has to be read whole: a list, an object over several lines, or one that holds lists of objects."""
    if is_line(head):
        first, _, rest = head.strip().partition("\n")
        return not rest and not _is_post(row := json.loads(first)) and bool(_tables_of(row))
    return _PRETTY.match(head) is not None


def read_json_lines(file: TextFile) -> list[Table]:
    """Return the JSON object of each line; blank lines are skipped."""
    return [Table(_json_lines(file))]


def _json_lines(file: TextFile) -> Rows:
    for number, line in enumerate(file.lines(), start=1):
        if isinstance(line, BadRow):
            yield line
            continue
        content = line.strip()
        if not content:
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:  # a JSONDecodeError, a number of 5,000 digits, or 10,000 brackets
            fault = f"a JSON object, found {content[:60]!r} ({error})"
        else:
            fault = "" if isinstance(row, dict) else f"a JSON object, found {content[:60]!r}; write one object on each line"
            fault = fault or _fault_of_nesting(row)
        yield BadRow(f"{file.path}, line {number}: expected {fault}", number, content) if fault else (number, row)


def _fault_of_nesting(row: Row) -> str:
    """Return what is wrong with the depth of a row, or "": later steps go through its values level by level."""
    values: list[Any] = [row]
    for _ in range(MAX_NESTING):
        inner = (value.values() if isinstance(value, dict) else value for value in values)
        values = [one for one in itertools.chain.from_iterable(inner) if isinstance(one, dict | list)]
        if not values:
            return ""
    return f"JSON of at most {MAX_NESTING} levels, found more; write the inner levels as text"


def read_json(file: TextFile) -> list[Table]:
    """Return the lists of objects of a file that is read whole.

    Raises:
        UserError: The file is too long, is no JSON, or holds no objects.
    """
    content = io.StringIO()
    for number, line in enumerate(refuse_bad(file.lines()), start=1):
        if content.tell() + len(line) > MAX_LINE_BYTES:
            raise UserError(
                f"{file.path}, line {number}: expected a JSON list of at most {MAX_LINE_BYTES:,} characters, found a longer "
                "one; write it as JSON Lines"
            )
        content.write(line)
    try:
        documents = list(_documents(content.getvalue()))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{file.path}: expected a JSON list of objects, found: {error}; fetch the file again") from error
    found = _tables_of(documents[0] if len(documents) == 1 else documents)
    if not found and documents != [[]]:
        raise UserError(f"{file.path}: expected a JSON list of objects, found something else; fetch the file again")
    return [Table(_checked(file, rows), name) for name, rows in found.items()] or [Table(iter(()))]


def _documents(text: str) -> Iterator[Any]:
    """Yield the values that a text holds one after the other, each over any number of lines."""
    decoder, place = json.JSONDecoder(), 0
    while (place := _WHITE_SPACE.match(text, place).end()) < len(text):  # type: ignore[union-attr]
        value, place = decoder.raw_decode(text, place)
        yield value


def _checked(file: TextFile, rows: Iterable[Row]) -> Rows:
    for number, row in enumerate(rows, start=1):
        if fault := _fault_of_nesting(row):
            raise UserError(f"{file.path}, row {number}: expected {fault}")
        yield number, row


def _tables_of(value: Any) -> dict[str, list[Row]]:
    """Return the rows that a value holds, by the dotted name of where they lie; the outer ones come first."""
    if rows := _rows_of_list(value):
        return {"": rows}
    if not isinstance(value, dict):
        return {}
    if _is_post(value):
        return {"": [value]}
    if rows := _rows_of_frame(value):
        return {"": rows}
    found: dict[str, list[Row]] = {}
    level = {"": value}
    for _ in range(_DEEPEST_LIST):
        inner = {f"{name}.{key}".lstrip("."): one for name, outer in level.items() for key, one in outer.items()}
        found |= {name: rows for name, one in inner.items() if (rows := _rows_of_list(one)) and rows is one}
        level = {name: one for name, one in inner.items() if isinstance(one, dict)}
    return found


def _is_post(value: dict[str, Any]) -> bool:
    """Return whether an object is a post, which may hold lists of objects itself, such as its comments."""
    # The reply of a server has a message and a title of its own.
    names = [name for name, one in value.items() if isinstance(one, str) and name not in ("message", "msg", "body")]
    return any((rank := text_rank(name)) is not None and rank[0] < 2 for name in names)


def _rows_of_list(value: Any) -> list[Row]:
    if not isinstance(value, list) or not value:
        return []
    if all(isinstance(one, dict) for one in value):
        return value
    return [{"text": one} for one in value] if all(isinstance(one, str) for one in value) else []


def _rows_of_frame(value: dict[str, Any]) -> list[Row]:
    """Return the rows of a table as pandas writes it: by columns, by rows, or split; [] for any other object."""
    if value.keys() >= {"columns", "data"} and isinstance(value["data"], list) and isinstance(value["columns"], list):
        return [dict(zip(value["columns"], cells, strict=False)) for cells in value["data"]]
    inner = list(value.values())
    if not inner or not all(isinstance(one, dict) and one for one in inner):
        return []
    if all(key.isdecimal() for key in value):
        return inner
    keys = inner[0].keys()
    if all(one.keys() == keys for one in inner) and all(key.isdecimal() for key in keys):
        return [{name: column[key] for name, column in value.items()} for key in keys]
    return []
