"""Takes rows of a file and gives them with the columns of answers: posts are cleaned, answered and named in a language.

An answer is about the words of the author. Where cleaning changed a post, the text that was answered and the chain of reposts
behind it stand in columns of their own, so that the post itself stays as it was in the file.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from aslstm.data.answer_names import AnswerNames
from aslstm.data.cleaning import Cleaned, CleaningCounts, clean
from aslstm.data.file_formats import Row

from .predictor import BatchPredictor


class AnsweredRows(NamedTuple):
    """Holds rows with their answers, and how many of them were cleaned."""

    rows: list[Row]
    cleaning: CleaningCounts


class RowAnswerer:
    """Answers the rows of a file.

    Args:
        predictor: The predictor, which knows the columns to add.
        cleans: Whether posts are cleaned before they are answered.
        language: The language of the names of the added columns and of the labels in them, ``en`` or ``zh``.

    Attributes:
        columns: For each column of :class:`BatchPredictor`, without its prefix, the name under which every row gets it.
        cleaning_columns: The names of the columns that rows get whose post was cleaned: what was answered, and the reposts.
        labels: The labels as the rows have them.
    """

    def __init__(self, predictor: BatchPredictor, *, cleans: bool = True, language: str = "en") -> None:
        self.predictor = predictor
        self.cleans = cleans
        self._names = AnswerNames(language, predictor.label_names, predictor.prefix)
        self.columns = {name.removeprefix(predictor.prefix): self._names.column(name) for name in predictor.added}
        self.cleaning_columns = self._names.of_cleaning() if cleans else []
        self.labels = list(self._names.labels.values())

    def __call__(self, posts: Iterable[str], rows: Sequence[Row]) -> AnsweredRows:
        """Return the rows, each with the answer to its post."""
        cleaned = self._cleaned_posts(posts)
        return self._answered(rows, cleaned, self.predictor.answers([one.text for one in cleaned]))

    def of_each(self, chunks: Iterable[tuple[Iterable[str], Sequence[Row]]]) -> Iterator[AnsweredRows]:
        """Yield the rows of each chunk with their answers; while the model reads one, the next is cleaned and encoded.

        Args:
            chunks: The posts and the rows of each; one or two more are taken than have been answered.
        """
        opened: deque[tuple[Sequence[Row], list[Cleaned]]] = deque()

        def texts() -> Iterator[list[str]]:
            for posts, rows in chunks:
                opened.append((rows, self._cleaned_posts(posts)))
                yield [one.text for one in opened[-1][1]]

        for answers in self.predictor.answers_of_each(texts()):
            yield self._answered(*opened.popleft(), answers)

    def _cleaned_posts(self, posts: Iterable[str]) -> list[Cleaned]:
        return [clean(post) if self.cleans else Cleaned(post, "", ()) for post in posts]

    def _answered(self, rows: Sequence[Row], cleaned: Sequence[Cleaned], answers: dict[str, list[Any]]) -> AnsweredRows:
        """Return rows with the answers to their cleaned posts."""
        counts = CleaningCounts()
        answered = []
        for row, one, *values in zip(rows, cleaned, *answers.values(), strict=True):
            counts.add(one.rules)
            named = map(self._names.value, answers, values)
            answered.append(row | dict(zip(self.columns.values(), named, strict=True)) | self._cleaned(one))
        return AnsweredRows(answered, counts)

    def _cleaned(self, one: Cleaned) -> Row:
        """Return the columns of a row whose post was cleaned."""
        found = [one.text, one.chain] if one.chain else [one.text]
        return dict(zip(self.cleaning_columns, found, strict=False)) if one.rules else {}
