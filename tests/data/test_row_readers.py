import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from aslstm.data.row_readers import read_rows
from aslstm.errors import UserError

POSTS = [
    ("今天又加班[泪]，真的好累！！", "sadness"),
    ('他说"太好吃了"，\n下次还来👍🏽', "like"),
    ("", "none"),
    ("  前后都有空格　", "none"),
]
XML = """<?xml version="1.0" encoding="UTF-8"?>

<TestData>
  <weibo id="7" emotion-type1="like" emotion-type2="none">
    <sentence id="1" opinionated="N">明天开会。</sentence>
    <sentence id="2" opinionated="Y" emotion-1-type="like" emotion-2-type="none"> 好看 &amp; 好吃[心]</sentence>
  </weibo>
  <weibo id="8" emotion-type1="none" emotion-type2="none">
    <sentence id="1" opinionated="N"></sentence>
  </weibo>
</TestData>
"""
XML_ROWS = [
    {"text": "明天开会。", "label": "none", "post": "7"},
    {"text": " 好看 & 好吃[心]", "label": "like", "post": "7"},
    {"text": "", "label": "none", "post": "8"},
]


def json_lines(columns: tuple[str, str]) -> bytes:
    return "".join(json.dumps(dict(zip(columns, post, strict=True)), ensure_ascii=False) + "\n" for post in POSTS).encode()


def delimited(columns: tuple[str, str], delimiter: str) -> bytes:
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator="\r\n").writerows([columns, *POSTS])
    return file.getvalue().encode()


def parquet(columns: tuple[str, str]) -> bytes:
    file = io.BytesIO()
    values = list(zip(*POSTS, strict=True))
    pyarrow.parquet.write_table(pyarrow.table([list(v) for v in values], names=list(columns)), file)
    return file.getvalue()


FORMATS: dict[str, Callable[[tuple[str, str]], bytes]] = {
    "posts.jsonl": json_lines,
    "posts.csv": lambda columns: delimited(columns, ","),
    "posts.tsv": lambda columns: delimited(columns, "\t"),
    "posts.parquet": parquet,
    "posts.jsonl.gz": lambda columns: gzip.compress(json_lines(columns)),
    "posts.csv.gz": lambda columns: gzip.compress(delimited(columns, ",")),
    "posts.tsv.gz": lambda columns: gzip.compress(delimited(columns, "\t")),
}


def read(folder: Path, name: str, content: bytes, text_column: str = "text", label_column: str = "label") -> list[dict]:
    (folder / name).write_bytes(content)
    return list(read_rows(folder / name, text_column=text_column, label_column=label_column))


def read_error(folder: Path, name: str, content: bytes) -> str:
    with pytest.raises(UserError) as caught:
        read(folder, name, content)
    message = str(caught.value)
    assert message.startswith(str(folder / name))
    assert "expected" in message and "found" in message
    assert len(message.splitlines()) == 1
    return message


@pytest.mark.parametrize("columns", [("text", "label"), ("review", "星级")])
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_texts_unchanged_under_settable_column_names(
    tmp_path: Path, name: str, columns: tuple[str, str]
) -> None:
    rows = read(tmp_path, name, FORMATS[name](columns), *columns)
    assert [(row["text"], row["label"]) for row in rows] == POSTS
    assert len({row["post"] for row in rows}) == len(POSTS)


@pytest.mark.parametrize(("name", "content"), [("a.xml", XML.encode()), ("a.xml.gz", gzip.compress(XML.encode(), mtime=0))])
def test_nlpcc_xml_gives_a_row_a_sentence_with_its_post(tmp_path: Path, name: str, content: bytes) -> None:
    assert read(tmp_path, name, content) == XML_ROWS


@pytest.mark.parametrize("name", ["posts.jsonl", "posts.csv", "posts.tsv", "posts.jsonl.gz"])
def test_a_byte_order_mark_is_no_part_of_the_data(tmp_path: Path, name: str) -> None:
    plain = FORMATS[name.removesuffix(".gz")](("text", "label"))
    content = b"\xef\xbb\xbf" + plain
    rows = read(tmp_path, name, gzip.compress(content) if name.endswith(".gz") else content)
    assert [(row["text"], row["label"]) for row in rows] == POSTS


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", b'{"text": "a", "label": "x"}\n\n  \n{"text": "b", "label": "y"}\n\n'),
        ("a.csv", b"text,label\na,x\n\nb,y\n\n"),
        ("a.tsv", b"text\tlabel\r\na\tx\r\n\r\nb\ty\r\n"),
    ],
)
def test_blank_lines_are_passed_over(tmp_path: Path, name: str, content: bytes) -> None:
    assert [(row["text"], row["label"]) for row in read(tmp_path, name, content)] == [("a", "x"), ("b", "y")]


@pytest.mark.parametrize("separator", ["\x85", "\u2028", "\x1c", "\x0c"])
def test_lines_end_at_line_feeds_alone(tmp_path: Path, separator: str) -> None:
    text = f"a{separator}b"
    line = json.dumps({"text": text, "label": "x"}, ensure_ascii=False)
    assert read(tmp_path, "a.jsonl", line.encode())[0]["text"] == text
    assert read(tmp_path, "a.csv", f"text,label\n{text},x\n".encode())[0]["text"] == text


def test_whole_numbers_as_labels_become_strings(tmp_path: Path) -> None:
    table = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"text": ["a", "b"], "label": [1, 0]}), table)
    lines = b'{"text": "a", "label": 1}\n{"text": "b", "label": 0}\n'
    for name, content in (("a.jsonl", lines), ("a.csv", b"text,label\na,1\nb,0\n"), ("a.parquet", table.getvalue())):
        assert [row["label"] for row in read(tmp_path, name, content)] == ["1", "0"]


def test_sentences_with_one_weibo_id_belong_to_one_post(tmp_path: Path) -> None:
    content = b'{"weibo_id": 3, "text": "a", "label": "x"}\n{"weibo_id": 3, "text": "b", "label": "x"}\n'
    assert [row["post"] for row in read(tmp_path, "a.jsonl", content)] == ["3", "3"]


CHINESE_LINE = '{"text": "好", "label": "x"}\n'.encode()
GOOD_LINE = b'{"text": "a", "label": "x"}\n'
GB18030 = "今天开心".encode("gb18030")
ONE_SENTENCE = '<r><weibo id="4"><sentence id="2" opinionated="{}">好</sentence></weibo></r>'


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.jsonl", GOOD_LINE + b"\n" + b"{'text': 'b'}\n", ["line 3", "JSON", "{'text'"]),
        ("a.jsonl", GOOD_LINE + b'{"text": "b", "lab', ["line 2", "JSON"]),
        ("a.jsonl", GOOD_LINE + b'["b", "x"]\n', ["line 2", "JSON object"]),
        ("a.jsonl", b"[" * 100_000, ["line 1", "JSON"]),
        ("a.jsonl", GOOD_LINE + b'{"text": "b", "label": ' + b"1" * 5_000 + b"}\n", ["line 2", "JSON"]),
        ("a.jsonl", CHINESE_LINE + GB18030 + b"\n", ["line 2", "UTF-8", "0xbd"]),
        ("a.jsonl", b'{"review": "a", "stars": "5"}\n', ["row 1", "'text'", "review, stars", "`text_column`"]),
        ("a.jsonl", GOOD_LINE + b'{"text": "b"}\n', ["row 2", "'label'", "`label_column`"]),
        ("a.jsonl", GOOD_LINE + b'{"text": null, "label": "x"}\n', ["row 2", "text", "None"]),
        ("a.jsonl", GOOD_LINE + b'{"text": "b", "label": null}\n', ["row 2", "label", "None"]),
        ("a.jsonl", GOOD_LINE + b'{"text": 5, "label": "x"}\n', ["row 2", "text", "5"]),
        ("a.jsonl", b"", ["at least one row"]),
        ("a.jsonl", b"\n\n", ["at least one row"]),
        ("a.jsonl.gz", b"no gzip at all", ["row 1", "'label'"]),
        ("a.csv", "text,label\n好,x\n".encode() + GB18030 + b",x\n", ["line 3", "UTF-8"]),
        ("a.csv", b"review,stars\na,5\n", ["'text'", "review, stars"]),
        ("a.csv", b'"re\nview",stars\na,5\n', ["'text'", "stars"]),
        ("a.csv", b"text,label,text\na,x,b\n", ["distinct column names", "'text'"]),
        ("a.csv", b"text,label\na,x\nb,y,z\n", ["line 3", "2 fields", "found 3"]),
        ("a.csv", b"text,label\na\n", ["line 2", "2 fields", "found 1"]),
        ("a.csv", b'text,label\na,x\n"b,y\n', ["line 3", "each quotation mark is closed"]),
        # A row is where it begins, however many lines follow within its quotation marks.
        ("a.csv", b'text,label\na,x\n"b,y\nc,x\nd,y\n', ["line 3", "each quotation mark is closed", "the end of the file"]),
        ("a.csv", b'text,label\na,x\n"b\n\nc",y,z\nd,y\n', ["line 3", "2 fields", "found 3"]),
        ("a.csv", b'text,label\n"a\nb",x\nc,y,z\nd,y,z\n', ["line 4", "2 fields", "found 3"]),
        ("a.csv", b"text,label\na,x\nb,\n", ["row 2", "label"]),
        ("a.csv", b"text,label\n", ["at least one row"]),
        ("a.tsv", b"text\tlabel\na\tx\tz\n", ["line 2", "2 fields", "found 3"]),
        ("a.parquet", b"PAR1 and nothing more", ["Parquet"]),
        ("a.xml", b"", ["XML"]),
        ("a.xml", b"<r></r>", ["at least one row"]),
        ("a.xml", ONE_SENTENCE.format("Y").encode(), ["post 4", "sentence 2", "emotion-1-type"]),
        ("a.xml", ONE_SENTENCE.format("").encode(), ["post 4", "sentence 2", "opinionated"]),
        ("a.xml", ONE_SENTENCE.format("N").encode("gb18030"), ["post 4", "XML"]),
        ("a.xml", b'<?xml version="1.0" encoding="GBK"?>' + ONE_SENTENCE.format("N").encode("gbk"), ["XML"]),
        ("a.txt", b"text,label\n", ["a.txt", "at least one row"]),
        ("a.txt", b'{"text": "a"}', ["a.txt", "row 1", "'label'"]),
        ("a.doc", b"text,label\n", ["at least one row"]),
        ("a.doc", b"%PDF-1.7", ["a PDF", "CSV"]),
        ("a.parquet.gz", b"", [".parquet"]),
        ("a", b"", ["at least one row"]),
    ],
)
def test_malformed_input_names_file_and_row(tmp_path: Path, name: str, content: bytes, words: list[str]) -> None:
    message = read_error(tmp_path, name, content)
    assert [word for word in words if word not in message] == []


def test_a_column_that_a_table_lacks_is_missing_in_its_header_and_its_flag_alone_is_named(tmp_path: Path) -> None:
    (tmp_path / "评论.csv").write_text("评论,情感\n太好了,正\n太差了,负\n", encoding="utf-8")

    def refusal(name: str, text_column: str | None, label_column: str) -> str:
        with pytest.raises(UserError) as caught:
            list(read_rows(tmp_path / name, text_column=text_column, label_column=label_column))
        return str(caught.value).removeprefix(f"{tmp_path / name}, ")

    labels = "header: expected a column 'label', found 评论, 情感; name it with `label_column`"
    assert refusal("评论.csv", None, "label") == refusal("评论.csv", "评论", "label") == labels
    texts = "header: expected a column 'text', found 评论, 情感; name it with `text_column`"
    assert refusal("评论.csv", "text", "情感") == texts
    # Each line of JSON has columns of its own.
    (tmp_path / "a.jsonl").write_text('{"text": "太好了", "label": "正"}\n{"text": "太差了"}\n', encoding="utf-8")
    assert refusal("a.jsonl", None, "label") == "row 2: expected a column 'label', found text; name it with `label_column`"
    assert refusal("a.jsonl", None, "情感").startswith(
        "row 1: expected a column '情感', found text, label; name it with `label_c"
    )


@pytest.mark.parametrize("name", ["posts.jsonl.gz", "posts.csv.gz", "posts.parquet", "posts.xml", "posts.xml.gz"])
def test_a_file_cut_in_half_is_refused(tmp_path: Path, name: str) -> None:
    whole = {"posts.xml": XML.encode(), "posts.xml.gz": gzip.compress(XML.encode())}.get(name)
    whole = FORMATS[name](("text", "label")) if whole is None else whole
    assert "whole" in read_error(tmp_path, name, whole[: len(whole) // 2]) or name.endswith(".parquet")


def test_damage_inside_a_parquet_file_is_refused(tmp_path: Path) -> None:
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"text": [f"post {i}" for i in range(2_000)], "label": ["x"] * 2_000}), file)
    content = bytearray(file.getvalue())
    content[100:130] = b"\xff" * 30
    assert "Parquet" in read_error(tmp_path, "a.parquet", bytes(content))


def test_a_parquet_text_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    offsets = pyarrow.py_buffer((0).to_bytes(4, "little") + len(GB18030).to_bytes(4, "little"))
    texts = pyarrow.Array.from_buffers(pyarrow.string(), 1, [None, offsets, pyarrow.py_buffer(GB18030)])
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"text": texts, "label": ["x"]}), file)
    read_error(tmp_path, "a.parquet", file.getvalue())


def test_a_null_in_a_later_batch_of_a_parquet_file_is_named_by_its_row(tmp_path: Path) -> None:
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"text": ["a"] * 70_000 + [None], "label": ["x"] * 70_001}), file)
    assert "row 70001" in read_error(tmp_path, "a.parquet", file.getvalue())


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet", "a.xml", "a.jsonl.gz"])
@pytest.mark.parametrize("is_folder", [False, True])
def test_a_path_that_is_no_file_is_refused(tmp_path: Path, name: str, is_folder: bool) -> None:
    if is_folder:
        (tmp_path / name).mkdir()
    with pytest.raises(UserError, match="expected") as caught:
        list(read_rows(tmp_path / name, text_column="text", label_column="label"))
    assert str(tmp_path / name) in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.txt"])
def test_text_files_in_another_encoding_with_bom_and_crlf_are_read(tmp_path: Path, name: str, encoding: str) -> None:
    content = {
        "a.csv": "text,label\r\n好累，真的,sad\r\n",
        "a.tsv": "text\tlabel\r\n好累，真的\tsad\r\n",
        "a.jsonl": '{"text": "好累，真的", "label": "sad"}\r\n',
        "a.txt": '[\r\n{"text": "好累，真的", "label": "sad"}]\r\n',
    }[name]
    (tmp_path / name).write_bytes(("\ufeff" + content).encode(encoding))
    rows = list(read_rows(tmp_path / name, text_column="text", label_column="label", encoding=encoding))
    assert [(row["text"], row["label"]) for row in rows] == [("好累，真的", "sad")]
