"""Workbooks are read back with another library than the one that writes them, and by what their XML says."""

import zipfile
from datetime import date, datetime
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from aslstm.errors import UserError
from aslstm.workbooks import MAX_CHARACTERS, MAX_COLUMNS, Sheet, write_workbook

COLUMNS = ["正文", "label", "number", "day", "yes"]
ROWS = [
    ["=1+1", "anger", 3, date(2023, 10, 8), True],
    ["+86 报警[怒]", "none", -0.25, datetime(2023, 10, 8, 12, 30, 5), False],
    ["-", "anger", 10**14, None, None],
    ["@小明 👨\u200d👩\u200d👧👍🏽", "", 0, date(1600, 1, 1), None],
    ["第一行\n第二行\t<b>&amp;_x0041_\x0b", "none", 4_912_345_678_901_234, None, None],
    ["http://t.cn/A6", "none", None, None, None],
    ["007", "none", float("1e-9"), None, None],
    ["", None, None, None, None],
]


def read(path: Path, sheet: int = 0) -> list[list]:
    return CalamineWorkbook.from_path(path).get_sheet_by_index(sheet).to_python()


def test_cells_come_back_with_their_types(tmp_path: Path) -> None:
    assert write_workbook(tmp_path / "out.xlsx", [Sheet("帖子", COLUMNS, ROWS)]) == 0
    header, *rows = read(tmp_path / "out.xlsx")
    assert header == COLUMNS
    assert [row[0] for row in rows] == [row[0] for row in ROWS[: len(rows)]]
    assert [row[2] for row in rows] == [3, -0.25, 10**14, 0, "4912345678901234", "", 1e-9]
    assert [row[3] for row in rows[:4]] == [date(2023, 10, 8), datetime(2023, 10, 8, 12, 30, 5), "", "1600-01-01"]
    assert [row[4] for row in rows[:3]] == [True, False, ""]
    xml = zipfile.ZipFile(tmp_path / "out.xlsx").read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in xml and "hyperlink" not in xml
    assert 'state="frozen"' in xml and '<autoFilter ref="A1:E9"/>' in xml
    assert 'quotePrefix="1"' in zipfile.ZipFile(tmp_path / "out.xlsx").read("xl/styles.xml").decode()


@pytest.mark.parametrize("name", ["=1+1", "+86", "-", "@小明", "＝1", "＋1", "－1", "＠sum", "\tx", "\nx", "\rx", "text"])
def test_a_header_that_would_be_a_formula_stays_text_when_somebody_edits_it(tmp_path: Path, name: str) -> None:
    write_workbook(tmp_path / "out.xlsx", [Sheet("posts", [name], [["好"]])])
    assert read(tmp_path / "out.xlsx")[0] == [name]
    styles = zipfile.ZipFile(tmp_path / "out.xlsx").read("xl/styles.xml").decode()
    assert ('quotePrefix="1"' in styles) == (name != "text")


def test_values_have_their_colours(tmp_path: Path) -> None:
    fills = {"label": {"anger": "#F6B8AE", "none": "#E6E6E6"}}
    write_workbook(tmp_path / "out.xlsx", [Sheet("posts", COLUMNS, ROWS, fills=fills)])
    styles = zipfile.ZipFile(tmp_path / "out.xlsx").read("xl/styles.xml").decode()
    assert 'rgb="FFF6B8AE"' in styles and 'rgb="FFE6E6E6"' in styles


def test_the_same_rows_give_the_same_bytes_and_leave_nothing_beside(tmp_path: Path) -> None:
    for name in ("a.xlsx", "b.xlsx"):
        write_workbook(tmp_path / name, [Sheet("posts", COLUMNS, ROWS), Sheet("counts", ["n"], [[1]])])
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.xlsx", "b.xlsx"]
    assert read(tmp_path / "a.xlsx", 1) == [["n"], [1]]


def test_a_long_text_is_cut_between_characters_and_counted(tmp_path: Path) -> None:
    texts = ["😀" * 20_000, "哈" * MAX_CHARACTERS, "哈" * (MAX_CHARACTERS + 1)]
    assert write_workbook(tmp_path / "out.xlsx", [Sheet("posts", ["text"], [[text] for text in texts])]) == 2
    first, second, third = (row[0] for row in read(tmp_path / "out.xlsx")[1:])
    assert first == "😀" * ((MAX_CHARACTERS - 1) // 2) + "…"
    assert second == texts[1] and third == "哈" * (MAX_CHARACTERS - 1) + "…"


def test_what_xml_cannot_hold_becomes_a_question_mark(tmp_path: Path) -> None:
    write_workbook(tmp_path / "out.xlsx", [Sheet("posts", ["text"], [["好\ud83d[泪]\uffff"]])])
    assert read(tmp_path / "out.xlsx")[1] == ["好?[泪]?"]


def test_more_columns_than_a_sheet_has_are_refused(tmp_path: Path) -> None:
    columns = list(map(str, range(MAX_COLUMNS + 1)))
    with pytest.raises(UserError, match=r"at most 16,384 columns in \.xlsx, found 16,385; name a \.jsonl or \.parquet file"):
        write_workbook(tmp_path / "out.xlsx", [Sheet("posts", columns, [])])
