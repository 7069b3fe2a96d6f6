"""Takes the name of a data set of the Hub, or a local folder that ``datasets`` can read, and gives its rows as strings."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from datasets import ClassLabel, Dataset, DatasetDict, Features, Value, load_dataset, load_from_disk
from datasets.exceptions import DatasetGenerationError
from huggingface_hub.errors import HfHubHTTPError

from aslstm.errors import UserError

from .faulty_rows import FAULT, LACKS_LABEL, faulty_row, good_row
from .file_formats import Row
from .labels import SINGLE_LABEL, labels_of_columns, named_classes, several_columns
from .row_checks import NoLabelError, RowChecker, TextFaultError

# Names of the validation split that publishers use.
_SPLIT_NAMES = {"dev": "validation", "valid": "validation"}
# One of these files is in a folder that ``save_to_disk`` wrote: for several splits, and for one data set.
_SAVED = ("dataset_dict.json", "state.json")


def read_hub(dataset: str, columns: tuple[str, str], problem_type: str = SINGLE_LABEL) -> dict[str, Dataset]:
    """Read the splits of a data set, with the columns that :func:`row_readers.read_rows` gives if it keeps faulty rows.

    Args:
        dataset: The name or folder of the data set; a folder may be one of ``save_to_disk``.
        columns: The names of its text and label columns.
        problem_type: Whether a post has one label or any number of them.

    Raises:
        UserError: The data set cannot be loaded, or has no such column.
    """
    splits = {_SPLIT_NAMES.get(split, split): rows for split, rows in load_splits(dataset).items()}
    return {split: _standard_columns(rows, dataset, columns, problem_type) for split, rows in splits.items()}


def load_splits(dataset: str, **options: Any) -> dict[str, Any]:
    """Load the splits of a data set by their names; a folder of ``save_to_disk`` without splits is one named train.

    Args:
        dataset: The name or folder of the data set.
        options: Further arguments of ``datasets.load_dataset``.

    Raises:
        UserError: The data set cannot be loaded.
    """
    folder = Path(dataset)
    try:
        if any((folder / name).is_file() for name in _SAVED):
            saved = load_from_disk(dataset)
            return dict(saved) if isinstance(saved, DatasetDict) else {"train": saved}
        return dict(load_dataset(dataset, **options))
    except (OSError, ValueError, DatasetGenerationError, HfHubHTTPError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"`dataset` {dataset}: expected a data set that loads, found: {reason}; check the name") from error


def _standard_columns(rows: Dataset, dataset: str, columns: tuple[str, str], problem_type: str) -> Dataset:
    # Without the features, a column that keeps its name would also keep its type, such as whole numbers.
    types = dict.fromkeys(("text", "label", "post", FAULT), Value("string")) | {LACKS_LABEL: Value("bool")}
    read = hub_reader(dataset, columns, rows.features, problem_type)
    return rows.map(read, with_indices=True, remove_columns=rows.column_names, features=Features(types), desc="Reading")


def hub_reader(
    dataset: str, columns: tuple[str, str], features: Features | None, problem_type: str = SINGLE_LABEL
) -> Callable[[dict[str, Any], int], Row]:
    """Make the function that turns a row of a data set, and its index, into ``text``, ``label``, ``post`` and what is wrong.

    Args:
        dataset: The name of the data set, for error messages.
        columns: The names of its text and label columns.
        features: The types of its columns; a column of classes gives the names of these.
        problem_type: Whether a post has one label or any number of them.
    """
    text_column, label_column = columns
    several = several_columns(label_column, problem_type)
    feature = (features or {}).get(label_column)
    feature = getattr(feature, "feature", feature)  # A list has the type of its values.
    names = feature.names if isinstance(feature, ClassLabel) else []
    check = RowChecker(f"`dataset` {dataset}", text_column, problem_type)

    def read(row: dict[str, Any], index: int) -> Row:
        for column in (text_column, *(several or (label_column,))):
            if column not in row:
                flag = "text_column" if column == text_column else "label_column"
                raise UserError(
                    f"`dataset` {dataset}: expected a column {column!r}, found {', '.join(row)}; name it with `{flag}`"
                )
        label = labels_of_columns(row, several) if several else named_classes(row[label_column], names)
        try:
            return good_row(check(index + 1, row[text_column], label))
        except (NoLabelError, TextFaultError) as error:
            return faulty_row(index + 1, error)

    return read
