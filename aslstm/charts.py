"""Charts as PNG, with a font that has Chinese characters; the place where that font is found."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np
import vl_convert

from aslstm.errors import check_packages
from aslstm.printing import printable
from tokenization.emoji_splitting import chinese_emoji_name

FONTS = "Noto Sans CJK SC, PingFang SC, Microsoft YaHei, sans-serif"  # the first is the font of the package mplfonts
_WIDTH = 620
_LABEL_LIMIT = 400  # pixels; Vega cuts at 180


@cache
def register_font() -> None:
    """Let PNG be drawn with Noto Sans CJK of the package ``mplfonts``.

    Raises:
        UserError: The package is not installed.
    """
    check_packages("report", "mplfonts")
    package = find_spec("mplfonts")
    assert package is not None and package.origin is not None
    vl_convert.register_font_directory(str(Path(package.origin).parent / "fonts"))


def png(chart: alt.TopLevelMixin) -> bytes:
    """A chart as PNG."""
    register_font()
    return vl_convert.vegalite_to_png(_printable_all(chart.to_dict()), scale=2)


def _printable_all(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _printable_all(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_printable_all(one) for one in value]
    return printable(value) if isinstance(value, str) else value


def plot_label_bars(path: Path, counts: dict[str, dict[str, int]]) -> None:
    """Share of each label, a bar a split.

    Args:
        path: of the PNG.
        counts: split -> label -> rows.
    """
    labels = sorted({label for by_label in counts.values() for label in by_label})
    records = [
        {"split": printable(split), "label": printable(label), "share": by_label.get(label, 0) / sum(by_label.values())}
        for split, by_label in counts.items()
        for label in labels
    ]
    chart = _chart(records, "labels").mark_bar().encode(
        x=alt.X("label:N", sort=None, title=None, axis=alt.Axis(labelAngle=-30)),
        xOffset=alt.XOffset("split:N", sort=None),
        y=alt.Y("share:Q", title="share of the rows", axis=alt.Axis(format="%")),
        color=alt.Color("split:N", sort=None, title=None, scale=alt.Scale(scheme="tableau10")),
    )  # fmt: skip
    _save(chart.properties(width=_WIDTH, height=300), path)


def plot_lengths(path: Path, lengths: dict[str, list[int]]) -> None:
    """Histogram of characters a row, a line a split; the longest hundredth is drawn at the end."""
    longest = max(int(np.percentile(values, 99)) for values in lengths.values())
    edges = np.linspace(0, max(longest, 2), min(longest, 60) + 1)
    records = []
    for split, values in lengths.items():
        shares = np.histogram(np.minimum(values, longest), bins=edges)[0] / len(values)
        # The last step is as wide as the others only if it has an end.
        for edge, share in zip(edges, [*shares, shares[-1]], strict=True):
            records.append({"split": printable(split), "characters": float(edge), "share": float(share)})
    chart = _chart(records, "length").mark_line(interpolate="step-after").encode(
        x=alt.X("characters:Q", title="characters"),
        y=alt.Y("share:Q", title="share of the rows", axis=alt.Axis(format="%")),
        color=alt.Color("split:N", sort=None, title=None, scale=alt.Scale(scheme="tableau10")),
    )  # fmt: skip
    _save(chart.properties(width=_WIDTH, height=300), path)


def plot_emoji_labels(path: Path, table: dict[str, dict[str, int]]) -> None:
    """Label mix of each emoji, the most frequent on top.

    Args:
        path: of the PNG.
        table: emoji -> label -> rows. A Unicode emoji stands by its Chinese name: the font does not draw it.
    """
    labels = [printable(label) for label in sorted({label for by_label in table.values() for label in by_label})]
    records = []
    for emoji, by_label in table.items():
        name = emoji if emoji.startswith("[") else chinese_emoji_name(emoji) or emoji
        rows = sum(by_label.values())
        for label, count in by_label.items():
            records.append({"emoji": printable(f"{name}  {rows}"), "label": printable(label), "share": count / rows})
    scheme: Any = "tableau10" if len(labels) <= 10 else "tableau20"
    chart = _chart(records, "labels of the most frequent emoji, and rows with them").mark_bar().encode(
        y=alt.Y("emoji:N", sort=None, title=None),
        x=alt.X("share:Q", title="share of the rows with the emoji", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])),
        color=alt.Color("label:N", sort=labels, title=None, scale=alt.Scale(domain=labels, scheme=scheme)),
        order=alt.Order("color_label_sort_index:Q"),
    )  # fmt: skip
    _save(chart.properties(width=_WIDTH), path)


def plot_emoji_map(path: Path, places: dict[str, tuple[float, float]]) -> None:
    """Emoji by their place in the plane; likeness is nearness.

    Args:
        path: of the PNG.
        places: emoji -> x, y. A Unicode emoji stands by its Chinese name.
    """
    records = []
    for emoji, (x, y) in places.items():
        name = emoji[1:-1] if emoji.startswith("[") else chinese_emoji_name(emoji) or emoji
        records.append({"name": printable(name), "x": float(x), "y": float(y)})
    base = _chart(records, "emoji by the likeness of their vectors (PCA)").encode(
        x=alt.X("x:Q", axis=None, scale=alt.Scale(zero=False, padding=24)),
        y=alt.Y("y:Q", axis=None, scale=alt.Scale(zero=False, padding=24)),
    )
    names = base.mark_text(align="left", baseline="bottom", dx=2, dy=-1, fontSize=10).encode(text="name:N")
    _save((base.mark_circle(size=14, opacity=1) + names).properties(width=900, height=720), path)


def plot_confusion(path: Path, matrix: list[list[int]], names: list[str]) -> None:
    """The confusion matrix by share of the gold label, with the counts in it."""
    labels = [printable(name) for name in names]
    records = [
        {"gold": gold, "answer": answer, "count": count, "share": count / max(sum(row), 1)}
        for gold, row in zip(labels, matrix, strict=True)
        for answer, count in zip(labels, row, strict=True)
    ]
    base = _chart(records, "share of the gold label, and counts").encode(
        x=alt.X("answer:N", sort=None, axis=alt.Axis(labelAngle=-45)), y=alt.Y("gold:N", sort=None)
    )
    shares = base.mark_rect().encode(
        color=alt.Color("share:Q", title=None, scale=alt.Scale(scheme="blues", domain=[0, 1]), legend=alt.Legend(format="%"))
    )
    ink = alt.condition("datum.share > 0.5", alt.value("white"), alt.value("black"))
    counts = base.mark_text().encode(text="count:Q", color=ink)
    _save((shares + counts).properties(width=alt.Step(56), height=alt.Step(48)), path)


def _chart(records: list[dict[str, Any]], title: str) -> alt.Chart:
    return alt.Chart(alt.Data(values=records), title=title)


def _save(chart: alt.Chart | alt.LayerChart, path: Path) -> None:
    chart = chart.configure(font=FONTS, background="white").configure_axis(labelLimit=_LABEL_LIMIT)
    path.write_bytes(png(chart.configure_legend(labelLimit=_LABEL_LIMIT)))
