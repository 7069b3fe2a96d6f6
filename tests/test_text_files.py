import codecs
import gzip
import time
from pathlib import Path

import pytest

from aslstm.data.found_files import Named
from aslstm.data.row_readers import read_rows, read_texts
from aslstm.errors import UserError, check_encoding
from aslstm.text_files import MAX_LINE_BYTES, BadRow, read_lines

# U+4E0A, U+0A0A and U+0A41 hold the byte of a line feed in UTF-16.
POSTS = ["早上好ਊ", "上上\u0a41下", "a\U0001f602b"]
CONTENTS = {
    "a.csv": "text,label\n" + "".join(f"{post},x\n" for post in POSTS),
    "a.tsv": "text\tlabel\r\n" + "".join(f"{post}\tx\r\n" for post in POSTS),
    "a.jsonl": "".join(f'{{"text": "{post}", "label": "x"}}\n' for post in POSTS),
    "a.txt": "\n".join(POSTS),
}
MARKS = {
    "utf-8": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
}


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("name", CONTENTS)
@pytest.mark.parametrize("encoding", MARKS)
def test_a_byte_order_mark_tells_the_encoding_and_without_one_it_is_named(
    tmp_path: Path, encoding: str, name: str, suffix: str
) -> None:
    path = tmp_path / (name + suffix)
    content = CONTENTS[name].encode(encoding)
    for named, given in [
        (encoding, content),
        *((other, MARKS[encoding] + content) for other in ("utf-8", "gb18030", "utf-16")),
    ]:
        path.write_bytes(gzip.compress(given) if suffix else given)
        assert list(read_texts(path, Named(text_column=("text",), encoding=named))) == POSTS


def test_a_byte_that_an_encoding_of_one_byte_lacks_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"a\n\x81b\n")
    _, bad = read_lines(tmp_path / "a.txt", "cp1252")
    assert isinstance(bad, BadRow) and bad.content == "\\x81b\n"
    assert "line 2: expected CP1252, found byte 0x81 at column 1" in str(bad)


def test_utf_16_without_order_or_mark_is_that_of_windows(tmp_path: Path) -> None:
    for name, order in (("utf-16", "utf-16-le"), ("UTF32", "utf-32-le"), ("U16", "utf-16-le")):
        (tmp_path / "a.txt").write_bytes(CONTENTS["a.txt"].encode(order))
        assert list(read_texts(tmp_path / "a.txt", Named(encoding=name))) == POSTS


@pytest.mark.parametrize("content", ["好\n上".encode("utf-16")[:-1], b"\xff\xfe\n\x00\x00\xd8\n\x00"])
def test_a_broken_line_of_utf_16_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    first, second, *_ = read_lines(tmp_path / "a.txt")
    assert isinstance(first, str) and isinstance(second, BadRow)
    assert f"{tmp_path / 'a.txt'}, line 2: expected UTF-16-LE, found byte" in str(second)


@pytest.mark.parametrize("name", ["cp037", "cp500", "klingon", "undefined", "base64"])
def test_an_encoding_that_cannot_be_cut_into_lines_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=r"^`encoding`: expected ") as raised:
        check_encoding(name)
    assert len(str(raised.value).splitlines()) == 1


@pytest.mark.parametrize("name", ["posts.CSV", "posts.Csv.GZ", "posts.csv.Gz"])
def test_the_ending_of_a_name_may_be_in_capitals(tmp_path: Path, name: str) -> None:
    content = CONTENTS["a.csv"].encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.lower().endswith("gz") else content)
    rows = list(read_rows(tmp_path / name, text_column="text", label_column="label"))
    assert [row["text"] for row in rows] == POSTS


def test_a_line_that_is_too_long_is_passed_over_in_flat_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.txt.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write("好\n".encode())
        for _ in range(4 * MAX_LINE_BYTES // (1 << 22)):
            file.write(b"a" * (1 << 22))
        file.write("\n泪\n".encode())
    first, second, third = read_lines(path)
    assert (first, third) == ("好\n", "泪\n")
    assert isinstance(second, BadRow) and second.content == "a" * 240
    assert (
        str(second) == f"{path}, line 2: expected a line of at most 67,108,864 bytes, found a longer one; cut it or take it out"
    )


def test_many_bytes_of_line_feeds_in_one_line_of_utf_16_take_no_longer(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("上" * 2_000_000, encoding="utf-16")
    started = time.perf_counter()
    assert [len(line) for line in read_lines(tmp_path / "a.txt") if isinstance(line, str)] == [2_000_000]
    assert time.perf_counter() - started < 10  # 0.7 s on a quiet machine; it would be minutes if it grew with the square
