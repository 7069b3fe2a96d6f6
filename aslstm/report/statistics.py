"""Takes counts and gives the statistics of a report: intervals of shares, words that are typical of a group, and outliers.

Everything here is a short formula with its source, and knows nothing of posts or pages.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from statistics import NormalDist, median

_Z_95 = NormalDist().inv_cdf(0.975)
# The prior weighs as much as so many occurrences, spread like those of all groups together; of few posts, as a tenth of them.
_PRIOR_OCCURRENCES = 500.0
_MAD_TO_DEVIATION = 1.4826  # The standard deviation of a normal distribution, in its median absolute deviations.


def wilson_interval(count: int, total: int) -> tuple[float, float]:
    """Return the 95 % interval of a share by the score method (Wilson 1927), which also holds for small and extreme shares.

    >>> low, high = wilson_interval(10, 100)
    >>> round(low, 4), round(high, 4)
    (0.0552, 0.1744)
    """
    if total == 0:
        return 0.0, 1.0
    share, square = count / total, _Z_95**2
    middle = (share + square / (2 * total)) / (1 + square / total)
    half = _Z_95 * math.sqrt(share * (1 - share) / total + square / (4 * total**2)) / (1 + square / total)
    # A share of 0 or 1 lies at the end of its interval; rounding may miss it by 1e-17.
    return min(share, max(0.0, middle - half)), max(share, min(1.0, middle + half))


def difference_z(count: int, total: int, other_count: int, other_total: int) -> float:
    """Return how many standard errors a share lies above another one, by the pooled two-proportion test.

    >>> round(difference_z(30, 100, 15, 100), 3), difference_z(0, 10, 0, 10)
    (2.54, 0.0)
    """
    pooled = (count + other_count) / (total + other_total)
    error = math.sqrt(pooled * (1 - pooled) * (1 / total + 1 / other_total))
    return (count / total - other_count / other_total) / error if error else 0.0


def is_beyond_chance(z: float, num_comparisons: int) -> bool:
    """Return whether the largest of several differences is larger than chance explains, at 5 % after Bonferroni's correction.

    >>> is_beyond_chance(2.5, 1), is_beyond_chance(2.5, 10)
    (True, False)
    """
    return abs(z) > NormalDist().inv_cdf(1 - 0.05 / (2 * max(num_comparisons, 1)))


def log_odds(counts: Mapping[str, Mapping[str, int]], groups: Collection[str]) -> dict[str, dict[str, float]]:
    """Return for each group and item how typical the item is, as a z-score.

    This is the log-odds ratio with an informative Dirichlet prior of Monroe, Colaresi and Quinn (2008, equations 16, 19, 20
    and 22) between a group and all others together. The prior is spread like the counts of all groups, so that an item that
    is rare everywhere needs more evidence, and a frequent one is not typical only because it is frequent.

    >>> scores = log_odds({"的": {"joy": 60, "fear": 40}, "鬼": {"joy": 0, "fear": 20}}, ["joy", "fear"])
    >>> scores["fear"]["鬼"] > 1.96 > scores["fear"]["的"]
    True

    Args:
        counts: For each item and group, how many posts of the group have the item.
        groups: The names of the groups.
    """
    totals = {group: sum(of_item.get(group, 0) for of_item in counts.values()) for group in groups}
    every = sum(totals.values())
    if every == 0:
        return {group: {} for group in groups}
    prior = min(_PRIOR_OCCURRENCES, every / 10)
    scores: dict[str, dict[str, float]] = {group: {} for group in groups}
    for item, of_item in counts.items():
        of_all = sum(of_item.values())
        weight = prior * of_all / every
        for group in groups:
            here = of_item.get(group, 0)
            if here:
                scores[group][item] = _z_of_item(here, totals[group], of_all - here, every - totals[group], weight, prior)
    return scores


def _z_of_item(here: int, total: int, elsewhere: int, other_total: int, weight: float, prior: float) -> float:
    """Return the log-odds ratio of an item between a group and the others, in its standard deviations."""
    odds = (here + weight) / max(total + prior - here - weight, 1e-9)
    other_odds = (elsewhere + weight) / max(other_total + prior - elsewhere - weight, 1e-9)
    return math.log(odds / other_odds) / math.sqrt(1 / (here + weight) + 1 / (elsewhere + weight))


def robust_z(values: Sequence[float]) -> list[float]:
    """Return how far each number of a series lies above the median, in robust standard deviations.

    The deviation is taken from the median absolute deviation (the modified z-score of Iglewicz and Hoaglin 1993). It is at
    least the root of the median, which chance alone gives to counts.

    >>> [round(z, 1) for z in robust_z([100, 98, 102, 100, 160])]
    [0.0, -0.2, 0.2, 0.0, 6.0]
    """
    middle = median(values)
    deviation = max(_MAD_TO_DEVIATION * median(abs(value - middle) for value in values), math.sqrt(max(middle, 1.0)))
    return [(value - middle) / deviation for value in values]


def excess_z(count: int, total: int, share: float) -> float:
    """Return how many standard deviations a count lies above what a share of a total would give.

    >>> excess_z(20, 100, 0.1) > 3.3, excess_z(10, 100, 0.1)
    (True, 0.0)
    """
    deviation = math.sqrt(total * share * (1 - share))
    return (count - total * share) / deviation if deviation else 0.0
