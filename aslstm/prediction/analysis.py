"""Takes a text or a list of texts and gives what a model says of each as a small result: the shortest way to an answer.

``aslstm.analyze("今天又加班[泪]")`` asks the default model, and ``aslstm.load(folder)`` loads another one.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from os import PathLike
from threading import Lock
from typing import overload

from aslstm.model_folder.choosing import MODEL_VARIABLE, folder_of, model_path
from tokenization.encoded_posts import check_texts

from .answers import Answers
from .classifier import Classifier
from .forks import PerProcess

# A lock of its own for each process: a forked process could never take one that was held during the fork.
_LOCK = PerProcess(Lock)
_LOCK.get()
_DIGITS_SHOWN = 3


@dataclass(frozen=True, repr=False)
class Analysis:
    """Holds what a model says of one text.

    Attributes:
        label: The answer, which is the label of the highest probability.
        score: The probability of the answer.
        scores: The probability of each label, the highest first.
        polarity: ``negative``, ``neutral`` or ``positive``; None if the model gives no polarity.
        polarity_score: The probability of all positive labels minus that of all negative ones, from -1 to 1; None without a
            polarity.
        emoji: The emoji of the text, as they are written in it.
    """

    label: str
    score: float
    scores: dict[str, float]
    polarity: str | None
    polarity_score: float | None
    emoji: list[str]

    def __repr__(self) -> str:
        """Return the fields with rounded numbers."""
        shown = {name: _rounded(value) for name, value in vars(self).items()}
        shown["scores"] = {label: _rounded(score) for label, score in self.scores.items()}
        return f"Analysis({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


def _rounded(value: object) -> object:
    return round(value, _DIGITS_SHOWN) if isinstance(value, float) else value


class Analyzer(Classifier):
    """Answers as a :class:`Classifier`, which says what its arguments are; called with a text or several, it gives results."""

    @overload  # A text is an iterable of texts too; for it, this first form counts.
    def __call__(self, texts: str) -> Analysis: ...  # type: ignore[overload-overlap]

    @overload
    def __call__(self, texts: Iterable[str]) -> list[Analysis]: ...

    def __call__(self, texts: str | Iterable[str]) -> Analysis | list[Analysis]:
        """Return the result of a text, or a list with the result of each of several texts.

        Args:
            texts: A text, or a list or another series of texts.

        Raises:
            UserError: A score is no finite number.
            ValueError: An entry is no text.
        """
        results = self.results_of(self.answers(_checked(texts)))
        return results[0] if isinstance(texts, str) else results

    def results_of(self, answers: Answers) -> list[Analysis]:
        """Return answers of this classifier as results, in their order."""
        without = [None] * len(answers)
        polarity_scores = without if answers.polarity_score is None else answers.polarity_score.tolist()
        columns = (answers.ranked(self.label_names), answers.polarity or without, polarity_scores, answers.emoji)
        return [Analysis(*pairs[0], dict(pairs), *others) for pairs, *others in zip(*columns, strict=True)]


def _checked(texts: str | Iterable[str]) -> list[str]:
    """Return a text or several as a list.

    Raises:
        ValueError: It is neither, or an entry is no text.
    """
    if isinstance(texts, str):
        return [texts]
    # A table would give the names of its columns.
    is_series = isinstance(texts, Iterable) and not isinstance(texts, bytes | bytearray | Mapping)
    if not is_series or getattr(texts, "ndim", 1) != 1:
        raise ValueError(
            f"texts: expected a text or a list of texts, found {texts!r:.100}; decode bytes, name a column of a table"
        )
    return check_texts(texts)


def load(
    model: str | PathLike[str] | None = None,
    *,
    backend: str | None = None,
    batch_size: int = 256,
    num_threads: int | None = None,
) -> Analyzer:
    """Load a model and return it; call it with a text or with a list of texts.

    Args:
        model: A model folder, or ``hf://owner/name`` for a model of the Hub; None for the one that :func:`model_path` gives.
        backend: ``torch`` or ``onnx``, as in :class:`Classifier`.
        batch_size: The number of texts that the model reads at once.
        num_threads: The number of threads, as in :class:`Classifier`.

    Raises:
        UserError: There is no such model, or it is damaged.
    """
    folder = model_path() if model is None else folder_of(model)
    return Analyzer(folder, backend=backend, batch_size=batch_size, num_threads=num_threads)


@overload
def analyze(texts: str) -> Analysis: ...  # type: ignore[overload-overlap]


@overload
def analyze(texts: Iterable[str]) -> list[Analysis]: ...


def analyze(texts: str | Iterable[str]) -> Analysis | list[Analysis]:
    """Return what the default model says of a text, or a list with what it says of each of several texts.

    The model is the one that :func:`model_path` gives. It is loaded at the first call and kept; threads and forked processes
    may call this.

    Args:
        texts: A text, or a list or another series of texts.

    Raises:
        UserError: There is no such model, or it is damaged.
        ValueError: An entry is no text.
    """
    given = texts if isinstance(texts, str) else _checked(texts)
    with _LOCK.get():
        analyzer = _default_analyzer(os.environ.get(MODEL_VARIABLE))
    return analyzer(given)


@lru_cache(maxsize=1)
def _default_analyzer(_named: str | None) -> Analyzer:
    """Return the default model, which is loaded again only if the variable names another one."""
    return load()
