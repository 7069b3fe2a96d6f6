"""Takes what is known of a model and of the input, and gives the lines "About this report"."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from aslstm import __version__
from aslstm.data.cleaning import CleaningCounts, name_of_rule

from .texts import LANGUAGES


class ModelFacts(NamedTuple):
    """Holds what a reader should know of a model.

    Attributes:
        name: Its name or folder.
        labels: Its labels.
        corpus: What it was trained on, or "" if its card does not say.
        figures: Its figures, each with the corpus and the split, as the header of its card has them.
        has_card: Whether it has a card, which may say more than a program can read.
        labelled_here: Whether it labelled the posts for this report; otherwise the user says that it did so before.
        settings: How it was run, e.g. its backend, or "".
    """

    name: str
    labels: list[str]
    corpus: str = ""
    figures: Sequence[str] = ()
    has_card: bool = False
    labelled_here: bool = False
    settings: str = ""


def facts_of(
    model: ModelFacts | None, *, place: str, columns: Sequence[str], cleaning: CleaningCounts | None, language: str
) -> list[tuple[str, str]]:
    """Return names and values, in the language of the page.

    Args:
        model: The model, or None if it is not known.
        place: The input.
        columns: The columns that were read.
        cleaning: How many posts were cleaned of what a crawler left, or None if posts are shown as they were.
        language: The language of the page.
    """
    texts = LANGUAGES[language]
    names, separator = texts.facts, texts.separator
    found = {"model": names["no_model"]}
    if model is not None:
        unknown = names["not_in_card" if model.has_card else "no_card"]
        found = {
            "model": model.name,
            "corpus": model.corpus or unknown,
            "labels": separator.join(model.labels),
            "figures": "; ".join(model.figures) or unknown,
            "settings": separator.join(filter(None, (_how(model, names), model.settings))),
        }
    found |= {
        "input": place,
        "columns": separator.join(columns),
        "cleaning": _of_cleaning(cleaning, language),
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "version": f"aslstm {__version__}",
    }
    return [(names[name], value) for name, value in found.items()]


def _of_cleaning(cleaning: CleaningCounts | None, language: str) -> str:
    texts = LANGUAGES[language]
    if cleaning is None or not cleaning.num_changed:
        return texts.facts["not_cleaned" if cleaning is None else "nothing_to_clean"]
    rules = (f"{name_of_rule(rule, language)} {count:,}" for rule, count in cleaning.rules.most_common())
    changed = texts.facts["cleaned"].format(changed=cleaning.num_changed, posts=cleaning.num_posts)
    return f"{changed}{texts.separator.join(rules)}"


def _how(model: ModelFacts, names: dict[str, str]) -> str:
    return names["labelled_here" if model.labelled_here else "labelled_before"]
