"""Takes a model and prints which cases of the behaviour suite it passes: the part of ``aslstm evaluate --behaviour``.

The suite is that of :mod:`aslstm.data.behaviour_suite`, which says what its cases expect.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aslstm.data.behaviour_suite import KINDS, LABELS, Opinion, Outcome, load_cases, outcome_of, rates_by_kind, texts_of
from aslstm.errors import UserError
from aslstm.files import replacing
from aslstm.prediction.classifier import Classifier
from aslstm.printing import table_text

HEADER = ["behaviour", "cases", "passed", "cases with labels", "passed"]


def opinions_of(classifier: Classifier, texts: Sequence[str]) -> dict[str, Opinion]:
    """Return what a model says of each text; its labels count where it knows all that the suite expects.

    Raises:
        UserError: The model gives no polarity.
    """
    names = classifier.label_names
    if classifier.config.polarity_of_labels is None:
        raise UserError(
            f"`behaviour`: expected a model that gives a polarity, found one with the labels {', '.join(names)}; train with "
            "the labels of a known corpus"
        )
    has_labels = set(names) >= LABELS
    opinions = {}
    for text, answer in zip(texts, classifier.answers(texts), strict=True):
        label = names[int(answer.probabilities.argmax())] if has_labels else None
        opinions[text] = Opinion(answer.polarity or "", answer.polarity_score or 0.0, label)
    return opinions


def evaluate_behaviour(classifier: Classifier, *, output: Path | None = None, save_predictions: Path | None = None) -> None:
    """Ask a model all cases, print the shares that it passes, and write the files that are asked for.

    Args:
        classifier: The model.
        output: The file for the shares, as JSON.
        save_predictions: The file for each case with the model's opinions, as JSON Lines.

    Raises:
        UserError: The model gives no polarity.
    """
    cases = load_cases()
    opinions = opinions_of(classifier, texts_of(cases))
    outcomes = [outcome_of(case, opinions) for case in cases]
    rates = rates_by_kind(outcomes)
    print(table_text(HEADER, rows_of(rates)))
    print("passed: by polarity; with labels: cases of minimum functionality whose label is beyond doubt")
    if output:
        with replacing(output) as partial:
            partial.write_text(json.dumps(rates, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    if save_predictions:
        with replacing(save_predictions) as partial, partial.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(json.dumps(entry_of(one, opinions), ensure_ascii=False) + "\n" for one in outcomes)


def rows_of(rates: dict[str, Any]) -> list[list[str]]:
    """Return the rows of the table: each kind, its capabilities below it, and all cases at the end."""
    rows = []
    for kind in KINDS:
        rows.append(_cells(kind, rates[kind]))
        rows += [_cells(f"  {name}", part) for name, part in rates[kind]["capabilities"].items()]
    return [*rows, _cells("all", rates["all"])]


def _cells(name: str, rates: dict[str, Any]) -> list[str]:
    labels = [str(rates["num_labelled"]), f"{rates['label_pass_rate']:.3f}"] if "num_labelled" in rates else ["", ""]
    return [name, str(rates["num_cases"]), f"{rates['pass_rate']:.3f}", *labels]


def entry_of(outcome: Outcome, opinions: dict[str, Opinion]) -> dict[str, Any]:
    """Return a case with the model's opinion of each of its texts, as JSON takes it; what is empty is left out."""
    case = outcome.case
    told = [opinions[text]._asdict() | {"score": round(opinions[text].score, 6)} for text in (case.text, *case.changed)]
    fields = case._asdict() | {"opinions": told, "passed": outcome.passed, "label_passed": outcome.label_passed}
    return {name: value for name, value in fields.items() if value not in ((), "", None)}
