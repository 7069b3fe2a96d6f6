"""Takes a model folder and posts, and gives what the app shows of them as HTML.

One post is shown beside itself without emoji, and many posts become a report. The module knows nothing of Gradio. Posts are
shown as text whatever they hold: the HTML comes from the template ``panels.html.j2``, which escapes all that is put into it.
"""

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup

from aslstm.data.file_formats import LINE_FORMATS, Row, refuse_bad
from aslstm.data.known_corpora import label_names, shown_names
from aslstm.data.row_readers import read_posts
from aslstm.errors import UserError
from aslstm.files import CHECKSUMS
from aslstm.prediction.answers import Answer
from aslstm.prediction.attention_view import attention_html
from aslstm.prediction.classifier import Classifier
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
MAX_POST_CHARACTERS = 60_000  # Such a post is answered within a second.
MAX_PASTED_CHARACTERS = 1_000_000
MAX_COLUMNS = 200
MAX_LINE_MEGABYTES = 1
MAX_ERROR_CHARACTERS = 500  # A message may name all columns of a file.
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
        best: The name of the label of the highest score.
        scores: The score of each label, by its name.
        polarity: A line with the polarity, or "" if the model gives none.
        heat_map: The post, as HTML where its words are shaded.
        notes: The lines that are shown below the post.
    """

    heading: str
    best: str
    scores: dict[str, float]
    polarity: str
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
        check_length(post, texts)
        whole = self._answer(post)
        effect = whole.emoji_effect
        left = self._panel(texts.with_emoji, post, whole, language)
        if effect is None:
            return str(_HTML.pair(left, None, texts.no_emoji, []))
        # A space replaces each emoji, so that the words on its two sides stay apart, as the pipeline's emoji effect has it.
        words = "".join(" " if piece.is_emoji else piece.text for piece in split_emoji(post))
        right = self._panel(texts.without_emoji, words, self._answer(words), language)
        alone = effect["without_words"]
        names = shown_names(self.classifier.label_names, language)
        notes = [texts.no_words if alone is None else texts.emoji_alone.format(**alone | {"label": names[alone["label"]]})]
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
        names = shown_names(scores, language)
        named = {names[label]: score for label, score in sorted(scores.items())}
        return Panel(heading, names[best], named, _polarity_line(answer, language), heat_map, notes)

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


def _polarity_line(answer: Answer, language: str) -> str:
    if answer.polarity is None:
        return ""
    name = label_names(language)[answer.polarity]
    return TEXTS[language].polarity.format(polarity=name, score=answer.polarity_score)


def load(folder: str) -> Answers:
    """Return a model folder, which is loaded at its first use and again after it was rewritten.

    Raises:
        UserError: The folder is damaged or incomplete.
    """
    # A folder that another program saved has no checksums.
    written = [path.stat().st_mtime_ns for name in (CHECKSUMS, "model.safetensors") if (path := Path(folder) / name).is_file()]
    return _load(folder, max(written, default=0))


@lru_cache(maxsize=2)
def _load(folder: str, _written: int) -> Answers:
    return Answers(Path(folder))


def make_report(
    folder: str,
    lines: str,
    file: str | None,
    text_column: str,
    encoding: str,
    language: str,
    progress: Callable[[float], Any],
) -> str:
    """Return the page of the report on a file, or on pasted lines if no file is given.

    Args:
        folder: The model folder.
        lines: The pasted posts, one on each line.
        file: The path of an upload.
        text_column: The name of the column of posts.
        encoding: The encoding of the upload.
        language: The language of the page.
        progress: A function that is called with the share of the posts that have been answered.

    Raises:
        UserError: The file or the lines cannot be read or are too large, or the model folder is damaged.
    """
    texts = TEXTS[language]
    if file:
        rows = read_upload(Path(file), text_column=text_column, encoding=encoding, texts=texts)
    else:
        if len(lines) > MAX_PASTED_CHARACTERS:
            raise UserError(texts.too_much_pasted.format(limit=MAX_PASTED_CHARACTERS, found=len(lines)))
        rows = check_number([{text_column: line} for line in lines.split("\n") if line.strip()], texts)
    for row in rows:
        check_length(row[text_column], texts)
    return load(folder).report(rows, text_column, language, progress)


def check_length(post: str, texts: AppTexts) -> None:
    """Refuse a post that is too long to be answered at once.

    Raises:
        UserError: The post has too many characters, in itself or in the form in which the model reads it.
    """
    # One character may stand for eighteen.
    if len(post) > MAX_POST_CHARACTERS or (found := len(unicodedata.normalize("NFKC", post))) > MAX_POST_CHARACTERS:
        found = len(post) if len(post) > MAX_POST_CHARACTERS else found
        raise UserError(texts.too_long.format(limit=MAX_POST_CHARACTERS, found=found))


def check_shape(path: Path, texts: AppTexts) -> None:
    """Refuse a file of rows with too many columns or with a line that is too long, before a reader holds it in memory.

    Raises:
        UserError: The file has such a line.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if len(line) > MAX_LINE_MEGABYTES * 1_000_000:
                raise UserError(texts.long_line.format(number=number, limit=MAX_LINE_MEGABYTES))
            columns = 1 + line.count(b"\t" if path.suffix == ".tsv" else b",")
            if number == 1 and path.suffix != ".jsonl" and columns > MAX_COLUMNS:
                raise UserError(texts.too_many_columns.format(limit=MAX_COLUMNS, found=columns))


def read_upload(path: Path, *, text_column: str, encoding: str, texts: AppTexts) -> list[Row]:
    """Return the rows of an upload; rows whose text is blank are left out.

    Raises:
        UserError: The file cannot be read, a row has no text, or there are too many rows.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(f"{path.name}: expected a file ending in {', '.join(SUFFIXES)}, found {path.suffix!r}")
    if suffix in LINE_FORMATS:
        check_shape(path, texts)
    posts = read_posts(path, suffix=suffix, text_column=text_column, encoding=encoding)
    rows = []
    try:
        for number, row in islice(refuse_bad(posts.rows), MAX_POSTS + 1):
            if fault := fault_of_text(f"{path.name}, row {number}", row, text_column):
                raise UserError(fault)
            if len(row) > MAX_COLUMNS:
                raise UserError(texts.too_many_columns.format(limit=MAX_COLUMNS, found=len(row)))
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
    message = str(error)
    return str(_HTML.error(texts.error, message[:MAX_ERROR_CHARACTERS] + "…" * (len(message) > MAX_ERROR_CHARACTERS)))


def frame(address: str) -> str:
    """Return HTML that shows the page at an address inside the app; the inner page may only draw itself."""
    return str(_HTML.frame(address))
