"""Takes the tables of a report (:class:`ReportTables`) and gives Altair charts.

:func:`aslstm.charts.png` makes pictures of them for slides. The page draws bars itself, as HTML that fits a phone; of these it
takes the lines over time alone (:func:`trend`), as SVG. Nothing here asks the network.
"""

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import altair as alt

from aslstm.charts import EMOJI_FONTS, FONTS
from aslstm.colors import colors_of
from aslstm.data.known_corpora import label_names
from modeling_aslstm.config_values import POLARITIES
from tokenization.emoji_splitting import chinese_emoji_name

from .headlines import percent
from .naming import named_in, names_of_labels
from .tables import NO_FEELING, ReportTables, Table
from .texts import LANGUAGES
from .timeline import Timeline

MIN_ITEMS = 3  # A label with fewer typical items has no panel.
_WIDTH = 620
_PANEL_WIDTH = 150
_COLUMNS = 3
_GREY = "#8b919a"
_INK = "#333"
_PIXELS_OF_A_DATE = 84
_FORMATS = {"day": "%m-%d", "week": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}


def build(tables: ReportTables, language: str = "en", title: str = "") -> dict[str, alt.TopLevelMixin]:
    """Return charts under the names of their tables; a table that is only read, such as the new words, has none.

    Args:
        tables: The tables that :func:`aslstm.report.tables.build_tables` returns.
        language: The language of the titles and of the names of known labels, a key of ``LANGUAGES``.
        title: The title of the report, which stands below that of each chart.
    """
    sections, columns = LANGUAGES[language].sections, LANGUAGES[language].columns
    colors = named_colors(tables, language)
    shown = named_in(language, tables).tables
    drawn: dict[str, alt.TopLevelMixin] = {
        name: _shares(shown[name], colors, columns["share"]) for name in ("labels", "polarity") if name in shown
    }
    if tables.timeline is not None:
        drawn["time"] = trend(tables, language, width=_WIDTH)
    for name in ("emoji", "words"):
        panels = panels_of(shown[name]) if name in shown else {}
        if panels:
            drawn[name] = _panels(panels, colors, columns["share"])
    if "groups" in shown:
        drawn["groups"] = _groups(shown["groups"], colors, columns["share"])
    for name, chart in drawn.items():
        heading = alt.Title(sections[name].heading, subtitle=title or alt.Undefined, anchor="start", fontSize=16)
        drawn[name] = configured(chart.properties(title=heading))
    return drawn


def named_colors(tables: ReportTables, language: str) -> dict[str, str]:
    """Return the colour of each label and polarity under its name in a language."""
    labels, names = names_of_labels(tables, language), label_names(language)
    of_polarity = {names[polarity]: color for polarity, color in colors_of(POLARITIES).items()}
    return of_polarity | {labels[label]: color for label, color in colors_of(tables.labels).items()}


def panels_of(table: Table) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of each label or group that has enough of them, in the order of the table."""
    panels: dict[str, list[tuple[Any, ...]]] = {}
    for row in table.rows:
        panels.setdefault(row[0], []).append(row)
    return {name: rows for name, rows in panels.items() if len(rows) >= MIN_ITEMS}


def configured(chart: Any, *, ink: str = _INK, background: str = "white") -> Any:
    """Return a chart with the fonts and colours of a report.

    Args:
        chart: A chart without configuration.
        ink: The colour of texts and axes.
        background: The colour behind the chart.
    """
    sizes = {"labelLimit": 260, "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"}
    inks = {"labelColor": ink, "titleColor": ink, "domainColor": ink, "tickColor": ink, "gridColor": ink, "gridOpacity": 0.15}
    chart = chart.configure(font=FONTS, background=background).configure_view(stroke=None)
    return chart.configure_axis(**sizes, **inks).configure_legend(labelColor=ink, labelLimit=260)


def _share_axis(largest: float, title: str) -> alt.X:
    scale = alt.Scale(domain=[0, largest * 1.02 or 1])
    return alt.X("share:Q", title=title, scale=scale, axis=alt.Axis(format=".0%" if largest > 0.04 else ".1%", tickCount=4))


def _shares(table: Table, colors: dict[str, str], title: str) -> alt.LayerChart:
    """Return a bar for each row by its share, with the interval as a line and the share beside it."""
    records = [
        {"name": row[0], "posts": row[1], "share": row[2], "low": row[3], "high": row[4], "color": colors[row[0]]}
        | {"shown": f"{percent(row[2])}  ({row[1]:,})"}
        for row in table.rows
    ]
    base = alt.Chart(alt.Data(values=records)).encode(y=alt.Y("name:N", sort=None, title=None))
    bars = base.mark_bar().encode(
        x=_share_axis(max(row[4] for row in table.rows) * 1.25, title), color=alt.Color("color:N", scale=None)
    )
    intervals = base.mark_rule(color="#222").encode(x="low:Q", x2="high:Q")
    texts = base.mark_text(align="left", dx=6).encode(x="high:Q", text="shown:N")
    return (bars + intervals + texts).properties(width=_WIDTH)


def trend(tables: ReportTables, language: str, *, width: int, paper: str = "white", legend: bool = True) -> alt.VConcatChart:
    """Return the share of each label over time as lines, with the number of posts below.

    Labels without a feeling are left out, so that the others can be seen. A hollow point and a pale bar are a period that the
    posts cover only in part.

    Args:
        tables: The tables of a report whose posts have dates.
        language: The language of texts.
        width: The width of the plot in pixels.
        paper: The colour in hollow points.
        legend: Whether the chart says which colour is which label.
    """
    timeline = tables.timeline
    assert timeline is not None
    names, colors = names_of_labels(tables, language), named_colors(tables, language)
    lines = lines_of(tables)
    order = [names[label] for label in lines]
    padding = max(6, width / len(timeline.periods) * 0.4)
    axis = _time_axis(timeline, width)
    time = alt.X("at:T", title=None, axis=axis, scale=alt.Scale(type="utc", padding=padding))
    scale = alt.Scale(domain=order, range=[colors[name] for name in order])
    color = alt.Color(
        "label:N",
        sort=order,
        scale=scale,
        legend=alt.Legend(title=None, orient="top", columns=6, symbolType="circle", labelFontSize=12) if legend else None,
    )
    base = alt.Chart(alt.Data(values=_line_records(timeline, lines, names))).encode(
        x=time.copy(), y=alt.Y("share:Q", title=LANGUAGES[language].columns["share"], axis=alt.Axis(format="%", tickCount=5))
    )
    points = base.mark_point(filled=False, size=30, opacity=1, strokeWidth=2).encode(
        color=color,
        fill=alt.condition("datum.partial", alt.value(paper), alt.Fill("label:N", scale=scale, legend=None)),
        description="tip:N",
    )
    drawn = (base.mark_line(strokeWidth=2).encode(color=color) + points).properties(width=width, height=260)
    volume = alt.Chart(alt.Data(values=_volume_records(timeline))).mark_bar(color=_GREY, size=max(2.0, padding * 1.5))
    bars = volume.encode(
        x=time.copy(),
        y=alt.Y("posts:Q", title=LANGUAGES[language].columns["posts"], axis=alt.Axis(tickCount=3, format=",d")),
        opacity=alt.condition("datum.partial", alt.value(0.4), alt.value(0.9)),
        description="tip:N",
    ).properties(width=width, height=70)
    return alt.vconcat(drawn, bars, spacing=12)


def lines_of(tables: ReportTables) -> list[str]:
    """Return the labels that have a line over time: all but those without a feeling, if at least two others are there."""
    feelings = [label for label in tables.labels if label not in NO_FEELING]
    return feelings if len(feelings) > 1 else list(tables.labels)


def _time_axis(timeline: Timeline, width: int) -> alt.Axis:
    """Return an axis that names as many periods as fit, each at its own place."""
    step = math.ceil(len(timeline.periods) / max(2, width // _PIXELS_OF_A_DATE))
    named = [_milliseconds(period.start) for period in timeline.periods][::step]
    years = {period.start.year for period in timeline.periods}
    form = "%Y-%m-%d" if timeline.unit == "day" and len(years) > 1 else _FORMATS[timeline.unit]
    return alt.Axis(values=named, format=form, grid=False, labelOverlap=True)


def _milliseconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)


def _line_records(timeline: Timeline, labels: Sequence[str], names: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {"at": _milliseconds(one.start), "label": names[label], "share": share, "partial": one.is_partial}
        | {"tip": "" if share is None else f"{one.start} {names[label]} {percent(share)} ({one.counts[label]:,})"}
        for label in labels
        for one in timeline.periods
        for share in (one.counts[label] / one.total if one.total else None,)
    ]


def _volume_records(timeline: Timeline) -> list[dict[str, Any]]:
    return [
        {"at": _milliseconds(one.start), "posts": one.total, "partial": one.is_partial, "tip": f"{one.start} {one.total:,}"}
        for one in timeline.periods
    ]


def _panels(panels: dict[str, list[tuple[Any, ...]]], colors: dict[str, str], title: str) -> alt.ConcatChart:
    """Return a panel of bars for each label, all on one scale; a Unicode emoji has its Chinese name beside it."""
    largest = max(row[4] for rows in panels.values() for row in rows)
    charts = []
    for label, rows in panels.items():
        names = {row[1]: chinese_emoji_name(row[1]) for row in rows}
        records = [{"item": row[1], "name": names[row[1]] or row[1], "share": row[4]} for row in rows]
        base = alt.Chart(alt.Data(values=records)).encode(y=alt.Y("item:N", sort=None, title=None, axis=None))
        bars = base.mark_bar(color=colors[label]).encode(x=_share_axis(largest, title))
        # Marks and not labels of an axis: an emoji and its name need two fonts.
        plain = base.transform_filter("datum.item === datum.name").mark_text(align="right", fontSize=13)
        named = base.transform_filter("datum.item !== datum.name")
        texts = [
            plain.encode(x=alt.value(-7), text="name:N"),
            named.mark_text(align="right", fontSize=13).encode(x=alt.value(-30), text="name:N"),
            named.mark_text(align="right", fontSize=15, font=EMOJI_FONTS).encode(x=alt.value(-7), text="item:N"),
        ]
        charts.append(alt.layer(bars, *texts, title=alt.Title(label)).properties(width=_PANEL_WIDTH))
    return alt.concat(*charts, columns=_COLUMNS, spacing=24)


def _groups(table: Table, colors: dict[str, str], title: str) -> alt.ConcatChart:
    """Return a panel for each label with a bar and an interval for each group, all on one scale."""
    largest = max(row[5] for row in table.rows)
    charts = []
    for label in dict.fromkeys(row[1] for row in table.rows):
        records = [{"group": row[0], "share": row[3], "low": row[4], "high": row[5]} for row in table.rows if row[1] == label]
        base = alt.Chart(alt.Data(values=records)).encode(y=alt.Y("group:N", sort=None, title=None))
        bars = base.mark_bar(color=colors[label]).encode(x=_share_axis(largest, title))
        intervals = base.mark_rule(color="#222").encode(x="low:Q", x2="high:Q")
        charts.append(alt.layer(bars, intervals, title=alt.Title(label)).properties(width=_PANEL_WIDTH))
    return alt.concat(*charts, columns=_COLUMNS, spacing=24)
