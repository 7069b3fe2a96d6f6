"""Takes the text and the label of a row, of any type, and gives both as strings, or says in one line what is wrong."""

import re
from typing import Any

from aslstm.errors import UserError

from .file_formats import Row
from .labels import MULTI_LABEL, SEPARATOR, SINGLE_LABEL, join_labels, label_key, label_list, label_text

# A longer post is a fault of the file; splitting it into words would need gigabytes.
MAX_TEXT_CHARACTERS = 1_000_000
_WHOLE = re.compile(r"\A([+-]?[0-9]+)\.0+\Z")


def text_fault(text: Any, column: str) -> str:
    """Return what is wrong with the text of a post, as the end of a message, or "" if nothing is.

    >>> text_fault("好", "text"), text_fault(5, "text")
    ('', "expected a text in column 'text', found 5; correct the row")
    """
    if not isinstance(text, str):
        return f"expected a text in column {column!r}, found {text!r:.60}; correct the row"
    if len(text) > MAX_TEXT_CHARACTERS:
        return (
            f"expected a text of at most {MAX_TEXT_CHARACTERS:,} characters in column {column!r}, found {len(text):,}; cut it "
            "or take the row out"
        )
    return ""


class TextFaultError(UserError):
    """Says that the text of a row is missing or too long."""


class NoLabelError(UserError):
    """Says that a row has no label."""


class RowChecker:
    """Checks the rows of one file or data set, and gives their ``text``, ``label`` and ``post`` as strings.

    A label has one spelling in a file, because ``neg`` and ``neg `` would silently become two classes. White space around it
    is taken off, and a whole number loses its ``.0``, which is what a table with a missing value makes of 1.

    Args:
        place: The file or data set, for error messages.
        text_column: The name of its column of texts, also for error messages.
        problem_type: Whether a post has one label or any number of them, as the config of a model names it.
    """

    def __init__(self, place: str, text_column: str, problem_type: str = SINGLE_LABEL) -> None:
        self.place = place
        self.text_column = text_column
        self.problem_type = problem_type
        self._first: dict[str, tuple[str, int]] = {}

    def __call__(self, number: int, text: Any, label: Any) -> Row:
        """Check one row.

        Args:
            number: The number of the row.
            text: The text of the row, of any type.
            label: The label of the row, of any type; in a multi-label corpus see :func:`aslstm.data.labels.label_list`.

        Raises:
            NoLabelError: The label is missing.
            TextFaultError: The text is missing or too long.
            UserError: What should be a label is none, or an earlier row spells the label in another way.
        """
        place = f"{self.place}, row {number}"
        given = label_list(label) if self.problem_type == MULTI_LABEL else [label]
        labels = [""] if given is None else [label_text(one) for one in given]
        if not isinstance(text, str) or any(not one for one in labels):
            is_missing = isinstance(text, str) and None not in labels
            kind = NoLabelError if is_missing else TextFaultError if not isinstance(text, str) else UserError
            several = "; for several labels of a post add `problem_type` multi_label_classification"
            raise kind(
                f"{place}: expected a text and a label (text or number), found {text!r:.60} and {label!r:.60}; correct the "
                f"row{several if isinstance(label, list) else ''}"
            )
        if fault := text_fault(text, self.text_column):
            raise TextFaultError(f"{place}: {fault}")
        names = [self._one_spelling(str(one), number) for one in labels]
        if self.problem_type == MULTI_LABEL:
            label = self._joined(names, place)
        else:
            (label,) = names
        # Half of a surrogate pair cannot be stored as UTF-8; the tokenizer drops it too.
        return {"text": text.encode("utf-8", "ignore").decode("utf-8"), "label": label, "post": str(number)}

    def _one_spelling(self, label: str, number: int) -> str:
        first, first_number = self._first.setdefault(label_key(label), (label, number))
        if label != first:
            raise UserError(
                f"{self.place}, row {number}: expected one spelling of a label, found {label!r:.60} here and {first!r:.60} in "
                f"row {first_number}; write both in the same way"
            )
        return _WHOLE.sub(r"\1", label.strip())

    def _joined(self, names: list[str], place: str) -> str:
        if wrong := [name for name in names if SEPARATOR in name]:
            raise UserError(f"{place}: expected a label without {SEPARATOR!r}, found {wrong[0]!r:.60}; rename it")
        return join_labels(names)
