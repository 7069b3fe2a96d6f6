"""Takes a batch of posts and gives the same batch with the model's answers; ``aslstm predict``, Ray Data and Spark can run it.

A batch is a dictionary of NumPy arrays or a pandas DataFrame with a column of texts. Nothing is kept from one batch to the
next, so any process may take any batch. The README shows both forms.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from aslstm.data.columns import names_of
from aslstm.data.row_checks import text_fault
from aslstm.errors import UserError
from modeling_aslstm.results_aslstm import check_has_weights

from .answers import Answers
from .classifier import Classifier

if TYPE_CHECKING:
    import pandas

# The added columns and the types of their arrays. Nested values are objects, because NumPy would make a table of lists of one
# length.
_TYPES = {
    "label": np.str_,
    "score": np.float64,
    "scores": object,
    "labels": object,
    "polarity": np.str_,
    "polarity_score": np.float64,
    "emoji": object,
    "attention": object,
    "contributions": object,
    "emoji_effect": object,
}
# From this score on, a label of a model that gives any number of labels holds for a post.
LABEL_THRESHOLD = 0.5
# What a post gets of which the model reads nothing: it would answer the label that most posts have.
_NO_ANSWER: dict[str, Any] = {"label": "", "labels": [], "score": None, "scores": None, "polarity": "", "polarity_score": None}
# The digits of a probability. More digits would depend on the order in which a processor adds.
_DIGITS = 6

Columns = TypeVar("Columns", dict[str, np.ndarray], "pandas.DataFrame")


class BatchPredictor:
    """Answers batches with the model of a folder.

    It adds the columns ``label``, ``score`` (the label's probability), ``scores`` (label → probability), where a post may have
    any number of labels ``labels`` (those with a score of .5 or more; ``label`` is the first of them or ``""``), where the
    model has a polarity ``polarity`` and ``polarity_score``, ``emoji`` (those of the post, as they are written in it) and on
    request ``attention`` (a list of ``{"token", "start", "end", "weight", "is_emoji"}``, as the pipeline gives),
    ``contributions`` (a list of ``{"token", "start", "end", "is_emoji", "contributions"}``, likewise) and ``emoji_effect``
    (what the emoji did to the answer, as the pipeline gives it, or None for a post without emoji). A post without any word or
    emoji has no label: ``label`` and ``polarity`` are ``""``, and the scores are missing. The answers to a batch depend on
    that batch alone.

    Args:
        model: The model folder, which is loaded here, once; or a :class:`Classifier`, with which the last three arguments are
            not used.
        text_column: The name of the column of texts.
        prefix: The text that is put before the names of the added columns.
        attention: Whether the column ``attention`` is added.
        contributions: Whether the column ``contributions`` is added; a post is then read once more for each of its words.
        emoji_effect: Whether the column ``emoji_effect`` is added; a post with emoji is then read three times.
        backend, batch_size, num_threads: The arguments of :class:`Classifier`.

    Raises:
        UserError: The folder is incomplete or damaged, or the model gives no attention.
    """

    def __init__(
        self,
        model: str | PathLike[str] | Classifier,
        *,
        text_column: str = "text",
        prefix: str = "",
        attention: bool = False,
        contributions: bool = False,
        emoji_effect: bool = False,
        backend: str | None = None,
        batch_size: int = 256,
        num_threads: int | None = None,
    ) -> None:
        self.text_column = text_column
        self.prefix = prefix
        self.attention = attention
        self._asked = {"attention": attention, "contributions": contributions, "emoji_effect": emoji_effect}
        if not isinstance(model, Classifier):
            model = Classifier(model, backend=backend, batch_size=batch_size, num_threads=num_threads)
        self.classifier = model
        self.label_names = self.classifier.label_names
        kinds = kinds_of_answers(self.classifier.config)
        self.added = added_columns(prefix, kinds, **self._asked)
        self._gives_several = prefix + "labels" in self.added
        if attention:
            try:
                check_has_weights(self.classifier.config)
            except ValueError as error:
                raise UserError(str(error)) from error

    def __call__(self, batch: Columns) -> Columns:
        """Return the batch with the answers.

        Raises:
            UserError: There is no such column, a value of it is no text, or a column has the name of one that is added.
        """
        refuse_taken("the batch", list(batch), self.added)
        if self.text_column not in batch:
            raise UserError(fault_of_text("the batch", dict.fromkeys(batch), self.text_column))
        answers = self.answers(batch[self.text_column])
        if isinstance(batch, dict):
            return {**batch, **{name: self._array(name, values) for name, values in answers.items()}}
        # Imported here and not above: only a caller who has pandas can give a frame.
        import pandas

        # Of a value of each type, so that an empty batch has the types of a full one.
        types = {np.str_: pandas.Series([""]).dtype, np.float64: pandas.Series([0.0]).dtype, object: object}
        columns = {
            name: pandas.Series(values, batch.index, types[_TYPES[name.removeprefix(self.prefix)]])
            for name, values in answers.items()
        }
        return batch.assign(**columns)

    def _array(self, name: str, values: list[Any]) -> np.ndarray:
        """Return an added column as an array whose type depends on its name alone."""
        kind = _TYPES[name.removeprefix(self.prefix)]
        return np.fromiter(values, object, len(values)) if kind is object else np.array(values, kind)

    def answers(self, texts: Iterable[str]) -> dict[str, list[Any]]:
        """Return the columns that are added, with one value for each text.

        Raises:
            UserError: One of the values is no text.
        """
        if isinstance(texts, str | bytes | Mapping) or not isinstance(texts, Iterable):
            raise UserError(f"the batch: expected a list of texts, found {texts!r:.60}; put a single text into a list")
        texts = list(texts)
        for number, text in enumerate(texts, start=1):
            if fault := text_fault(text, self.text_column):
                raise UserError(f"row {number} of the batch: {fault}")
        return self._columns(self.classifier.answers(texts, **self._asked))

    def answers_of_each(self, lists: Iterable[Sequence[str]]) -> Iterator[dict[str, list[Any]]]:
        """Yield the columns of :meth:`answers` for each list of texts; while the model reads one, the next is encoded.

        Args:
            lists: Lists of texts; one or two more are taken than have been answered.
        """
        yield from map(self._columns, self.classifier.answers_of_each(lists, **self._asked))

    def _columns(self, answers: Answers) -> dict[str, list[Any]]:
        """Return the columns that are added."""
        best = answers.probabilities.argmax(axis=1).tolist()
        rows = answers.probabilities.round(_DIGITS).tolist()
        found: dict[str, list[Any]] = {
            "label": [self.label_names[i] for i in best],
            "score": [row[i] for row, i in zip(rows, best, strict=True)],
            "scores": [dict(zip(self.label_names, row, strict=True)) for row in rows],
            "emoji": answers.emoji,
            **answers.reasons,
        }
        if self._gives_several:
            found["labels"] = [_several(scores) for scores in found["scores"]]
            found["label"] = [labels[0] if labels else "" for labels in found["labels"]]
        if answers.polarity is not None and answers.polarity_score is not None:
            found["polarity"] = list(answers.polarity)
            # NumPy rounds some numbers in another direction than Python. The sum makes 0 of -0.
            found["polarity_score"] = [round(score, _DIGITS) + 0.0 for score in answers.polarity_score.tolist()]
        for place in np.flatnonzero(answers.is_empty).tolist():
            for name in found.keys() & _NO_ANSWER.keys():
                found[name][place] = _NO_ANSWER[name]
        return {name: found[name.removeprefix(self.prefix)] for name in self.added}


def _several(scores: Mapping[str, float]) -> list[str]:
    """Return the labels that hold for a post, the highest score first."""
    return sorted((label for label, score in scores.items() if score >= LABEL_THRESHOLD), key=lambda label: -scores[label])


def kinds_of_answers(config: Any) -> dict[str, bool]:
    """Return whether a model gives each of the columns that not every model gives.

    Args:
        config: Any object with the attributes of an ``ASLSTMConfig``.
    """
    has_polarity = config.polarity_of_labels is not None
    several = config.problem_type == "multi_label_classification"
    return {"labels": several, "polarity": has_polarity, "polarity_score": has_polarity}


def added_columns(
    prefix: str, kinds: Mapping[str, bool], *, attention: bool, contributions: bool, emoji_effect: bool
) -> list[str]:
    """Return the names of the columns that are added, in their order; ``kinds`` is what :func:`kinds_of_answers` gives."""
    asked = {**kinds, "attention": attention, "contributions": contributions, "emoji_effect": emoji_effect}
    return [prefix + name for name in _TYPES if asked.get(name, True)]


def fault_of_text(place: str, row: Mapping[str, Any], text_column: str) -> str:
    """Return in one line what is wrong with the text of a row, or ``""`` if the row has a text, which may be empty."""
    if text_column not in row:
        return f"{place}: expected a text in column {text_column!r}, found {names_of(row)}; name it with `text_column`"
    fault = text_fault(row[text_column], text_column)
    return fault and f"{place}: {fault}"


def refuse_taken(place: str, columns: Collection[str], added: Sequence[str]) -> None:
    """Refuse a column that has the name of one that is added.

    Raises:
        UserError: There is such a column.
    """
    taken = [name for name in added if name in columns]
    if taken:
        raise UserError(
            f"{place}: expected no column {', '.join(taken)}, which is to be added, found {names_of(columns)}; give the added "
            "ones a `prefix`, e.g. predicted_"
        )
