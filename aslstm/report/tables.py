"""Predictions to the tables of a report: labels, time, emoji, words, new words, and posts to show.

Takes the rows that ``aslstm predict`` writes, one at a time, so that a million posts need no more memory than a thousand; gives
:class:`ReportTables`. Knows nothing of charts or pages.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import chain, islice
from typing import Any, NamedTuple

from aslstm.errors import UserError
from aslstm.words.new_words import NewWord, discover_words
from tokenization import split_emoji
from tokenization.emoji_splitting import fold_emoji

from .dates import names_a_date, parse_date, start_of
from .examples import Example, ExamplesOfLabel

NAMES = ("labels", "time", "emoji", "words", "new_words")
MAX_LABELS = 100
_NUM_ITEMS = 12  # emoji or words of a label
_NUM_NEW_WORDS = 30
_MIN_POSTS = 100  # to look for new words in
_OWN_COLUMNS = ("label", "score", "scores", "emoji", "attention")
# Words without a feeling of their own; most others drop out because they stand in posts of every label alike.
_FUNCTION_WORDS = frozenset("的了着过地得是在有和与或而但就都也还又再才只很太被把让给对向从到")
_FUNCTION_WORDS |= frozenset("我你您他她它这那一个吗呢吧啊呀哦嘛啦要会说不")
_FUNCTION_WORDS |= {"我们", "你们", "他们", "她们", "自己", "什么", "怎么", "这个", "那个", "这样", "这么"}
_FUNCTION_WORDS |= {"因为", "所以", "但是", "可是", "没有"}
# 哈哈哈哈哈 and 哈哈哈哈 are one word.
_RUN = re.compile(r"(.)\1{3,}")


class Table(NamedTuple):
    """Named columns and their rows, as they stand in a CSV file."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


@dataclass
class ReportTables:
    """What a report says of a topic.

    Attributes:
        labels: the commonest first.
        tables: by NAMES, ``labels`` always, the others where the posts have any.
        examples: label -> ``best``, its posts of the highest score, and ``sample``, posts by chance.
        num_posts: with a label.
        num_unlabelled: rows without one; they are counted and left out.
        num_undated: posts without a readable date, where others have one.
        unread_column: the column of dates, if none of its values can be read.
        first_day, last_day: of the posts.
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
    """The items of each label: those that stand there most beyond what their share among all posts would give.

    The most frequent first.

    >>> amounts = {"的": {"joy": 6, "fear": 2}, "鬼": {"joy": 0, "fear": 2}}
    >>> characteristic(amounts, amounts, {"joy": 6, "fear": 4})
    {'joy': ['的'], 'fear': ['鬼']}

    Args:
        amounts: item -> label -> how often, or how much of it.
        posts: item -> label -> in how many posts; one post says nothing.
        totals: label -> the sum of the amounts of all items, also of those that are not asked for.
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
    """What is kept of the rows that were read."""

    text_column: str
    date_column: str | None
    prefix: str
    place: str
    is_epoch: bool = True  # A column that the user names may hold numbers; one that is found must have a name that says so.
    unread_column: str | None = None  # the first column that is named as if it held dates
    num_unlabelled: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    scores: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))  # sum by label
    days: Counter[tuple[date, str]] = field(default_factory=Counter)
    emoji: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))  # emoji -> label -> posts
    words: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))  # word -> label -> posts
    weights: dict[str, defaultdict[str, float]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(float)))
    weight: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))  # label -> sum over all words
    examples: dict[str, ExamplesOfLabel] = field(default_factory=lambda: defaultdict(ExamplesOfLabel))

    def read(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
        """Count the rows; yields their texts."""
        # A date column that is found in some rows may be missing in others.
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
        except (TypeError, KeyError, ValueError, OverflowError, RecursionError) as error:
            raise UserError(
                f"{place}: expected score, emoji and attention as aslstm predict writes them, found {error!r:.80}"
            ) from error
        self.labels[label] += 1
        if len(self.labels) > MAX_LABELS:
            raise UserError(f"{place}: expected at most {MAX_LABELS} labels, found more; is column 'label' the label?")
        self.scores[label] += score
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
        """The tables that have rows."""
        total = self.labels.total()
        labels = [(name, n, n / total, self.scores[name] / n) for name, n in self.labels.most_common()]
        found = {
            "labels": Table(("label", "posts", "share", "mean_score"), labels),
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
            return []  # nothing changes in one stretch
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
    """Count the rows, each read once.

    Args:
        rows: ``text`` and ``label``, and as ``aslstm predict`` writes them ``score``, ``emoji``, ``attention``; nested
            values may be JSON text. Without ``emoji``, the emoji are those of the text.
        text_column: the name of ``text``.
        date_column: None takes the first column that has a date.
        prefix: stands before the names of the other columns.
        place: where the rows come from, for complaints.

    Raises:
        UserError: no row, a missing column, a malformed value, or more than MAX_LABELS labels.
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
    """A value as text; halves of surrogate pairs, which no file takes, become "?", so that all places stay."""
    return str(value).encode("utf-8", "replace").decode("utf-8")


def _share(value: Any) -> float:
    """A score or a weight; rounding may leave a little more than 1."""
    number = float(value)
    if not 0 <= number < 1.01:
        raise ValueError(f"{number}, not from 0 to 1")
    return number


def _nested(value: Any) -> Any:
    """A list, also one that stands as JSON text in a CSV file."""
    return json.loads(value) if isinstance(value, str) and value else value or []


def _tells(word: str) -> bool:
    return word not in _FUNCTION_WORDS and any(map(str.isalpha, word)) and not (word.isascii() and len(word) == 1)
