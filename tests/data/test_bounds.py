"""Files that hold more than the memory: each is refused in one line that names the bound and the row."""

import csv
import gzip
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from aslstm import packed_files
from aslstm.data.found_files import Named, find_file
from aslstm.data.row_readers import read_rows, read_texts
from aslstm.errors import UserError
from aslstm.text_files import MAX_LINE_BYTES, BadRow

TEXT = Named(text_column=("text",))
MEGABYTE = b"a" * (1 << 20)
TOO_MUCH = MAX_LINE_BYTES // len(MEGABYTE) + 1


def write_packed(path: Path, pieces: Iterable[bytes]) -> Path:
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.writelines(pieces)
    return path


def endless(start: bytes, piece: bytes = MEGABYTE) -> Iterator[bytes]:
    yield start
    for _ in range(TOO_MUCH):
        yield piece


def refusal_of(call: Callable[[], object]) -> str:
    with pytest.raises(UserError) as raised:
        call()
    assert len(str(raised.value).splitlines()) == 1
    return str(raised.value)


@pytest.mark.parametrize(
    ("name", "pieces", "words"),
    [
        ("a.txt.gz", endless(b"good\n"), ["line 2", "67,108,864 bytes"]),
        ("a.jsonl.gz", endless(b'{"text": "good"}\n{"text": "'), ["line 2", "67,108,864 bytes"]),
        ("a.csv.gz", endless(b"text,id\ngood,1\n"), ["line 3", "67,108,864 bytes"]),
        ("a.csv.gz", endless(b'text,id\ngood,1\n"', MEGABYTE + b"\n"), ["line 3", "67,108,864 characters"]),
        ("a.csv.gz", endless(b"text,id\ngood,1\n", b'"' + MEGABYTE + b'\n",'), ["67,108,864 characters", "row"]),
        ("a.tsv.gz", endless(b""), ["line 1", "67,108,864 bytes"]),
        ("a.txt.gz", endless(b'[{"text": "', MEGABYTE + b"\n"), ["line 64", "67,108,864 characters"]),
        (
            "a.xml.gz",
            endless(b'<r><weibo id="1"><sentence id="1" opinionated="N">'),
            ["XML element of at most 4,194,304 bytes"],
        ),
        ("a.xml.gz", endless(b'<r><weibo id="'), ["XML element of at most 4,194,304 bytes"]),
    ],
)
def test_more_than_a_row_may_hold_is_refused(tmp_path: Path, name: str, pieces: Iterator[bytes], words: list[str]) -> None:
    path = write_packed(tmp_path / name, pieces)
    message = refusal_of(lambda: list(read_texts(path, TEXT)))
    assert message.startswith(str(path)) and [word for word in words if word not in message] == []


def test_a_field_of_csv_may_be_longer_than_the_csv_module_takes(tmp_path: Path) -> None:
    posts = ["长" * 200_000, "短"]
    with (tmp_path / "a.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["text"], *([post] for post in posts)])
    assert list(read_texts(tmp_path / "a.csv", TEXT)) == posts


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "a.csv", "a.parquet"])
def test_a_post_has_a_bound_in_every_format(tmp_path: Path, name: str) -> None:
    post = "a" * 1_000_001
    content = {
        "a.txt": f"good\n{post}\n",
        "a.jsonl": f'{{"text": "good"}}\n{{"text": "{post}"}}',
        "a.csv": f"text\ngood\n{post}\n",
    }
    if name == "a.parquet":
        pyarrow.parquet.write_table(pyarrow.table({"text": ["good", post]}), tmp_path / name)
    else:
        (tmp_path / name).write_text(content[name], encoding="utf-8")
    message = refusal_of(lambda: list(read_texts(tmp_path / name, TEXT)))
    place = {"a.csv": "line 3", "a.jsonl": "line 2"}.get(name, "row 2")
    assert f"{name}, {place}: expected a text of at most 1,000,000 characters in column 'text', found 1,000,001" in message


def test_a_long_cell_of_parquet_is_named_by_its_row_and_column(tmp_path: Path) -> None:
    notes = ["short"] * 5_000 + ["a" * (MAX_LINE_BYTES + 1)] + ["short"]
    pyarrow.parquet.write_table(pyarrow.table({"text": ["好"] * len(notes), "note": notes}), tmp_path / "a.parquet")
    message = refusal_of(lambda: list(read_texts(tmp_path / "a.parquet", TEXT)))
    assert "a.parquet, row 5001: expected a cell of at most 67,108,864 bytes, found 67,108," in message and "'note'" in message


def test_packed_parquet_has_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed_files, "MAX_COPIED_BYTES", 1 << 21)
    path = write_packed(tmp_path / "a.parquet.gz", [b"PAR1", *[MEGABYTE] * 4])
    assert "expected at most 2,097,152 bytes of Parquet" in refusal_of(lambda: list(read_texts(path, TEXT)))


def nested(depth: int, kind: str) -> str:
    return ("[" * depth + "]" * depth) if kind == "list" else '{"a": ' * depth + "1" + "}" * depth


@pytest.mark.parametrize("kind", ["list", "object"])
def test_the_nesting_of_json_has_a_bound(tmp_path: Path, kind: str) -> None:
    lines = [f'{{"text": "好", "label": "x", "more": {nested(depth, kind)}}}' for depth in (99, 100, 300, 900)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    first, *others = find_file(tmp_path / "a.jsonl", TEXT).posts()
    assert not isinstance(first, BadRow) and len(others) == 3
    for number, bad in enumerate(others, start=2):
        assert isinstance(bad, BadRow)
        assert f"line {number}: expected JSON of at most 100 levels, found more" in str(bad)
    (tmp_path / "a.txt").write_text(json.dumps([{"text": "好", "label": "x"}])[:-1] + f", {lines[2]}]", encoding="utf-8")
    message = refusal_of(lambda: list(read_rows(tmp_path / "a.txt", text_column="text", label_column="label")))
    assert "a.txt, row 2: expected JSON of at most 100 levels" in message
