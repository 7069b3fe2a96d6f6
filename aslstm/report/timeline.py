"""Takes how many posts of each label a day has and gives periods of one unit, the peaks among them, and the largest change."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple

from .dates import end_of, start_of, unit_for
from .statistics import difference_z, excess_z, is_beyond_chance, robust_z

# The cut-off that Iglewicz and Hoaglin (1993) propose for outliers.
PEAK_Z = 3.5
_MIN_POSTS_OF_A_PEAK = 10
_MIN_PERIODS = 5  # Of fewer periods, the median says little.
_MAX_PEAKS = 6
_MIN_POSTS_OF_A_CHANGE = 30
_NOON = 12


@dataclass(frozen=True)
class Period:
    """Holds one day, week, month or year.

    Attributes:
        start: Its first day.
        end: Its last day.
        counts: How many posts each label has in it.
        is_partial: Whether the posts begin after its start or end before its end.
    """

    start: date
    end: date
    counts: Counter[str]
    is_partial: bool

    @property
    def total(self) -> int:
        """The number of its posts."""
        return self.counts.total()


@dataclass(frozen=True)
class Timeline:
    """Holds the periods from the first post to the last, also those without posts, and their unit."""

    unit: str
    periods: list[Period]


class Peak(NamedTuple):
    """Holds a period with far more posts than usual.

    Attributes:
        period: The period.
        label: The label whose posts are many, or None if there are many posts of all labels together.
        posts: The number of these posts.
        expected: How many would be usual.
        z: How many standard deviations ``posts`` lies above ``expected``.
    """

    period: Period
    label: str | None
    posts: int
    expected: float
    z: float


class Change(NamedTuple):
    """Holds the largest change of a label's share from one period to the next."""

    label: str
    before: Period
    after: Period


def build_timeline(
    days: Counter[tuple[date, str]], first_hour: int | None = None, last_hour: int | None = None
) -> Timeline | None:
    """Return the periods of the days, or None if all days lie in one period, which shows no change.

    A week, month or year is partial if the first post comes after its first day or the last post before its last day. A day is
    partial if less than half of it is covered: the first day if no post comes before noon, the last if none comes after.

    Args:
        days: How many posts a day and a label have.
        first_hour: The smallest hour of a post of the first day, or None if the posts have no time.
        last_hour: The largest hour of a post of the last day, or None.
    """
    if not days:
        return None
    first, last = min(day for day, _ in days), max(day for day, _ in days)
    unit = unit_for(last - first)
    counts: dict[date, Counter[str]] = {}
    for (day, label), number in days.items():
        counts.setdefault(start_of(unit, day), Counter())[label] += number
    if len(counts) == 1:
        return None
    periods = []
    start = min(counts)
    while start <= max(counts):
        end = end_of(unit, start)
        is_partial = start < first or end > last
        if unit == "day":
            is_partial = (start == first and (first_hour or 0) >= _NOON) or (
                start == last and last_hour is not None and last_hour < _NOON
            )
        periods.append(Period(start, end, counts.get(start, Counter()), is_partial))
        start = end + timedelta(days=1)
    return Timeline(unit, periods)


def find_peaks(timeline: Timeline, labels: Collection[str]) -> list[Peak]:
    """Return the periods that stand out, the clearest first.

    A period is a peak of all posts if their number lies more than ``PEAK_Z`` robust standard deviations above the median of
    the whole periods (:func:`robust_z`). It is a peak of a label if the label has more than ``PEAK_Z`` standard deviations
    more posts than its share of all posts would give it in that period (:func:`excess_z`).

    Args:
        timeline: The periods.
        labels: The labels whose peaks are looked for.
    """
    peaks = []
    whole = [period for period in timeline.periods if not period.is_partial]
    if len(whole) >= _MIN_PERIODS:
        totals = [period.total for period in whole]
        usual = sorted(totals)[len(totals) // 2]
        peaks += [Peak(one, None, one.total, usual, z) for one, z in zip(whole, robust_z(totals), strict=True)]
    all_posts = sum(period.total for period in timeline.periods)
    for label in labels:
        share = sum(period.counts[label] for period in timeline.periods) / all_posts
        for period in timeline.periods:
            count = period.counts[label]
            peaks.append(Peak(period, label, count, period.total * share, excess_z(count, period.total, share)))
    clear = [peak for peak in peaks if peak.z > PEAK_Z and peak.posts >= _MIN_POSTS_OF_A_PEAK]
    return sorted(clear, key=lambda peak: (-peak.z, peak.period.start, peak.label or ""))[:_MAX_PEAKS]


def largest_change(timeline: Timeline, labels: Iterable[str]) -> Change | None:
    """Return the change from one whole period to the next that chance explains least, or None if chance explains them all.

    Periods of fewer than 30 posts are passed over. The test is the two-proportion test with Bonferroni's correction.

    Args:
        timeline: The periods.
        labels: The labels whose shares are compared.
    """
    large = [one for one in timeline.periods if not one.is_partial and one.total >= _MIN_POSTS_OF_A_CHANGE]
    changes = [
        (difference_z(after.counts[label], after.total, before.counts[label], before.total), Change(label, before, after))
        for before, after in pairwise(large)
        for label in labels
    ]
    if not changes:
        return None
    z, change = max(changes, key=lambda one: abs(one[0]))
    return change if is_beyond_chance(z, len(changes)) else None
