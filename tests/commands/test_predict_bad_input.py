"""What ``aslstm predict`` refuses, and rows that it passes over."""

import gzip
from pathlib import Path

import pytest

from aslstm.commands.flags import show_flags
from aslstm.errors import UserError
from tests.support.commands import run_command
from tests.support.prediction_runs import answer, read_csv, read_lines, write_txt

TEXT = ("--text_column", "text")
# Among ASCII alone, a line of GB18030 would be taken for what the file is written in.
SKIP, REPORT = (("--encoding", "utf-8", "--on_error", what) for what in ("skip", "report"))
GOOD = b'{"text": "a"}\n'


@pytest.mark.parametrize(
    ("name", "content", "flags", "words"),
    [
        ("a.csv", b"stars,price\n4,5\n", [], ["column of posts", "stars, price", "--text_column"]),
        ("a.csv", b"text,stars\n4,5\n", [], ["texts in column 'text'", "found 4", "--text_column"]),
        ("a.csv", b"left,right\na b,c d\n", [], ["'left' (a b); 'right' (c d)", "--text_column"]),
        ("a.csv", b"review,stars\na,5\n", ["--text_column", "text"], ["line 2", "'text'", "review, stars", "--text_column"]),
        ("a.jsonl", b'{"review": "a", "stars": 5}\n', ["--on_error", "skip", *TEXT], ["line 1", "'text'", "review, stars"]),
        ("a.jsonl", b"", [], ["at least one row", "found none"]),
        ("a.txt", b"", [], ["at least one row", "found none"]),
        ("a.csv", b"text,id\n", [], ["at least one row", "found none"]),
        ("a.txt", "好\n".encode() + "今天开心\n".encode("gb18030"), [], ["line 2", "UTF-8", "0xbd", "--encoding"]),
        ("a.jsonl", GOOD * 2 + b'{"text": "b"\n' + GOOD, [], ["line 3", "JSON object", "--on_error skip or report"]),
        ("a.jsonl", GOOD + b'{"text": null}\n', [], ["line 2", "'text'", "None"]),
        ("a.jsonl", b'\n\n{"text": 5}\n', ["--text_column", "text"], ["line 3", "'text'", "5"]),
        ("a.csv", b"text,id\na,1\nb,2,3\n", [], ["line 3", "2 fields", "found 3"]),
        ("a.csv", b"text,label\na,x\n", ["--on_error", "skip"], ["a.csv: expected no column label", "--prefix"]),
        ("a.jsonl", GOOD + b'{"text": "b", "attention": 1}\n', ["--attention"], ["line 2", "no column attention", "--prefix"]),
        ("a.parquet", b"PAR1 and nothing more", [], ["Parquet"]),
        ("a.parquet.gz", b"PAR1 and nothing more", [], ["Parquet"]),
        ("a.jsonl.gz", gzip.compress(GOOD * 9, mtime=0)[:-9], [], ["whole gzip file"]),
        ("a.doc", b"{\\rtf1", [], ["a Word document", "CSV"]),
        ("a.txt", b"a\n", ["--encoding", "klingon"], ["--encoding", "'klingon'"]),
        ("a.txt", b"a\n", ["--batch_size", "0"], ["--batch_size", "1 or more"]),
        ("a.txt", b"a\n", ["--resume"], ["--resume", "out.jsonl.parts", "found none"]),
        ("a.txt", b"a\n", ["--resume", "--overwrite"], ["--overwrite", "found both"]),
        ("a.txt", b"a\n", ["--output", "a.labelled.doc"], ["--output a.labelled.doc", ".parquet"]),
        ("a.txt", b"a\n", ["--output", "-"], ["--output -", "--output_format"]),
        ("a.txt", b"a\n", ["--output", "-", "--output_format", "parquet"], ["--output -", "jsonl or csv"]),
        ("a.txt", b"a\n", ["--input", "-", "--input_format", "txt", "--resume"], ["--resume", "found -"]),
        ("a.txt", b"a\n", ["--output", "out.doc"], ["--output out.doc", ".parquet"]),
        ("a.txt", b"a\n", ["--input", "nowhere.txt"], ["--input nowhere.txt", "found none", "check the path"]),
        ("a.txt", b"a\n", ["--model", "nowhere"], ["nowhere", "config.json"]),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_leaves_nothing(
    onnx_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, flags: list[str],
    words: list[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name == "a.parquet.gz" else content)
    with pytest.raises(UserError) as raised:
        answer(onnx_folder, "--input", path, "--output", tmp_path / "out.jsonl", *flags)
    message = show_flags(str(raised.value))
    assert [word for word in words if word not in message] == []
    assert len(message.splitlines()) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_bad_input_ends_with_code_2(onnx_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "posts.csv").write_text("stars\n5\n", encoding="utf-8")
    flags = ("--model", onnx_folder, "--backend", "onnx", "--input", tmp_path / "posts.csv", "--output", tmp_path / "out.csv")
    result = run_command("predict", *flags, check=False)
    assert result.returncode == 2
    assert result.stderr.startswith("error: ") and len(result.stderr.splitlines()) == 1


def test_bad_rows_are_passed_over_and_kept_aside(onnx_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    lines = [b'{"text": "a"}', b'{"text": "b', '{"text": "今"}'.encode("gb18030"), b'{"id": 4}', b"", b'{"text": "f"}']
    (tmp_path / "posts.jsonl").write_bytes(b"\n".join(lines))
    answer(onnx_folder, "--input", tmp_path / "posts.jsonl", "--output", tmp_path / "skipped.jsonl", *SKIP)
    assert [row["text"] for row in read_lines(tmp_path / "skipped.jsonl")] == ["a", "f"]
    assert not (tmp_path / "skipped.jsonl.errors.jsonl").exists()
    *_, counts, place = capsys.readouterr().err.splitlines()
    assert counts.endswith("; 3 rows passed over") and place == f"saved {tmp_path / 'skipped.jsonl'}"
    answer(onnx_folder, "--input", tmp_path / "posts.jsonl", "--output", tmp_path / "out.jsonl", *REPORT)
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "skipped.jsonl").read_bytes()
    errors = read_lines(tmp_path / "out.jsonl.errors.jsonl")
    assert [error["line"] for error in errors] == [2, 3, 4]
    assert [error["content"] for error in errors] == ['{"text": "b', '{"text": "\\xbd\\xf1"}\n', '{"id": 4}']
    assert all(error["reason"].startswith(f"{tmp_path / 'posts.jsonl'}, line ") for error in errors)


def test_bad_rows_of_csv_are_passed_over_whole(onnx_folder: Path, tmp_path: Path) -> None:
    bad = '"两\n行"'.encode("gb18030")
    (tmp_path / "posts.csv").write_bytes(b"text,id\na,1\n" + bad + b',2\nc,3,3\nx"y,4\n"e\ne",5\n"f')
    answer(onnx_folder, "--input", tmp_path / "posts.csv", "--output", tmp_path / "out.csv", *REPORT)
    assert [(row["text"], row["id"]) for row in read_csv(tmp_path / "out.csv")] == [("a", "1"), ('x"y', "4"), ("e\ne", "5")]
    assert [error["line"] for error in read_lines(tmp_path / "out.csv.errors.jsonl")] == [3, 5, 9]


def test_nothing_of_the_user_is_overwritten(onnx_folder: Path, tmp_path: Path) -> None:
    posts = write_txt(tmp_path / "posts.txt", [{"text": "a"}])
    output = tmp_path / "out.jsonl"
    output.write_text("mine", encoding="utf-8")
    with pytest.raises(UserError, match=r"expected a new file, found one; choose another or add `overwrite`"):
        answer(onnx_folder, "--input", posts, "--output", output)
    (tmp_path / "out.jsonl.parts").mkdir()
    (tmp_path / "out.jsonl.parts" / "tmp-state.json").touch()  # of a run that was killed at its start
    (tmp_path / "out.jsonl.parts" / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(UserError, match=r"out.jsonl.parts: expected a folder of this script, found other files"):
        answer(onnx_folder, "--input", posts, "--output", output, "--overwrite")
    with pytest.raises(UserError, match="expected another file than `input`, found the same"):
        answer(onnx_folder, "--input", posts, "--output", posts, "--output_format", "jsonl", "--overwrite")
    with pytest.raises(UserError, match="expected an existing folder"):
        answer(onnx_folder, "--input", posts, "--output", tmp_path / "nowhere" / "out.jsonl")
    (tmp_path / "out.jsonl.parts" / "thesis.txt").unlink()
    assert output.read_text(encoding="utf-8") == "mine" and posts.read_text(encoding="utf-8") == "a\n"
    answer(onnx_folder, "--input", posts, "--output", output, "--overwrite")
    assert {path.name for path in tmp_path.iterdir()} == {"posts.txt", "out.jsonl", "out.jsonl.counts.json"}
