"""Measures rules for the weight of the label prior: each fits it on one half of validation and is scored on the other.

Run it as ``python -m benchmarks.decision_rule --model DIR --dataset nlpcc2014 --data_dir DIR``. The peak of the smoothed curve,
which training takes, is compared with the peak itself, the peak of macro-F1 alone, the one-standard-error rule, a weight of 1,
and with what the other half says without its labels: the prior that expectation maximisation finds in it (Saerens et al. 2002),
and the smoothed peak adapted to it by one step of that or by all. Several models answer together, by the mean of their logits.
No test row is read.

In halves of one corpus the labels are spread alike. ``--others`` names corpora of other origin, on whose validation rows the
rules fitted to all rows of the first are scored as well; a model of the eight labels is scored by the six of SMP2020-EWECT.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import transformers
from scipy.special import softmax

from aslstm.commands.flags import CommandParser, add_settings, make_settings, run
from aslstm.data.corpora import CorpusSource, load_split
from aslstm.data.known_corpora import COARSE_LABELS
from aslstm.errors import UserError
from aslstm.prediction.classifier import Classifier
from aslstm.prediction.torch_backend import TorchBackend
from aslstm.training.decision import (
    PRIOR_WEIGHTS,
    fit_prior_weight,
    fit_temperature,
    log_loss,
    macro_f1_scores,
    mean_scores,
    smoothed_peak,
)

NUM_HALVINGS = 40
LOT = 100
# The share of a label that expectation maximisation does not find, so that its logit stays finite.
SMALLEST_SHARE = 1e-4
NUM_RESAMPLES = 200
MAX_EM_STEPS = 1_000
# What is printed of each rule: what training maximises, and what SMP2020-EWECT counts.
MEASURES = (mean_scores, macro_f1_scores)


def curve(logits: np.ndarray, labels: np.ndarray, prior: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the answers with each weight of the prior, (num_weights, num_rows), and their scores, (num_weights,)."""
    answers = np.stack([(logits + weight * np.log(prior)).argmax(1) for weight in PRIOR_WEIGHTS])
    return answers, mean_scores(labels, answers, len(prior))


def peak(logits: np.ndarray, labels: np.ndarray, prior: np.ndarray) -> float:
    """Return the weight with the best score."""
    return float(PRIOR_WEIGHTS[int(curve(logits, labels, prior)[1].argmax())])


def peak_of_macro_f1(logits: np.ndarray, labels: np.ndarray, prior: np.ndarray) -> float:
    """Return the peak of macro-F1 alone, smoothed as training smooths the mean of both scores."""
    return smoothed_peak(macro_f1_scores(labels, curve(logits, labels, prior)[0], len(prior)))


def one_standard_error(logits: np.ndarray, labels: np.ndarray, prior: np.ndarray) -> float:
    """Return the weight nearest to 1 whose score lies within a standard error of the best (Breiman et al. 1984, 3.4.3)."""
    answers, scores = curve(logits, labels, prior)
    best = int(scores.argmax())
    rows = np.random.default_rng(0).integers(0, len(labels), (NUM_RESAMPLES, len(labels)))
    error = np.std([mean_scores(labels[drawn], answers[best : best + 1, drawn], len(prior))[0] for drawn in rows])
    good = PRIOR_WEIGHTS[scores >= scores[best] - error]
    return float(good[np.abs(good - 1.0).argmin()])


def estimated_prior(logits: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Return the shares of the labels, (num_labels,), that explain unlabelled posts best, by expectation maximisation.

    Args:
        logits: The logits of the posts without any prior, (num_posts, num_labels).
        prior: The shares to begin with, (num_labels,).
    """
    for _ in range(MAX_EM_STEPS):
        before, prior = prior, softmax(logits + np.log(prior), axis=1).mean(0)
        if np.abs(prior - before).max() < 1e-6:
            break
    return prior


def adapted_peak(
    logits: np.ndarray, labels: np.ndarray, prior: np.ndarray, others: np.ndarray, *, to_the_end: bool = False
) -> np.ndarray:
    """Return the smoothed peak, adapted to the other posts by one step or by all, (num_labels,)."""
    rule = fit_prior_weight(logits, labels, prior) * np.log(prior)
    temperature = fit_temperature(logits + rule, labels)
    fitted, given = ((part + rule) / temperature for part in (logits, others))
    expected, found = (softmax(part, axis=1).mean(0) for part in (fitted, given))
    if to_the_end:
        found = np.maximum(estimated_prior(given - np.log(expected), expected), SMALLEST_SHARE)
    return rule + temperature * np.log(found / expected)


# What each rule adds to the logits of the other half, (num_labels,). All take the logits and labels of one half, the shares of
# the labels in training, and the logits of the other half.
RULES: dict[str, Callable[..., np.ndarray]] = {
    "smoothed peak": lambda logits, labels, prior, _: fit_prior_weight(logits, labels, prior) * np.log(prior),
    "smoothed peak of macro-F1": lambda logits, labels, prior, _: peak_of_macro_f1(logits, labels, prior) * np.log(prior),
    "peak": lambda logits, labels, prior, _: peak(logits, labels, prior) * np.log(prior),
    "one standard error": lambda logits, labels, prior, _: one_standard_error(logits, labels, prior) * np.log(prior),
    "1": lambda logits, labels, prior, _: np.log(prior),
    "expectation maximisation": lambda logits, labels, prior, others: np.log(estimated_prior(others, prior)),
    "half of that": lambda logits, labels, prior, others: 0.5 * np.log(estimated_prior(others, prior)),
    "smoothed peak, adapted": adapted_peak,
    "the same, all steps": lambda *given: adapted_peak(*given, to_the_end=True),
}


def logits_of(folder: Path, texts: list[str]) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return what a model says without its decision rule, (num_posts, num_labels), its label shares and its labels."""
    classifier = Classifier(folder, backend="torch")
    config = cast(TorchBackend, classifier.backend).model.config
    config.decision_prior_weight, config.temperature = 0.0, 1.0
    if config.label_prior is None:
        raise UserError(f"--model {folder}: expected a model with label_prior in its config, found none; train one with aslstm")
    return np.log(classifier.predict(texts)), np.array(config.label_prior), classifier.label_names


def scores_on_other(
    logits: np.ndarray, gold: list[str], names: list[str], fitted_on: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> dict[str, tuple[float, float]]:
    """Return the score of each rule on a corpus of other origin, and its accuracy where it sees ``LOT`` rows at once.

    Args:
        logits: The logits of the rows without any prior, (num_rows, num_labels).
        gold: The labels of the rows, those of the model or coarse ones.
        names: The labels of the model.
        fitted_on: The logits and labels that the rules are fitted to, and the prior.
    """
    of_corpus = sorted(set(gold))
    places = np.array([of_corpus.index(name if name in of_corpus else COARSE_LABELS[name]) for name in names])
    labels = np.array([of_corpus.index(label) for label in gold])
    order = np.random.default_rng(0).permutation(len(labels))
    lots = [order[first : first + LOT] for first in range(0, len(order) - LOT + 1, LOT)]
    scores = {}
    for name, rule in RULES.items():
        answers = places[(logits + rule(*fitted_on, logits)).argmax(1)]
        alone = [places[(logits[lot] + rule(*fitted_on, logits[lot])).argmax(1)] == labels[lot] for lot in lots]
        scores[name] = (float(mean_scores(labels, answers[None], len(of_corpus))[0]), float(np.mean(alone)))
    return scores


def best_log_loss(logits: np.ndarray, labels: np.ndarray, prior: np.ndarray) -> float:
    """Return the lowest log loss that a weight of the prior and a temperature reach."""
    shifted = [logits + weight * np.log(prior) for weight in PRIOR_WEIGHTS]
    return min(log_loss(one / fit_temperature(one, labels), labels) for one in shifted)


def main() -> None:
    """Predict validation, try every rule on many random halves of it and print the table."""
    parser = CommandParser("decision_rule", "Rules for the weight of the label prior.")
    parser.add_argument("--model", type=Path, nargs="+", required=True, help="several models answer together")
    parser.add_argument("--others", nargs="+", default=[], help="corpora of other origin")
    add_settings(parser, CorpusSource)
    arguments = parser.parse_args()
    source = make_settings(CorpusSource, arguments)
    transformers.utils.logging.disable_progress_bar()
    rows = load_split(source, "validation")
    answers_of_each, priors, names = zip(*(logits_of(folder, rows["text"][:]) for folder in arguments.model), strict=True)
    of_corpus = sorted(set(rows["label"]))
    if any(sorted(each) != of_corpus for each in names) or len(set(map(tuple, names))) > 1:
        given = " and ".join(", ".join(each) for each in names)
        raise UserError(f"--model: expected the labels {', '.join(of_corpus)}, found {given}; give a model of this corpus")
    logits, prior = np.mean(answers_of_each, axis=0), np.mean(priors, axis=0)
    labels = np.array([names[0].index(label) for label in rows["label"]])
    found: dict[str, list[list[float]]] = {name: [] for name in RULES}
    for seed in range(NUM_HALVINGS):
        order = np.random.default_rng(seed).permutation(len(labels))
        fit, score = order[: len(order) // 2], order[len(order) // 2 :]
        for name, rule in RULES.items():
            chosen = (logits[score] + rule(logits[fit], labels[fit], prior, logits[score])).argmax(1)[None]
            found[name].append([float(measure(labels[score], chosen, len(prior))[0]) for measure in MEASURES])
    print(f"{NUM_HALVINGS} halvings of {len(labels)} rows; score: mean of macro-F1 and accuracy on the other half")
    for name, scores in found.items():
        (score, macro_f1), (deviation, _) = np.mean(scores, axis=0), np.std(scores, axis=0)
        print(f"{name:<26}{score:.4f} ± {deviation:.4f}  macro-F1 alone {macro_f1:.4f}")
    print(f"lowest log loss, at its own weight and temperature: {best_log_loss(logits, labels, prior):.4f}")
    for other in arguments.others:
        rows = load_split(replace(source, dataset=other), "validation")
        given = np.mean([logits_of(folder, rows["text"][:])[0] for folder in arguments.model], axis=0)
        print(
            f"{len(rows)} rows of {other}, mean of macro-F1 and accuracy; accuracy where {LOT} rows at a time are on their own"
        )
        for name, (whole, alone) in scores_on_other(given, rows["label"], list(names[0]), (logits, labels, prior)).items():
            print(f"{name:<26}{whole:.4f}  {alone:.4f}")


if __name__ == "__main__":
    run(main)
