"""Takes the splits of a corpus as they are published and gives splits that training can use, or says what is wrong with them.

A validation split is cut, rows that two splits share are left out, and labels get other names.
"""

import logging
import random
import re
from collections.abc import Callable

from datasets import Dataset

from aslstm.errors import UserError

from .labels import names_of_labels

logger = logging.getLogger(__name__)

VALIDATION_SHARE = 0.1
# The cut does not depend on the seed of training, so that runs with several seeds are compared on the same validation rows.
VALIDATION_SEED = 0

_WHITE_SPACE = re.compile(r"\s+")


def without_white_space(text: str) -> str:
    """Return the text without its white space: two texts are the same if they agree in this."""
    return _WHITE_SPACE.sub("", text)


def renamed(rows: Dataset, rename: Callable[[str], str], place: str) -> Dataset:
    """Return the rows with other labels.

    Args:
        rows: The rows of a split.
        rename: The function that gives a label its other name.
        place: What messages call the place of the rows.

    Raises:
        UserError: A label has no other name.
    """
    try:
        names = {label: rename(label) for label in sorted(set(rows["label"]))}
    except UserError as error:
        raise UserError(f"{place}: {error}") from error
    return rows.map(lambda row: {"label": names[row["label"]]}, desc="Naming labels")


def cut_validation(rows: Dataset, problem_type: str) -> tuple[Dataset, Dataset]:
    """Cut rows into train and validation by post: no post has sentences in both, and train keeps rows of every label."""
    posts, labels = rows["post"][:], [names_of_labels([label], problem_type) for label in rows["label"]]
    unique = sorted(set(posts))
    random.Random(VALIDATION_SEED).shuffle(unique)
    held_out = set(unique[: max(1, round(len(unique) * VALIDATION_SHARE))])
    kept_labels = {label for post, names in zip(posts, labels, strict=True) if post not in held_out for label in names}
    held_out -= {post for post, names in zip(posts, labels, strict=True) if not kept_labels.issuperset(names)}
    train = rows.select([i for i, post in enumerate(posts) if post not in held_out])
    return train, rows.select([i for i, post in enumerate(posts) if post in held_out])


def without_shared(rows: Dataset, other: Dataset, names: str) -> Dataset:
    """Return the rows whose texts ``other`` does not have, and log how many were left out; ``names`` says of which rows."""
    texts = {without_white_space(text) for text in other["text"]}
    kept = [i for i, text in enumerate(rows["text"]) if without_white_space(text) not in texts]
    if len(kept) < len(rows):
        logger.info("removed %d rows of %s (white space ignored)", len(rows) - len(kept), names)
    return rows.select(kept)


def check_labels(splits: dict[str, Dataset], places: dict[str, str], problem_type: str) -> None:
    """Check that train has two labels or more, and every label of the other splits.

    Args:
        splits: The splits by their names.
        places: What messages call the place of each split.
        problem_type: Whether a post has one label or any number of them.

    Raises:
        UserError: A label is missing in train.
    """
    labels = names_of_labels(splits["train"]["label"], problem_type)
    if len(labels) < 2:
        raise UserError(f"{places['train']}: expected two labels or more, found {labels}; check `label_column`")
    for split, rows in splits.items():
        known = {label: set(names_of_labels([label], problem_type)) <= set(labels) for label in set(rows["label"])}
        for number, label in enumerate(rows["label"], start=1):
            if not known[label]:
                raise UserError(
                    f"{places[split]}, row {number}: expected a label that train has ({', '.join(labels)}), found "
                    f"{label!r}; correct the row or add the label to train"
                )
