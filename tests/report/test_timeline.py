"""Periods, their ends, peaks and changes."""

from collections import Counter
from datetime import date, timedelta
from itertools import pairwise

import pytest

from aslstm.report.timeline import build_timeline, find_peaks, largest_change

MONDAY = date(2024, 1, 1)


def days_of(*counts: dict[str, int], start: date = MONDAY, step: int = 1) -> Counter[tuple[date, str]]:
    """Counts of labels for days that follow each other."""
    return Counter({
        (start + timedelta(days=step * i), label): n for i, of_day in enumerate(counts) for label, n in of_day.items()
    })  # fmt: skip


def test_periods_without_posts_are_there_and_first_and_last_weeks_are_partial() -> None:
    # A Wednesday, and a Sunday ten weeks later.
    timeline = build_timeline(Counter({(date(2024, 1, 3), "a"): 1, (date(2024, 3, 17), "a"): 2}))
    assert timeline is not None and timeline.unit == "week"
    assert [period.total for period in timeline.periods] == [1, *[0] * 9, 2]
    assert [period.is_partial for period in timeline.periods] == [True, *[False] * 10]
    assert all(one.end + timedelta(days=1) == other.start for one, other in pairwise(timeline.periods))


@pytest.mark.parametrize(
    ("hours", "partial"), [((None, None), [0, 0]), ((13, 20), [1, 0]), ((8, 11), [0, 1]), ((0, 23), [0, 0])]
)
def test_a_day_is_partial_if_less_than_half_of_it_is_covered(hours: tuple[int | None, int | None], partial: list[int]) -> None:
    timeline = build_timeline(days_of({"a": 1}, {"a": 1}), *hours)
    assert timeline is not None and [period.is_partial for period in timeline.periods] == partial


@pytest.mark.parametrize(("step", "ends"), [(40, "2024-01-31"), (400, "2024-12-31")])
def test_months_and_years_end_where_the_calendar_ends_them(step: int, ends: str) -> None:
    timeline = build_timeline(days_of(*[{"a": 1}] * 40, step=step))
    assert timeline is not None and str(timeline.periods[0].end) == ends


def test_days_in_one_period_are_no_timeline() -> None:
    assert build_timeline(Counter()) is None
    assert build_timeline(days_of({"a": 5})) is None


def test_a_day_of_many_posts_and_a_day_of_one_label_are_peaks_and_noise_is_none() -> None:
    usual = {"none": 90, "anger": 10}
    quiet = build_timeline(days_of(*[usual] * 10, {"none": 95, "anger": 14}))
    assert quiet is not None and find_peaks(quiet, ["anger"]) == []
    timeline = build_timeline(days_of(*[usual] * 9, {"none": 300, "anger": 30}, {"none": 60, "anger": 45}))
    assert timeline is not None
    found = {(peak.label, peak.period.start.day): peak for peak in find_peaks(timeline, ["anger"])}
    assert found.keys() == {(None, 10), ("anger", 11)}
    assert found[None, 10].expected == 100 and found["anger", 11].posts == 45


def test_few_posts_are_no_peak() -> None:
    timeline = build_timeline(days_of(*[{"none": 1}] * 9, {"anger": 9}))
    assert timeline is not None and find_peaks(timeline, ["anger"]) == []


def test_the_largest_change_is_the_one_that_chance_explains_least() -> None:
    # 2 of 40 to 8 of 40 are more points, and 40 of 400 to 88 of 400 are surer.
    counts = [{"none": 38, "a": 2}, {"none": 32, "a": 8}, {"none": 360, "a": 40}, {"none": 312, "a": 88}]
    timeline = build_timeline(days_of(*counts))
    assert timeline is not None
    change = largest_change(timeline, ["a"])
    assert change is not None and (change.before.start.day, change.after.start.day) == (3, 4)
    same = build_timeline(days_of(*[{"none": 50, "a": 50}] * 5))
    assert same is not None and largest_change(same, ["a"]) is None
