"""Takes a model folder and gives what its card says of its training: the corpus, the number of posts and the figures."""

import re
from pathlib import Path
from typing import Any, NamedTuple

from huggingface_hub import ModelCard
from yaml import YAMLError

from .layout import CARD

_SPLITS = ("test", "validation")
_TRAINED_ON = re.compile(r"^Trained on: (.+?\))\.", re.MULTILINE)
_NUM_ROWS = re.compile(r"\(rows: train ([0-9]+)")


class CardFacts(NamedTuple):
    """Holds what a card says of the training of a model.

    Attributes:
        trained_on: The corpus with the numbers of its rows, or "" if the card does not say it.
        num_posts: The number of posts that the model was trained on, or None if the card does not say it.
        figures: Lines such as ``NLPCC 2014 emotion classification, test: accuracy 0.781``.
        corpus: The name of the corpus, as that of the first figure below or as the card says it in words, or "".
        split: The split of that figure, ``test`` or ``validation``, or "".
        macro_f1: The macro-F1 on all rows of that split, or None.
    """

    trained_on: str = ""
    num_posts: int | None = None
    figures: tuple[str, ...] = ()
    corpus: str = ""
    split: str = ""
    macro_f1: float | None = None


def read_card(folder: Path) -> CardFacts:
    """Return what the card of a model folder says of its training.

    A card may be edited or missing, so whatever cannot be found in it stays empty.

    Args:
        folder: The model folder.
    """
    path = folder / CARD
    if not path.is_file():
        return CardFacts()
    try:
        card = ModelCard(path.read_text(encoding="utf-8"), ignore_metadata_errors=True)
    except (ValueError, YAMLError):  # The card is no UTF-8, or its header is no YAML.
        return CardFacts()
    results = getattr(card.data, "eval_results", None) or []
    found = _TRAINED_ON.search(card.text)
    trained_on = found[1] if found else ""
    counted = _NUM_ROWS.search(trained_on)
    facts = CardFacts(
        trained_on, int(counted[1]) if counted else None, _lines(results), corpus=trained_on.partition(" (rows: ")[0]
    )
    of_all_rows = [one for one in results if one.metric_name == "macro-F1" and one.dataset_config == "all rows"]
    figures = [one for one in of_all_rows if one.dataset_split in _SPLITS]
    if not figures:
        return facts
    best = min(figures, key=lambda one: _SPLITS.index(one.dataset_split))
    return facts._replace(corpus=best.dataset_name, split=best.dataset_split, macro_f1=best.metric_value)


def _lines(results: list[Any]) -> tuple[str, ...]:
    """Return a line of figures for each split of a corpus."""
    grouped: dict[str, list[str]] = {}
    for one in results:
        split = ", ".join(filter(None, (one.dataset_name, one.dataset_config, one.dataset_split)))
        grouped.setdefault(split, []).append(f"{one.metric_name or one.metric_type} {one.metric_value}")
    return tuple(f"{split}: {', '.join(values)}" for split, values in grouped.items())
