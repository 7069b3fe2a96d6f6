"""Takes a model folder and a post, and gives what the app shows of the answer as HTML.

A post is shown beside itself without emoji, with the reasons of the answer. The module knows nothing of Gradio. Posts are shown
as text whatever they hold: the HTML comes from the template ``panels.html.j2``, which escapes all that is put into it.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup

from aslstm.data.known_corpora import label_names, shown_names
from aslstm.errors import UserError
from aslstm.files import CHECKSUMS
from aslstm.model_folder.card import read_card
from aslstm.prediction.answers import Answer
from aslstm.prediction.attention_view import (
    Piece,
    attention_html,
    contribution_pieces,
    contributions_html,
    pieces_for_and_against,
)
from aslstm.prediction.classifier import Classifier
from aslstm.report.examples import MAX_CHARACTERS
from aslstm.report.templates import environment
from aslstm.report.texts import LANGUAGES
from modeling_aslstm.results_aslstm import FUSIONS_WITH_WEIGHTS
from tokenization import split_emoji

from .picker import FIRST, MAX_SHOWN, NamedEmoji, known_emoji, named, search
from .texts import TEXTS, AppTexts
from .uploads import Upload, check_length

_BATCH = 256
# A post is read once more for each of its words, and others wait meanwhile: 200 words take half a second.
MAX_WORDS_OF_REASONS = 200
_NUM_REASONS = 6
_WORD_CHARACTERS = 24
MAX_ERROR_CHARACTERS = 500  # A message may name all columns of a file.
# The macros of the template can be called as functions.
_HTML: Any = environment(Path(__file__).parent).get_template("panels.html.j2").module


class Bar(NamedTuple):
    """Holds a label by its name, its probability, and how many points more than without emoji that is ("" if not known)."""

    name: str
    score: float
    change: str


class Panel(NamedTuple):
    """Holds what is shown of one answer.

    Attributes:
        heading: A heading that says which form of the post was read.
        bars: The labels, the most probable first.
        polarity: A line with the polarity, or "" if the model gives none.
        post: The post, as HTML where its words are coloured.
        notes: The lines that are shown below the post.
        columns: The headings of the columns of probabilities and of changes; the second is "" where there are no changes.
    """

    heading: str
    bars: list[Bar]
    polarity: str
    post: Markup | str
    notes: list[str]
    columns: tuple[str, str]


class Reasons(NamedTuple):
    """Holds the reasons of one answer.

    Attributes:
        heading: A heading that names the answer.
        about: A sentence that says what a contribution is.
        pieces: The words and emoji that speak most for the answer, and then those that speak most against it.
        attention: The post as HTML shaded by attention, or None if the model has none.
    """

    heading: str
    about: str
    pieces: list[Piece]
    attention: Markup | None


class Shown(NamedTuple):
    """Holds an answer as HTML, and in one sentence for those who hear the page."""

    html: str
    spoken: str


class Answers:
    """Holds a loaded model folder and answers with it.

    Args:
        folder: The model folder. Its checksums are verified, and none of its code is run.

    Raises:
        UserError: The folder is damaged or incomplete.
    """

    def __init__(self, folder: Path) -> None:
        self.classifier = Classifier(folder, batch_size=_BATCH)
        self.has_weights = self.classifier.config.emoji_fusion in FUSIONS_WITH_WEIGHTS
        self.emoji = known_emoji(self.classifier.encoder)
        self.name = folder.name
        self.card = read_card(folder)

    def model_line(self, language: str) -> str:
        """Return HTML of the line that says which model answers and what it was trained on."""
        texts, card = TEXTS[language], self.card
        has_figure = card.macro_f1 is not None
        figure = texts.figure.format(split=texts.splits[card.split], value=card.macro_f1) if has_figure else ""
        corpus = texts.corpora.get(card.corpus, card.corpus) or texts.unknown_corpus
        posts = "" if card.num_posts is None else texts.num_posts.format(count=card.num_posts)
        labels = len(self.classifier.label_names)
        return note(texts.model.format(name=self.name, corpus=corpus, posts=posts, labels=labels, figure=figure))

    def of_post(self, post: str, language: str) -> Shown:
        """Return what is shown of a post beside the same post without its emoji.

        Raises:
            ToldError: The post is too long.
        """
        texts = TEXTS[language]
        if not post.strip():
            return Shown(note(texts.no_post), texts.no_post)
        check_length(post, texts)
        names = shown_names(self.classifier.label_names, language)
        whole = self._answer(post)
        reasons = self._reasons(post, whole, names, texts)
        label, score = self._best(whole)
        effect = whole.emoji_effect
        if effect is None:
            left = self._panel(texts.with_emoji, post, whole, None, language)
            spoken = texts.spoken.format(label=names[label], score=score)
            return Shown(str(_HTML.answer(left, None, reasons, texts, [])), spoken)
        # A space replaces each emoji, so that the words on its two sides stay apart, as the pipeline's emoji effect has it.
        words = "".join(" " if piece.is_emoji else piece.text for piece in split_emoji(post))
        without = self._answer(words)
        other, other_score = self._best(without)
        left = self._panel(texts.with_emoji, post, whole, without, language)
        right = self._panel(texts.without_emoji, words, without, None, language)
        alone = effect["without_words"]
        notes = [texts.no_words if alone is None else texts.emoji_alone.format(**alone | {"label": names[alone["label"]]})]
        has_polarities = self.classifier.config.polarity_of_labels is not None
        notes += [texts.disagree if has_polarities else texts.other_labels] * effect["disagree"]
        spoken = texts.spoken_pair.format(label=names[label], score=score, other=names[other], other_score=other_score)
        return Shown(str(_HTML.answer(left, right, reasons, texts, notes)), spoken)

    def _answer(self, text: str) -> Answer:
        limit = self.classifier.encoder.model_max_length
        (ids,) = self.classifier.encoder.encode_batch([text], max_length=limit)
        is_short = len(ids) <= MAX_WORDS_OF_REASONS
        (answer,) = self.classifier.answers(
            [text], attention=self.has_weights, emoji_effect=True, contributions=is_short, batch_size=_BATCH
        )
        return answer

    def _best(self, answer: Answer) -> tuple[str, float]:
        """Return the label of the highest probability, and its probability."""
        best = int(answer.probabilities.argmax())
        return self.classifier.label_names[best], float(answer.probabilities[best])

    def _panel(self, heading: str, text: str, answer: Answer, without: Answer | None, language: str) -> Panel:
        texts = TEXTS[language]
        shown: Markup | str = text[:MAX_CHARACTERS]
        if answer.contributions is not None:
            shown = Markup(contributions_html(_cut(answer.contributions), self._best(answer)[0], text[:MAX_CHARACTERS]))
        is_cut = len(text) > MAX_CHARACTERS
        notes = ["… " + LANGUAGES[language].notes["cut"].format(shown=MAX_CHARACTERS, characters=len(text))] * is_cut
        changes = [""] * len(answer.probabilities)
        if without is not None:
            points = 100 * (answer.probabilities - without.probabilities)
            changes = [texts.points.format(change=value + 0.0) for value in points.round(1).tolist()]
        names = shown_names(self.classifier.label_names, language).values()
        bars = [*map(Bar, names, answer.probabilities.tolist(), changes)]
        bars.sort(key=lambda bar: -bar.score)
        columns = (texts.probability, texts.change if without is not None else "")
        return Panel(heading, bars, _polarity_line(answer, language), shown, notes, columns)

    def _reasons(self, text: str, answer: Answer, names: Mapping[str, str], texts: AppTexts) -> Reasons:
        label = self._best(answer)[0]
        heading = texts.reasons.format(label=names[label])
        attention = None
        if answer.attention is not None:
            attention = Markup(attention_html(_cut(answer.attention), text[:MAX_CHARACTERS]))
        if answer.contributions is None:
            return Reasons(heading, texts.no_reasons.format(limit=MAX_WORDS_OF_REASONS), [], attention)
        sides = pieces_for_and_against(contribution_pieces(answer.contributions, label, text), _NUM_REASONS)
        # The strongest words for the answer stand on top, and the strongest against it at the bottom.
        pieces = [piece._replace(text=shortened(piece.text)) for piece in (*sides[0], *reversed(sides[1]))]
        return Reasons(heading, texts.about_contributions.format(label=names[label]), pieces, attention)


def shortened(word: str) -> str:
    """Return a word as it is shown beside its bar.

    >>> shortened("加班"), shortened("a" * 50_000)
    ('加班', 'aaaaaaaaaaaaaaaaaaaaaaaa…')
    """
    return word[:_WORD_CHARACTERS] + "…" * (len(word) > _WORD_CHARACTERS)


def _cut(entries: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [entry for entry in entries if entry["end"] <= MAX_CHARACTERS]


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


def emoji_buttons(folder: str, query: str, language: str) -> str:
    """Return HTML of buttons, one for each emoji that a visitor searched for, or the first ones if nothing is searched for.

    Raises:
        UserError: The model folder is damaged or incomplete.
    """
    texts = TEXTS[language]
    if not query.strip():
        return _buttons([named(one) for one in FIRST], "", language)
    found = search(query, load(folder).emoji)
    told = texts.found_emoji.format(found=len(found)) if found else texts.no_such_emoji
    return _buttons(found[:MAX_SHOWN], told, language)


def _buttons(emoji: Sequence[NamedEmoji], told: str, language: str) -> str:
    return str(_HTML.buttons([(one.written, one.zh if language == "zh" else one.en) for one in emoji], told))


def examples_html(posts: Sequence[str], texts: AppTexts) -> str:
    """Return HTML of buttons that put an example into the field of the post."""
    return str(_HTML.examples(texts.examples, posts))


def upload_html(name: str, upload: Upload, language: str) -> Shown:
    """Return what is shown of an upload before its posts are labelled."""
    texts = TEXTS[language]
    line = texts.looked.format(name=name, rows=upload.num_rows, columns=len(upload.columns))
    line += texts.column_found.format(column=upload.text_column) if upload.text_column else texts.no_column
    if upload.date_column:
        line += texts.date_found.format(column=upload.date_column)
    if upload.num_blank:
        line += texts.blank.format(blank=upload.num_blank)
    return Shown(str(_HTML.upload(line, texts.first_rows, upload)), line)


def note(text: str) -> str:
    """Return HTML of a grey line."""
    return str(_HTML.note(text))


def error_line(error: UserError, texts: AppTexts) -> str:
    """Return HTML of one line that says what was wrong."""
    message = str(error)
    return str(_HTML.error(texts.error, message[:MAX_ERROR_CHARACTERS] + "…" * (len(message) > MAX_ERROR_CHARACTERS)))


def results_html(address: str, stem: str, files: Sequence[str], counts: Mapping[str, int], line: str, texts: AppTexts) -> str:
    """Return HTML with what was labelled, links to its files, and the report inside the page, where it may only draw itself.

    Args:
        address: The address of the folder of the files.
        stem: The name that the downloads begin with.
        files: The names of the files of labelled rows.
        counts: The number of posts of each label, by its name.
        line: A line that says how many posts were labelled.
        texts: The texts of the page.
    """
    return str(_HTML.results(address, stem, files, counts, line, texts))
