"""Takes the text and the label of a row, of any type, and gives both as strings, or says in one line what is wrong."""

import re
import unicodedata
from decimal import Decimal
from typing import Any

from aslstm.errors import UserError

from .file_formats import Row

# A longer post is a fault of the file; splitting it into words would need gigabytes.
MAX_TEXT_CHARACTERS = 1_000_000
_UNSEEN = re.compile("[\\s\u00ad\u200b\u200e\u200f\u2060\ufeff]+")
_NUMBER = re.compile(r"[+-]?[0-9]{1,300}(\.[0-9]{0,300})?")
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


def label_key(label: str) -> str:
    """Return the text in which all spellings of one label agree.

    Spellings differ in white space, in invisible characters, in the form of Unicode (width, composition), or in how a number
    is written.

    >>> label_key("neg "), label_key("ｎｅｇ"), label_key("1.0"), label_key("-0.50"), label_key("v1.0")
    ('neg', 'neg', '1', '-0.5', 'v1.0')
    """
    key = _UNSEEN.sub("", unicodedata.normalize("NFKC", label))
    return f"{Decimal(key).normalize() + 0:f}" if _NUMBER.fullmatch(key) else key


class RowChecker:
    """Checks the rows of one file or data set, and gives their ``text``, ``label`` and ``post`` as strings.

    A label has one spelling in a file, because ``neg`` and ``neg `` would silently become two classes. White space around it
    is taken off, and a whole number loses its ``.0``, which is what a table with a missing value makes of 1.

    Args:
        place: The file or data set, for error messages.
        text_column: The name of its column of texts, also for error messages.
    """

    def __init__(self, place: str, text_column: str) -> None:
        self.place = place
        self.text_column = text_column
        self._first: dict[str, tuple[str, int]] = {}

    def __call__(self, number: int, text: Any, label: Any) -> Row:
        """Check one row.

        Args:
            number: The number of the row.
            text: The text of the row, of any type.
            label: The label of the row, of any type.

        Raises:
            UserError: The values are not a text and a label, or an earlier row spells the label in another way.
        """
        place = f"{self.place}, row {number}"
        if isinstance(label, float) and label.is_integer():
            label = int(label)
        if not isinstance(text, str) or not isinstance(label, str | int) or isinstance(label, bool) or not str(label).strip():
            raise UserError(
                f"{place}: expected a text and a label (text or whole number), found {text!r:.60} and {label!r:.60}; correct "
                "the row"
            )
        if fault := text_fault(text, self.text_column):
            raise UserError(f"{place}: {fault}")
        label = str(label)
        first, first_number = self._first.setdefault(label_key(label), (label, number))
        if label != first:
            raise UserError(
                f"{place}: expected one spelling of a label, found {label!r:.60} here and {first!r:.60} in row {first_number}; "
                "write both in the same way"
            )
        label = _WHOLE.sub(r"\1", label.strip())
        # Half of a surrogate pair cannot be stored as UTF-8; the tokenizer drops it too.
        return {"text": text.encode("utf-8", "ignore").decode("utf-8"), "label": label, "post": str(number)}
