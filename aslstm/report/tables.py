"""Takes the rows that ``aslstm predict`` writes and gives the tables of a report (:class:`ReportTables`).

The tables are about labels, polarity, time, peaks, emoji, words, groups, new words, and posts whose words and emoji disagree. A
few posts of each label and up to 50,000 of all are kept to be shown. The module knows nothing of charts or pages.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import chain, islice
from typing import Any, NamedTuple

from aslstm.data.known_corpora import polarity_of_labels
from aslstm.errors import UserError
from aslstm.words.new_words import NewWord, discover_words
from modeling_aslstm.config_values import POLARITIES

from .answers import clean
from .counting import Counts, words_of
from .examples import Example
from .posts import Post
from .statistics import log_odds, wilson_interval
from .timeline import Change, Peak, Period, Timeline, build_timeline, find_peaks, largest_change

NAMES = ("labels", "polarity", "time", "peaks", "emoji", "words", "groups", "group_words", "disagreements", "new_words")
_NUM_ITEMS = 12  # This many emoji or words of each label are shown.
_TYPICAL_Z = 1.96
# Groups and peaks often differ in no word at all; of thousands of words, some would still reach 1.96.
_CLEAR_Z = 3.5
_NUM_NEW_WORDS = 30
_MIN_POSTS = 100  # New words are not looked for in fewer posts.
_NUM_PEAK_WORDS = 5
_NUM_PEAK_POSTS = 3
_MAX_SPLIT_POSTS = 3000
NO_FEELING = ("none", "neutral")


class Table(NamedTuple):
    """Holds named columns and their rows, as in a CSV file."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


class PeakPosts(NamedTuple):
    """Holds a peak with the words that mark it and a few of the posts that made it."""

    peak: Peak
    words: list[str]
    posts: list[Post]


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
        timeline: The periods of the posts, or None if they have no dates or lie in one period.
        change: The largest change of a label from one period to the next, or None.
        peaks: The periods that stand out.
        groups: The number of posts of each group that is compared, the largest first.
        posts: The posts that can be searched: all, or a sample of many.
        num_compared: The number of posts with answers to their words alone and to their emoji alone.
        num_disagreeing: The number of these where the two sides are clear and have opposite polarities.
        polarity_is_summed: Whether the model gave the polarities, which are sums over all labels, and not the labels.
        no_disagreement: Why there is no such post, a key of the notes of a report, or "".
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
    timeline: Timeline | None = None
    change: Change | None = None
    peaks: list[PeakPosts] = field(default_factory=list)
    groups: dict[str, int] = field(default_factory=dict)
    posts: list[Post] = field(default_factory=list)
    num_compared: int = 0
    num_disagreeing: int = 0
    polarity_is_summed: bool = False
    no_disagreement: str = "effect_unknown"


def emotions_of(labels: Sequence[str]) -> list[str]:
    """Return the labels that say a feeling, or all labels if that leaves none.

    >>> emotions_of(["none", "anger"]), emotions_of(["none"])
    (['anger'], ['none'])
    """
    return [label for label in labels if label not in NO_FEELING] or list(labels)


def typical(
    counts: Mapping[str, Counter[str]], groups: Sequence[str], posts: Mapping[str, int], least_z: float = _TYPICAL_Z
) -> list[tuple[Any, ...]]:
    """Return the rows of what is typical of each group: group, item, posts with it, those of all groups, share and z-score.

    An item is typical if its z-score (:func:`log_odds`) is at least ``least_z`` and at least two posts of the group have it.

    Args:
        counts: For each item and group, how many posts of the group have the item.
        groups: The groups, in the order of the rows.
        posts: The number of posts of each group.
        least_z: The smallest z-score.
    """
    scores = log_odds(counts, groups)
    rows = []
    for group in groups:
        items = ((z, item) for item, z in scores[group].items() if z >= least_z and counts[item][group] > 1)
        for z, item in sorted(items, key=lambda one: (-one[0], one[1]))[:_NUM_ITEMS]:
            here = counts[item][group]
            rows.append((group, item, here, counts[item].total(), here / posts[group], z))
    return rows


def build_tables(
    rows: Iterable[Mapping[str, Any]],
    *,
    text_column: str = "text",
    date_column: str | None = None,
    compare_by: str | None = None,
    prefix: str = "",
    place: str = "predictions",
) -> ReportTables:
    """Count the rows, which are read once, and return the tables.

    Args:
        rows: Rows with ``text`` and ``label``, and with ``score``, ``emoji``, ``attention`` and ``emoji_effect`` as
            ``aslstm predict`` writes them; nested values may be JSON text. Without ``emoji``, the emoji are taken from the
            text. ``polarity`` is counted where ``polarity_score`` is beside it, and else the polarity of known labels.
        text_column: The name of the column of texts.
        date_column: The name of the column of dates, or None for the first column that has a date.
        compare_by: The name of the column whose values are compared, or None.
        prefix: The prefix of the names of the other columns.
        place: The file or data set that the rows come from, for error messages.

    Raises:
        UserError: There is no row, a column is missing, a value is malformed, or there are too many labels or groups.
    """
    counts = Counts(text_column, date_column, compare_by, prefix, place)
    texts = counts.read(rows)
    first = list(islice(texts, _MIN_POSTS))
    new_words = discover_words(chain(first, texts)) if len(first) == _MIN_POSTS else []
    if not counts.labels:
        raise UserError(
            f"{place}: expected at least one row with a label, found {counts.num_unlabelled} without; check the file"
        )
    labels = [label for label, _ in counts.labels.most_common()]
    polarity_is_summed = bool(counts.polarities)  # Without them, those of the labels are counted below.
    posts = counts.sample.posts()
    days = [day for day, _ in counts.days]
    first_day, last_day = min(days, default=None), max(days, default=None)
    first_hour = counts.hours[first_day][0] if first_day and first_day in counts.hours else None
    last_hour = counts.hours[last_day][1] if last_day and last_day in counts.hours else None
    timeline = build_timeline(counts.days, first_hour, last_hour)
    emotions = emotions_of(labels)
    peaks = [_peak_posts(peak, posts, counts) for peak in find_peaks(timeline, emotions)] if timeline else []
    return ReportTables(
        labels=labels,
        tables=_tables(counts, labels, timeline, peaks, new_words),
        examples={label: counts.examples[label].chosen() for label in labels},
        num_posts=counts.labels.total(),
        num_unlabelled=counts.num_unlabelled,
        num_undated=counts.labels.total() - counts.days.total() if days else 0,
        unread_column="" if days else clean(date_column or counts.unread_column or ""),
        first_day=first_day,
        last_day=last_day,
        timeline=timeline,
        change=largest_change(timeline, emotions) if timeline else None,
        peaks=peaks,
        groups=dict(_sizes(counts.groups).most_common()),
        posts=posts,
        num_compared=counts.disagreements.num_compared,
        num_disagreeing=counts.disagreements.num_found,
        polarity_is_summed=polarity_is_summed,
        no_disagreement=counts.disagreements.reason_for_none(),
    )


def _sizes(groups: Mapping[str, Counter[str]]) -> Counter[str]:
    return Counter({group: of_label.total() for group, of_label in groups.items()})


def _tables(
    counts: Counts, labels: Sequence[str], timeline: Timeline | None, peaks: Sequence[PeakPosts], new_words: Sequence[NewWord]
) -> dict[str, Table]:
    """Return the tables that have rows."""
    total = counts.labels.total()
    sizes = _sizes(counts.groups)
    groups = [group for group, _ in sizes.most_common()]
    mean = {label: counts.scores[label] / counts.labels[label] for label in labels}
    found = {
        "labels": Table(
            ("label", "posts", "share", "low", "high", "mean_score"),
            [(label, *_share_of(counts.labels[label], total), mean[label]) for label in labels],
        ),
        "polarity": Table(("polarity", "posts", "share", "low", "high"), _polarity_rows(counts)),
        "time": Table(("from", "to", "label", "posts", "share", "partial"), _time_rows(timeline, labels)),
        "peaks": Table(
            ("from", "to", "label", "posts", "expected", "z", "words"),
            [
                (*_days_of(one.period), one.label or "", one.posts, one.expected, one.z, " ".join(words))
                for one, words, _ in peaks
            ],
        ),
        "emoji": Table(
            ("label", "emoji", "posts", "posts_of_all_labels", "share", "z"), typical(counts.emoji, labels, counts.labels)
        ),
        "words": Table(
            ("label", "word", "posts", "posts_of_all_labels", "share", "z"), typical(counts.words, labels, counts.labels)
        ),
        "groups": Table(
            ("group", "label", "posts", "share", "low", "high"),
            [(group, label, *_share_of(counts.groups[group][label], sizes[group])) for label in labels for group in groups],
        ),
        "group_words": Table(
            ("group", "word", "posts", "posts_of_all_groups", "share", "z"),
            typical(counts.group_words, groups, sizes, _CLEAR_Z),
        ),
        "disagreements": Table(
            ("text", "label", "words_label", "words_score", "emoji_label", "emoji_score"),
            [(one.text, one.label, *one.words, *one.emoji) for one in counts.disagreements.chosen()],
        ),
        "new_words": Table(
            ("word", "count", "score", "example"),
            [(word.word, word.count, word.score, clean(word.example)) for word in new_words[:_NUM_NEW_WORDS]],
        ),
    }
    return {name: table for name, table in found.items() if table.rows}


def _share_of(count: int, total: int) -> tuple[int, float, float, float]:
    """Return a count, its share of a total, and the ends of the interval of the share."""
    return count, count / total, *wilson_interval(count, total)


def _polarity_rows(counts: Counts) -> list[tuple[Any, ...]]:
    """Return the polarities that the model gave, or else those of the labels if all labels are known."""
    found = counts.polarities
    of_labels = polarity_of_labels(counts.labels)
    if not found and of_labels is not None:
        for label, number in counts.labels.items():
            found[of_labels[label]] += number
    return [(name, *_share_of(found[name], found.total())) for name in POLARITIES] if found else []


def _days_of(period: Period) -> tuple[str, str]:
    """Return the first and the last day of a period, as they are written."""
    return period.start.isoformat(), period.end.isoformat()


def _time_rows(timeline: Timeline | None, labels: Sequence[str]) -> list[tuple[Any, ...]]:
    return [
        (*_days_of(one), label, one.counts[label], one.counts[label] / one.total, one.is_partial)
        for one in (timeline.periods if timeline else ())
        if one.total
        for label in labels
    ]


def _peak_posts(peak: Peak, posts: Sequence[Post], counts: Counts) -> PeakPosts:
    """Return a peak with the words that are typical of its posts, and those of its posts that have the most of them."""
    start, end = peak.period.start, peak.period.end
    within = [post for post in posts if post.day is not None and start <= post.day <= end]
    made = [post for post in within if peak.label in (None, post.label)][:_MAX_SPLIT_POSTS]
    split = [(post, words_of(counts.splitter, post.text)) for post in made]
    here = Counter(word for _, words in split for word in words)
    table = {
        word: Counter({"here": here[word], "elsewhere": max(of_label.total() - here[word], 0)})
        for word, of_label in counts.words.items()
    }
    rows = typical(table, ["here", "elsewhere"], {"here": max(len(made), 1), "elsewhere": max(len(posts), 1)}, _CLEAR_Z)
    marking = [row[1] for row in rows if row[0] == "here"][:_NUM_PEAK_WORDS]
    shown: dict[str, Post] = {}
    for post, _ in sorted(split, key=lambda one: (-len(one[1].intersection(marking)), -one[0].score)):
        shown.setdefault(post.text, post)
    return PeakPosts(peak, marking, list(shown.values())[:_NUM_PEAK_POSTS])
