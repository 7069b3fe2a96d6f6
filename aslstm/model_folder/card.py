"""Takes a model folder and gives what its card says of its training: the corpus, the number of posts and a figure."""

import re
from pathlib import Path
from typing import NamedTuple

from huggingface_hub import ModelCard
from yaml import YAMLError

from .layout import CARD

_SPLITS = ("test", "validation")
_NUM_ROWS = re.compile(r"^Trained on: .*\(rows: train ([0-9]+)", re.MULTILINE)


class Training(NamedTuple):
    """Holds what a card says of the training of a model.

    Attributes:
        corpus: The name of the corpus, or "" if the card does not say it.
        num_posts: The number of posts that the model was trained on, or None if the card does not say it.
        split: The split of the figure, ``test`` or ``validation``, or "" if the card has no figure.
        macro_f1: The macro-F1 on all rows of that split, or None if the card has no figure.
    """

    corpus: str = ""
    num_posts: int | None = None
    split: str = ""
    macro_f1: float | None = None


def read_training(folder: Path) -> Training:
    """Return what the card of a model folder says of its training.

    A card may be edited or missing, so whatever cannot be found in it stays empty.

    Args:
        folder: The model folder.
    """
    path = folder / CARD
    if not path.is_file():
        return Training()
    try:
        card = ModelCard(path.read_text(encoding="utf-8"), ignore_metadata_errors=True)
    except (ValueError, YAMLError):  # The card is no UTF-8, or its header is no YAML.
        return Training()
    figures = [
        one
        for one in getattr(card.data, "eval_results", None) or []
        if one.metric_name == "macro-F1" and one.dataset_config == "all rows" and one.dataset_split in _SPLITS
    ]
    best = min(figures, key=lambda one: _SPLITS.index(one.dataset_split), default=None)
    counted = _NUM_ROWS.search(card.text)
    num_posts = int(counted[1]) if counted else None
    return (
        Training("", num_posts)
        if best is None
        else Training(best.dataset_name, num_posts, best.dataset_split, best.metric_value)
    )
