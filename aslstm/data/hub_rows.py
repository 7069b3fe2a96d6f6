"""Takes the name of a data set of the Hub, or a local folder that ``datasets`` can read, and gives its rows as strings."""

from collections.abc import Callable
from typing import Any

from datasets import ClassLabel, Dataset, Features, Value, load_dataset
from datasets.exceptions import DatasetGenerationError
from huggingface_hub.errors import HfHubHTTPError

from aslstm.errors import UserError

from .file_formats import Row
from .row_checks import RowChecker

# Names of the validation split that publishers use.
_SPLIT_NAMES = {"dev": "validation", "valid": "validation"}


def read_hub(dataset: str, columns: tuple[str, str]) -> dict[str, Dataset]:
    """Read the splits of a data set, with the string columns ``text``, ``label`` and ``post``.

    Args:
        dataset: The name or folder of the data set.
        columns: The names of its text and label columns.

    Raises:
        UserError: The data set cannot be loaded, or has no train split, no such column, or a row without a text or a label.
    """
    try:
        splits = load_dataset(dataset)
    except (OSError, ValueError, DatasetGenerationError, HfHubHTTPError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"`dataset` {dataset}: expected a data set that loads, found: {reason}; check the name") from error
    splits = {_SPLIT_NAMES.get(split, split): rows for split, rows in splits.items()}
    if "train" not in splits:
        raise UserError(f"`dataset` {dataset}: expected a split named train, found {', '.join(splits)}")
    return {split: _standard_columns(rows, dataset, columns) for split, rows in splits.items()}


def _standard_columns(rows: Dataset, dataset: str, columns: tuple[str, str]) -> Dataset:
    # Without the features, a column that keeps its name would also keep its type, such as whole numbers.
    features = Features(dict.fromkeys(("text", "label", "post"), Value("string")))
    read = hub_reader(dataset, columns, rows.features)
    return rows.map(read, with_indices=True, remove_columns=rows.column_names, features=features, desc="Reading")


def hub_reader(dataset: str, columns: tuple[str, str], features: Features | None) -> Callable[[dict[str, Any], int], Row]:
    """Make the function that turns a row of a data set, and its index, into ``text``, ``label`` and ``post``.

    Args:
        dataset: The name of the data set, for error messages.
        columns: The names of its text and label columns.
        features: The types of its columns; a column of classes gives the names of these.
    """
    text_column, label_column = columns
    feature = (features or {}).get(label_column)
    check = RowChecker(f"`dataset` {dataset}", text_column)

    def read(row: dict[str, Any], index: int) -> Row:
        for column in columns:
            if column not in row:
                raise UserError(
                    f"`dataset` {dataset}: expected a column {column!r}, found {', '.join(row)}; name it with `text_column` or "
                    "`label_column`"
                )
        label = row[label_column]
        if isinstance(feature, ClassLabel) and isinstance(label, int):
            label = feature.int2str(label) if label >= 0 else None  # The library writes -1 where there is no label.
        return check(index + 1, row[text_column], label)

    return read
