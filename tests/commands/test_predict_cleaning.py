"""``aslstm predict`` on posts as crawlers save them, and the tables that it writes for people."""

import csv
import io
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from aslstm.commands.report import read_predictions
from aslstm.data.answer_names import as_answered
from aslstm.data.found_files import Named, find_file
from aslstm.errors import UserError
from tests.support.crawled_posts import NOTHING_WRITTEN, PAIRS
from tests.support.prediction_runs import ADDED, answer, read_csv, read_lines, write_csv, write_lines


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of posts as they were written and as they were crawled."""
    rows = [{"written": written, "crawled": crawled} for written, crawled in PAIRS]
    return write_csv(tmp_path_factory.mktemp("pairs") / "posts.csv", rows)


def test_leftovers_of_a_crawler_do_not_decide_the_answer(
    onnx_folder: Path, pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    answer(onnx_folder, "--input", pairs, "--text_column", "crawled", "--output", tmp_path / "crawled.jsonl")
    said = capsys.readouterr().err
    assert f"cleaned {len(PAIRS)} of {len(PAIRS)} posts: HTML " in said and "(--no_clean leaves them)" in said
    flags: list[str | Path] = ["--text_column", "written", "--no_clean", "--output", tmp_path / "written.jsonl"]
    answer(onnx_folder, "--input", pairs, *flags)
    assert "cleaned" not in capsys.readouterr().err
    crawled, written = read_lines(tmp_path / "crawled.jsonl"), read_lines(tmp_path / "written.jsonl")
    assert len(crawled) >= 60
    for found, expected in zip(crawled, written, strict=True):
        assert found["label"] == expected["label"], found
        assert found["scores"] == pytest.approx(expected["scores"], abs=0.02), found
        assert found["answered_text"] == found["written"]
        assert found["emoji"] == expected["emoji"]
        assert "answered_text" not in expected


def test_a_post_in_which_nobody_wrote_has_no_label_and_keeps_its_chain(
    onnx_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    posts = write_lines(tmp_path / "posts.jsonl", [{"text": text} for text in [*NOTHING_WRITTEN, "好"]])
    answer(onnx_folder, "--input", posts, "--output", tmp_path / "out.jsonl")
    *found, last = read_lines(tmp_path / "out.jsonl")
    assert {row["label"] for row in found} == {""} and last["label"]
    assert {row["text"]: row["repost_chain"] for row in found if "repost_chain" in row} == {
        "//@路人甲:这个政策真的好": "//@路人甲:这个政策真的好",
        "转发微博//@小明:哈哈": "//@小明:哈哈",
        ": //@小明:哈哈": "//@小明:哈哈",
    }
    assert list(last) == ["text", *ADDED]
    assert f"; {len(found)} without words or label" in capsys.readouterr().err


def test_the_header_of_standard_output_has_the_columns_of_cleaning(
    onnx_folder: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture
) -> None:
    posts = write_lines(tmp_path / "posts.jsonl", [{"text": "好"}, {"text": "好//@小明:不好"}])
    answer(onnx_folder, "--input", posts, "--output", "-", "--output_format", "csv")
    rows = list(csv.DictReader(io.StringIO(capsysbinary.readouterr().out.decode("utf-8"), newline="")))
    assert list(rows[0]) == ["text", *ADDED, "answered_text", "repost_chain"]
    assert [(row["answered_text"], row["repost_chain"]) for row in rows] == [("", ""), ("好", "//@小明:不好")]


def test_a_column_of_the_name_of_a_cleaned_text_is_refused(onnx_folder: Path, tmp_path: Path) -> None:
    posts = write_lines(tmp_path / "posts.jsonl", [{"text": "好", "repost_chain": "mine"}])
    with pytest.raises(UserError, match="expected no column repost_chain, which is to be added"):
        answer(onnx_folder, "--input", posts, "--output", tmp_path / "out.jsonl")
    answer(onnx_folder, "--input", posts, "--output", tmp_path / "out.jsonl", "--no_clean")


def test_excel_reads_a_csv_as_utf_8_and_others_need_no_mark(onnx_folder: Path, pairs: Path, tmp_path: Path) -> None:
    for name, flags in (("out.csv", []), ("bare.csv", ["--no_bom"]), ("out.table", ["--output_format", "csv"])):
        answer(onnx_folder, "--input", pairs, "--text_column", "written", "--output", tmp_path / name, *flags)
    content = (tmp_path / "bare.csv").read_bytes()
    assert content.startswith(b"written,")
    assert (tmp_path / "out.csv").read_bytes() == b"\xef\xbb\xbf" + content
    assert (tmp_path / "out.table").read_bytes() == content


def test_a_chinese_table_is_read_like_an_english_one(onnx_folder: Path, pairs: Path, tmp_path: Path) -> None:
    flags: list[str | Path] = ["--input", pairs, "--text_column", "crawled", "--prefix", "p_", "--contributions"]
    answer(onnx_folder, *flags, "--output", tmp_path / "en.csv")
    answer(onnx_folder, *flags, "--output", tmp_path / "zh.csv", "--language", "zh")
    chinese = read_csv(tmp_path / "zh.csv")
    assert list(chinese[0])[2:] == [
        *("p_标签", "p_得分", "p_各标签得分", "p_情感倾向", "p_倾向得分", "p_表情", "p_贡献", "p_清理后的正文", "p_转发链")
    ]
    assert {row["p_情感倾向"] for row in chinese} <= {"负面", "中性", "正面"}
    both = [read_predictions(find_file(tmp_path / name, Named(("crawled",)))) for name in ("en.csv", "zh.csv")]
    for english, other in zip(*both, strict=True):
        expected, found = (as_answered(row, "crawled", "p_")[0] for row in (english, other))
        assert list(found) == list(expected)
        assert found == expected
        assert found["crawled"] == found["written"]


def test_a_workbook_holds_the_rows_the_counts_and_what_was_cleaned(onnx_folder: Path, tmp_path: Path) -> None:
    texts = ["=1+1 好难过[泪]", "@小明 笑死👨\u200d👩\u200d👧", "转发微博", "气死了//@小明:转发微博", "123"]
    rows = [{"id": f"491234567890123{i}", "likes": str(10 * i), "text": text} for i, text in enumerate(texts)]
    answer(onnx_folder, "--input", write_csv(tmp_path / "posts.csv", rows), "--output", tmp_path / "out.xlsx")
    answer(onnx_folder, "--input", tmp_path / "posts.csv", "--output", tmp_path / "out.jsonl")
    expected = read_lines(tmp_path / "out.jsonl")
    book = CalamineWorkbook.from_path(tmp_path / "out.xlsx")
    assert book.sheet_names == ["posts", "counts", "cleaning"]
    header, *found = book.get_sheet_by_name("posts").to_python()
    assert header == ["id", "likes", "text", *ADDED, "answered_text", "repost_chain"]
    for cells, row in zip(found, expected, strict=True):
        cell = dict(zip(header, cells, strict=True))
        assert (cell["id"], cell["text"], cell["label"]) == (row["id"], row["text"], row["label"])
        assert cell["likes"] == int(row["likes"]) and not isinstance(cell["likes"], str)
        assert cell["score"] == (row["score"] or "")
        assert (cell["answered_text"], cell["repost_chain"]) == (row.get("answered_text", ""), row.get("repost_chain", ""))
    (_, *counts) = book.get_sheet_by_name("counts").to_python()
    assert sum(count for _, count, _ in counts) == len(texts) and counts[-1][:2] == ["(no words)", 1]
    assert sum(share for *_, share in counts) == pytest.approx(1)
    assert book.get_sheet_by_name("cleaning").to_python() == [["rule", "posts"], ["nothing written", 1], ["repost chains", 1]]


def test_a_workbook_cannot_go_to_standard_output(onnx_folder: Path, pairs: Path) -> None:
    with pytest.raises(UserError, match="`output` -: expected jsonl or csv"):
        answer(onnx_folder, "--input", pairs, "--text_column", "written", "--output", "-", "--output_format", "xlsx")
