"""Gives the stretches of time that a chart shows; :mod:`aslstm.data.dates` reads the dates."""

from datetime import date, timedelta

# The longest span, in days, that is counted in days, weeks, months or years.
_LONGEST_SPANS = {"day": 62, "week": 2 * 366, "month": 10 * 366, "year": 10**7}
UNITS = tuple(_LONGEST_SPANS)


def unit_for(span: timedelta) -> str:
    """Return the unit in which a span of time is counted, one of ``UNITS``.

    >>> unit_for(timedelta(days=30)), unit_for(timedelta(days=400))
    ('day', 'week')
    """
    return next(unit for unit, days in _LONGEST_SPANS.items() if span.days <= days)


def start_of(unit: str, day: date) -> date:
    """Return the first day of the stretch of time in which a day lies; a week begins on Monday."""
    if unit == "week":
        return day - timedelta(days=day.weekday())
    return day if unit == "day" else day.replace(day=1) if unit == "month" else day.replace(month=1, day=1)


def end_of(unit: str, start: date) -> date:
    """Return the last day of the stretch of time that begins on a day.

    >>> end_of("month", date(2024, 2, 1)), end_of("week", date(2024, 1, 1))
    (datetime.date(2024, 2, 29), datetime.date(2024, 1, 7))
    """
    if unit in ("day", "week"):
        return start + timedelta(days=0 if unit == "day" else 6)
    # A day that surely lies in the next month or year, and from there back to its first.
    following = start_of(unit, start + timedelta(days=32 if unit == "month" else 366))
    return following - timedelta(days=1)
