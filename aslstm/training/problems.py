"""Takes logits and labels and gives losses, figures and a fitted decision, for posts of one label or of any number of them.

A trainer knows its problem by these methods alone.
"""

import logging
from typing import Any, Protocol

import numpy as np
import sklearn.metrics
import torch
from scipy.special import expit, logit, softmax
from torch import Tensor, nn

from aslstm.data.known_corpora import polarity_of_labels
from aslstm.data.labels import MULTI_LABEL
from aslstm.metrics import compute_metrics, compute_multi_label_metrics, intervals_95, multi_label_intervals_95
from modeling_aslstm import ASLSTMForSequenceClassification

from .data import TrainingData
from .decision import (
    MIN_FITTED_ROWS,
    class_weights,
    fit_polarity_threshold,
    fit_prior_weight,
    fit_temperature,
    fit_thresholds,
    log_loss,
    loss_priors,
)
from .settings import TrainingSettings
from .soft_labels import soften

logger = logging.getLogger(__name__)


class Problem(Protocol):
    """Knows what the labels of rows are, and so what a right answer is."""

    def loss(self, logits: Tensor, labels: Tensor, has_emoji: Tensor, soft: dict[str, Tensor]) -> Tensor:
        """Return the loss of a batch, ().

        Args:
            logits: The logits, (batch, num_labels) float.
            labels: The labels, (batch,) int64 or (batch, num_labels) float.
            has_emoji: Whether a row has an emoji, (batch,) bool.
            soft: The columns of soft labels, where there are some.
        """

    def validate(self, logits: np.ndarray) -> dict[str, float]:
        """Return ``loss``, ``accuracy`` and ``macro_f1`` of the logits of validation, by the decision that would be fitted."""

    def fit_decision(self, model: ASLSTMForSequenceClassification, logits: np.ndarray) -> dict[str, Any]:
        """Fit how a model decides, on its logits of validation; what is not in its config is returned as further figures."""

    def figures(self, labels: np.ndarray, logits: np.ndarray) -> dict[str, Any]:
        """Return the figures of some rows by the model's own answers, with their intervals."""


def is_enough(labels: np.ndarray) -> bool:
    """Return whether a temperature and thresholds can be fitted on so many rows of validation."""
    return len(labels) >= MIN_FITTED_ROWS


def _say_that_there_are_few(labels: np.ndarray) -> None:
    logger.info("validation has %d rows, fewer than %d: no temperature or threshold is fitted", len(labels), MIN_FITTED_ROWS)


class SingleLabelProblem:
    """Gives each row one of the labels.

    Args:
        data: The rows.
        settings: How the loss treats the shares of the labels.
        device: The device of the model.
    """

    def __init__(self, data: TrainingData, settings: TrainingSettings, device: torch.device) -> None:
        counts = np.array([data.label_counts[name] for name in data.label_names])
        self.label_names = data.label_names
        self.label_prior = counts / counts.sum()
        self.validation_labels = data.labels["validation"]
        # Added to the logits in the loss alone, the log shares leave the model with balanced logits: the rare labels get
        # their gradient, and how much of the prior counts is decided later, on validation (Menon et al. 2021,
        # arXiv:2007.07314).
        priors = torch.tensor(np.log(loss_priors(settings.emoji_prior_weight, data)), dtype=torch.float32)
        self._adjustments = (settings.logit_adjustment * priors).to(device)
        weights = class_weights(settings.class_weight, data)
        weights = None if weights is None else weights.to(device)
        self._loss = nn.CrossEntropyLoss(weight=weights, label_smoothing=settings.label_smoothing)
        self._loss_of_each = nn.CrossEntropyLoss(weight=weights, reduction="none")
        self._temperature, self._soft_label_weight = settings.distillation_temperature, settings.soft_label_weight

    def loss(self, logits: Tensor, labels: Tensor, has_emoji: Tensor, soft: dict[str, Tensor]) -> Tensor:
        """Return the loss of a batch with the label shares that rows of their kind have, as :class:`Problem` says."""
        is_soft = soft["is_soft"] if soft else torch.zeros_like(labels)
        logits = logits + self._adjustments[is_soft, has_emoji.long()]
        if not soft:
            return self._loss(logits, labels)
        # Softened targets have gradients that are smaller by the square of the temperature (Hinton et al. 2015, section 2).
        temperature = torch.where(is_soft == 1, self._temperature, 1.0)
        weights = torch.where(is_soft == 1, self._soft_label_weight, 1.0) * temperature**2
        targets = soften(soft["targets"], temperature[:, None])
        return (self._loss_of_each(logits / temperature[:, None], targets) * weights).mean()

    def validate(self, logits: np.ndarray) -> dict[str, float]:
        """Return the figures of validation, as :class:`Problem` says."""
        labels = self.validation_labels
        logits = logits + fit_prior_weight(logits, labels, self.label_prior) * np.log(self.label_prior)
        metrics = compute_metrics(labels, logits.argmax(1), self.label_names)
        loss = log_loss(logits / self._fit_temperature(logits), labels)
        return {"loss": loss, "accuracy": metrics["accuracy"], "macro_f1": metrics["macro_f1"]}

    def _fit_temperature(self, logits: np.ndarray) -> float:
        return fit_temperature(logits, self.validation_labels) if is_enough(self.validation_labels) else 1.0

    def fit_decision(self, model: ASLSTMForSequenceClassification, logits: np.ndarray) -> dict[str, Any]:
        """Fit ``decision_prior_weight``, ``temperature`` and the polarity, which are in the config."""
        config, labels = model.config, self.validation_labels
        prior = np.array(config.label_prior)
        config.decision_prior_weight = fit_prior_weight(logits, labels, prior)
        logits = logits + config.decision_prior_weight * np.log(prior)
        config.temperature = self._fit_temperature(logits)
        logger.info("decision prior weight %.2f, temperature %.3f", config.decision_prior_weight, config.temperature)
        config.polarity_of_labels = polarity_of_labels(self.label_names)
        if not is_enough(labels):
            _say_that_there_are_few(labels)
        elif config.polarity_of_labels is not None:
            probabilities, polarities = softmax(logits / config.temperature, axis=1), list(config.polarity_of_labels.values())
            config.polarity_threshold = fit_polarity_threshold(probabilities, labels, polarities)
            logger.info("polarity threshold %.2f", config.polarity_threshold)
        return {}

    def figures(self, labels: np.ndarray, logits: np.ndarray) -> dict[str, Any]:
        """Return the figures of some rows, as :class:`Problem` says."""
        given = logits.argmax(1)
        intervals = intervals_95(labels, given, len(self.label_names))
        return compute_metrics(labels, given, self.label_names) | {"intervals_95": intervals}


class MultiLabelProblem:
    """Gives each row any number of the labels, each by the sigmoid of its own logit.

    The threshold of each label is fitted on validation. It is then taken off the bias of the classifier, so that a score of .5
    decides for every label, whatever reads the model: the stock pipeline, an ONNX graph or this package.

    Args:
        data: The rows.
        label_smoothing: How much of the targets is spread evenly over yes and no.
    """

    def __init__(self, data: TrainingData, label_smoothing: float) -> None:
        self.label_names = data.label_names
        self.validation_labels = data.labels["validation"].astype(bool)
        self._label_smoothing = label_smoothing

    def loss(self, logits: Tensor, labels: Tensor, has_emoji: Tensor, soft: dict[str, Tensor]) -> Tensor:
        """Return the mean binary cross entropy over rows and labels, as :class:`Problem` says."""
        targets = labels * (1 - self._label_smoothing) + self._label_smoothing / 2
        return nn.functional.binary_cross_entropy_with_logits(logits, targets)

    def validate(self, logits: np.ndarray) -> dict[str, float]:
        """Return the figures of validation, as :class:`Problem` says; accuracy is the share of rows with every label right."""
        scores = expit(logits.astype(np.float64))
        answers = scores >= self._fit_thresholds(scores)
        metrics = compute_multi_label_metrics(self.validation_labels, answers, self.label_names)
        # The log loss of two classes, over all pairs of a row and a label.
        loss = sklearn.metrics.log_loss(self.validation_labels.ravel(), scores.ravel(), labels=[False, True])
        return {"loss": float(loss), "accuracy": metrics["accuracy"], "macro_f1": metrics["macro_f1"]}

    def _fit_thresholds(self, scores: np.ndarray) -> np.ndarray:
        labels = self.validation_labels
        return fit_thresholds(scores, labels) if is_enough(labels) else np.full(labels.shape[1], 0.5)

    @torch.no_grad()
    def fit_decision(self, model: ASLSTMForSequenceClassification, logits: np.ndarray) -> dict[str, Any]:
        """Fit the thresholds and take them off the bias."""
        if not is_enough(self.validation_labels):
            _say_that_there_are_few(self.validation_labels)
        thresholds = self._fit_thresholds(expit(logits.astype(np.float64)))
        model.classifier.bias.sub_(torch.from_numpy(logit(thresholds)).to(model.classifier.bias))
        shown = dict(zip(self.label_names, thresholds.round(2).tolist(), strict=True))
        logger.info("thresholds, which are then part of the weights: %s", ", ".join(f"{n} {t}" for n, t in shown.items()))
        return {"thresholds": shown}

    def figures(self, labels: np.ndarray, logits: np.ndarray) -> dict[str, Any]:
        """Return the figures of some rows, as :class:`Problem` says."""
        gold, answers = labels.astype(bool), logits >= 0
        metrics = compute_multi_label_metrics(gold, answers, self.label_names)
        return metrics | {"intervals_95": multi_label_intervals_95(gold, answers)}


def problem_of(data: TrainingData, settings: TrainingSettings, device: torch.device) -> Problem:
    """Return the problem that the rows pose."""
    if data.problem_type == MULTI_LABEL:
        return MultiLabelProblem(data, settings.label_smoothing)
    return SingleLabelProblem(data, settings, device)
