"""Probabilities to a full account of a model: figures with intervals, calibration, confusion, counterfactuals.

Every figure is scikit-learn's, torchmetrics' or that of :mod:`metrics`; nothing here counts by itself.
"""

from typing import Any

import numpy as np
import torch
from sklearn.metrics import confusion_matrix, f1_score
from torchmetrics.functional.classification import multiclass_calibration_error

from aslstm.data.known_corpora import LABEL_MAPS
from aslstm.errors import UserError
from aslstm.metrics import NO_EMOTION, compute_metrics, intervals_95

NUM_CALIBRATION_BINS = 15


def map_labels(labels: list[str], name: str | None) -> list[str]:
    """Labels of one corpus as labels of another, by a map of ``LABEL_MAPS``.

    Raises:
        UserError: a label that the map lacks.
    """
    if name is None:
        return labels
    unknown = sorted(set(labels) - set(LABEL_MAPS[name]))
    if unknown:
        raise UserError(f"--map_labels {name}: expected labels among {', '.join(LABEL_MAPS[name])}, found {', '.join(unknown)}")
    return [LABEL_MAPS[name][label] for label in labels]


def map_probabilities(probabilities: np.ndarray, names: list[str], map_name: str | None) -> tuple[np.ndarray, list[str]]:
    """Probabilities (num_texts, num_labels) of the labels of a map: added up over the labels that share a name."""
    if map_name is None:
        return probabilities, names
    mapped = map_labels(names, map_name)
    targets = sorted(set(mapped))
    groups = [[i for i, label in enumerate(mapped) if label == target] for target in targets]
    return np.stack([probabilities[:, group].sum(1) for group in groups], axis=1), targets


def evaluate_probabilities(labels: np.ndarray, probabilities: np.ndarray, label_names: list[str]) -> dict[str, Any]:
    """Everything about one set of rows.

    Args:
        labels: (num_examples,) int, indices into ``label_names``.
        probabilities: (num_examples, num_labels).
        label_names: every label of the model.

    Returns:
        The figures of :func:`compute_metrics` and ``weighted_f1``, ``micro_f1_emotions``, ``expected_calibration_error``,
        ``confusion_matrix`` (gold by predicted, in the order of ``label_names``) and ``intervals_95`` of accuracy and macro-F1.
    """
    predictions = probabilities.argmax(1)
    every = list(range(len(label_names)))
    emotions = [i for i in every if label_names[i] != NO_EMOTION]
    calibration = multiclass_calibration_error(
        torch.from_numpy(probabilities), torch.from_numpy(labels), num_classes=len(label_names), n_bins=NUM_CALIBRATION_BINS
    )
    return {
        **compute_metrics(labels, predictions, label_names),
        "weighted_f1": float(f1_score(labels, predictions, labels=every, average="weighted", zero_division=0)),
        "micro_f1_emotions": float(f1_score(labels, predictions, labels=emotions, average="micro", zero_division=0)),
        "expected_calibration_error": float(calibration),
        "confusion_matrix": confusion_matrix(labels, predictions, labels=every).tolist(),
        "intervals_95": intervals_95(labels, predictions, len(label_names)),
    }
