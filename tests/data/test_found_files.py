"""Files as people have them: what is found out about each, and what is refused in one line."""

import csv
import gzip
import io
import json
import sqlite3
import zipfile
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest
from openpyxl import Workbook

from aslstm.data import sheets
from aslstm.data.found_files import FoundFile, FoundFiles, Named, Post, find_file
from aslstm.data.text_sources import paths_of
from aslstm.errors import UserError
from aslstm.text_files import BadRow
from benchmarks.formats import SAMPLES, Sample, fault_of

CSV = "微博正文,发布时间\n今天真的太累了[泪],2023-10-01 08:05\n下雨了没带伞,2023-10-02 09:00\n"


def posts_of(found: FoundFile | FoundFiles) -> list[Post]:
    posts = list(found.posts())
    assert all(isinstance(post, Post) for post in posts), posts
    return [post for post in posts if isinstance(post, Post)]


def refusal_of(call: Callable[[], object]) -> str:
    with pytest.raises(UserError) as raised:
        call()
    assert len(str(raised.value).splitlines()) == 1
    return str(raised.value)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_file_as_people_have_it_needs_no_flag(tmp_path: Path, sample: Sample) -> None:
    line, fault = fault_of(sample, tmp_path)
    assert fault == "", line


def test_what_was_found_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "国庆.csv").write_bytes((CSV + "好,2023-10-03\n" * 3410).encode("gb18030"))
    found = find_file(tmp_path / "国庆.csv")
    assert found.line() == "国庆.csv: GB18030, comma, text column 微博正文, date column 发布时间, 3,412 rows"
    assert len(posts_of(found)) == 3412


@pytest.mark.parametrize(
    ("num_rows", "text", "rows"),
    [
        (5000, "今天真的太累了", "5,000 rows"),
        (5001, "今天真的太累了", "over 5,000 rows"),
        (64, "哈" * (1 << 16), "64 rows"),  # As many characters as are read to find the columns.
        (65, "哈" * (1 << 16), "over 64 rows"),
    ],
)
def test_no_more_rows_are_said_than_there_are(tmp_path: Path, num_rows: int, text: str, rows: str) -> None:
    (tmp_path / "a.csv").write_text("text\n" + f"{text}\n" * num_rows, encoding="utf-8")
    found = find_file(tmp_path / "a.csv")
    assert found.line().endswith(f", {rows}")
    assert len(posts_of(found)) == num_rows


def test_a_date_column_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("正文,发布时间\n今天真的太累了,不久以前\n", encoding="utf-8")
    found = find_file(tmp_path / "a.csv")
    assert "date column 发布时间 (cannot be read: '不久以前')" in found.line()
    assert found.time_of(posts_of(found)[0].row) is None


@pytest.mark.parametrize(
    ("header", "row", "column"),
    [
        ("text,full_text", "今天…,今天真的太累了", "full_text"),
        ("评论,转发,正文", "12,3,今天真的太累了", "正文"),  # the number of comments is no comment
        ("title,desc", "今天,今天真的太累了", "desc"),
        ("标题,链接", "今天真的太累了,http://t.cn/a", "标题"),
        ("地点,话, 内容 ", "北京,国庆,今天真的太累了", "内容"),
    ],
)
def test_the_column_of_posts_is_found_by_its_name(tmp_path: Path, header: str, row: str, column: str) -> None:
    (tmp_path / "a.csv").write_text(f"{header}\n{row}\n", encoding="utf-8")
    assert find_file(tmp_path / "a.csv").text_columns == (column,)


def test_of_two_columns_that_may_be_it_both_are_shown(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("甲,乙\n今天真的太累了,明天也不想上班\n下雨没带伞,早上没吃饭啊\n", encoding="utf-8")
    message = refusal_of(lambda: find_file(tmp_path / "a.csv"))
    assert "found several that may be it: '乙' (明天也不想上班); '甲' (今天真的太累了); name it with `text_column`" in message
    assert find_file(tmp_path / "a.csv", Named(text_column=("乙",))).text_columns == ("乙",)


def test_two_columns_are_read_as_one_text_where_a_plus_says_so(tmp_path: Path) -> None:
    rows = [{"标题": "好消息", "内容": "放假了"}, {"标题": "今天真", "内容": "今天真累"}]
    (tmp_path / "a.json").write_text(json.dumps(rows), encoding="utf-8")
    found = find_file(tmp_path / "a.json", Named(text_column=("标题+内容",)))
    assert [post.text for post in posts_of(found)] == ["好消息\n放假了", "今天真累"]


def test_several_files_and_folders_are_one_with_a_source(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_text(CSV, encoding="utf-8")
    (tmp_path / "in" / "b.jsonl").write_text(
        '{"text": "好累啊", "created_at": 1696118700, "source": "手机"}\n', encoding="utf-8"
    )
    for name in ("picture.jpg", ".hidden.csv", "out.csv"):
        (tmp_path / "in" / name).write_text("x", encoding="utf-8")
    files = FoundFiles(paths_of([str(tmp_path / "in")], leave_out=[tmp_path / "in" / "out.csv"]))
    rows = [post.row for post in posts_of(files)]
    assert files.source_column == "source_file" and len(files.lines()) == 2
    assert [(row["text"], row["source_file"]) for row in rows] == [
        ("今天真的太累了[泪]", "a.csv"), ("下雨了没带伞", "a.csv"), ("好累啊", "b.jsonl"),
    ]  # fmt: skip
    assert rows[0]["date"] == "2023-10-01 08:05" and rows[2]["source"] == "手机"


# ---- bad input ----


def save(path: Path, fill: Callable[[Workbook], None]) -> Path:
    book = Workbook()
    fill(book)
    book.save(path)
    return path


def test_a_workbook_with_a_password_or_a_fault_is_refused(tmp_path: Path) -> None:
    envelope = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 500
    (tmp_path / "locked.xlsx").write_bytes(envelope)
    assert "expected a workbook without a password" in refusal_of(lambda: find_file(tmp_path / "locked.xlsx"))
    whole = save(tmp_path / "a.xlsx", lambda book: book.active.append(["text"])).read_bytes()
    half = whole[: len(whole) // 2]
    # What is cut is named by what it was to be, packed or not; what is no zip file at all, too.
    broken = {
        "half.xlsx": (half, "whole Excel workbook (.xlsx), found: File is not a zip file; fetch it again, or save it again in"),
        "half.XLSX.gz": (gzip.compress(half), "whole Excel workbook (.xlsx)"),
        "none.xlsx": (b"\x00\x01\x02\xff" * 99, "whole Excel workbook (.xlsx)"),
        "empty.xlsx": (b"", "whole Excel workbook (.xlsx)"),
        "half.zip": (half, "whole zip file"),
        "whole.xlsx.gz": (gzip.compress(whole)[:-20], "whole gzip file"),
    }
    for name, (content, expected) in broken.items():
        (tmp_path / name).write_bytes(content)
        assert f"{tmp_path / name}: expected a {expected}" in refusal_of(partial(find_file, tmp_path / name))
    with zipfile.ZipFile(tmp_path / "odd.xlsx", "w") as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
        archive.writestr("xl/workbook.xml", "<x")
    assert "expected a whole Excel workbook (.xlsx)" in refusal_of(lambda: find_file(tmp_path / "odd.xlsx"))


def test_what_a_workbook_holds_has_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MAX_PART_BYTES", 10_000)
    path = save(tmp_path / "a.xlsx", lambda book: [book.active.append(["好" * 9000 + str(i)]) for i in range(2)] and None)
    assert "expected sheets and texts of at most 10,000 bytes, found" in refusal_of(lambda: find_file(path))


def test_merged_cells_are_repeated_and_formulas_are_their_values(tmp_path: Path) -> None:
    def fill(book: Workbook) -> None:
        for row in (["用户", "正文"], ["甲", "今天真的太累了"], [None, "下雨没带伞"], ["乙", '="好"&"累"']):
            book.active.append(row)
        book.active.merge_cells("A2:A3")

    first, second, third = find_file(save(tmp_path / "a.xlsx", fill)).posts()
    assert isinstance(first, Post) and isinstance(second, Post) and second.row["用户"] == "甲" == first.row["用户"]
    # openpyxl calculates nothing: the file holds the formula without its value.
    assert isinstance(third, BadRow) and "row 4: expected the value of the formula in B4, found none" in str(third)


def test_two_equal_headers_are_refused(tmp_path: Path) -> None:
    path = save(
        tmp_path / "a.xlsx", lambda book: [book.active.append(row) for row in (["正文", "正文"], ["好", "坏"])] and None
    )
    assert "sheet Sheet: expected distinct column names, found ['正文'] more than once" in refusal_of(lambda: find_file(path))


def test_a_sheet_is_chosen_by_name(tmp_path: Path) -> None:
    def fill(book: Workbook) -> None:
        for name in ("一", "二"):
            sheet = book.create_sheet(name)
            sheet.append(["正文"])
            sheet.append([f"今天是第{name}张"])

    path = save(tmp_path / "a.xlsx", fill)
    assert "sheet 一 (not 二)" in find_file(path).line()
    assert [post.text for post in posts_of(find_file(path, Named(table="二")))] == ["今天是第二张"]
    assert "`table`: expected one of Sheet, 一, 二" in refusal_of(lambda: find_file(path, Named(table="三")))


def test_a_database_that_is_locked_or_foreign_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aslstm.data.databases._SECONDS", 0.1)
    (tmp_path / "foreign.db").write_bytes(bytes(range(256)) * 40)
    assert "found: another file, or a database with a password" in refusal_of(lambda: find_file(tmp_path / "foreign.db"))
    writer = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    writer.execute("CREATE TABLE weibo (text TEXT)")
    writer.execute("BEGIN EXCLUSIVE")
    assert "expected a database that no program writes" in refusal_of(lambda: find_file(tmp_path / "a.db"))
    writer.execute("INSERT INTO weibo VALUES ('今天真累')")
    writer.execute("COMMIT")
    before = (tmp_path / "a.db").read_bytes()
    assert [post.text for post in posts_of(find_file(tmp_path / "a.db"))] == ["今天真累"]
    assert (tmp_path / "a.db").read_bytes() == before
    writer.close()


def test_an_archive_of_two_files_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("一.csv", CSV)
        archive.writestr("二.csv", CSV)
    assert "expected a zip archive of one file, found 2 (一.csv, 二.csv)" in refusal_of(lambda: find_file(tmp_path / "a.zip"))


@pytest.mark.parametrize(("most", "other"), [("gb18030", "utf-8"), ("utf-8", "gb18030")])
def test_a_line_of_another_encoding_is_named(tmp_path: Path, most: str, other: str) -> None:
    lines = ["微博正文", "今天真的太累了", "下雨了没带伞", "明天不想上班", "好想睡觉"]
    content = b"".join(f"{line}\n".encode(other if i == 3 else most) for i, line in enumerate(lines))
    (tmp_path / "a.csv").write_bytes(content)
    bad = [post for post in find_file(tmp_path / "a.csv").posts() if isinstance(post, BadRow)]
    assert [row.number for row in bad] == [4] and f"line 4: expected {most.upper()}" in str(bad[0])


def test_the_time_of_the_file_completes_a_date(tmp_path: Path) -> None:
    file = io.StringIO()
    csv.writer(file).writerows([["正文", "发布时间"], ["今天真的太累了", "10分钟前"]])
    (tmp_path / "a.csv").write_text(file.getvalue(), encoding="utf-8")
    found = find_file(tmp_path / "a.csv", Named(reference_time=datetime(2023, 10, 8, 12, 0)))
    assert found.time_of(posts_of(found)[0].row) == datetime(2023, 10, 8, 11, 50)
