"""Measures rules for the weight of the label prior: each fits it on one half of validation and is scored on the other.

Run it as ``python -m benchmarks.decision_rule --model DIR --dataset nlpcc2014 --data_dir DIR``. The one-standard-error rule is
compared with the peak of the curve, the peak of the smoothed curve, and a weight of 1. No test row is read.
"""

from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import transformers

from aslstm.commands.flags import CommandParser, add_settings, make_settings, run
from aslstm.data.corpora import CorpusSource, load_split
from aslstm.prediction.classifier import Classifier
from aslstm.prediction.torch_backend import TorchBackend
from aslstm.training.decision import PRIOR_WEIGHTS, fit_prior_weight, mean_scores

NUM_HALVINGS = 40


def peak(logits: np.ndarray, labels: np.ndarray, prior: np.ndarray, *, width: int = 1) -> float:
    """Return the weight with the best score, where each score is averaged with those of its ``width`` neighbours."""
    answers = np.stack([(logits + weight * np.log(prior)).argmax(1) for weight in PRIOR_WEIGHTS])
    scores = np.pad(mean_scores(labels, answers, len(prior)), width // 2, mode="edge")
    return float(PRIOR_WEIGHTS[int(np.convolve(scores, np.ones(width) / width, mode="valid").argmax())])


RULES: dict[str, Callable[..., float]] = {
    "one standard error": fit_prior_weight,
    "peak": peak,
    "smoothed peak": lambda *arrays: peak(*arrays, width=5),
    "1": lambda *arrays: 1.0,
}


def main() -> None:
    """Predict validation, try every rule on many random halves of it and print the table."""
    parser = CommandParser("decision_rule", "Rules for the weight of the label prior.")
    parser.add_argument("--model", type=Path, required=True)
    add_settings(parser, CorpusSource)
    arguments = parser.parse_args()
    source = make_settings(CorpusSource, arguments)
    transformers.utils.logging.disable_progress_bar()
    classifier = Classifier(arguments.model, backend="torch")
    config = cast(TorchBackend, classifier.backend).model.config
    prior = np.array(config.label_prior)
    config.decision_prior_weight, config.temperature = 0.0, 1.0
    rows = load_split(source, "validation")
    logits = np.log(classifier.predict(rows["text"][:]))
    labels = np.array([classifier.label_names.index(label) for label in rows["label"]])
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in RULES}
    for seed in range(NUM_HALVINGS):
        order = np.random.default_rng(seed).permutation(len(labels))
        fit, score = order[: len(order) // 2], order[len(order) // 2 :]
        for name, rule in RULES.items():
            weight = rule(logits[fit], labels[fit], prior)
            answers = (logits[score] + weight * np.log(prior)).argmax(1)
            found[name].append((weight, float(mean_scores(labels[score], answers[None], len(prior))[0])))
    print(f"{NUM_HALVINGS} halvings of {len(labels)} rows; score: mean of macro-F1 and accuracy on the other half")
    print(f"{'rule':<22}{'weight':>16}{'score':>16}")
    for name, pairs in found.items():
        mean, deviation = np.mean(pairs, axis=0), np.std(pairs, axis=0)
        print(f"{name:<22}" + "".join(f"{f'{m:.3f} ± {d:.3f}':>16}" for m, d in zip(mean, deviation, strict=True)))


if __name__ == "__main__":
    run(main)
