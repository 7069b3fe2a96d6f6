import csv
import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from aslstm.commands.flags import CommandParser, add_settings, make_settings
from aslstm.data.text_sources import TextSource
from aslstm.errors import UserError

POSTS = ["今天又加班[泪]", "奖金到手😂", "明天下午三点开会"]


def read(*flags: str | Path) -> list[str]:
    parser = CommandParser("texts", "Read texts.")
    add_settings(parser, TextSource)
    return list(make_settings(TextSource, parser.parse_args([str(flag) for flag in flags])).texts())


def refusal_of(call: Callable[[], object]) -> str:
    with pytest.raises(UserError) as caught:
        call()
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def write_jsonl(path: Path, column: str = "text", posts: list[str] = POSTS) -> Path:
    content = "".join(json.dumps({column: post, "id": i}, ensure_ascii=False) + "\n" for i, post in enumerate(posts))
    path.write_bytes(gzip.compress(content.encode()) if path.suffix == ".gz" else content.encode())
    return path


def write_csv(path: Path, column: str = "text", posts: list[str] = POSTS) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["id", column], *([i, post] for i, post in enumerate(posts))])
    return path


def test_a_glob_is_its_files_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a.jsonl", "c.csv"):
        (tmp_path / name).touch()
    assert TextSource((f"{tmp_path}/*.jsonl",)).paths() == [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]


def test_a_folder_is_its_posts_and_not_what_stands_beside_answers(tmp_path: Path) -> None:
    for name in ("b.csv", "b.csv.counts.json", "b.csv.errors.jsonl", "a.json", "notes.doc"):
        (tmp_path / name).touch()
    assert TextSource((str(tmp_path),)).paths() == [tmp_path / "a.json", tmp_path / "b.csv"]


def test_two_stars_look_into_folders(tmp_path: Path) -> None:
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    (tmp_path / "deep" / "deeper" / "a.jsonl").touch()
    (tmp_path / "b.jsonl").touch()
    found = TextSource((f"{tmp_path}/**/*.jsonl",)).paths()
    assert sorted(found) == [tmp_path / "b.jsonl", tmp_path / "deep" / "deeper" / "a.jsonl"]


def test_patterns_keep_their_order_and_a_dash_is_standard_input(tmp_path: Path) -> None:
    first, second = tmp_path / "z.csv", tmp_path / "a.csv"
    first.touch()
    second.touch()
    assert TextSource((str(first), "-", str(second))).paths() == [first, Path("-"), second]


@pytest.mark.parametrize("pattern", ["nowhere.jsonl", "*.parquet", "no/folder/*.csv"])
def test_a_pattern_that_no_file_has_is_named(tmp_path: Path, pattern: str) -> None:
    (tmp_path / "a.jsonl").touch()
    message = refusal_of(lambda: TextSource((str(tmp_path / "a.jsonl"), str(tmp_path / pattern))).paths())
    assert message.startswith(f"`input` {tmp_path / pattern}: expected a file, found none")


def test_several_files_of_several_formats_come_one_after_the_other(tmp_path: Path) -> None:
    one = write_jsonl(tmp_path / "one.jsonl.gz", posts=["一", "二"])
    two = write_csv(tmp_path / "two.csv", posts=["三"])
    (tmp_path / "three.txt").write_text("四\n五\n", encoding="utf-8")
    texts = read("--input", two, one, tmp_path / "three.txt")
    assert [text.strip() for text in texts] == ["三", "一", "二", "四", "五"]


def test_a_glob_and_its_files_give_the_same_texts(tmp_path: Path) -> None:
    for i in range(3):
        write_jsonl(tmp_path / f"{i}.jsonl", posts=[f"{i} {post}" for post in POSTS])
    files = [tmp_path / f"{i}.jsonl" for i in range(3)]
    assert read("--input", f"{tmp_path}/?.jsonl") == read("--input", *files)
    assert len(read("--input", *files)) == 9


def test_the_text_column_is_named_text_without_the_flag(tmp_path: Path) -> None:
    assert read("--input", write_jsonl(tmp_path / "posts.jsonl")) == POSTS


def test_of_several_columns_each_file_has_its_own(tmp_path: Path) -> None:
    files = [write_jsonl(tmp_path / "a.jsonl", "content"), write_csv(tmp_path / "b.csv", "review")]
    assert read("--input", *files, "--text_column", "review", "content") == POSTS * 2


def test_of_several_columns_the_first_that_a_row_has_is_read(tmp_path: Path) -> None:
    rows = [{"title": "标题", "content": "内容"}, {"content": "内容二"}, {"title": "标题三"}]
    path = tmp_path / "posts.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert read("--input", path, "--text_column", "title", "content") == ["标题", "内容二", "标题三"]
    assert read("--input", path, "--text_column", "content", "title") == ["内容", "内容二", "标题三"]


def test_another_encoding_is_read(tmp_path: Path) -> None:
    (tmp_path / "posts.txt").write_text("今天又加班\n", encoding="gb18030")
    assert [text.strip() for text in read("--input", tmp_path / "posts.txt", "--encoding", "GB18030")] == ["今天又加班"]


@pytest.mark.parametrize("write", [write_jsonl, write_csv])
def test_a_missing_column_ends_in_a_line_that_names_what_there_is(tmp_path: Path, write: Callable[..., Path]) -> None:
    path = write(tmp_path / ("posts.jsonl" if write is write_jsonl else "posts.csv"), "content")
    message = refusal_of(lambda: read("--input", path, "--text_column", "text", "review"))
    assert message.startswith(
        f"{path}, line {1 if write is write_jsonl else 2}: expected a text in column 'text' or 'review', found "
    )
    assert "content" in message and "id" in message and "`text_column`" in message


def test_a_row_whose_text_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_text('{"text": "好"}\n{"text": 5}\n', encoding="utf-8")
    assert f"{path}, line 2: expected a text in column 'text', found 5" in refusal_of(lambda: read("--input", path))


def test_the_files_are_looked_for_before_the_first_text_is_given(tmp_path: Path) -> None:
    source = TextSource((str(write_jsonl(tmp_path / "posts.jsonl")), str(tmp_path / "nowhere.csv")))
    assert "nowhere.csv" in refusal_of(lambda: next(source.texts()))
