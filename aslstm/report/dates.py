"""Takes the cells of a date column and gives days, and the stretches of time that a chart shows."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

_DATE = re.compile(r"\s*(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})(?!\d)")
_DATE_COLUMN = re.compile(
    r"(?i)(?<![a-z])(date|time|datetime|timestamp|ts|day|created|published|posted)(?![a-z])|日期|时间|時間"
)
_NUMBER = re.compile(r"[0-9]{1,30}(\.[0-9]{1,30})?([eE]\+?[0-9]{1,2})?")
_UNITS = (1, 10**3, 10**6, 10**9)  # how many in a second
_EPOCHS = (946_684_800, 4_102_444_800)  # the years 2000 to 2099
_TIME = re.compile(r"(?<!\d)(\d{1,2}):\d{2}")
# The longest span, in days, that is counted in days, weeks, months or years.
_LONGEST_SPANS = {"day": 62, "week": 2 * 366, "month": 10 * 366, "year": 10**7}
UNITS = tuple(_LONGEST_SPANS)
_WEIBO_DATE = "%a %b %d %H:%M:%S %z %Y"  # "Sat Mar 01 12:30:00 +0800 2014", of its programming interface


def names_a_date(column: str) -> bool:
    """Return whether a column is named as if it held dates: only there a number is taken for one, and not for an identifier.

    >>> names_a_date("created_at"), names_a_date("发布时间"), names_a_date("user_id"), names_a_date("sometimes")
    (True, True, False, False)
    """
    return _DATE_COLUMN.search(column) is not None


def parse_date(value: Any, *, epoch: bool = False) -> date | None:
    """Return the day of a date as files have it, or None.

    >>> parse_date("2014-03-01T12:30:00Z"), parse_date("2014年3月1日 12:30"), parse_date("20140301"), parse_date("2014-13-01")
    (datetime.date(2014, 3, 1), datetime.date(2014, 3, 1), None, None)
    >>> parse_date(1741222593000, epoch=True), parse_date("1741222593", epoch=True), parse_date(1741222593)
    (datetime.date(2025, 3, 6), datetime.date(2025, 3, 6), None)

    Args:
        value: A cell of any type.
        epoch: Whether a number, also one that is written as text, is the time since 1970 in UTC: in seconds, milliseconds,
            microseconds or nanoseconds, as its size tells, from the year 2000 to 2099.
    """
    if isinstance(value, date):  # a datetime is one
        return date(value.year, value.month, value.day)
    if epoch and (day := _parse_epoch(value)):
        return day
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        if match := _DATE.match(value):
            return date(*map(int, match.groups()))
        return datetime.strptime(value.strip(), _WEIBO_DATE).date()
    except ValueError:
        return None


def _parse_epoch(value: Any) -> date | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float) or not _NUMBER.fullmatch(str(value).strip()):
        return None
    number = float(value)
    seconds = next((number / unit for unit in _UNITS if _EPOCHS[0] <= number / unit < _EPOCHS[1]), None)
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).date()


def hour_of(value: Any) -> int | None:
    """Return the hour of a date that has a time of the day, or None.

    >>> hour_of("2014-03-01T12:30:00Z"), hour_of("2014年3月1日"), hour_of(datetime(2014, 3, 1, 7))
    (12, None, 7)
    """
    if isinstance(value, datetime):
        return value.hour
    match = _TIME.search(value[:40]) if isinstance(value, str) else None
    return int(match[1]) if match and int(match[1]) < 24 else None


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
