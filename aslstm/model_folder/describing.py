"""Takes a model folder and gives what its card says about it: the corpus that it was trained on, and its figures."""

import re
from pathlib import Path
from typing import NamedTuple

from aslstm.errors import UserError

from .layout import CARD

_CORPUS = re.compile(r"^Trained on: (.+?\))\.", re.MULTILINE)


class CardFacts(NamedTuple):
    """Holds what a card says.

    Attributes:
        corpus: The corpus with its size, or "" if the card does not name one.
        figures: Lines such as ``NLPCC 2014 emotion classification, test: accuracy 0.781``.
    """

    corpus: str
    figures: list[str]


def card_facts(folder: Path) -> CardFacts:
    """Return what the card of a model folder says; nothing if there is no card.

    Raises:
        UserError: The card cannot be read.
    """
    path = folder / CARD
    if not path.is_file():
        return CardFacts("", [])
    # Imported here, because it takes a while and only a report needs it.
    from huggingface_hub import ModelCard

    try:
        card = ModelCard.load(path, ignore_metadata_errors=True)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: expected a model card, found: {' '.join(str(error).split()):.200}") from error
    found = _CORPUS.search(card.text)
    grouped: dict[str, list[str]] = {}
    for one in card.data.eval_results or ():
        split = ", ".join(filter(None, (one.dataset_name, one.dataset_config, one.dataset_split)))
        grouped.setdefault(split, []).append(f"{one.metric_name or one.metric_type} {one.metric_value}")
    return CardFacts(found[1] if found else "", [f"{split}: {', '.join(values)}" for split, values in grouped.items()])
