"""Predictions to the tables of a report: labels, time, emoji, words, new words, and posts to show.

Takes the rows that ``predict.py`` writes, one at a time, so that a million posts need no more memory than a thousand; gives
:class:`ReportTables`. Knows nothing of charts or pages.
"""

import heapq
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import chain, islice
from random import Random
from typing import Any, NamedTuple

from tokenization import NewWord, discover_words, split_emoji
from tokenization.emoji_splitting import fold_emoji
from user_errors import UserError

NAMES = ("labels", "time", "emoji", "words", "new_words")
MAX_LABELS = 100
MAX_CHARACTERS = 400  # of an example that is shown
_NUM_ITEMS = 12  # emoji or words of a label
_NUM_NEW_WORDS = 30
_MIN_POSTS = 100  # to look for new words in
_NUM_EXAMPLES = 3  # of a label, each of the two kinds
_OWN_COLUMNS = frozenset(("label", "score", "scores", "emoji", "attention"))
_DATE = re.compile(r"\s*(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})(?!\d)")
_WEIBO_DATE = "%a %b %d %H:%M:%S %z %Y"  # "Sat Mar 01 12:30:00 +0800 2014", of its programming interface
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
class Example:
    """A post to show, cut to MAX_CHARACTERS; ``num_characters`` counts all of it."""

    text: str
    label: str
    score: float
    num_characters: int
    attention: list[dict[str, Any]]


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
        first_day, last_day: of the posts.
    """

    labels: list[str]
    tables: dict[str, Table]
    examples: dict[str, dict[str, list[Example]]]
    num_posts: int
    num_unlabelled: int = 0
    num_undated: int = 0
    first_day: date | None = None
    last_day: date | None = None


def parse_date(value: Any) -> date | None:
    """The day of a date as files have it, or None.

    >>> parse_date("2014-03-01T12:30:00Z"), parse_date("2014年3月1日 12:30"), parse_date("20140301"), parse_date("2014-13-01")
    (datetime.date(2014, 3, 1), datetime.date(2014, 3, 1), None, None)
    """
    if isinstance(value, date):  # a datetime is one
        return date(value.year, value.month, value.day)
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        if match := _DATE.match(value):
            return date(*map(int, match.groups()))
        return datetime.strptime(value.strip(), _WEIBO_DATE).date()
    except ValueError:
        return None


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

    date_column: str | None
    text_column: str
    chance: Random = field(default_factory=lambda: Random(0))
    num_unlabelled: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    scores: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))  # sum by label
    days: Counter[tuple[date, str]] = field(default_factory=Counter)
    emoji: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))  # emoji -> label -> posts
    words: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))  # word -> label -> posts
    weights: dict[str, defaultdict[str, float]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(float)))
    weight: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))  # label -> sum over all words
    best: dict[str, list[tuple[float, int, Example]]] = field(default_factory=lambda: defaultdict(list))
    sample: dict[str, list[Example]] = field(default_factory=lambda: defaultdict(list))

    def read(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
        """Count the rows; yields their texts."""
        # A date column that is found in some rows may be missing in others.
        required = [column for column in ("label", self.text_column, self.date_column) if column is not None]
        for number, row in enumerate(rows, start=1):
            for column in required:
                if column not in row:
                    raise UserError(
                        f"row {number}: expected a column {column!r}, found {', '.join(map(repr, row))[:200]}; give what "
                        "predict.py wrote, and name its columns with --text_column and --date_column"
                    )
            if row["label"] in (None, ""):
                self.num_unlabelled += 1
                continue
            text = _clean(row[self.text_column])
            self._add(row, text, number)
            yield text

    def _add(self, row: Mapping[str, Any], text: str, number: int) -> None:
        label = _clean(row["label"])
        try:
            score = float(row.get("score") or 0)
            attention = [
                {"token": _clean(e["token"]), "weight": float(e["weight"]), "is_emoji": bool(e["is_emoji"])}
                | {"start": int(e["start"]), "end": int(e["end"])}
                for e in _nested(row.get("attention"))
            ]
            emoji = _nested(row["emoji"]) if "emoji" in row else [p.text for p in split_emoji(text) if p.is_emoji]
            emoji = {fold_emoji(_clean(one)) for one in emoji}
        except (TypeError, KeyError, ValueError) as error:
            raise UserError(
                f"row {number}: expected score, emoji and attention as predict.py writes them, found {error!r:.80}"
            ) from error
        self.labels[label] += 1
        if len(self.labels) > MAX_LABELS:
            raise UserError(f"row {number}: expected at most {MAX_LABELS} labels, found more; is column 'label' the label?")
        self.scores[label] += score
        self._add_day(row, label)
        for one in emoji:
            self.emoji[one][label] += 1
        self._add_words(attention, label)
        self._add_example(Example(text, label, score, len(text), attention))

    def _add_day(self, row: Mapping[str, Any], label: str) -> None:
        if self.date_column is None:
            others = (name for name in row if name not in _OWN_COLUMNS and name != self.text_column)
            self.date_column = next((name for name in others if parse_date(row[name])), None)
        if self.date_column is not None and (day := parse_date(row.get(self.date_column))):
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

    def _add_example(self, example: Example) -> None:
        label, count = example.label, self.labels[example.label]
        best, sample = self.best[label], self.sample[label]
        place = len(sample) if len(sample) < _NUM_EXAMPLES else self.chance.randrange(count)
        is_sampled = place < _NUM_EXAMPLES  # reservoir sampling (Vitter 1985, algorithm R)
        is_best = len(best) < _NUM_EXAMPLES or example.score > best[0][0]
        if not is_sampled and not is_best:
            return
        example.attention = [entry for entry in example.attention if entry["end"] <= MAX_CHARACTERS]
        example.text = example.text[:MAX_CHARACTERS]
        if is_sampled:
            sample[place : place + 1] = [example]
        if is_best and all(example.text != other.text for _, _, other in best):
            heapq.heappush(best, (example.score, -count, example))
            if len(best) > _NUM_EXAMPLES:
                heapq.heappop(best)

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
        start = _start_of(max(days) - min(days))
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
    rows: Iterable[Mapping[str, Any]], *, text_column: str = "text", date_column: str | None = None
) -> ReportTables:
    """Count the rows, each read once.

    Args:
        rows: ``text`` and ``label``, and as ``predict.py`` writes them ``score``, ``emoji``, ``attention``; nested values may
            be JSON text. Without ``emoji``, the emoji are those of the text.
        text_column: the name of ``text``.
        date_column: None takes the first column that has a date.

    Raises:
        UserError: no row, a missing column, a malformed value, or more than MAX_LABELS labels.
    """
    counts = _Counts(date_column, text_column)
    texts = counts.read(rows)
    first = list(islice(texts, _MIN_POSTS))
    new_words = discover_words(chain(first, texts)) if len(first) == _MIN_POSTS else []
    if not counts.labels:
        raise UserError(f"expected at least one row with a label, found {counts.num_unlabelled} without; check the file")
    days = [day for day, _ in counts.days]
    return ReportTables(
        labels=[label for label, _ in counts.labels.most_common()],
        tables=counts.tables(new_words),
        examples={
            label: {
                "best": [example for *_, example in sorted(counts.best[label], reverse=True)],
                "sample": counts.sample[label],
            }
            for label, _ in counts.labels.most_common()
        },
        num_posts=counts.labels.total(),
        num_unlabelled=counts.num_unlabelled,
        num_undated=counts.labels.total() - counts.days.total() if days else 0,
        first_day=min(days, default=None),
        last_day=max(days, default=None),
    )


def _clean(value: Any) -> str:
    """A value as text; halves of surrogate pairs, which no file takes, become "?", so that all places stay."""
    return str(value).encode("utf-8", "replace").decode("utf-8")


def _nested(value: Any) -> Any:
    """A list, also one that stands as JSON text in a CSV file."""
    return json.loads(value) if isinstance(value, str) and value else value or []


def _tells(word: str) -> bool:
    return word not in _FUNCTION_WORDS and any(map(str.isalpha, word)) and not (word.isascii() and len(word) == 1)


def _start_of(span: timedelta) -> Any:
    """The function that gives the first day of a day's stretch: of itself, its week, month or year."""
    if span.days <= 62:
        return lambda day: day
    if span.days <= 2 * 366:
        return lambda day: day - timedelta(days=day.weekday())
    return lambda day: day.replace(day=1) if span.days <= 10 * 366 else day.replace(month=1, day=1)
