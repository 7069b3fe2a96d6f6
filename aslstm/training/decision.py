"""Takes logits and labels, or :class:`TrainingData`, and gives what depends on the shares of the labels.

These are the priors and weights of the labels in the loss, and the decision rule and the threshold of the polarity, which are
fitted on validation.
"""

from collections.abc import Sequence

import numpy as np
import sklearn.metrics
import torch
from scipy.optimize import minimize_scalar
from scipy.special import softmax

from modeling_aslstm.config_values import POLARITIES, POLARITY_THRESHOLD

from .data import TrainingData
from .streaming import StreamingRows

PRIOR_WEIGHTS = np.linspace(0.0, 1.5, 31)
# So many points of the curve are averaged.
SMOOTHING = 5
POLARITY_THRESHOLDS = np.arange(101) / 100
LABEL_THRESHOLDS = np.arange(5, 96) / 100
# On fewer rows of validation no temperature and no threshold is fitted: a handful of right answers asks for a temperature of
# 0.05, which makes every score a 1. The prior weight is fitted on any number, because it cannot leave its range.
MIN_FITTED_ROWS = 50


def fit_prior_weight(logits: np.ndarray, labels: np.ndarray, label_prior: np.ndarray) -> float:
    """Return the weight of the log prior with the best mean of macro-F1 and accuracy, each averaged with its neighbours.

    Rare labels have few rows, so a single point of the curve is largely a matter of chance, and the smoothed curve is not. On
    halves of validation its peak does better than an estimated prior and, for most models, than the one-standard-error rule
    (benchmarks/decision_rule.py). Of weights that are equally good the one nearest to 1 is taken, which is Bayes' rule.

    Args:
        logits: The logits before any decision rule, (num_examples, num_labels).
        labels: The labels of the rows, (num_examples,) int.
        label_prior: The share of each label in training, (num_labels,).
    """
    answers = np.stack([(logits + weight * np.log(label_prior)).argmax(1) for weight in PRIOR_WEIGHTS])
    return smoothed_peak(mean_scores(labels, answers, logits.shape[1]))


def smoothed_peak(scores: np.ndarray) -> float:
    """Return the weight of the prior at the peak of a smoothed curve; the arguments are the scores of ``PRIOR_WEIGHTS``."""
    smoothed = np.convolve(np.pad(scores, SMOOTHING // 2, mode="edge"), np.ones(SMOOTHING) / SMOOTHING, mode="valid")
    good = PRIOR_WEIGHTS[smoothed >= smoothed.max() - 1e-9]
    return float(good[np.abs(good - 1.0).argmin()])


def mean_scores(labels: np.ndarray, answers: np.ndarray, num_labels: int) -> np.ndarray:
    """Return the mean of macro-F1 and accuracy for each of several lists of answers, (num_lists,).

    Args:
        labels: The labels of the rows, (num_examples,) int.
        answers: The lists of answers, (num_lists, num_examples) int.
        num_labels: The number of labels that the model has.
    """
    return (macro_f1_scores(labels, answers, num_labels) + (answers == labels).mean(1)) / 2


def macro_f1_scores(labels: np.ndarray, answers: np.ndarray, num_labels: int) -> np.ndarray:
    """Return the macro-F1 of each of several lists of answers, (num_lists,); the arguments are those of :func:`mean_scores`."""
    # This counts by itself because scikit-learn takes 50 times as long for the thousands of lists of a bootstrap.
    right = answers == labels
    hits = np.stack([np.bincount(labels[row], minlength=num_labels) for row in right])
    given = np.stack([np.bincount(row, minlength=num_labels) for row in answers])
    f1 = 2 * hits / np.maximum(given + np.bincount(labels, minlength=num_labels), 1)
    scores: np.ndarray = f1.mean(1)
    return scores


def log_loss(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean cross entropy of logits (num_examples, num_labels) against labels (num_examples,)."""
    return float(sklearn.metrics.log_loss(labels, softmax(logits, axis=1), labels=np.arange(logits.shape[1])))


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the temperature that gives the lowest log loss on validation (Guo et al. 2017, arXiv:1706.04599)."""
    found = minimize_scalar(lambda log_t: log_loss(logits / np.exp(log_t), labels), bounds=(-3.0, 3.0), method="bounded")
    return float(np.exp(found.x))


def fit_thresholds(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return for each label of a multi-label problem the threshold with the highest F1 on validation, (num_labels,) float.

    Of thresholds that are equally good, the one nearest to 0.5 is taken, which is also that of a label without rows.

    Args:
        scores: The score of each label, (num_examples, num_labels), from 0 to 1.
        labels: Whether a row has a label, (num_examples, num_labels) bool.
    """
    given = scores[None] >= LABEL_THRESHOLDS[:, None, None]
    f1 = 2 * (given & labels).sum(1) / np.maximum(given.sum(1) + labels.sum(0), 1)
    is_best = f1 >= f1.max(0) - 1e-12
    distance = np.where(is_best, np.abs(LABEL_THRESHOLDS - 0.5)[:, None], np.inf)
    return LABEL_THRESHOLDS[distance.argmin(0)]


def fit_polarity_threshold(probabilities: np.ndarray, labels: np.ndarray, polarities: Sequence[str]) -> float:
    """Return the threshold of neutral answers that gives the highest macro-F1 of the three polarities.

    Of thresholds that are equally good, the one nearest to 0.5 is taken; a model without neutral labels has 0.5.

    Args:
        probabilities: The probabilities of the answers, (num_examples, num_labels).
        labels: The labels of the rows, (num_examples,) int.
        polarities: The polarity of each label, in their order.
    """
    if "neutral" not in polarities:
        return POLARITY_THRESHOLD
    places = np.array([POLARITIES.index(polarity) for polarity in polarities])
    scores = polarity_scores(probabilities, places[labels], places)
    good = POLARITY_THRESHOLDS[scores == scores.max()]
    return float(good[np.abs(good - POLARITY_THRESHOLD).argmin()])


def polarity_scores(probabilities: np.ndarray, gold: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return macro-F1 of the three polarities at each of ``POLARITY_THRESHOLDS``, (num_thresholds,).

    Args:
        probabilities: The probabilities of the answers, (num_examples, num_labels).
        gold: The polarities of the rows, (num_examples,) int, places in ``POLARITIES``.
        places: The place of each label's polarity, (num_labels,) int.
    """
    negative, neutral, positive = (probabilities[:, places == place].sum(1) for place in range(len(POLARITIES)))
    by_sign = np.where(positive - negative >= 0, POLARITIES.index("positive"), POLARITIES.index("negative"))
    answers = np.where(neutral > POLARITY_THRESHOLDS[:, None], POLARITIES.index("neutral"), by_sign)
    return macro_f1_scores(gold, answers, len(POLARITIES))


def loss_priors(emoji_prior_weight: float, data: TrainingData) -> np.ndarray:
    """Return the label shares for the loss, (num_sources, 2, num_labels): for rows without emoji, then for rows with emoji.

    The first source is the rows of train; the second, where there are any, the posts with soft labels, whose labels may be
    spread quite differently. The shares of a kind of rows are ``(1 - w) · shares of all rows + w · shares of that kind``. The
    logits need not learn what the loss already takes into account. So ``w`` says how far the mere presence of an emoji stops
    counting as evidence, and which source a row comes from does not count at all; which emoji it is and what the words say
    still count. The decision adds the shares of all rows.

    Args:
        emoji_prior_weight: The weight w, less than 1, so that no share is 0; it is 0 for a stream, whose rows are not read.
        data: The training rows; a row has an emoji if one of its ids is that of an emoji.
    """
    counts = np.array([data.label_counts[label] for label in data.label_names])
    if isinstance(data.train, StreamingRows):
        return np.tile(counts / counts.sum(), (1, 2, 1))
    if "is_soft" in data.train.column_names:
        targets, is_soft = np.array(data.train["targets"]), np.array(data.train["is_soft"])
        priors = np.stack([np.tile(targets[is_soft == source].mean(0), (2, 1)) for source in (0, 1)])
    else:
        targets, is_soft = np.eye(len(counts))[data.train["labels"]], np.zeros(len(data.train), int)
        priors = np.tile(counts / counts.sum(), (1, 2, 1))
    if emoji_prior_weight:
        start = data.tokenizer.emoji_token_offset
        end = start + data.tokenizer.num_emoji_tokens
        with_emoji = np.array([any(start <= token_id < end for token_id in ids) for ids in data.train["input_ids"]])
        for source, prior in enumerate(priors):
            for kind, rows in enumerate((~with_emoji, with_emoji)):
                if (rows := rows & (is_soft == source)).any():
                    prior[kind] += emoji_prior_weight * (targets[rows].mean(0) - prior[kind])
    return priors


def class_weights(name: str, data: TrainingData) -> torch.Tensor | None:
    """Return the weights of the labels in the loss, (num_labels,), or None where all count the same.

    Args:
        name: ``balanced`` for weights that make all labels count the same, ``sqrt`` for their roots, or ``none``.
        data: The training rows; the weights are 1 on average over these.
    """
    if name == "none":
        return None
    counts = np.array([data.label_counts[label] for label in data.label_names])
    weights = (counts.sum() / (len(counts) * counts)) ** (0.5 if name == "sqrt" else 1.0)
    return torch.tensor(weights * counts.sum() / (weights * counts).sum(), dtype=torch.float32)
