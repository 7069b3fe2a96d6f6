"""Takes the cells of a column of dates as files have them and gives times, or days.

Read are dates in figures and in Chinese, those of weibo's programming interface and of e-mail, the time since 1970, the serial
numbers of Excel, and words such as "3分钟前", which need the time at which they were written.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any

_DATE = re.compile(r"(\d{4})\s?[-/.年]\s?(\d{1,2})\s?[-/.月]\s?(\d{1,2})(?!\d)")
_DAY_OF_YEAR = re.compile(r"(?<!\d)(\d{1,2})(?:-|/|月)(\d{1,2})日?(?!\d)")  # "06-01", "6月1日": of this year, or of the last
_TIME = re.compile(r"(上午|下午|晚上|凌晨|中午|[AaPp][Mm])?\s*(\d{1,2})[:：时](\d{1,2})(?:[:：分](\d{1,2}))?\s*([AaPp][Mm])?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(\d{2})?)?")
_AGO = re.compile(r"(\d+|半|一|几)\s*个?(秒钟?|分钟|小时|天|周|星期|个?月|年)(?:之|以)?前")
_SECONDS = {"秒": 1, "分": 60, "小": 3600, "天": 86400, "周": 7 * 86400, "星": 7 * 86400, "月": 30 * 86400, "年": 365 * 86400}
_DAYS_AGO = {"今天": 0, "昨天": 1, "前天": 2}
_NUMBER = re.compile(r"[0-9]{1,30}(\.[0-9]{1,30})?([eE]\+?[0-9]{1,2})?")
_UNITS = (1, 10**3, 10**6, 10**9)  # how many in a second
_EPOCHS = (946_684_800, 4_102_444_800)  # the years 2000 to 2099
_SERIALS = (36_526, 73_051)  # the same years in the days of Excel
_FIRST_SERIAL = datetime(1899, 12, 30)
# The posts are Chinese ones, and every date that a site writes out is that of a clock in China.
CHINA = timezone(timedelta(hours=8))
_WEIBO_DATE = "%a %b %d %H:%M:%S %z %Y"  # "Sat Mar 01 12:30:00 +0800 2014", of its programming interface
_LONGEST = 40


def parse_date(value: Any, *, epoch: bool = False, reference: datetime | None = None) -> date | None:
    """Return the day of a date as files have it, or None; see :func:`parse_time`.

    >>> parse_date("2014-03-01T12:30:00Z"), parse_date("2014年3月1日 12:30"), parse_date("20140301"), parse_date("2014-13-01")
    (datetime.date(2014, 3, 1), datetime.date(2014, 3, 1), None, None)
    >>> parse_date(1741222593000, epoch=True), parse_date("1741222593", epoch=True), parse_date(1741222593)
    (datetime.date(2025, 3, 6), datetime.date(2025, 3, 6), None)
    """
    found = parse_time(value, epoch=epoch, reference=reference)
    return None if found is None else found.date()


def parse_time(value: Any, *, epoch: bool = False, reference: datetime | None = None) -> datetime | None:
    """Return the time of a date as files have it, on the clock that it was written by, or None; without one it is midnight.

    >>> (
    ...     parse_time("Thu Nov 26 16:30:00 +0800 2026"),
    ...     parse_time("2023/6/1 下午 3:05"),
    ...     parse_time({"$date": "2023-06-01T08:05:00Z"}),
    ... )
    (datetime.datetime(2026, 11, 26, 16, 30), datetime.datetime(2023, 6, 1, 15, 5), datetime.datetime(2023, 6, 1, 8, 5))
    >>> parse_time(45078.5, epoch=True), parse_time("20230601", epoch=True)
    (datetime.datetime(2023, 6, 1, 12, 0), datetime.datetime(2023, 6, 1, 0, 0))
    >>> (
    ...     parse_time("3分钟前", reference=datetime(2023, 6, 1, 0, 1)),
    ...     parse_time("12月31日 08:00", reference=datetime(2023, 6, 1)),
    ... )
    (datetime.datetime(2023, 5, 31, 23, 58), datetime.datetime(2022, 12, 31, 8, 0))

    Args:
        value: A cell of any type.
        epoch: Whether a number, also one that is written as text, is a date: the time since 1970 in seconds, milliseconds,
            microseconds or nanoseconds, as its size tells, on a clock in China; the days of Excel; or 20230601. All from the
            year 2000 to 2099.
        reference: When the file was written, for words such as "3分钟前" and "昨天 08:00" and for dates without a year; without
            it they are None.
    """
    if isinstance(value, Mapping) and len(value) == 1:  # what MongoDB exports
        ((name, inner),) = value.items()
        return parse_time(inner, epoch=True, reference=reference) if str(name).startswith("$") else None
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    try:
        if epoch and (found := _parse_number(value)):
            return found
        if isinstance(value, str) and len(value) <= _LONGEST:
            return _parse_text(value.strip(), reference)
    except (ValueError, OverflowError):
        pass  # a month 13, or a day that no month has: it is no date
    return None


def needs_reference(value: Any) -> bool:
    """Return whether a cell is a date that only the time of its file completes.

    >>> needs_reference("3分钟前"), needs_reference("2023-06-01")
    (True, False)
    """
    return parse_time(value) is None and parse_time(value, reference=datetime(2000, 1, 1)) is not None


def _parse_number(value: Any) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float) or not _NUMBER.fullmatch(str(value).strip()):
        return None
    number = float(value)
    seconds = next((number / unit for unit in _UNITS if _EPOCHS[0] <= number / unit < _EPOCHS[1]), None)
    if seconds is not None:
        return datetime.fromtimestamp(seconds, CHINA).replace(tzinfo=None, microsecond=0)
    if _SERIALS[0] <= number < _SERIALS[1]:
        return _FIRST_SERIAL + timedelta(seconds=round(number * 86400))
    if match := _COMPACT.fullmatch(str(value).strip()):
        found = datetime(*(int(part or 0) for part in match.groups()))  # type: ignore[arg-type]
        return found if 2000 <= found.year < 2100 else None
    return None


def _parse_text(text: str, reference: datetime | None) -> datetime | None:
    if match := _DATE.match(text):
        year, month, day = map(int, match.groups())
        return _with_time(datetime(year, month, day), text[match.end() :])
    if reference is not None and (found := _relative(text, reference)):
        return found
    for read in _OTHER_FORMS:
        try:
            return read(text).replace(tzinfo=None)
        except (ValueError, TypeError, IndexError):
            continue
    return None


_OTHER_FORMS: tuple[Callable[[str], datetime], ...] = (
    lambda text: datetime.strptime(text, _WEIBO_DATE),
    parsedate_to_datetime,  # "Thu, 01 Jun 2023 08:05:00 +0800"
)


def _relative(text: str, reference: datetime) -> datetime | None:
    """Return the time of words that are relative to the reference, or of a date without a year."""
    if text.startswith("刚刚"):
        return reference
    if match := _AGO.match(text):
        number, unit = match.groups()
        count = {"半": 0.5, "一": 1.0, "几": 3.0}.get(number) or float(number)
        return reference - timedelta(seconds=count * _SECONDS[unit.removeprefix("个")[0]])
    for word, days in _DAYS_AGO.items():
        if text.startswith(word):
            day = reference.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)
            return _with_time(day, text[len(word) :])
    if match := _DAY_OF_YEAR.match(text):
        month, day_of_month = map(int, match.groups())
        found = _with_time(datetime(reference.year, month, day_of_month), text[match.end() :])
        return found if found <= reference + timedelta(days=1) else found.replace(year=reference.year - 1)
    return None


def _with_time(day: datetime, rest: str) -> datetime:
    """Return a day with the time that is written behind it."""
    match = _TIME.search(rest[:24])
    if match is None:
        return day
    half, hour, minute, second, half_behind = match.groups()
    half = (half or half_behind or "").lower()
    hours = int(hour) % 24
    if half in ("下午", "晚上", "pm") and hours < 12:
        hours += 12
    elif half in ("上午", "凌晨", "am") and hours == 12:
        hours = 0
    return day.replace(hour=hours, minute=int(minute), second=int(second or 0) % 60)
