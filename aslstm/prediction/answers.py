"""Takes the logits of posts and gives what a model says of them: as arrays, and on request the answer of one post.

Thousands of posts are answered at once, and whoever writes them to a file needs columns. So nothing is made for a single post
before somebody asks for it.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple, overload

import numpy as np

from aslstm.errors import UserError
from modeling_aslstm.results_aslstm import SCORES_NOT_FINITE


class Answer(NamedTuple):
    """Holds what a model says about one post.

    Attributes:
        probabilities: The probabilities (num_labels,) float64, in the order of the classifier's ``label_names``.
        emoji: The emoji of the post, as they are in its text.
        attention: The words and emoji with their weights, as ``ASLSTMPipeline`` gives them, where it was asked for.
        emoji_effect: What the emoji did to the answer, as ``ASLSTMPipeline`` gives it, where it was asked for; None for a post
            without emoji.
        contributions: How much each word and emoji speaks for each label, as ``ASLSTMPipeline`` gives it, where it was asked
            for.
        polarity: ``negative``, ``neutral`` or ``positive``; None if the model gives no polarity.
        polarity_score: The probability of all positive labels minus that of all negative ones; None without a polarity.
        is_empty: Whether the model read nothing of the post, which has neither a word nor an emoji: it is "", or a link alone.
            The probabilities are then those of any post.
    """

    probabilities: np.ndarray
    emoji: list[str]
    attention: list[dict[str, Any]] | None = None
    emoji_effect: dict[str, Any] | None = None
    contributions: list[dict[str, Any]] | None = None
    polarity: str | None = None
    polarity_score: float | None = None
    is_empty: bool = False


class Answers(Sequence[Answer]):
    """Holds what a model says about several posts, in their order; an entry is the :class:`Answer` of a post.

    Args:
        probabilities: The probabilities (num_posts, num_labels) float64.
        config: Any object with the attributes of an ``ASLSTMConfig``.
        find_emoji: A function that gives the emoji of each post; it is called at the first question for them.
        find_empty: A function that says of which posts the model read nothing, (num_posts,) bool; it is called likewise.
        reasons: The ``attention``, ``emoji_effect`` and ``contributions`` of each post, those that were asked for.
    """

    def __init__(
        self,
        probabilities: np.ndarray,
        config: Any,
        find_emoji: Callable[[], list[list[str]]],
        find_empty: Callable[[], np.ndarray],
        reasons: dict[str, list[Any]] | None = None,
    ) -> None:
        self.probabilities = probabilities
        self.reasons = reasons or {}
        self._config = config
        self._find_emoji = find_emoji
        self._find_empty = find_empty

    @cached_property
    def emoji(self) -> list[list[str]]:
        """The emoji of each post, as they are in its text."""
        return self._find_emoji()

    @cached_property
    def is_empty(self) -> np.ndarray:
        """Of which posts the model read nothing, (num_posts,) bool."""
        return self._find_empty()

    @cached_property
    def _polarity_shares(self) -> dict[str, np.ndarray]:
        """The probability of all labels of each polarity, (num_posts,) float64."""
        shares = {name: np.zeros(len(self)) for name in ("negative", "neutral", "positive")}
        for label, column in zip(self._config.id2label.values(), self.probabilities.T, strict=True):
            shares[self._config.polarity_of_labels[label]] += column
        return shares

    @cached_property
    def polarity(self) -> list[str] | None:
        """The polarity of each post, which :func:`polarity_entry` defines; None if the model gives no polarity."""
        if self.polarity_score is None:
            return None
        is_neutral = self._polarity_shares["neutral"] > self._config.polarity_threshold
        names: list[str] = np.where(is_neutral, "neutral", np.where(self.polarity_score >= 0, "positive", "negative")).tolist()
        return names

    @cached_property
    def polarity_score(self) -> np.ndarray | None:
        """The score of each polarity, (num_posts,) float64; None if the model gives no polarity."""
        if self._config.polarity_of_labels is None:
            return None
        score: np.ndarray = self._polarity_shares["positive"] - self._polarity_shares["negative"]
        return score

    def ranked(self, label_names: Sequence[str], count: int | None = None) -> Iterator[list[tuple[str, float]]]:
        """Yield for each post its labels with their probabilities, the highest first.

        Args:
            label_names: The names of the labels, in the order of the probabilities.
            count: How many labels of each post are given; None for all.
        """
        order = np.argsort(-self.probabilities, axis=1, kind="stable")[:, :count]
        scores = np.take_along_axis(self.probabilities, order, axis=1)
        for places, values in zip(order.tolist(), scores.tolist(), strict=True):
            yield [(label_names[i], value) for i, value in zip(places, values, strict=True)]

    def __len__(self) -> int:
        return len(self.probabilities)

    @overload
    def __getitem__(self, place: int) -> Answer: ...

    @overload
    def __getitem__(self, place: slice) -> list[Answer]: ...

    def __getitem__(self, place: int | slice) -> Answer | list[Answer]:
        """Return the answer of a post, or a list of several."""
        if isinstance(place, slice):
            return [self[i] for i in range(*place.indices(len(self)))]
        reasons = {name: values[place] for name, values in self.reasons.items()}
        if self.polarity is not None and self.polarity_score is not None:
            reasons |= {"polarity": self.polarity[place], "polarity_score": float(self.polarity_score[place])}
        return Answer(self.probabilities[place], self.emoji[place], **reasons, is_empty=bool(self.is_empty[place]))


def scores_of(logits: np.ndarray, problem_type: str | None = None) -> np.ndarray:
    """Return scores (batch, num_labels) float64 for logits (batch, num_labels), as the stock pipeline does.

    One label among several gets the softmax; several at once, or a single one, get a sigmoid each; a regression is left alone.

    >>> scores_of(np.array([[0.0, 0.0], [1000.0, 0.0]])).tolist()
    [[0.5, 0.5], [1.0, 0.0]]

    Raises:
        UserError: A logit is no finite number.
    """
    numbers = finite(logits).astype(np.float64)
    if problem_type == "regression":
        return numbers
    if problem_type == "multi_label_classification" or logits.shape[-1] == 1:
        # A large power of a negative logit would overflow, and that of its negative would not.
        powers = np.exp(-np.abs(numbers))
        return np.where(numbers < 0, powers, 1.0) / (1.0 + powers)
    powers = np.exp(numbers - numbers.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def finite(logits: np.ndarray) -> np.ndarray:
    """Return logits as they are.

    Raises:
        UserError: A logit is no finite number.
    """
    if not np.isfinite(logits).all():
        raise UserError(SCORES_NOT_FINITE)
    return logits
