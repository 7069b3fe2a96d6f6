"""The formulas of a report, against figures by hand and against naive loops."""

import math
from random import Random

import pytest

from aslstm.report.statistics import difference_z, is_beyond_chance, log_odds, robust_z, wilson_interval


@pytest.mark.parametrize(
    ("count", "total", "expected"),
    # From the worked examples of Newcombe (1998), table I, method 3, and the closed form for no success.
    [(81, 263, (0.2553, 0.3662)), (15, 148, (0.0624, 0.1605)), (0, 20, (0.0, 0.1611)), (1, 29, (0.0061, 0.1718))],
)
def test_intervals_are_those_of_wilson(count: int, total: int, expected: tuple[float, float]) -> None:
    assert wilson_interval(count, total) == pytest.approx(expected, abs=5e-5)


def test_intervals_hold_the_share_and_shrink_with_more_posts() -> None:
    for count, total in ((0, 1), (1, 1), (5, 10), (10_000, 10_000)):
        low, high = wilson_interval(count, total)
        assert 0 <= low <= count / total <= high <= 1
    widths = [high - low for low, high in (wilson_interval(n // 2, n) for n in (10, 100, 1000))]
    assert widths == sorted(widths, reverse=True)


def test_log_odds_are_those_of_the_formula_word_by_word() -> None:
    chance = Random(3)
    words = [f"词{i}" for i in range(30)]
    counts = {word: {group: chance.randrange(40) for group in "abc"} for word in words}
    found = log_odds(counts, "abc")
    totals = {group: sum(counts[word][group] for word in words) for group in "abc"}
    every = sum(totals.values())
    for group in "abc":
        for word in words:
            here = counts[word][group]
            if not here:
                assert word not in found[group]
                continue
            # Monroe et al. (2008), equations 16 and 20, with a prior of a tenth of all occurrences, spread like them.
            prior = sum(counts[word].values()) / 10
            rest, rest_total = sum(counts[word].values()) - here, every - totals[group]
            ratio = math.log((here + prior) / (totals[group] + every / 10 - here - prior))
            ratio -= math.log((rest + prior) / (rest_total + every / 10 - rest - prior))
            expected = ratio / math.sqrt(1 / (here + prior) + 1 / (rest + prior))
            assert found[group][word] == pytest.approx(expected)


def test_a_frequent_word_and_a_word_that_occurs_once_are_not_typical() -> None:
    counts = {"的": {"a": 500, "b": 500}, "rest": {"a": 3000, "b": 3000}, "怒": {"a": 60, "b": 2}, "once": {"a": 1, "b": 0}}
    scores = log_odds(counts, "ab")["a"]
    assert scores["怒"] > 5 and abs(scores["的"]) < 3 and scores["once"] < 1.96
    assert log_odds({}, "ab") == {"a": {}, "b": {}}


def test_more_comparisons_need_larger_differences() -> None:
    z = difference_z(30, 100, 15, 100)
    assert is_beyond_chance(z, 1) and is_beyond_chance(-z, 1) and not is_beyond_chance(z, 5)


def test_one_peak_does_not_hide_itself() -> None:
    # The mean and deviation of these would put 1000 at z = 2.8 only.
    assert robust_z([100] * 9 + [1000])[-1] > 50
    assert robust_z([0, 0, 0]) == [0, 0, 0]
