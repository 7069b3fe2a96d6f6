"""Takes the rows of train and logs what a training would suffer from: rare labels, repeated texts, texts with two labels."""

import logging
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from .labels import names_of_labels

if TYPE_CHECKING:
    from datasets import Dataset

logger = logging.getLogger(__name__)

# A label of fewer rows has one row or none in validation: neither its figures nor its decision mean much.
MIN_ROWS_OF_LABEL = 10
_NUM_NAMED = 8
_SHOWN_CHARACTERS = 30


def log_faults(rows: "Dataset", problem_type: str) -> None:
    """Log repeated texts, texts with different labels, and labels with fewer than ``MIN_ROWS_OF_LABEL`` rows.

    Args:
        rows: The rows of train, with the columns ``text`` and ``label``.
        problem_type: Whether a post has one label or any number of them.
    """
    labels = rows["label"][:]
    labels_of: dict[str, set[str]] = {}
    for text, label in zip(rows["text"], labels, strict=True):
        labels_of.setdefault(text.strip(), set()).add(label)
    if repeated := len(labels) - len(labels_of):
        logger.warning("train: %d rows repeat the text of another", repeated)
    contradictory = {text: found for text, found in labels_of.items() if len(found) > 1}
    if contradictory:
        text, found = next(iter(contradictory.items()))
        logger.warning(
            "train: %d texts have different labels in different rows, such as %s for %r",
            len(contradictory), " and ".join(one or "no label" for one in sorted(found)), text[:_SHOWN_CHARACTERS],
        )  # fmt: skip
    log_rare_labels(Counter(name for label in labels for name in names_of_labels([label], problem_type)))


def log_rare_labels(counts: Mapping[str, int]) -> None:
    """Log the labels that have fewer than ``MIN_ROWS_OF_LABEL`` rows in train; ``counts`` has the rows of each label."""
    rare = sorted((count, name) for name, count in counts.items() if count < MIN_ROWS_OF_LABEL)
    if rare:
        named = ", ".join(f"{name} {count}" for count, name in rare[:_NUM_NAMED])
        logger.warning(
            "train: %d of %d labels have fewer than %d rows (%s%s); join them with `map_labels`, or expect little of them",
            len(rare), len(counts), MIN_ROWS_OF_LABEL, named, ", …" if len(rare) > _NUM_NAMED else "",
        )  # fmt: skip
