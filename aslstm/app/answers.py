"""Takes a model folder and posts, and gives what the app shows of them as HTML.

One post is shown beside itself without emoji, and many posts become a report. The module knows nothing of Gradio. Posts are
shown as text whatever they hold: the HTML comes from the template ``panels.html.j2``, which escapes all that is put into it.
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
# The prefix keeps columns of an upload from being taken for answers.
_PREFIX = "aslstm_"
# The macros of the template can be called as functions.
_HTML: Any = environment(Path(__file__).parent).get_template("panels.html.j2").module


class Panel(NamedTuple):
    """Holds what is shown of one answer.

    Attributes:
        heading: A heading that says which form of the post was read.
        best: The label of the highest score.
        scores: The score of each label.
        heat_map: The post, as HTML where its words are shaded.
        notes: The lines that are shown below the post.
    """

    heading: str
    best: str
    scores: dict[str, float]
    heat_map: Markup | str
    notes: list[str]


class Answers:
    """Holds a loaded model folder and answers with it.

    Args:
        folder: The model folder. Its checksums are verified, and none of its code is run.

    Raises:
        UserError: The folder is damaged or incomplete.
    """

    def __init__(self, folder: Path) -> None:
        self.classifier = Classifier(folder, batch_size=_CHUNK)
        self.has_weights = self.classifier.config.emoji_fusion in FUSIONS_WITH_WEIGHTS
        self.predictor = BatchPredictor(self.classifier, prefix=_PREFIX, attention=self.has_weights)

    def of_post(self, post: str, language: str) -> str:
        """Return HTML that shows a post beside the same post without its emoji."""
        texts = TEXTS[language]
        if not post.strip():
            return note(texts.no_post)
        whole = self._answer(post)
        effect = whole.emoji_effect
        left = self._panel(texts.with_emoji, post, whole, language)
        if effect is None:
            return str(_HTML.pair(left, None, texts.no_emoji, []))
        # A space replaces each emoji, so that the words on its two sides stay apart, as the pipeline's emoji effect has it.
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
        """Return the page of a report on posts, as ``aslstm report`` writes it.

        Args:
            rows: The rows of an upload.
            text_column: The name of the column that holds the posts.
            language: The language of the page.
            progress: A function that is called with the share of the posts that have been answered.

        Raises:
            UserError: There are no posts.
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
    """Return a model folder, which is loaded at its first use and again after it was rewritten.

    Raises:
        UserError: The folder is damaged or incomplete.
    """
    checksums = Path(folder) / CHECKSUMS
    return _load(folder, checksums.stat().st_mtime_ns if checksums.is_file() else 0)


@lru_cache(maxsize=2)
def _load(folder: str, _written: int) -> Answers:
    return Answers(Path(folder))


def read_upload(path: Path, *, text_column: str, encoding: str, texts: AppTexts) -> list[Row]:
    """Return the rows of an upload; rows whose text is blank are left out.

    Raises:
        UserError: The file cannot be read, a row has no text, or there are too many rows.
    """
    if path.suffix not in SUFFIXES:
        raise UserError(f"{path.name}: expected a file ending in {', '.join(SUFFIXES)}, found {path.suffix!r}")
    posts = read_posts(path, suffix=path.suffix, text_column=text_column, encoding=encoding)
    rows = []
    try:
        for number, row in islice(refuse_bad(posts.rows), MAX_POSTS + 1):
            if fault := fault_of_text(f"{path.name}, row {number}", row, text_column):
                raise UserError(fault)
            rows.append(row)
    except UserError as error:
        # The visitor does not know the folder in which the upload was stored.
        raise UserError(str(error).replace(str(path), path.name)) from error
    return check_number([row for row in rows if row[text_column].strip()], texts)


def check_number(rows: list[Row], texts: AppTexts) -> list[Row]:
    """Return the rows if their number is allowed.

    Raises:
        UserError: There are no rows or too many.
    """
    if not rows:
        raise UserError(texts.no_posts)
    if len(rows) > MAX_POSTS:
        raise UserError(texts.too_many.format(limit=MAX_POSTS))
    return rows


def note(text: str) -> str:
    """Return HTML of a grey line."""
    return str(_HTML.note(text))


def error_line(error: UserError, texts: AppTexts) -> str:
    """Return HTML of one line that says what was wrong."""
    return str(_HTML.error(texts.error, error))


def frame(page: str) -> str:
    """Return HTML that shows a whole page inside the app; the inner page may only draw itself."""
    # The page is escaped here and not by the template, because its scripts must stay exactly as their hashes say.
    return str(_HTML.frame(escape(page)))
