"""Charts as PNG: of a corpus, of emoji, of the answers of a model; and the one place where their font is found.

Takes counts and names, which may be anybody's: no control character reaches the renderer. Asks the network for nothing.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np
import vl_convert

from aslstm.errors import check_packages
from aslstm.printing import printable_json
from tokenization.emoji_splitting import chinese_emoji_name

# The first is the font of the package mplfonts, which draws the PNG; the others are on the machines of those who open a page.
FONTS = "Noto Sans CJK SC, PingFang SC, Microsoft YaHei, sans-serif"
_WIDTH = 620
_HEIGHT = 300
_LABEL_LIMIT = 400  # pixels; longer names are cut, by default at 180


@cache
def _register_font() -> None:
    check_packages("report", "mplfonts")
    package = find_spec("mplfonts")
    assert package is not None and package.origin is not None
    vl_convert.register_font_directory(str(Path(package.origin).parent / "fonts"))


def png(chart: alt.TopLevelMixin) -> bytes:
    """A chart as PNG, whose Chinese is drawn with Noto Sans CJK of the package ``mplfonts``.

    Raises:
        UserError: The package is not installed.
    """
    _register_font()
    return vl_convert.vegalite_to_png(printable_json(chart.to_dict()), scale=2)


def plot_label_bars(path: Path, counts: dict[str, dict[str, int]]) -> None:
    """Draw the share of each label, with a bar for each split.

    Args:
        path: The PNG to write.
        counts: split -> label -> rows.
    """
    records = [
        {"split": split, "label": label, "share": by_label.get(label, 0) / sum(by_label.values())}
        for split, by_label in counts.items()
        for label in _labels(counts)
    ]
    bars = _chart(records, "labels").mark_bar()
    chart = bars.encode(
        x=alt.X("label:N", sort=None, title=None, axis=alt.Axis(labelAngle=-45)),
        xOffset=alt.XOffset("split:N", sort=None),
        y=alt.Y("share:Q", title="share of the rows", axis=alt.Axis(format="%")),
        color=_color("split", list(counts)),
    )
    _save(chart.properties(width=_WIDTH, height=_HEIGHT), path)


def plot_lengths(path: Path, lengths: dict[str, list[int]]) -> None:
    """Draw a histogram of the characters of a row, with a line for each split; the longest hundredth is drawn at the end.

    Args:
        path: The PNG to write.
        lengths: split -> the characters of each row.
    """
    longest = max(2, *(int(np.percentile(values, 99)) for values in lengths.values()))
    edges = np.linspace(0, longest, min(longest, 60) + 1)
    records = []
    for split, values in lengths.items():
        shares = np.histogram(np.minimum(values, longest), bins=edges)[0] / len(values)
        # A line of steps that begins and ends on the axis.
        points = zip([0, *edges], [0, *shares, 0], strict=True)
        records += [{"split": split, "place": i, "characters": float(x), "share": float(y)} for i, (x, y) in enumerate(points)]
    lines = _chart(records, "length").mark_line(interpolate="step-after", strokeWidth=1.2)
    chart = lines.encode(
        x=alt.X("characters:Q", title="characters", scale=alt.Scale(nice=False), axis=alt.Axis(tickMinStep=1)),
        y=alt.Y("share:Q", title="share of the rows", axis=alt.Axis(format="%")),
        color=_color("split", list(lengths)),
        order="place:Q",
    )
    _save(chart.properties(width=_WIDTH, height=_HEIGHT), path)


def plot_emoji_labels(path: Path, table: dict[str, dict[str, int]]) -> None:
    """Draw the label mix of each emoji, the most frequent on top.

    Args:
        path: The PNG to write.
        table: emoji -> label -> rows. In place of a Unicode emoji stands its Chinese name: the font does not draw emoji.
    """
    labels = _labels(table)
    records = []
    for emoji, by_label in table.items():
        rows = sum(by_label.values())
        name = f"{emoji if emoji.startswith('[') else _name(emoji)}  {rows}"
        for place, label in enumerate(labels):
            records.append({"emoji": name, "label": label, "place": place, "share": by_label.get(label, 0) / rows})
    bars = _chart(records, "labels of the most frequent emoji, and rows with them").mark_bar()
    chart = bars.encode(
        y=alt.Y("emoji:N", sort=None, title=None),
        x=alt.X("share:Q", title="share of the rows with the emoji", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])),
        color=_color("label", labels),
        order="place:Q",
    )
    _save(chart.properties(width=_WIDTH), path)


def plot_emoji_map(path: Path, places: dict[str, tuple[float, float]]) -> None:
    """Draw emoji at their places in the plane; likeness is nearness.

    Args:
        path: The PNG to write.
        places: emoji -> x, y. In place of a Unicode emoji stands its Chinese name: the font does not draw emoji.
    """
    records = [{"name": _name(emoji), "x": float(x), "y": float(y)} for emoji, (x, y) in places.items()]
    base = _chart(records, "emoji by the likeness of their vectors (PCA)").encode(
        x=alt.X("x:Q", axis=None, scale=alt.Scale(zero=False, nice=False, padding=40)),
        y=alt.Y("y:Q", axis=None, scale=alt.Scale(zero=False, nice=False, padding=30)),
    )
    names = base.mark_text(align="left", baseline="bottom", dx=2, fontSize=11).encode(text="name:N")
    _save((base.mark_circle(size=14, opacity=1) + names).properties(width=900, height=720), path)


def plot_confusion(path: Path, matrix: list[list[int]], names: list[str]) -> None:
    """Draw a confusion matrix by share of the gold label, with the counts in it.

    Args:
        path: The PNG to write.
        matrix: The rows of each gold label by answer.
        names: The labels.
    """
    records = [
        {"gold": gold, "answer": answer, "count": count, "share": count / max(sum(counts), 1)}
        for gold, counts in zip(names, matrix, strict=True)
        for answer, count in zip(names, counts, strict=True)
    ]
    base = _chart(records, "share of the gold label, and counts").encode(
        x=alt.X("answer:N", sort=None, axis=alt.Axis(labelAngle=-45)), y=alt.Y("gold:N", sort=None)
    )
    # From almost white: the scheme "blues" begins darker, so that no share looks like a small one.
    scale = alt.Scale(range=["#f7fbff", "#6baed6", "#08306b"], domain=[0, 0.5, 1])
    legend = alt.Legend(format=".0%", gradientLength=alt.ExprRef("height"))
    shares = base.mark_rect().encode(color=alt.Color("share:Q", title=None, scale=scale, legend=legend))
    ink = alt.condition("datum.share > 0.5", alt.value("white"), alt.value("black"))
    counts_drawn = base.mark_text().encode(text="count:Q", color=ink)
    _save((shares + counts_drawn).properties(width=alt.Step(56), height=alt.Step(48)), path)


def _labels(table: dict[str, dict[str, int]]) -> list[str]:
    return sorted({label for by_label in table.values() for label in by_label})


def _name(emoji: str) -> str:
    return emoji[1:-1] if emoji.startswith("[") else chinese_emoji_name(emoji) or emoji


def _color(column: str, names: list[str]) -> alt.Color:
    scale = alt.Scale(domain=names, scheme="tableau10" if len(names) <= 10 else "tableau20")
    return alt.Color(f"{column}:N", sort=names, title=None, scale=scale)


def _chart(records: list[dict[str, Any]], title: str) -> alt.Chart:
    return alt.Chart(alt.Data(values=records), title=title)


def _save(chart: alt.Chart | alt.LayerChart, path: Path) -> None:
    chart = chart.configure(font=FONTS, background="white").configure_axis(labelLimit=_LABEL_LIMIT)
    path.write_bytes(png(chart.configure_legend(labelLimit=_LABEL_LIMIT)))
