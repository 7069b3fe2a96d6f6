"""Takes the tables of a report (:class:`ReportTables`) and gives Altair charts.

Everything that shows Vega-Lite can show the charts, and :func:`aslstm.charts.png` makes pictures of them. Vega-Lite was chosen
because the JavaScript that a page must carry to work without a network takes 0.9 MB; plotly's takes 4.8 MB. Nothing here asks
the network.
"""

from typing import Any

import altair as alt

from aslstm.charts import FONTS
from tokenization.emoji_splitting import chinese_emoji_name

from .naming import named_in
from .tables import ReportTables, Table
from .texts import LANGUAGES

_WIDTH = 620
_COLUMNS = 3
# Negative, neutral and positive, as the rows of the table stand; the red and green of the palette of labels, and grey.
_POLARITY_COLORS = ("#e15759", "#9d9d9d", "#59a14f")


def build(tables: ReportTables, language: str = "en") -> dict[str, alt.TopLevelMixin]:
    """Return the chart of each table under the name of the table.

    Args:
        tables: The tables that :func:`aslstm.report.tables.build_tables` returns.
        language: The language of the titles and of the names of known labels, a key of ``LANGUAGES``.
    """
    tables = named_in(language, tables)
    names = LANGUAGES[language].columns
    scale = alt.Scale(domain=tables.labels, scheme="tableau10" if len(tables.labels) <= 10 else "tableau20")
    color = alt.Color("label:N", scale=scale, sort=tables.labels, title=None)
    makers = {
        "labels": _labels,
        "polarity": _polarity,
        "time": _time,
        "emoji": _emoji,
        "words": _words,
        "new_words": _new_words,
    }
    charts = {name: makers[name](table, color, names) for name, table in tables.tables.items()}
    return {name: chart.configure(font=FONTS, background="white").configure_view(stroke=None) for name, chart in charts.items()}


def _data(table: Table, **columns: list[Any]) -> alt.Data:
    records = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    for name, values in columns.items():
        for record, value in zip(records, values, strict=True):
            record[name] = value
    return alt.Data(values=records)


def _axis(data: alt.Data, column: str) -> alt.Axis:
    """Return the axis of a column of numbers; where few were counted, its ticks are whole numbers, each of them once."""
    largest = max(record[column] for record in data.values)
    if isinstance(largest, int) and largest < 8:
        return alt.Axis(values=list(range(0, largest + 1, 1 + largest // 5)), format="d")
    return alt.Axis(tickCount=4)


def _tooltip(names: dict[str, str], *columns: str) -> list[alt.Tooltip]:
    """Return what is shown when the mouse is over a bar; columns are given with their types as in Altair (``posts:Q``)."""
    formats = {"share:Q": ".1%", "mean_score:Q": ".2f", "attention:Q": ".1f", "score:Q": ".1f"}
    return [alt.Tooltip(column, title=names[column[:-2]], format=formats.get(column, "")) for column in columns]


def _labels(table: Table, color: alt.Color, names: dict[str, str]) -> alt.LayerChart:
    return _shares(table, color, _tooltip(names, "label:N", "posts:Q", "share:Q", "mean_score:Q"), names)


def _polarity(table: Table, color: alt.Color, names: dict[str, str]) -> alt.LayerChart:
    scale = alt.Scale(domain=[row[0] for row in table.rows], range=list(_POLARITY_COLORS))
    of_polarity = alt.Color("polarity:N", scale=scale)
    return _shares(table, of_polarity, _tooltip(names, "polarity:N", "posts:Q", "share:Q"), names)


def _shares(table: Table, color: alt.Color, tooltip: list[alt.Tooltip], names: dict[str, str]) -> alt.LayerChart:
    """Return a bar for each row, by its number of posts, with its share beside it."""
    base = alt.Chart(_data(table)).encode(
        y=alt.Y(f"{table.columns[0]}:N", sort=None, title=None),
        x=alt.X("posts:Q", title=names["posts"], axis=_axis(_data(table), "posts")),
        tooltip=tooltip,
    )
    bars = base.mark_bar().encode(color=color.copy().legend(None))
    return (bars + base.mark_text(align="left", dx=4).encode(text=alt.Text("share:Q", format=".1%"))).properties(width=_WIDTH)


def _time(table: Table, color: alt.Color, names: dict[str, str]) -> alt.VConcatChart:
    # Dates are drawn in UTC: in half of the world, midnight UTC falls on the day before in local time.
    day = alt.X("utcyearmonthdate(from):T", title=None, axis=alt.Axis(format="%Y-%m-%d", labelOverlap=True))
    start = alt.Tooltip("utcyearmonthdate(from):T", title=names["from"], format="%Y-%m-%d")
    tooltip = [start, *_tooltip(names, "label:N", "posts:Q", "share:Q")]
    labels = list(dict.fromkeys(row[1] for row in table.rows))
    ranks = [labels.index(row[1]) for row in table.rows]
    base = alt.Chart(_data(table, rank=ranks)).properties(width=_WIDTH)
    shares = base.mark_area().encode(
        x=day,
        y=alt.Y("posts:Q", stack="normalize", title=names["share"], axis=alt.Axis(format="%")),
        color=color,
        order=alt.Order("rank:Q"),
        tooltip=tooltip,
    )
    posts = base.mark_area(color="gray").encode(x=day, y=alt.Y("sum(posts):Q", title=names["posts"])).properties(height=80)
    return alt.vconcat(shares, posts)


def _emoji(table: Table, color: alt.Color, names: dict[str, str]) -> alt.ConcatChart:
    # The names of the emoji are shown too, because not every font has every emoji.
    shown = [f"{row[1]} {chinese_emoji_name(row[1])}".strip() for row in table.rows]
    return _bars_of_each_label(_data(table, shown=shown), table, "posts", color, names)


def _words(table: Table, color: alt.Color, names: dict[str, str]) -> alt.ConcatChart:
    return _bars_of_each_label(_data(table, shown=[row[1] for row in table.rows]), table, "attention", color, names)


def _bars_of_each_label(data: alt.Data, table: Table, value: str, color: alt.Color, names: dict[str, str]) -> alt.ConcatChart:
    labels = dict.fromkeys(row[0] for row in table.rows)
    columns = [
        f"{name}:{'N' if isinstance(cell, str) else 'Q'}" for name, cell in zip(table.columns, table.rows[0], strict=True)
    ]
    parts = [alt.Data(values=[record for record in data.values if record["label"] == label]) for label in labels]
    charts = [
        alt.Chart(part, title=alt.Title(label))
        .mark_bar()
        .encode(
            y=alt.Y("shown:N", sort=None, title=None),
            x=alt.X(f"{value}:Q", title=names[value], axis=_axis(part, value)),
            color=color.copy().legend(None),
            tooltip=_tooltip(names, *columns),
        )
        .properties(width=130)
        for label, part in zip(labels, parts, strict=True)
    ]
    return alt.concat(*charts, columns=_COLUMNS)


def _new_words(table: Table, color: alt.Color, names: dict[str, str]) -> alt.LayerChart:
    base = alt.Chart(_data(table)).encode(
        y=alt.Y("word:N", sort=None, title=None),
        x=alt.X("count:Q", title=names["count"], axis=_axis(_data(table), "count")),
        tooltip=_tooltip(names, "word:N", "count:Q", "score:Q", "example:N"),
    )
    return (base.mark_bar() + base.mark_text(align="left", dx=4).encode(text="count:Q")).properties(width=_WIDTH)
