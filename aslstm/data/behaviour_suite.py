"""Takes what a model says of the texts of the behaviour suite and gives which of its cases the model passes.

The cases lie in ``behaviour/``, whose README says what each kind expects. They are in the style of CheckList: Ribeiro et al.,
*Beyond Accuracy: Behavioral Testing of NLP Models with CheckList*, ACL 2020.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parent / "behaviour"
FUNCTIONALITY, INVARIANCE, DIRECTION = "minimum functionality", "invariance", "direction"
KINDS = (FUNCTIONALITY, INVARIANCE, DIRECTION)
LABELS = frozenset(("none", "like", "happiness", "sadness", "anger", "disgust", "fear", "surprise"))
NOT_HAPPIER, NOT_SADDER, NOT_FLIPPED = "not happier", "not sadder", "not flipped"
# Ribeiro et al. let a score move so far in the wrong direction before a case fails.
TOLERANCE = 0.1


class Case(NamedTuple):
    """Holds a case of the suite.

    Attributes:
        kind: One of ``KINDS``.
        capability: What the case is about, such as negation.
        text: A post.
        polarity: The polarities of the post that are right; of minimum functionality alone.
        labels: The labels of the post that are right, of ``LABELS``; empty where readers may differ.
        changed: The post after a change; of invariance and direction alone.
        expected: What the change may not do (``NOT_HAPPIER``, ``NOT_SADDER`` or ``NOT_FLIPPED``); of direction alone.
    """

    kind: str
    capability: str
    text: str
    polarity: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    expected: str = ""


class Opinion(NamedTuple):
    """Holds what a model says of a text.

    Attributes:
        polarity: ``negative``, ``neutral`` or ``positive``.
        score: A number from -1 (negative) to 1 (positive).
        label: One of ``LABELS``, or None if the model has other labels.
    """

    polarity: str
    score: float
    label: str | None = None


class Outcome(NamedTuple):
    """Says whether a model passes a case.

    Attributes:
        case: The case.
        passed: Whether the polarity or its score is as the case expects.
        label_passed: Whether the label is right; None if the case expects no label or the model has other ones.
    """

    case: Case
    passed: bool
    label_passed: bool | None = None


def load_cases() -> list[Case]:
    """Return all cases of the suite, kind by kind."""
    cases = []
    for kind in KINDS:
        path = FOLDER / f"{kind.replace(' ', '_')}.jsonl"
        for line in path.read_text(encoding="utf-8").splitlines():
            fields: dict[str, Any] = json.loads(line)
            fields = {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
            cases.append(Case(kind, **fields))
    return cases


def texts_of(cases: Iterable[Case]) -> list[str]:
    """Return each text of the cases once, in their order."""
    return list(dict.fromkeys(text for case in cases for text in (case.text, *case.changed)))


def outcome_of(case: Case, opinions: Mapping[str, Opinion]) -> Outcome:
    """Return whether a model passes a case.

    >>> case = Case(DIRECTION, "anger added", "开会", changed=("开会[怒]",), expected=NOT_HAPPIER)
    >>> outcome_of(case, {"开会": Opinion("neutral", 0.0), "开会[怒]": Opinion("negative", -0.8)}).passed
    True

    Args:
        case: The case.
        opinions: What the model says of each text of the case.
    """
    before, after = opinions[case.text], [opinions[text] for text in case.changed]
    if case.kind == FUNCTIONALITY:
        is_labelled = bool(case.labels) and before.label is not None
        return Outcome(case, before.polarity in case.polarity, before.label in case.labels if is_labelled else None)
    return Outcome(case, all(_may_become(before, one, case.expected) for one in after))


def _may_become(before: Opinion, after: Opinion, expected: str) -> bool:
    """Return whether a change may turn one opinion into another; without an expectation, the polarity may not change."""
    if expected == NOT_HAPPIER:
        return after.score <= before.score + TOLERANCE
    if expected == NOT_SADDER:
        return after.score >= before.score - TOLERANCE
    if expected == NOT_FLIPPED:
        return {before.polarity, after.polarity} != {"negative", "positive"}
    return before.polarity == after.polarity


def pass_rates(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return how many of some outcomes are passed.

    Returns:
        ``num_cases`` and ``pass_rate``, and where labels were expected ``num_labelled`` and ``label_pass_rate``.
    """
    labelled = [outcome.label_passed for outcome in outcomes if outcome.label_passed is not None]
    rates: dict[str, Any] = {"num_cases": len(outcomes), "pass_rate": sum(one.passed for one in outcomes) / len(outcomes)}
    if labelled:
        rates |= {"num_labelled": len(labelled), "label_pass_rate": sum(labelled) / len(labelled)}
    return rates


def rates_by_kind(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the pass rates of all outcomes (``all``), and of each kind with those of its ``capabilities``."""
    rates: dict[str, Any] = {"all": pass_rates(outcomes)}
    for kind in KINDS:
        of_kind = [one for one in outcomes if one.case.kind == kind]
        names = dict.fromkeys(one.case.capability for one in of_kind)
        parts = {name: pass_rates([one for one in of_kind if one.case.capability == name]) for name in names}
        rates[kind] = {**pass_rates(of_kind), "capabilities": parts}
    return rates
