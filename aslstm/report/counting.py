"""Takes the rows that ``aslstm predict`` writes, one at a time, and gives their counts (:class:`Counts`).

A million posts need little more memory than 50,000: beside the counts, only a sample of the posts is kept.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from importlib.util import find_spec
from typing import Any

from aslstm.data.column_names import names_a_date
from aslstm.data.dates import parse_date, parse_time
from aslstm.errors import UserError
from aslstm.words.text_splitting import TextSplitter, is_emoji_code

from .answers import COLUMNS, RowAnswer, clean, read_answer
from .disagreements import Disagreements
from .examples import MAX_CHARACTERS, ExamplesOfLabel
from .posts import Post, PostSample

MAX_LABELS = 100
MAX_GROUPS = 20
_NO_TIME = time(0)  # of a date without a time of the day
# These words have no feeling of their own. Most other such words drop out because they occur equally often with every label.
_FUNCTION_WORDS = frozenset("的了着过地得是在有和与或而但就都也还又再才只很太被把让给对向从到")
_FUNCTION_WORDS |= frozenset("我你您他她它这那一个吗呢吧啊呀哦嘛啦要会说不")
_FUNCTION_WORDS |= {"我们", "你们", "他们", "她们", "自己", "什么", "怎么", "这个", "那个", "这样", "这么"}
_FUNCTION_WORDS |= {"因为", "所以", "但是", "可是", "没有"}

# item -> group -> posts of the group with the item
Table2D = defaultdict[str, Counter[str]]


def _table() -> Table2D:
    return defaultdict(Counter)


def tells(word: str) -> bool:
    """Return whether a word may say something about a label or group; function words, signs and single Latin letters do not.

    >>> tells("加班"), tells("的"), tells("!"), tells("a")
    (True, False, False, False)
    """
    return word not in _FUNCTION_WORDS and any(map(str.isalpha, word)) and not (word.isascii() and len(word) == 1)


def word_splitter() -> TextSplitter:
    """Return what cuts posts into words; the Rust form of jieba where it is installed."""
    # Traditional characters stay as they are, so that a word is found again in the posts.
    return TextSplitter(segmenter="rjieba" if find_spec("rjieba") else "jieba", to_simplified=False)


def words_of(splitter: TextSplitter, text: str) -> set[str]:
    """Return the telling words of a post, each once."""
    # Nobody reads a longer post, and one of a million characters must not decide what a report says.
    (tokens,) = splitter.split([text[: 10 * MAX_CHARACTERS]])
    return {token for token in tokens if not is_emoji_code(token) and tells(token)}


@dataclass
class Counts:
    """Holds the counts of the rows that were read.

    Args:
        text_column: The name of the column of texts.
        date_column: The name of the column of dates, or None for the first column that has a date.
        compare_by: The name of the column whose values are compared, or None.
        prefix: The prefix of the names of the answers.
        place: The file that the rows come from, for error messages.
    """

    text_column: str
    date_column: str | None
    compare_by: str | None
    prefix: str
    place: str
    splitter: TextSplitter = field(default_factory=word_splitter)
    is_epoch: bool = True  # A column that the user names may hold numbers; one that is found must have a name that says so.
    unread_column: str | None = None  # the first column that is named as if it held dates
    num_unlabelled: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    polarities: Counter[str] = field(default_factory=Counter)
    scores: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))  # label -> sum of its scores
    days: Counter[tuple[date, str]] = field(default_factory=Counter)
    hours: dict[date, tuple[int, int]] = field(default_factory=dict)  # the smallest and largest hour of a day
    emoji: Table2D = field(default_factory=_table)
    words: Table2D = field(default_factory=_table)
    groups: Table2D = field(default_factory=_table)  # group -> label -> posts
    group_words: Table2D = field(default_factory=_table)
    examples: dict[str, ExamplesOfLabel] = field(default_factory=lambda: defaultdict(ExamplesOfLabel))
    disagreements: Disagreements = field(default_factory=Disagreements)
    sample: PostSample = field(default_factory=PostSample)

    def read(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
        """Count the rows and yield their texts.

        Raises:
            UserError: A column is missing, a value is malformed, or there are too many labels or groups.
        """
        # The date column is checked here only if the user named it: a column that was guessed may be missing in some rows.
        required = [self.prefix + "label", self.text_column, self.date_column, self.compare_by]
        required = [name for name in required if name is not None]
        for number, row in enumerate(rows, start=1):
            place = f"{self.place}, row {number}"
            for column in required:
                if column not in row:
                    raise UserError(
                        f"{place}: expected a column {column!r}, found {', '.join(map(repr, row))[:200]}; give what "
                        "aslstm predict wrote, and name its columns with --text_column, --date_column, --compare_by and "
                        "--prefix"
                    )
            text = clean(row[self.text_column] or "")
            answer = read_answer(row, text, prefix=self.prefix, place=place)
            if answer is None:
                self.num_unlabelled += 1
                continue
            group = "" if self.compare_by is None else clean("" if row[self.compare_by] is None else row[self.compare_by])
            self.disagreements.is_told |= self.prefix + "emoji_effect" in row
            day = self._day_of(row)
            self._add(text, answer, day, group, place)
            yield text

    def _add(self, text: str, answer: RowAnswer, day: date | None, group: str, place: str) -> None:
        label = answer.label
        self.labels[label] += 1
        if len(self.labels) > MAX_LABELS:
            raise UserError(f"{place}: expected at most {MAX_LABELS} labels, found more; is column 'label' the label?")
        self.scores[label] += answer.score
        if answer.polarity is not None:
            self.polarities[answer.polarity] += 1
        if day is not None:
            self.days[day, label] += 1
        for one in answer.emoji:
            self.emoji[one][label] += 1
        words = words_of(self.splitter, text)
        for word in words:
            self.words[word][label] += 1
        if self.compare_by is not None:
            self._add_group(group, label, words, place)
        self.examples[label].add(text, answer.score, answer.attention)
        self.disagreements.add(text, answer)
        self.sample.add(Post(text[:MAX_CHARACTERS], label, answer.score, day, group))

    def _add_group(self, group: str, label: str, words: set[str], place: str) -> None:
        self.groups[group][label] += 1
        if len(self.groups) > MAX_GROUPS:
            raise UserError(
                f"{place}: `compare_by` {self.compare_by}: expected at most {MAX_GROUPS} different values, found more; choose "
                "a column of few values, such as a city or a brand"
            )
        for word in words:
            self.group_words[word][group] += 1

    def _day_of(self, row: Mapping[str, Any]) -> date | None:
        if self.date_column is None:
            self._find_date_column(row)
        if self.date_column is None:
            return None
        found = parse_time(row.get(self.date_column), epoch=self.is_epoch)
        if found is None:
            return None
        day = found.date()
        if found.time() != _NO_TIME:
            first, last = self.hours.get(day, (found.hour, found.hour))
            self.hours[day] = min(first, found.hour), max(last, found.hour)
        return day

    def _find_date_column(self, row: Mapping[str, Any]) -> None:
        answers = {self.prefix + name for name in COLUMNS}
        others = [name for name in row if name not in answers and name != self.text_column]
        self.date_column = next((name for name in others if parse_date(row[name], epoch=names_a_date(name))), None)
        named = (name for name in others if names_a_date(name) and row[name] not in (None, ""))
        self.unread_column = self.unread_column or next(named, None)
        self.is_epoch = self.date_column is not None and names_a_date(self.date_column)
