"""Takes labels of any type and gives them as text, and takes a small file or a name and gives a map of labels to others.

A post of a multi-label corpus has any number of labels. Tables hold them as one text with :data:`SEPARATOR` between them.
"""

import json
import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from aslstm.errors import UserError
from aslstm.text_files import read_lines

from .file_formats import refuse_bad
from .known_corpora import LABEL_MAPS

SINGLE_LABEL, MULTI_LABEL, REGRESSION = "single_label_classification", "multi_label_classification", "regression"
PROBLEM_TYPES = (SINGLE_LABEL, MULTI_LABEL, REGRESSION)
SEPARATOR = "|"
_UNSEEN = re.compile("[\\s\u00ad\u200b\u200e\u200f\u2060\ufeff]+")
_NUMBER = re.compile(r"[+-]?[0-9]{1,300}(\.[0-9]{0,300})?")
# An empty cell, and what pandas makes of one that it turns into text.
_MISSING = ("", "nan", "NaN")
# What stands between the labels of a post in files that have no lists.
_SEPARATORS = re.compile(r"[|,;，；、]")
_MAP_SEPARATORS = re.compile(r"\t|,|，|=")


def label_key(label: str) -> str:
    """Return the text in which all spellings of one label agree.

    Spellings differ in white space, in invisible characters, in the form of Unicode (width, composition), or in how a number
    is written.

    >>> label_key("neg "), label_key("ｎｅｇ"), label_key("1.0"), label_key("-0.50"), label_key("v1.0")
    ('neg', 'neg', '1', '-0.5', 'v1.0')
    """
    key = _UNSEEN.sub("", unicodedata.normalize("NFKC", label))
    return f"{Decimal(key).normalize() + 0:f}" if _NUMBER.fullmatch(key) else key


def label_text(value: Any) -> str | None:
    """Return a label as text, "" for one that is missing, and None for what is no label.

    A whole number loses its ``.0``, which is what a table with a missing value makes of 1.

    >>> [label_text(value) for value in ("好评", 3, 4.0, 4.5, Decimal("2.50"), None, float("nan"), " nan", True, ["a"])]
    ['好评', '3', '4', '4.5', '2.5', '', '', '', None, None]
    """
    if isinstance(value, str):
        return "" if value.strip() in _MISSING else value
    if value is None or (isinstance(value, float | Decimal) and math.isnan(value)):
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    if isinstance(value, float | Decimal) and not math.isfinite(value):
        return None
    if isinstance(value, int) or value == int(value):
        return str(int(value))
    # A column of 32-bit floats holds 4.099999904632568 where 4.1 was meant.
    short = np.float32(value)
    return str(short) if float(short) == value else f"{Decimal(str(value)).normalize():f}"


def label_list(value: Any) -> list[Any] | None:
    """Return the labels of a post of a multi-label corpus as a list, and None if they are missing.

    The value is a list, a JSON list as text, or a text with ``|``, a comma, a semicolon or 、 between the labels. An empty list
    or text says that the post has none of the labels.

    >>> label_list(["a", "b"]), label_list('["a, b"]'), label_list("喜悦、惊讶"), label_list(""), label_list(None)
    (['a', 'b'], ['a, b'], ['喜悦', '惊讶'], [], None)
    """
    if isinstance(value, list | tuple):
        return list(value)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if not isinstance(value, str):
        return [value]
    if value.strip().startswith("["):
        try:
            return list(json.loads(value))
        except ValueError:
            pass  # A label may begin with a bracket, such as an emoji code.
    return [part for part in _SEPARATORS.split(value) if part.strip()]


def several_columns(label_column: str, problem_type: str) -> list[str]:
    """Return the columns of 0 and 1 that a multi-label corpus has in the place of one column of labels, or none.

    >>> several_columns("joy, fear", MULTI_LABEL), several_columns("joy, fear", SINGLE_LABEL), several_columns("a", MULTI_LABEL)
    (['joy', 'fear'], [], [])
    """
    columns = [column.strip() for column in label_column.split(",")]
    return columns if problem_type == MULTI_LABEL and len(columns) > 1 else []


def named_classes(label: Any, names: Sequence[str]) -> Any:
    """Return the name of a class, or those of several, where a data set numbers them; the library writes -1 for no label.

    >>> named_classes(1, ["neg", "pos"]), named_classes(-1, ["neg", "pos"]), named_classes([0, 1], ["neg", "pos"])
    ('pos', None, ['neg', 'pos'])
    """
    if not names or isinstance(label, str | bool):
        return label
    if isinstance(label, list):
        return [named_classes(one, names) for one in label]
    return (names[label] if 0 <= label < len(names) else None) if isinstance(label, int) else label


def labels_of_columns(row: Mapping[str, Any], columns: Sequence[str]) -> list[str] | None:
    """Return the columns that hold a number above 0, and None if a column is missing or holds no number.

    >>> labels_of_columns({"joy": 1, "fear": "0", "anger": True}, ["joy", "fear", "anger"])
    ['joy', 'anger']
    """
    try:
        return [column for column in columns if float(row[column]) > 0]
    except (KeyError, TypeError, ValueError):
        return None


def join_labels(labels: Iterable[str]) -> str:
    """Return the labels of a post as the one text that tables hold.

    >>> join_labels(["joy", "anger", "joy"]), split_labels("anger|joy"), split_labels("")
    ('anger|joy', ['anger', 'joy'], [])
    """
    return SEPARATOR.join(sorted(set(labels)))


def split_labels(joined: str) -> list[str]:
    """Return the labels of a post as a list; :func:`join_labels` made the text."""
    return joined.split(SEPARATOR) if joined else []


def names_of_labels(labels: Iterable[str], problem_type: str) -> list[str]:
    """Return the distinct labels of rows in the order of a model's outputs."""
    distinct = set(labels)
    return sorted({name for joined in distinct for name in split_labels(joined)} if problem_type == MULTI_LABEL else distinct)


def read_label_map(given: str, setting: str) -> Mapping[str, str]:
    """Return a map of labels: one that this project knows by name, or that of a small file.

    A line of the file names a label and what it becomes, with a tab, a comma or ``=`` between them: ``1,negative``. A file
    whose name ends in ``.json`` holds one JSON object.

    Args:
        given: A key of ``LABEL_MAPS``, or the path of a file.
        setting: The name of the setting, for messages.

    Raises:
        UserError: There is neither such a map nor such a file, or a line of the file is no pair.
    """
    if given in LABEL_MAPS:
        return LABEL_MAPS[given]
    path = Path(given)
    if not path.is_file():
        raise UserError(
            f"`{setting}`: expected {', '.join(LABEL_MAPS)}, or a file with a line for each label such as 1,negative, found "
            f"{given!r}; write one"
        )
    lines = [line.strip() for line in refuse_bad(read_lines(path, "utf-8"))]
    pairs = _json_pairs(path, "\n".join(lines)) if path.suffix.lower() == ".json" else _line_pairs(path, lines)
    if not pairs:
        raise UserError(f"`{setting}` {path}: expected a line for each label such as 1,negative, found none; write them")
    return pairs


def _json_pairs(path: Path, content: str) -> dict[str, str]:
    try:
        pairs = json.loads(content)
    except ValueError as error:
        raise UserError(f"{path}: expected a JSON object of labels, found: {error}; correct the file") from error
    texts = {label: label_text(value) for label, value in pairs.items()} if isinstance(pairs, dict) else {}
    if not texts or not all(texts.values()):
        raise UserError(f'{path}: expected a JSON object such as {{"1": "negative"}}, found {content:.60}; correct the file')
    return {label: text for label, text in texts.items() if text}


def _line_pairs(path: Path, lines: Iterable[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        parts = [part.strip() for part in _MAP_SEPARATORS.split(line)]
        if len(parts) != 2 or not all(parts):
            raise UserError(f"{path}, line {number}: expected two labels such as 1,negative, found {line!r:.60}; correct it")
        if pairs.setdefault(parts[0], parts[1]) != parts[1]:
            raise UserError(f"{path}, line {number}: expected each label once, found {parts[0]!r} twice; leave out one of them")
    return pairs


def label_renamer(
    known: Mapping[str, str], given: str | None, problem_type: str, setting: str = "map_labels"
) -> Callable[[str], str] | None:
    """Return the function that gives the labels of the files of a corpus their names, or None if they stay as they are.

    Args:
        known: The names that labels of a known corpus have.
        given: What :func:`read_label_map` takes, which then gives other names; or None.
        problem_type: Whether a post has one label or any number of them.
        setting: The name of the setting that ``given`` comes from, for messages.

    Raises:
        UserError: The map cannot be read. The function raises it for a label that the map lacks.
    """
    if not known and not given:
        return None
    pairs = read_label_map(given, setting) if given else {}
    by_key = {label_key(label): name for label, name in pairs.items()}

    def rename_one(label: str) -> str:
        label = known.get(label, label)
        if given and label_key(label) not in by_key:
            raise UserError(f"`{setting}` {given}: expected labels among {', '.join(pairs)}, found {label}; add it to the map")
        return by_key.get(label_key(label), label)

    if problem_type == MULTI_LABEL:
        return lambda joined: join_labels(map(rename_one, split_labels(joined)))
    return rename_one
