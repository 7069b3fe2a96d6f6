"""Charts as PNG: their size follows what they show, and no name ends the process that draws them."""

import struct
from pathlib import Path

import pytest

pytest.importorskip("vl_convert", reason="needs the extra report")
pytest.importorskip("mplfonts", reason="needs the extra report")

from aslstm import charts
from aslstm.report import charts as report_charts
from aslstm.report.tables import build_tables

# At a control character, half a surrogate pair, U+FFFE or U+FFFF the renderer ends the process, and this test with it. Names of
# members that every JavaScript object has, and line separators, are errors in the expressions that it makes.
HOSTILE = [
    *("constructor", "toString", "__proto__"),
    "坏\x00人\x01\x08",
    "a\u2028b\u2029'\"",
    "a\x1b[2J\x00",
    "\ufffe\uffff",
    "\ud83d",
    "\u202e反",
    "</text><script>&",
    "长" * 500,
    "两\n行",
    "",
    "a\u2028b\u2029",
    r"$\frac$",
    "'\\",
]


def size_of(path: Path) -> tuple[int, int]:
    """Width and height as the header of a PNG has them."""
    header = path.read_bytes()[:24]
    assert header.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", header[16:24])
    return width, height


def test_names_that_the_renderer_does_not_bear_are_drawn(tmp_path: Path) -> None:
    path = tmp_path / "chart.png"
    counts = {name: dict.fromkeys(HOSTILE, 3) for name in HOSTILE[:3]}
    charts.plot_label_bars(path, counts)
    charts.plot_emoji_labels(path, {f"[{name}]": {name: 1} for name in HOSTILE})
    charts.plot_lengths(path, {name: [1, 2, 3] for name in HOSTILE[:3]})
    charts.plot_emoji_map(path, {name: (0.0, float(i)) for i, name in enumerate(HOSTILE)})
    charts.plot_confusion(path, [[1] * len(HOSTILE)] * len(HOSTILE), HOSTILE)
    rows = [
        {
            "text": f"w{i}a w{i}b w{i}c",
            "label": name or "none",
            "day": f"2024-01-{i + 1:02d}",
            "emoji": [f"[{name}]", f"[{name}{name}]", f"{name}!"],
            "attention": [{"token": name, "weight": 1.0, "start": 0, "end": len(name), "is_emoji": False}],
        }
        for i, name in enumerate(HOSTILE)
        for _ in range(10)
    ]
    drawn = report_charts.build(build_tables(rows))
    assert {"labels", "time", "emoji", "words"} <= set(drawn)
    for chart in drawn.values():
        assert charts.png(chart).startswith(b"\x89PNG")


def test_more_names_need_more_room(tmp_path: Path) -> None:
    sizes = []
    for number in (2, 30):
        names = [f"名字{i}" for i in range(number)]
        charts.plot_confusion(tmp_path / "confusion.png", [[1] * number] * number, names)
        charts.plot_emoji_labels(tmp_path / "emoji.png", {f"[{name}]": {"a": 1, "b": i} for i, name in enumerate(names)})
        sizes.append((*size_of(tmp_path / "confusion.png"), size_of(tmp_path / "emoji.png")[1]))
    assert all(many > few for few, many in zip(*sizes, strict=True))


def test_chinese_is_drawn_and_not_replaced_by_boxes(tmp_path: Path) -> None:
    # Characters that a font lacks are drawn alike.
    pictures = []
    for i, name in enumerate(("愤", "怒")):
        charts.plot_confusion(tmp_path / f"{i}.png", [[1]], [name])
        pictures.append((tmp_path / f"{i}.png").read_bytes())
    assert pictures[0] != pictures[1]


@pytest.mark.parametrize("lengths", [[0], [1, 0, 2], list(range(1, 500))], ids=len)
def test_lengths_of_every_kind_are_drawn(lengths: list[int], tmp_path: Path) -> None:
    charts.plot_lengths(tmp_path / "lengths.png", {"train": lengths})
    assert size_of(tmp_path / "lengths.png") > (0, 0)
