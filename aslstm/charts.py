"""Charts of a corpus as PNG, with a font that has Chinese characters."""

from importlib.util import find_spec
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from matplotlib import font_manager

from aslstm.errors import UserError
from tokenization.emoji_splitting import chinese_emoji_name

matplotlib.use("Agg")


def use_chinese_font() -> None:
    """Draw text with Noto Sans CJK of the package ``mplfonts``.

    Raises:
        UserError: the package is not installed.
    """
    package = find_spec("mplfonts")
    if package is None or package.origin is None:
        raise UserError(
            "expected the package mplfonts for charts with Chinese text, found none; install the extra 'report' of aslstm"
        )
    font = Path(package.origin).parent / "fonts" / "NotoSansCJKsc-Regular.otf"
    font_manager.fontManager.addfont(str(font))
    plt.rcParams["font.family"] = [font_manager.FontProperties(fname=str(font)).get_name(), "DejaVu Sans"]


def plot_label_bars(path: Path, counts: dict[str, dict[str, int]]) -> None:
    """Share of each label, a bar a split.

    Args:
        path: of the PNG.
        counts: split -> label -> rows.
    """
    labels = sorted({label for by_label in counts.values() for label in by_label})
    figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    width = 0.8 / len(counts)
    for i, (split, by_label) in enumerate(counts.items()):
        shares = [100 * by_label.get(label, 0) / sum(by_label.values()) for label in labels]
        axes.bar(np.arange(len(labels)) + i * width, shares, width, label=split)
    axes.set_xticks(np.arange(len(labels)) + 0.4 - width / 2, labels)
    axes.set(ylabel="% of the rows", title="labels")
    axes.legend()
    _save(figure, path)


def plot_lengths(path: Path, lengths: dict[str, list[int]]) -> None:
    """Histogram of characters a row, a line a split; the longest hundredth is drawn at the end."""
    longest = max(int(np.percentile(values, 99)) for values in lengths.values())
    figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    bins = np.linspace(0, max(longest, 2), min(longest, 60) + 1).tolist()
    for split, values in lengths.items():
        shares = np.full(len(values), 100 / len(values))
        axes.hist(np.minimum(values, longest), bins=bins, weights=shares, histtype="step", label=split)
    axes.set(xlabel="characters", ylabel="% of the rows", title="length")
    axes.legend()
    _save(figure, path)


def plot_emoji_labels(path: Path, table: dict[str, dict[str, int]]) -> None:
    """Label mix of each emoji, the most frequent on top.

    Args:
        path: of the PNG.
        table: emoji -> label -> rows. A Unicode emoji stands by its Chinese name: no font draws it in Matplotlib.
    """
    labels = sorted({label for by_label in table.values() for label in by_label})
    names = [emoji if emoji.startswith("[") else chinese_emoji_name(emoji) or emoji for emoji in table]
    names = [f"{name}  {sum(by_label.values())}" for name, by_label in zip(names, table.values(), strict=True)]
    figure, axes = plt.subplots(figsize=(8, 1.5 + 0.24 * len(table)), layout="constrained")
    left = np.zeros(len(table))
    for i, label in enumerate(labels):
        shares = np.array([100 * by_label.get(label, 0) / sum(by_label.values()) for by_label in table.values()])
        axes.barh(names, shares, left=left, label=label, color=plt.get_cmap("tab10")(i % 10))
        left += shares
    axes.margins(y=0.01)
    axes.invert_yaxis()
    axes.set(
        xlabel="% of the rows with the emoji", xlim=(0, 100), title="labels of the most frequent emoji, and rows with them"
    )
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    _save(figure, path)


def plot_emoji_map(path: Path, places: dict[str, tuple[float, float]]) -> None:
    """Emoji by their place in the plane; likeness is nearness.

    Args:
        path: of the PNG.
        places: emoji -> x, y. A Unicode emoji stands by its Chinese name.
    """
    use_chinese_font()
    figure, axes = plt.subplots(figsize=(10, 8), layout="constrained")
    for emoji, (x, y) in places.items():
        name = emoji[1:-1] if emoji.startswith("[") else chinese_emoji_name(emoji) or emoji
        axes.plot(x, y, ".", color="tab:blue", markersize=4)
        axes.annotate(name, (x, y), xytext=(2, 2), textcoords="offset points", fontsize=9)
    axes.set(xticks=[], yticks=[], title="emoji by the likeness of their vectors (PCA)")
    _save(figure, path)


def _save(figure: plt.Figure, path: Path) -> None:
    figure.savefig(path, dpi=120)
    plt.close(figure)
