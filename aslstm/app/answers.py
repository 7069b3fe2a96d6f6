"""A model folder to what the app shows: one post beside itself without emoji, and the report of many posts, as HTML.

Knows nothing of Gradio. Posts are shown as text whatever they hold: the HTML is that of the template ``panels.html.j2``, which
escapes all that is put into it.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from aslstm.data.file_formats import Row, refuse_bad
from aslstm.data.row_readers import read_posts
from aslstm.errors import UserError
from aslstm.files import CHECKSUMS
from aslstm.prediction.attention_view import attention_html
from aslstm.prediction.classifier import Answer, Classifier
from aslstm.prediction.predictor import BatchPredictor, fault_of_text
from aslstm.report import charts as report_charts
from aslstm.report import page as report_page
from aslstm.report.examples import MAX_CHARACTERS
from aslstm.report.tables import build_tables
from aslstm.report.templates import environment
from aslstm.report.texts import LANGUAGES
from modeling_aslstm.results_aslstm import FUSIONS_WITH_WEIGHTS
from tokenization import split_emoji

from .texts import TEXTS, AppTexts

MAX_POSTS = 20_000
SUFFIXES = (".csv", ".tsv", ".jsonl", ".txt")  # nothing compressed: a small file may hold gigabytes
_CHUNK = 256
# Columns of an upload are not to be taken for answers.
_PREFIX = "aslstm_"
# The macros of the template, as functions.
_HTML: Any = environment(Path(__file__).parent).get_template("panels.html.j2").module


class Panel(NamedTuple):
    """What is shown of one answer.

    Attributes:
        heading: What was asked.
        best: The label of the highest score.
        scores: label -> score.
        heat_map: The post, as HTML where its words are shaded.
        notes: What is said below it.
    """

    heading: str
    best: str
    scores: dict[str, float]
    heat_map: Markup | str
    notes: list[str]


class Answers:
    """A loaded model folder.

    Args:
        folder: a model folder; its checksums are verified, and of its code nothing is run.

    Raises:
        UserError: a folder that is not whole.
    """

    def __init__(self, folder: Path) -> None:
        self.classifier = Classifier(folder, batch_size=_CHUNK)
        self.has_weights = self.classifier.config.emoji_fusion in FUSIONS_WITH_WEIGHTS
        self.predictor = BatchPredictor(self.classifier, prefix=_PREFIX, attention=self.has_weights)

    def of_post(self, post: str, language: str) -> str:
        """A post beside itself without emoji, as HTML."""
        texts = TEXTS[language]
        if not post.strip():
            return note(texts.no_post)
        whole = self._answer(post)
        effect = whole.emoji_effect
        left = self._panel(texts.with_emoji, post, whole, language)
        if effect is None:
            return str(_HTML.pair(left, None, texts.no_emoji, []))
        # A space in the place of each: what stood on either side stays apart, as it does for the effect of the pipeline.
        words = "".join(" " if piece.is_emoji else piece.text for piece in split_emoji(post))
        right = self._panel(texts.without_emoji, words, self._answer(words), language)
        alone = effect["without_words"]
        notes = [texts.no_words if alone is None else texts.emoji_alone.format(**alone)]
        notes += [texts.disagree] * effect["disagree"]
        return str(_HTML.pair(left, right, texts.no_emoji, [*notes, texts.legend]))

    def _answer(self, text: str) -> Answer:
        (answer,) = self.classifier.answers([text], attention=self.has_weights, emoji_effect=True)
        return answer

    def _panel(self, heading: str, text: str, answer: Answer, language: str) -> Panel:
        texts = TEXTS[language]
        shown = text[:MAX_CHARACTERS]
        heat_map: Markup | str = shown
        if answer.attention is not None:
            entries = [entry for entry in answer.attention if entry["end"] <= MAX_CHARACTERS]
            heat_map = Markup(attention_html(entries, shown))
        notes = [] if self.has_weights else [texts.no_weights]
        if len(text) > MAX_CHARACTERS:
            notes.append("… " + LANGUAGES[language].cut.format(shown=MAX_CHARACTERS, characters=len(text)))
        scores = dict(zip(self.classifier.label_names, answer.probabilities.tolist(), strict=True))
        best = max(scores, key=lambda label: scores[label])
        return Panel(heading, best, dict(sorted(scores.items())), heat_map, notes)

    def report(self, rows: Sequence[Row], text_column: str, language: str, progress: Callable[[float], Any]) -> str:
        """The page of a report on posts, as ``aslstm report`` writes it.

        Args:
            rows: of an upload.
            text_column: of the posts.
            language: of the page.
            progress: is told the share of the posts that are answered.

        Raises:
            UserError: no posts.
        """

        def answered() -> Iterator[Row]:
            for start in range(0, len(rows), _CHUNK):
                chunk = rows[start : start + _CHUNK]
                answers = self.predictor.answers([row[text_column] for row in chunk])
                for i, row in enumerate(chunk):
                    yield row | {name: values[i] for name, values in answers.items()}
                progress((start + len(chunk)) / len(rows))

        tables = build_tables(answered(), text_column=text_column, prefix=_PREFIX, place=TEXTS[language].many_posts)
        charts = {name: chart.to_dict() for name, chart in report_charts.build(tables, language).items()}
        title = TEXTS[language].report_title
        return report_page.render(tables, charts, title=title, language=language, has_files=False)


def load(folder: str) -> Answers:
    """A model folder, loaded at its first use and after it was written anew.

    Raises:
        UserError: a folder that is not whole.
    """
    checksums = Path(folder) / CHECKSUMS
    return _load(folder, checksums.stat().st_mtime_ns if checksums.is_file() else 0)


@lru_cache(maxsize=2)
def _load(folder: str, _written: int) -> Answers:
    return Answers(Path(folder))


def read_upload(path: Path, *, text_column: str, encoding: str, texts: AppTexts) -> list[Row]:
    """The rows of an upload; empty lines of a ``.txt`` are passed over.

    Raises:
        UserError: a file that cannot be read, a row without a text, or too many rows.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(f"{path.name}: expected a file ending in {', '.join(SUFFIXES)}, found {path.suffix!r}")
    posts = read_posts(path, suffix=suffix, text_column=text_column, encoding=encoding)
    rows = []
    try:
        for number, row in islice(refuse_bad(posts.rows), MAX_POSTS + 1):
            if fault := fault_of_text(f"{path.name}, row {number}", row, text_column):
                raise UserError(fault)
            rows.append(row)
    except UserError as error:
        # The folder of an upload is none that its owner knows.
        raise UserError(str(error).replace(str(path), path.name)) from error
    return check_number([row for row in rows if row[text_column].strip()], texts)


def check_number(rows: list[Row], texts: AppTexts) -> list[Row]:
    """The rows.

    Raises:
        UserError: none, or too many.
    """
    if not rows:
        raise UserError(texts.no_posts)
    if len(rows) > MAX_POSTS:
        raise UserError(texts.too_many.format(limit=MAX_POSTS))
    return rows


def note(text: str) -> str:
    """A line in grey."""
    return str(_HTML.note(text))


def error_line(error: UserError, texts: AppTexts) -> str:
    """What was wrong, in one line."""
    return str(_HTML.error(texts.error, error))


def frame(page: str) -> str:
    """A page inside a page, without any right but to draw itself."""
    # Escaped here: the scripts of a page must stay as their hashes say, control characters and all.
    return str(_HTML.frame(escape(page)))
