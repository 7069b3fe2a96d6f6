"""Gives the stretches of time that a chart shows; :mod:`aslstm.data.dates` reads the dates."""

from collections.abc import Callable
from datetime import date, timedelta


def start_of(span: timedelta) -> Callable[[date], date]:
    """Return a function from a day to the first day of its stretch, which is a day, week, month or year by the span."""
    if span.days <= 62:
        return lambda day: day
    if span.days <= 2 * 366:
        return lambda day: day - timedelta(days=day.weekday())
    return lambda day: day.replace(day=1) if span.days <= 10 * 366 else day.replace(month=1, day=1)
