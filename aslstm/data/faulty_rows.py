"""Takes rows of which some are faulty and gives the good ones, or one error that counts the others.

A faulty row is one that cannot be read or that has no label. A reader gives it in its place with what is wrong with it, so that
the rows of a file can be kept in a cache whatever is done about the fault.
"""

import logging
from typing import TYPE_CHECKING

from aslstm.errors import UserError

from .file_formats import Row
from .row_checks import NoLabelError

if TYPE_CHECKING:  # The base installation, which only answers, reads files without this package.
    from datasets import Dataset

logger = logging.getLogger(__name__)

ON_ERROR = ("stop", "skip")
# The columns that say what is wrong with a row: a message or "", and whether it is a missing label.
FAULT, LACKS_LABEL = "fault", "lacks_label"


def good_row(row: Row) -> Row:
    """Return a row as a reader gives it that nothing is wrong with."""
    return row | {FAULT: "", LACKS_LABEL: False}


def faulty_row(number: int, error: UserError) -> Row:
    """Return a row as a reader gives it in the place of one that ``error`` tells of."""
    return {"text": "", "label": "", "post": str(number), FAULT: str(error), LACKS_LABEL: isinstance(error, NoLabelError)}


def without_faulty(rows: "Dataset", place: str, *, on_error: str) -> "Dataset":
    """Return the good rows without the columns about faults, and log how many others there are.

    Args:
        rows: The rows of a reader.
        place: The file or data set, for messages.
        on_error: ``stop`` to refuse a faulty row, ``skip`` to leave it out.

    Raises:
        UserError: A row is faulty and none may be, or all rows are.
    """
    faults, lacks_label = rows[FAULT][:], rows[LACKS_LABEL][:]
    good = [i for i, fault in enumerate(faults) if not fault]
    columns = rows.remove_columns([FAULT, LACKS_LABEL])
    if len(good) == len(rows):
        return columns
    first = next(i for i, fault in enumerate(faults) if fault)
    if on_error == "stop" or not good:
        unlabelled = f" ({sum(lacks_label)} of {len(rows)} rows have no label)" if lacks_label[first] else ""
        instead = ", or leave out such rows with `on_error` skip" if good else ""
        raise UserError(f"{faults[first]}{instead}{unlabelled}")
    unreadable = len(rows) - len(good) - sum(lacks_label)
    logger.warning(
        "%s: passed over %d rows without a label and %d that cannot be read; the first: %s",
        place, sum(lacks_label), unreadable, faults[first],
    )  # fmt: skip
    return columns.select(good)
