"""Takes arrays of labels and of predictions or probabilities, and gives figures as plain dictionaries and numbers.

The figures are scores with intervals, calibration and confusion; labels of one corpus can be mapped to those of another.
scikit-learn or torchmetrics computes every figure except the bootstrap intervals.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, precision_recall_fscore_support

from aslstm.data.labels import SINGLE_LABEL, label_renamer
from modeling_aslstm.results_aslstm import polarity_entry

NO_EMOTION = "none"
NUM_INTERVAL_RESAMPLES = 1000
NUM_CALIBRATION_BINS = 15


def compute_metrics(labels: np.ndarray, predictions: np.ndarray, label_names: list[str]) -> dict[str, Any]:
    """Return the figures of one split.

    Args:
        labels: The labels of the rows, (num_examples,) int, indices into ``label_names``.
        predictions: The answers, (num_examples,) int, indices into ``label_names``.
        label_names: The names of all labels of the model.

    Returns:
        ``num_examples``, ``accuracy``, ``macro_f1``, ``macro_f1_emotions`` (without the label "none", where there is one),
        ``majority_accuracy`` (always answering the commonest label of these rows) and ``per_class``.
    """
    every = list(range(len(label_names)))
    precision, recall, f1, support = precision_recall_fscore_support(labels, predictions, labels=every, zero_division=0)
    metrics = {
        "num_examples": len(labels),
        "accuracy": float(accuracy_score(labels, predictions)),
        "macro_f1": float(np.mean(f1)),
        "majority_accuracy": float(np.max(support) / len(labels)),
        "per_class": {
            name: {
                "precision": float(precision[i]),
                "recall": float(recall[i]),
                "f1": float(f1[i]),
                "support": int(support[i]),
            }
            for i, name in enumerate(label_names)
        },
    }
    if NO_EMOTION in label_names:
        metrics["macro_f1_emotions"] = float(np.mean([f1[i] for i in every if label_names[i] != NO_EMOTION]))
    return metrics


def intervals_95(labels: np.ndarray, predictions: np.ndarray, num_labels: int) -> dict[str, list[float]]:
    """Return the lower and upper ends of ``accuracy`` and ``macro_f1`` by a 95 % percentile bootstrap over the rows.

    Both figures follow from the confusion matrix, and drawing rows with replacement is a multinomial draw of its cells.

    Args:
        labels: The labels of the rows, (num_examples,) int.
        predictions: The answers, (num_examples,) int.
        num_labels: The number of labels that the model has.
    """
    cells = confusion_matrix(labels, predictions, labels=range(num_labels)).ravel()
    drawn = np.random.default_rng(0).multinomial(len(labels), cells / len(labels), NUM_INTERVAL_RESAMPLES)
    drawn = drawn.reshape(-1, num_labels, num_labels)
    hits = drawn.diagonal(axis1=1, axis2=2)
    f1 = 2 * hits / np.maximum(drawn.sum(1) + drawn.sum(2), 1)
    scores = {"accuracy": hits.sum(1) / len(labels), "macro_f1": f1.mean(1)}
    return {name: np.percentile(values, [2.5, 97.5]).tolist() for name, values in scores.items()}


def compute_multi_label_metrics(labels: np.ndarray, predictions: np.ndarray, label_names: list[str]) -> dict[str, Any]:
    """Return the figures of one split whose rows have any number of labels.

    Args:
        labels: Whether a row has a label, (num_examples, num_labels) bool.
        predictions: Whether the answer has a label, (num_examples, num_labels) bool.
        label_names: The names of all labels of the model.

    Returns:
        The keys of :func:`compute_metrics` and ``micro_f1``. ``accuracy`` is the share of rows with every label right, and
        ``majority_accuracy`` that of the commonest set of labels.
    """
    precision, recall, f1, support = precision_recall_fscore_support(labels, predictions, average=None, zero_division=0)
    sets = np.unique(labels, axis=0, return_counts=True)[1]
    columns = {"precision": precision, "recall": recall, "f1": f1}
    return {
        "num_examples": len(labels),
        "accuracy": float((labels == predictions).all(1).mean()),
        "macro_f1": float(np.mean(f1)),
        "micro_f1": float(f1_score(labels, predictions, average="micro", zero_division=0)),
        "majority_accuracy": float(sets.max() / len(labels)),
        "per_class": {
            name: {column: float(values[i]) for column, values in columns.items()} | {"support": int(support[i])}
            for i, name in enumerate(label_names)
        },
    }


def multi_label_intervals_95(labels: np.ndarray, predictions: np.ndarray) -> dict[str, list[float]]:
    """Return the ends of ``accuracy``, ``macro_f1`` and ``micro_f1`` by a 95 % percentile bootstrap over the rows.

    Args:
        labels: Whether a row has a label, (num_examples, num_labels) bool.
        predictions: Whether the answer has a label, (num_examples, num_labels) bool.
    """
    # Every figure follows from sums over rows: of hits, of gold and given labels, and of rows that are wholly right.
    hits, both = labels & predictions, labels.astype(float) + predictions
    rows = np.column_stack([hits, both, (labels == predictions).all(1)]).astype(float)
    random = np.random.default_rng(0)
    draws = (np.bincount(random.integers(0, len(rows), len(rows)), minlength=len(rows)) for _ in range(NUM_INTERVAL_RESAMPLES))
    sums = np.stack([times @ rows for times in draws])
    num_labels = labels.shape[1]
    hits, both = sums[:, :num_labels], sums[:, num_labels : 2 * num_labels]
    scores = {
        "accuracy": sums[:, -1] / len(rows),
        "macro_f1": (2 * hits / np.maximum(both, 1)).mean(1),
        "micro_f1": 2 * hits.sum(1) / np.maximum(both.sum(1), 1),
    }
    return {name: np.percentile(values, [2.5, 97.5]).tolist() for name, values in scores.items()}


def map_labels(labels: list[str], name: str | None, setting: str = "map_labels") -> list[str]:
    """Translate labels to other ones.

    Args:
        labels: The labels.
        name: A map of ``LABEL_MAPS`` or a file, as :func:`aslstm.data.labels.read_label_map` takes it; None changes nothing.
        setting: The name of the setting that the map comes from, for messages.

    Raises:
        UserError: The map cannot be read or lacks a label.
    """
    rename = label_renamer({}, name, SINGLE_LABEL, setting)
    return labels if rename is None else list(map(rename, labels))


def map_probabilities(probabilities: np.ndarray, names: list[str], map_name: str | None) -> tuple[np.ndarray, list[str]]:
    """Translate probabilities (num_texts, num_labels) to the labels of a map; those of labels that share a name are added."""
    if map_name is None:
        return probabilities, names
    mapped = map_labels(names, map_name, "map_predictions")
    targets = sorted(set(mapped))
    groups = [[i for i, label in enumerate(mapped) if label == target] for target in targets]
    return np.stack([probabilities[:, group].sum(1) for group in groups], axis=1), targets


def polarity_figure(
    gold: Sequence[str], probabilities: np.ndarray, config: Any, polarities: Mapping[str, str] | None
) -> dict[str, float]:
    """Return ``macro_f1_polarity``, or ``{}`` if the model or the labels of the rows have no polarity.

    Args:
        gold: The label of each row.
        probabilities: The probabilities of the model's own labels, (num_examples, num_labels).
        config: Any object with the attributes of an ``ASLSTMConfig``.
        polarities: The polarity of each label that ``gold`` may have, or None if one of them is not known.
    """
    if polarities is None or config.polarity_of_labels is None:
        return {}
    given = [polarity_entry(row, config)["polarity"] for row in probabilities.tolist()]
    every = sorted({*polarities.values(), *config.polarity_of_labels.values()})
    expected = [polarities[label] for label in gold]
    return {"macro_f1_polarity": float(f1_score(expected, given, labels=every, average="macro", zero_division=0))}


def evaluate_probabilities(labels: np.ndarray, probabilities: np.ndarray, label_names: list[str]) -> dict[str, Any]:
    """Return all figures of one set of rows.

    Args:
        labels: The labels of the rows, (num_examples,) int, indices into ``label_names``.
        probabilities: The probability of each label, (num_examples, num_labels).
        label_names: The names of all labels of the model.

    Returns:
        The figures of :func:`compute_metrics` and ``weighted_f1``, ``micro_f1_emotions``, ``expected_calibration_error``,
        ``confusion_matrix`` (gold by predicted, in the order of ``label_names``) and ``intervals_95`` of accuracy and macro-F1.
    """
    predictions = probabilities.argmax(1)
    every = list(range(len(label_names)))
    emotions = [i for i in every if label_names[i] != NO_EMOTION]
    # Imported here and not above: training and benchmarks need only the other figures, without torchmetrics.
    import torch
    from torchmetrics.functional.classification import multiclass_calibration_error

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
