"""Asks models and two packages the cases of the behaviour suite and prints the shares that each passes, as a table in Markdown.

Run it as ``python -m benchmarks.behaviour --models DIR [DIR ...]``; the packages come with ``pip install -r
benchmarks/requirements.txt``. They give a score and no label, so all are compared by polarity alone:

* snownlp gives a probability p; above .6 it counts as positive, below .4 as negative, and its score is 2p - 1. A text of which
  it knows nothing has p = .5 and is neutral.
* The rules of pysenti give a sum s; it is positive above 0, negative below, and neutral at 0. Its score is s / (1 + |s|), which
  lies between -1 and 1 as the others do.
"""

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from aslstm.commands.behaviour import opinions_of
from aslstm.commands.flags import CommandParser, run
from aslstm.data.behaviour_suite import KINDS, Opinion, load_cases, outcome_of, rates_by_kind, texts_of
from aslstm.errors import UserError
from aslstm.prediction.classifier import Classifier

PACKAGES = ("snownlp", "pysenti")
NEUTRAL_FROM, NEUTRAL_TO = 0.4, 0.6


def opinion_of_probability(probability: float) -> Opinion:
    """Return the opinion of a model of two classes that gives the probability of the positive one."""
    polarity = "positive" if probability > NEUTRAL_TO else "negative" if probability < NEUTRAL_FROM else "neutral"
    return Opinion(polarity, 2 * probability - 1)


def opinion_of_sum(total: float) -> Opinion:
    """Return the opinion of a dictionary that gives the sum of the scores of its words."""
    polarity = "positive" if total > 0 else "negative" if total < 0 else "neutral"
    return Opinion(polarity, total / (1 + abs(total)))


def ask_snownlp(texts: Sequence[str]) -> dict[str, Opinion]:
    """Return what snownlp says of each text."""
    import snownlp

    return {text: opinion_of_probability(snownlp.SnowNLP(text).sentiments) for text in texts}


def ask_pysenti(texts: Sequence[str]) -> dict[str, Opinion]:
    """Return what the rules of pysenti say of each text."""
    import pysenti

    rules = pysenti.RuleClassifier()
    return {text: opinion_of_sum(rules.classify(text)["score"]) for text in texts}


def table(rates: dict[str, dict[str, Any]]) -> str:
    """Return a table with a column for each model and a row for each kind, its capabilities, and all cases."""
    lines = [f"| | cases | {' | '.join(rates)} |", "|---|" + "---|" * (len(rates) + 1)]

    def add(name: str, parts: list[dict[str, Any]]) -> None:
        shares = " | ".join(f"{part['pass_rate']:.1%}".replace("%", " %") for part in parts)
        lines.append(f"| {name} | {parts[0]['num_cases']} | {shares} |")

    for kind in KINDS:
        of_kind = [one[kind] for one in rates.values()]
        add(f"**{kind}**", of_kind)
        for name in of_kind[0]["capabilities"]:
            add(name, [one["capabilities"][name] for one in of_kind])
    add("**all**", [one["all"] for one in rates.values()])
    return "\n".join(lines)


def main() -> None:
    """Ask all and print the table."""
    parser = CommandParser("behaviour", "Pass rates of the behaviour suite beside snownlp and pysenti.")
    parser.add_argument("--models", type=Path, nargs="+", required=True, help="model folders")
    arguments = parser.parse_args()
    if missing := [name for name in PACKAGES if find_spec(name) is None]:
        raise UserError(f"expected the packages {', '.join(missing)}, found none; pip install -r benchmarks/requirements.txt")
    asked: dict[str, Callable[[Sequence[str]], dict[str, Opinion]]] = {}
    for folder in arguments.models:
        classifier = Classifier(folder)
        asked[folder.name] = lambda texts, classifier=classifier: opinions_of(classifier, texts)  # type: ignore[misc]
    asked |= {"snownlp": ask_snownlp, "pysenti": ask_pysenti}
    cases = load_cases()
    texts = texts_of(cases)
    opinions = {name: ask(texts) for name, ask in asked.items()}
    print(table({name: rates_by_kind([outcome_of(case, told) for case in cases]) for name, told in opinions.items()}))


if __name__ == "__main__":
    run(main)
