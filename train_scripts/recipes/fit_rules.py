"""Fits the decision rule of a model of the eight labels to posts of several kinds, and writes it into the model's config.

python train_scripts/recipes/fit_rules.py MODEL_FOLDER DATA_DIR

Training fits the rule to one corpus, whose shares of labels are its own: three quarters of NLPCC 2014 are ``none``, a fifth of
SMP2020-EWECT is ``neutral``. A model for any file needs a rule that suits them all, and only validation rows choose it:

- The weight of the prior is the one whose largest loss is smallest, each corpus of real posts compared with the weight that
  suits it best (minimax regret). The score is the mean of macro-F1 and accuracy, as in training. The sample has no say in it:
  its labels were made equally frequent.
- The temperature gives the lowest log loss, and the threshold of neutral answers the highest macro-F1 of the three
  polarities, on average over the corpora and the sample.
"""

import argparse
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import softmax

from aslstm.data.corpora import CorpusSource, load_corpus
from aslstm.data.known_corpora import COARSE_LABELS, KNOWN_LABELS
from aslstm.files import json_text, write_checksums
from aslstm.prediction.classifier import Classifier
from aslstm.training.decision import POLARITY_THRESHOLDS, PRIOR_WEIGHTS, log_loss, mean_scores, polarity_scores
from modeling_aslstm.config_values import POLARITIES

CORPORA = ("nlpcc2014", "smp2020_ewect", "smp2020_ewect_virus", "sample")
# Surprise may be good or bad, so as a gold label it says nothing of the polarity.
NO_POLARITY = "surprise"


class Validation(NamedTuple):
    """Holds validation rows.

    Attributes:
        logits: The logits of the eight labels before any rule, (num_rows, 8).
        gold: The labels of the rows, (num_rows,) int, places in ``names``.
        names: The labels of the corpus.
        groups: The place in ``names`` of each of the eight labels, (8,) int.
        polarities: The gold polarities, (num_rows,) int, places in ``POLARITIES``; -1 for a row without one.
    """

    logits: np.ndarray
    gold: np.ndarray
    names: list[str]
    groups: np.ndarray
    polarities: np.ndarray

    def probabilities(self, rule: np.ndarray, temperature: float = 1.0) -> np.ndarray:
        """Return the probabilities of the corpus's labels, (num_rows, num_names), with ``rule`` (8,) added to the logits."""
        eight = softmax((self.logits + rule) / temperature, axis=1)
        return np.stack([eight[:, self.groups == group].sum(1) for group in range(len(self.names))], axis=1)


def read_validation(name: str, data_dir: Path, classifier: Classifier) -> Validation:
    """Return the validation rows of a corpus, with the logits that the model gives them."""
    rows = load_corpus(CorpusSource(name, None if name == "sample" else data_dir))["validation"]
    config = classifier.config
    log_prior = np.log(np.array(config.label_prior))
    probabilities = classifier.predict(rows["text"][:])
    logits = np.log(np.maximum(probabilities, 1e-12)) * config.temperature - config.decision_prior_weight * log_prior
    names = sorted(set(rows["label"]))
    groups = [label if label in names else COARSE_LABELS[label] for label in classifier.label_names]
    return Validation(
        logits,
        np.array([names.index(label) for label in rows["label"]]),
        names,
        np.array([names.index(group) for group in groups]),
        np.array([-1 if label == NO_POLARITY else POLARITIES.index(KNOWN_LABELS[label].polarity) for label in rows["label"]]),
    )


def label_scores(rows: Validation, log_prior: np.ndarray) -> np.ndarray:
    """Return the mean of macro-F1 and accuracy on the corpus's labels at each weight of the prior, (num_weights,)."""
    answers = np.stack([rows.probabilities(weight * log_prior).argmax(1) for weight in PRIOR_WEIGHTS])
    return mean_scores(rows.gold, answers, len(rows.names))


def main() -> None:
    """Fit the rule, print it with its figures, and write it into the folder."""
    parser = argparse.ArgumentParser(description="Fit a decision rule to several corpora.")
    parser.add_argument("model", type=Path)
    parser.add_argument("data_dir", type=Path)
    arguments = parser.parse_args()
    classifier = Classifier(arguments.model, backend="torch")
    corpora = [read_validation(name, arguments.data_dir, classifier) for name in CORPORA]
    log_prior = np.log(np.array(classifier.config.label_prior))

    scores = np.stack([label_scores(rows, log_prior) for rows in corpora])
    real = scores[[name != "sample" for name in CORPORA]]
    best = int((real.max(1, keepdims=True) - real).max(0).argmin())
    weight = float(PRIOR_WEIGHTS[best])
    rule = weight * log_prior

    def mean_loss(log_temperature: float) -> float:
        temperature = float(np.exp(log_temperature))
        return float(np.mean([log_loss(np.log(rows.probabilities(rule, temperature)), rows.gold) for rows in corpora]))

    temperature = float(np.exp(minimize_scalar(mean_loss, bounds=(-3.0, 3.0), method="bounded").x))
    places = np.array([POLARITIES.index(KNOWN_LABELS[label].polarity) for label in classifier.label_names])

    def curve_of(rows: Validation) -> np.ndarray:
        kept = rows.polarities >= 0
        return polarity_scores(softmax((rows.logits[kept] + rule) / temperature, axis=1), rows.polarities[kept], places)

    curves = np.stack([curve_of(rows) for rows in corpora])
    threshold = float(POLARITY_THRESHOLDS[curves.mean(0).argmax()])
    for name, of_labels, curve in zip(CORPORA, scores, curves, strict=True):
        print(
            f"{name}: score {of_labels[best]:.4f} (of its own best weight {of_labels.max():.4f}), macro-F1 of the polarities "
            f"{curve[curves.mean(0).argmax()]:.4f}"
        )
    path = arguments.model / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config |= {"decision_prior_weight": weight, "temperature": temperature, "polarity_threshold": threshold}
    path.write_text(json_text(config), encoding="utf-8")
    write_checksums(arguments.model)
    print(f"prior weight {weight:.2f}, temperature {temperature:.3f}, polarity threshold {threshold:.2f}")


if __name__ == "__main__":
    main()
