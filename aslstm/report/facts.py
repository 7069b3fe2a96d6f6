"""Takes what is known of a model and of the input, and gives the lines "About this report"."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from aslstm import __version__
from aslstm.data.cleaning import CleaningCounts, name_of_rule
from aslstm.data.known_corpora import shown_names

from .texts import LANGUAGES, PHRASES_OF_CARDS


class ModelFacts(NamedTuple):
    """Holds what a reader should know of a model.

    Attributes:
        name: Its name or folder.
        labels: Its labels.
        corpus: What it was trained on, or "" if its card does not say.
        figures: Its figures, each with the corpus and the split, as the header of its card has them.
        has_card: Whether it has a card, which may say more than a program can read.
        labelled_here: Whether it labelled the posts for this report; otherwise the user says that it did so before.
        backend: What ran it, or "".
    """

    name: str
    labels: list[str]
    corpus: str = ""
    figures: Sequence[str] = ()
    has_card: bool = False
    labelled_here: bool = False
    backend: str = ""


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
    texts, phrases = LANGUAGES[language], PHRASES_OF_CARDS[language]
    names, separator = texts.facts, texts.separator
    found = {"model": names["no_model"]}
    if model is not None:
        figures = [named_phrases(line, phrases) for line in model.figures]
        unknown = names["not_in_card" if model.has_card else "no_card"]
        found = {
            "model": model.name,
            "corpus": named_phrases(model.corpus, phrases) or unknown,
            "labels": separator.join(shown_names(model.labels, language).values()),
            "figures": phrases.get("; ", "; ").join(figures) or unknown,
            "settings": names["labelled_here" if model.labelled_here else "labelled_before"].format(backend=model.backend),
        }
    found |= {
        "input": place,
        "columns": separator.join(columns),
        "cleaning": _of_cleaning(cleaning, language),
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "version": f"aslstm {__version__}",
    }
    return [(names[name], value) for name, value in found.items()]


def named_phrases(line: str, phrases: Mapping[str, str]) -> str:
    """Return a line of a model card, which is English, with the phrases and marks that are known in another language.

    >>> named_phrases("custom corpus (rows: train 400)", {"train": "训练", " (rows: ": "（", ")": "）"})
    'custom corpus（训练 400）'

    Args:
        line: What a card was trained on, or a line of its figures.
        phrases: The phrases and marks of such lines, and what stands for each.
    """
    # A phrase between two marks may have a number behind it; whatever is not known stays as it is.
    parts = re.split(r"( \(rows: |, |: |(?<=\d)\)$)", line)
    pairs = (re.fullmatch(r"(.*?)( [\d.]+)?", part, re.DOTALL) for part in parts)
    return "".join(phrases.get(pair[1], pair[1]) + (pair[2] or "") for pair in pairs if pair)


def _of_cleaning(cleaning: CleaningCounts | None, language: str) -> str:
    texts = LANGUAGES[language]
    if cleaning is None or not cleaning.num_changed:
        return texts.facts["not_cleaned" if cleaning is None else "nothing_to_clean"]
    rules = (f"{name_of_rule(rule, language)} {count:,}" for rule, count in cleaning.rules.most_common())
    changed = texts.facts["cleaned"].format(changed=cleaning.num_changed, posts=cleaning.num_posts)
    return f"{changed}{texts.separator.join(rules)}"
