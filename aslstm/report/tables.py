"""Takes the rows that ``aslstm predict`` writes and gives the tables of a report (:class:`ReportTables`).

The tables are about labels, polarity, time, emoji, words and new words, and a few posts are kept to be shown. Rows are read one
at a time, so that a million posts need no more memory than a thousand. The module knows nothing of charts or pages.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import chain, islice
from typing import Any, NamedTuple

from aslstm.data.column_names import names_a_date
from aslstm.data.dates import parse_date
from aslstm.errors import UserError
from aslstm.words.new_words import NewWord, discover_words
from modeling_aslstm.config_values import POLARITIES
from tokenization import split_emoji
from tokenization.emoji_splitting import fold_emoji

from .dates import start_of
from .examples import Example, ExamplesOfLabel

NAMES = ("labels", "polarity", "time", "emoji", "words", "new_words")
MAX_LABELS = 100
_NUM_ITEMS = 12  # This many emoji or words of each label are shown.
_NUM_NEW_WORDS = 30
_MIN_POSTS = 100  # New words are not looked for in fewer posts.
_OWN_COLUMNS = ("label", "score", "scores", "polarity", "polarity_score", "emoji", "attention", "contributions")
# These words have no feeling of their own. Most other such words drop out because they occur equally often with every label.
_FUNCTION_WORDS = frozenset("的了着过地得是在有和与或而但就都也还又再才只很太被把让给对向从到")
_FUNCTION_WORDS |= frozenset("我你您他她它这那一个吗呢吧啊呀哦嘛啦要会说不")
_FUNCTION_WORDS |= {"我们", "你们", "他们", "她们", "自己", "什么", "怎么", "这个", "那个", "这样", "这么"}
_FUNCTION_WORDS |= {"因为", "所以", "但是", "可是", "没有"}
# This finds long runs of one character, because 哈哈哈哈哈 and 哈哈哈哈 count as one word.
_RUN = re.compile(r"(.)\1{3,}")


class Table(NamedTuple):
    """Holds named columns and their rows, as in a CSV file."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


@dataclass
class ReportTables:
    """Holds all that a report shows.

    Attributes:
        labels: The labels, the most frequent first.
        tables: The tables under their names of NAMES. ``labels`` is always there, the others only if they have rows.
        examples: For each label ``best``, its posts of the highest score, and ``sample``, posts drawn at random.
        num_posts: The number of posts with a label.
        num_unlabelled: The number of rows without a label, which are left out.
        num_undated: The number of posts without a readable date, or 0 if no post has one.
        unread_column: The name of the column of dates if none of its values can be read, or "".
        first_day, last_day: The first and the last date of the posts, or None if no post has one.
    """

    labels: list[str]
    tables: dict[str, Table]
    examples: dict[str, dict[str, list[Example]]]
    num_posts: int
    num_unlabelled: int = 0
    num_undated: int = 0
    unread_column: str = ""
    first_day: date | None = None
    last_day: date | None = None


def characteristic(
    amounts: Mapping[str, Mapping[str, float]], posts: Mapping[str, Mapping[str, int]], totals: Mapping[str, float]
) -> dict[str, list[str]]:
    """Return the items that are typical of each label, the most frequent first.

    These are the items whose amount in the label exceeds by most what their share among all posts would give.

    >>> amounts = {"的": {"joy": 6, "fear": 2}, "鬼": {"joy": 0, "fear": 2}}
    >>> characteristic(amounts, amounts, {"joy": 6, "fear": 4})
    {'joy': ['的'], 'fear': ['鬼']}

    Args:
        amounts: For each item and label, how often the item occurs there or how much weight it has.
        posts: For each item and label, the number of posts with the item; an item of only one post is left out.
        totals: For each label, the sum of the amounts of all items, including those that are not in ``amounts``.
    """
    total = sum(totals.values()) or 1
    best = {}
    for label, of_label in totals.items():
        items = (item for item in amounts if posts[item].get(label, 0) > 1)
        excess = {item: amounts[item][label] - sum(amounts[item].values()) * of_label / total for item in items}
        order = sorted((item for item in excess if excess[item] > 0), key=lambda item: (-excess[item], item))
        best[label] = sorted(order[:_NUM_ITEMS], key=lambda item: -amounts[item][label])
    return best


@dataclass
class _Counts:
    """Holds the counts of the rows that were read."""

    text_column: str
    date_column: str | None
    prefix: str
    place: str
    is_epoch: bool = True  # A column that the user names may hold numbers; one that is found must have a name that says so.
    unread_column: str | None = None  # the first column that is named as if it held dates
    num_unlabelled: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    polarities: Counter[str] = field(default_factory=Counter)
    scores: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))  # label -> sum of its scores
    days: Counter[tuple[date, str]] = field(default_factory=Counter)
    emoji: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))  # emoji -> label -> posts
    words: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))  # word -> label -> posts
    weights: dict[str, defaultdict[str, float]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(float)))
    weight: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))  # label -> sum over all words
    examples: dict[str, ExamplesOfLabel] = field(default_factory=lambda: defaultdict(ExamplesOfLabel))

    def read(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
        """Count the rows and yield their texts."""
        # The date column is checked here only if the user named it: a column that was guessed may be missing in some rows.
        required = [name for name in (self.prefix + "label", self.text_column, self.date_column) if name is not None]
        for number, row in enumerate(rows, start=1):
            place = f"{self.place}, row {number}"
            for column in required:
                if column not in row:
                    raise UserError(
                        f"{place}: expected a column {column!r}, found {', '.join(map(repr, row))[:200]}; give what "
                        "aslstm predict wrote, and name its columns with --text_column, --date_column and --prefix"
                    )
            answer = {name: row.get(self.prefix + name) for name in _OWN_COLUMNS}
            if answer["label"] in (None, ""):
                self.num_unlabelled += 1
                continue
            text = _clean(row[self.text_column] or "")
            self._add(text, answer, place)
            self._add_day(row, _clean(answer["label"]))
            yield text

    def _add(self, text: str, answer: Mapping[str, Any], place: str) -> None:
        label = _clean(answer["label"])
        try:
            score = _share(answer["score"] or 0)
            attention = [
                {"token": _clean(e["token"]), "weight": _share(e["weight"]), "is_emoji": bool(e["is_emoji"])}
                | {"start": int(e["start"]), "end": int(e["end"])}
                for e in _nested(answer["attention"])
            ]
            given = answer["emoji"]
            found = [piece.text for piece in split_emoji(text) if piece.is_emoji] if given is None else _nested(given)
            emoji = {fold_emoji(_clean(one)) for one in found}
            # Without a score beside it, a column of this name is not the model's.
            polarity = None if answer["polarity_score"] in (None, "") else _polarity(answer["polarity"])
        except (TypeError, KeyError, ValueError, OverflowError, RecursionError) as error:
            raise UserError(
                f"{place}: expected score, emoji and attention as aslstm predict writes them, found {error!r:.80}"
            ) from error
        self.labels[label] += 1
        if len(self.labels) > MAX_LABELS:
            raise UserError(f"{place}: expected at most {MAX_LABELS} labels, found more; is column 'label' the label?")
        self.scores[label] += score
        if polarity is not None:
            self.polarities[polarity] += 1
        for one in emoji:
            self.emoji[one][label] += 1
        self._add_words(attention, label)
        self.examples[label].add(text, score, attention)

    def _add_day(self, row: Mapping[str, Any], label: str) -> None:
        if self.date_column is None:
            answers = {self.prefix + name for name in _OWN_COLUMNS}
            others = [name for name in row if name not in answers and name != self.text_column]
            self.date_column = next((name for name in others if parse_date(row[name], epoch=names_a_date(name))), None)
            named = (name for name in others if names_a_date(name) and row[name] not in (None, ""))
            self.unread_column = self.unread_column or next(named, None)
            self.is_epoch = self.date_column is not None and names_a_date(self.date_column)
        if self.date_column is not None and (day := parse_date(row.get(self.date_column), epoch=self.is_epoch)):
            self.days[day, label] += 1

    def _add_words(self, attention: list[dict[str, Any]], label: str) -> None:
        weights: defaultdict[str, float] = defaultdict(float)
        for entry in attention:
            if not entry["is_emoji"]:
                weights[_RUN.sub(r"\1\1\1", entry["token"].lower())] += entry["weight"]
        for word, weight in weights.items():
            self.words[word][label] += 1
            self.weights[word][label] += weight
            self.weight[label] += weight

    def tables(self, new_words: list[NewWord]) -> dict[str, Table]:
        """Return the tables that have rows."""
        total = self.labels.total()
        labels = [(name, n, n / total, self.scores[name] / n) for name, n in self.labels.most_common()]
        counts = [(name, self.polarities[name]) for name in POLARITIES] if self.polarities else []
        found = {
            "labels": Table(("label", "posts", "share", "mean_score"), labels),
            "polarity": Table(("polarity", "posts", "share"), [(name, n, n / self.polarities.total()) for name, n in counts]),
            "time": Table(("from", "label", "posts", "share"), self._time()),
            "emoji": Table(("label", "emoji", "posts", "posts_of_all_labels"), self._emoji()),
            "words": Table(("label", "word", "attention", "posts", "posts_of_all_labels"), self._words()),
            "new_words": Table(
                ("word", "count", "score", "example"),
                [(word.word, word.count, word.score, _clean(word.example)) for word in new_words[:_NUM_NEW_WORDS]],
            ),
        }
        return {name: table for name, table in found.items() if table.rows}

    def _time(self) -> list[tuple[Any, ...]]:
        if not self.days:
            return []
        days = [day for day, _ in self.days]
        start = start_of(max(days) - min(days))
        counts: Counter[tuple[date, str]] = Counter()
        totals: Counter[date] = Counter()
        for (day, label), n in self.days.items():
            counts[start(day), label] += n
            totals[start(day)] += n
        if len(totals) == 1:
            return []  # One stretch of time shows no change.
        return [
            (first.isoformat(), label, counts[first, label], counts[first, label] / totals[first])
            for first in sorted(totals)
            for label, _ in self.labels.most_common()
        ]

    def _emoji(self) -> list[tuple[Any, ...]]:
        totals: Counter[str] = Counter()
        for by_label in self.emoji.values():
            totals.update(by_label)
        best = characteristic(self.emoji, self.emoji, totals)
        return [
            (label, one, self.emoji[one][label], self.emoji[one].total())
            for label, _ in self.labels.most_common()
            for one in best.get(label, ())
        ]

    def _words(self) -> list[tuple[Any, ...]]:
        best = characteristic({w: by for w, by in self.weights.items() if _tells(w)}, self.words, self.weight)
        return [
            (label, word, self.weights[word][label], self.words[word][label], self.words[word].total())
            for label, _ in self.labels.most_common()
            for word in best.get(label, ())
        ]


def build_tables(
    rows: Iterable[Mapping[str, Any]],
    *,
    text_column: str = "text",
    date_column: str | None = None,
    prefix: str = "",
    place: str = "predictions",
) -> ReportTables:
    """Count the rows, which are read once, and return the tables.

    Args:
        rows: Rows with ``text`` and ``label``, and with ``score``, ``emoji`` and ``attention`` as ``aslstm predict`` writes
            them; nested values may be JSON text. Without ``emoji``, the emoji are taken from the text. ``polarity`` is
            counted where ``polarity_score`` is beside it.
        text_column: The name of the column of texts.
        date_column: The name of the column of dates, or None for the first column that has a date.
        prefix: The prefix of the names of the other columns.
        place: The file or data set that the rows come from, for error messages.

    Raises:
        UserError: There is no row, a column is missing, a value is malformed, or there are more than MAX_LABELS labels.
    """
    counts = _Counts(text_column, date_column, prefix, place)
    texts = counts.read(rows)
    first = list(islice(texts, _MIN_POSTS))
    new_words = discover_words(chain(first, texts)) if len(first) == _MIN_POSTS else []
    if not counts.labels:
        raise UserError(
            f"{place}: expected at least one row with a label, found {counts.num_unlabelled} without; check the file"
        )
    days = [day for day, _ in counts.days]
    return ReportTables(
        labels=[label for label, _ in counts.labels.most_common()],
        tables=counts.tables(new_words),
        examples={label: counts.examples[label].chosen() for label, _ in counts.labels.most_common()},
        num_posts=counts.labels.total(),
        num_unlabelled=counts.num_unlabelled,
        num_undated=counts.labels.total() - counts.days.total() if days else 0,
        unread_column="" if days else _clean(date_column or counts.unread_column or ""),
        first_day=min(days, default=None),
        last_day=max(days, default=None),
    )


def _clean(value: Any) -> str:
    """Return a value as text. Lone surrogates cannot be written to a file and become "?", which keeps all positions."""
    return str(value).encode("utf-8", "replace").decode("utf-8")


def _share(value: Any) -> float:
    """Return a score or a weight as a number; it may be a little above 1 because of rounding."""
    number = float(value)
    if not 0 <= number < 1.01:
        raise ValueError(f"{number}, not from 0 to 1")
    return number


def _polarity(value: Any) -> str:
    if value not in POLARITIES:
        raise ValueError(f"{value!r}, not one of {', '.join(POLARITIES)}")
    return str(value)


def _nested(value: Any) -> Any:
    """Return a list, which may be given as JSON text, as in a CSV file."""
    return json.loads(value) if isinstance(value, str) and value else value or []


def _tells(word: str) -> bool:
    return word not in _FUNCTION_WORDS and any(map(str.isalpha, word)) and not (word.isascii() and len(word) == 1)
