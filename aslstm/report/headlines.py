"""Takes the tables of a report and gives its headline: a few cards and three sentences, in the language of the page."""

from typing import Any, NamedTuple

from .naming import names_of_labels
from .statistics import difference_z, is_beyond_chance
from .tables import ReportTables, emotions_of
from .texts import LANGUAGES


class Card(NamedTuple):
    """Holds a number of the headline, what it counts, and a smaller line below; ``kind`` chooses its colour."""

    value: str
    name: str
    detail: str = ""
    kind: str = ""


class Difference(NamedTuple):
    """Holds a label whose share in one group differs most from its share in the other posts."""

    label: str
    group: str
    share: float
    rest: float


def percent(share: float) -> str:
    """Return a share as it is written in texts.

    >>> percent(0.1234)
    '12.3%'
    """
    return f"{share:.1%}"


def cards(tables: ReportTables, language: str) -> list[Card]:
    """Return the cards: volume, days, polarity, and the most frequent feeling."""
    texts = LANGUAGES[language]
    found = [Card(f"{tables.num_posts:,}", texts.cards["posts"])]
    if tables.timeline is not None:
        unit = texts.units[tables.timeline.unit]
        detail = texts.cards["unit_mean"].format(mean=_mean(tables), unit=unit)
        found[0] = found[0]._replace(detail=detail)
    if tables.first_day:
        days = f"{tables.first_day} – {tables.last_day}" if tables.first_day != tables.last_day else str(tables.first_day)
        found.append(Card(days, texts.cards["days"], kind="days"))
    shares = _shares(tables)
    for name in ("positive", "negative"):
        if name in shares:
            share, low, high = shares[name]
            found.append(Card(percent(share), texts.cards[name], _interval(low, high, language), name))
    label, share, low, high = _top_feeling(tables)
    name = names_of_labels(tables, language)[label]
    found.append(Card(name, texts.cards["top"], f"{percent(share)} · {_interval(low, high, language)}", "top"))
    return found


def sentences(tables: ReportTables, language: str) -> list[str]:
    """Return the three sentences: volume, shares with intervals, and the largest change or difference."""
    return [_volume(tables, language), _feeling(tables, language), _change(tables, language)]


def largest_difference(tables: ReportTables) -> Difference | None:
    """Return the difference between a group and the other posts that chance explains least, or None if it explains all."""
    counts = {(row[0], row[1]): row[2] for row in tables.tables["groups"].rows}
    found = []
    for label in emotions_of(tables.labels):
        every = sum(counts[group, label] for group in tables.groups)
        for group, size in tables.groups.items():
            here, rest = counts[group, label], tables.num_posts - size
            if rest:
                z = difference_z(here, size, every - here, rest)
                found.append((z, Difference(label, group, here / size, (every - here) / rest)))
    if not found:
        return None
    # Of two groups, each stands for the same difference; the one with the larger share is named.
    z, difference = max(found, key=lambda one: (round(abs(one[0]), 9), one[0]))
    return difference if is_beyond_chance(z, len(found)) else None


def _volume(tables: ReportTables, language: str) -> str:
    texts = LANGUAGES[language]
    if tables.timeline is None:
        return texts.sentences["volume"].format(posts=tables.num_posts)
    busiest = max(tables.timeline.periods, key=lambda period: period.total)
    return texts.sentences["volume_over_time"].format(
        posts=tables.num_posts, first=tables.first_day, last=tables.last_day, mean=_mean(tables),
        unit=texts.units[tables.timeline.unit], most=busiest.total, busiest=busiest.start,
    )  # fmt: skip


def _mean(tables: ReportTables) -> str:
    """Return the posts of a whole period on average, or of any period if none is whole."""
    assert tables.timeline is not None
    periods = tables.timeline.periods
    whole = [period for period in periods if not period.is_partial] or periods
    mean = sum(period.total for period in whole) / len(whole)
    return f"{mean:,.0f}" if mean >= 10 else f"{mean:.1f}"


def _feeling(tables: ReportTables, language: str) -> str:
    texts = LANGUAGES[language].sentences
    shares = _shares(tables)
    if not shares:
        label, share, low, high = _top_feeling(tables)
        name = names_of_labels(tables, language)[label]
        return texts["top"].format(label=name, share=percent(share), low=percent(low), high=percent(high))
    values: dict[str, Any] = {}
    for name in ("positive", "negative"):
        share, low, high = shares[name]
        values |= {name: percent(share), f"{name}_low": percent(low), f"{name}_high": percent(high)}
    return texts["polarity"].format(**values, verdict=texts[_verdict(tables)])


def _verdict(tables: ReportTables) -> str:
    counts = {row[0]: row[1] for row in tables.tables["polarity"].rows}
    positive, negative = counts["positive"], counts["negative"]
    # Of the posts with a feeling, half would be positive by chance; this is the sign test.
    decided = positive + negative
    if not decided or not is_beyond_chance((positive - negative) / decided**0.5, 1):
        return "even"
    return "more_positive" if positive > negative else "more_negative"


def _change(tables: ReportTables, language: str) -> str:
    texts = LANGUAGES[language]
    names = names_of_labels(tables, language)
    if tables.timeline is not None:
        unit = texts.units[tables.timeline.unit]
        if tables.change is None:
            return texts.sentences["no_change"].format(unit=unit)
        label, before, after = tables.change
        return texts.sentences["change"].format(
            label=names[label], unit=unit, from_day=before.start, to_day=after.start,
            before=percent(before.counts[label] / before.total), after=percent(after.counts[label] / after.total),
        )  # fmt: skip
    if tables.groups:
        return difference_sentence(tables, language)
    return texts.sentences["no_time"]


def difference_sentence(tables: ReportTables, language: str) -> str:
    """Return a sentence about the largest difference between the groups."""
    texts = LANGUAGES[language].sentences
    found = largest_difference(tables)
    if found is None:
        return texts["no_difference"]
    name = names_of_labels(tables, language)[found.label]
    return texts["difference"].format(label=name, group=found.group, share=percent(found.share), rest=percent(found.rest))


def _shares(tables: ReportTables) -> dict[str, tuple[float, float, float]]:
    """Return the share of each polarity with its interval; nothing if the polarities are not known."""
    rows = tables.tables["polarity"].rows if "polarity" in tables.tables else []
    return {name: (share, low, high) for name, _, share, low, high in rows}


def _top_feeling(tables: ReportTables) -> tuple[str, float, float, float]:
    top = emotions_of(tables.labels)[0]
    return next((label, share, low, high) for label, _, share, low, high, _ in tables.tables["labels"].rows if label == top)


def _interval(low: float, high: float, language: str) -> str:
    return LANGUAGES[language].cards["interval"].format(low=percent(low), high=percent(high))
