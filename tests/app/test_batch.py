"""Files that a visitor brings: what is known of them, what comes back, and what is said of those that cannot be read."""

import base64
import csv
import gzip
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from aslstm.data.known_corpora import label_names

pytest.importorskip("altair", reason="needs altair, of the extra report")
pytest.importorskip("openpyxl", reason="needs openpyxl, of the extra dev")

import openpyxl

from aslstm.app.batch import ROWS, label_posts
from aslstm.app.faults import UNKNOWN, ToldError
from aslstm.app.serving import KINDS, PAGE
from aslstm.app.uploads import look_at
from aslstm.model_folder.choosing import BUILT_IN_MODEL

POSTS = ("今天又加班[泪]", "好开心😂", "", "=气死我了[怒]")
# Words of an English message, a flag, or an argument in backticks.
FOREIGN = re.compile(r"[A-Za-z]{3,}|--|`")


def table(path: Path, *, encoding: str = "gb18030") -> Path:
    """A file as a crawler of weibo writes it, with a column that has the name of an answer."""
    with path.open("w", encoding=encoding, newline="") as file:
        rows = [[i, f"用户{i}", post, f"2023-10-0{i + 1} 12:00", "旧"] for i, post in enumerate(POSTS)]
        csv.writer(file).writerows([["编号", "用户昵称", "微博正文", "发布时间", "标签"], *rows])
    return path


def label(model: Path, output: Path, *, file: Path | None = None, lines: str = "", column: str = "") -> tuple[Any, list[Any]]:
    """Label a file or lines; gives what was labelled and what was said of the progress."""
    steps: list[Any] = []
    output.mkdir()
    path = str(file) if file else None
    return label_posts(str(model), lines, path, column, "", "zh", str(output), steps.append), steps


def test_the_columns_of_a_file_are_found(tmp_path: Path) -> None:
    upload = look_at(table(tmp_path / "国庆.csv"), "", "zh", lambda _: None)
    assert upload.columns == ["编号", "用户昵称", "微博正文", "发布时间", "标签"]
    assert (upload.text_column, upload.num_rows, upload.num_blank) == ("微博正文", 4, 1)
    assert upload.first_rows[0] == ["0", "用户0", POSTS[0], "2023-10-01 12:00", "旧"]


def test_labelled_rows_and_the_report_come_back_and_nothing_is_lost(model_folder: Path, tmp_path: Path) -> None:
    labelled, steps = label(model_folder, tmp_path / "out", file=table(tmp_path / "国庆.csv"), column="微博正文")
    assert (labelled.num_posts, labelled.num_blank, sum(labelled.counts.values())) == (3, 1, 3)
    names = set(label_names("zh").values())
    with (tmp_path / "out" / "rows.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["微博正文"] for row in rows] == ["今天又加班[泪]", "好开心😂", "", "'=气死我了[怒]"]
    assert [row["标签"] for row in rows] == ["旧"] * 4
    added = [row["aslstm_标签"] for row in rows]
    assert added[2] == "" and {*added[:2], added[3]} <= names
    assert [row["aslstm_表情"] for row in rows] == ['["[泪]"]', '["😂"]', "", '["[怒]"]']
    sheet = openpyxl.load_workbook(tmp_path / "out" / "rows.xlsx").worksheets[0]
    header, *cells = sheet.iter_rows(values_only=True)
    in_workbook = [dict(zip(header, row, strict=True)) for row in cells]
    assert [row["aslstm_标签"] or "" for row in in_workbook] == added
    assert in_workbook[3]["微博正文"] == "=气死我了[怒]" and sheet["C5"].data_type == "s"
    assert {*ROWS, PAGE} <= KINDS.keys() and {path.name for path in (tmp_path / "out").iterdir()} == {*ROWS, PAGE}
    page = (tmp_path / "out" / PAGE).read_text(encoding="utf-8")
    # The list of posts is packed: the base64 of gzip begins so.
    (packed,) = re.findall(r'"(H4sI[A-Za-z0-9+/=]+)"', page)
    texts = json.loads(gzip.decompress(base64.b64decode(packed)))["texts"]
    assert 'lang="zh' in page and "好开心😂" in texts
    shares = [share for share, _ in steps]
    assert shares == sorted(shares) and shares[0] == 0 and shares[-1] >= 0.9
    assert any("4 / 4" in line for _, line in steps)


def test_the_report_shows_where_words_and_emoji_disagree_as_that_of_the_command_does(tmp_path: Path) -> None:
    label(BUILT_IN_MODEL, tmp_path / "out", lines="今天真的好开心，太棒了[怒]\n恭喜恭喜，太幸福了[泪]\n明天开会\n")
    page = (tmp_path / "out" / PAGE).read_text(encoding="utf-8")
    assert "既有文字又有表情的帖子共 2 条，其中 2 条。" in page and "表情：愤怒" in page
    header = (tmp_path / "out" / "rows.csv").read_text(encoding="utf-8-sig").splitlines()[0]
    assert header == "text,标签,得分,情感倾向,倾向得分,表情"


def test_pasted_lines_are_labelled(model_folder: Path, tmp_path: Path) -> None:
    labelled, _ = label(model_folder, tmp_path / "out", lines="今天又加班[泪]\n\n好开心😂\n")
    assert (labelled.num_posts, labelled.num_blank) == (2, 0)


def zipped(**members: str) -> bytes:
    """An archive."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return content.getvalue()


BAD = {
    "two.zip": zipped(a="微博\n好\n", b="微博\n坏\n"),
    "damaged.xlsx": zipped(**{"xl/workbook.xml": "<workbook>", "[Content_Types].xml": "<"}),
    "password.xlsx": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le") + bytes(2000),
    "foreign.db": b"SQLite format 3\x00" + b"x" * 5000,
    "cut.csv.gz": gzip.compress("微博\n今天又加班\n".encode() * 500)[:60],
    "picture.png": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "wrong.docx": b"PK\x03\x04nothing",
    "two_names.csv": "微博,微博\n好,坏\n".encode(),
    "fields.csv": "微博,日期\n好,1\n坏,1,2\n".encode(),
    "quote.csv": '微博\n"好\n'.encode(),
    "no.jsonl": "{微博: 好}\n".encode(),
    "numbers.jsonl": '{"微博": 12, "转发": 3}\n'.encode(),
    "mixed.csv": "微博\n好\n".encode() * 3 + "坏".encode("gb18030")[:1] + b"\n",
    "empty.csv": b"",
    "long.csv": "微博\n".encode() + b"a" * 2_000_000,
    "cell.txt": "今天".encode() * 600_000,
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_told_in_the_language_of_the_page_without_flags(name: str, model_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(BAD[name])
    with pytest.raises(ToldError) as found:
        look_at(path, "utf-8" if name == "mixed.csv" else "", "zh", lambda _: None)
        label(model_folder, tmp_path / "out", file=path)
    # Names of formats are the same in each language.
    told = re.sub(r"\.\w+|UTF-8|utf-8|CSV|JSON|Excel|MB", "", str(found.value))
    assert not FOREIGN.search(told) and UNKNOWN.zh not in str(found.value)
    assert str(tmp_path) not in str(found.value) and "\n" not in str(found.value)
    if name in ("fields.csv", "mixed.csv", "no.jsonl"):
        row = {"fields.csv": 3, "mixed.csv": 7, "no.jsonl": 1}[name]
        assert str(found.value).startswith(f"第 {row} 行：")
