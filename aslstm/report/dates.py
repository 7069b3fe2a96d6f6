"""Dates as files of posts have them, and the stretches of time that a chart shows."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

_DATE = re.compile(r"\s*(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})(?!\d)")
_WEIBO_DATE = "%a %b %d %H:%M:%S %z %Y"  # "Sat Mar 01 12:30:00 +0800 2014", of its programming interface


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


def start_of(span: timedelta) -> Callable[[date], date]:
    """The function that gives the first day of a day's stretch: its week, month or year where a corpus spans many days."""
    if span.days <= 62:
        return lambda day: day
    if span.days <= 2 * 366:
        return lambda day: day - timedelta(days=day.weekday())
    return lambda day: day.replace(day=1) if span.days <= 10 * 366 else day.replace(month=1, day=1)
