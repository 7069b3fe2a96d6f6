import csv
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from aslstm.words.new_word_files import read_new_words
from tests.support.commands import run_command
from tests.words.test_new_word_files import HEADER
from tests.words.test_new_words import posts_with
from tokenization.word_segmentation import read_user_dict

POSTS = posts_with("绝绝子")
SMALL_MODEL = ("--num_train_epochs", "1", "--embedding_size", "8", "--hidden_size", "4")


def write_text(path: Path) -> None:
    path.write_text("\n".join(POSTS), encoding="utf-8")


def write_jsonl_gz(path: Path) -> None:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps({"content": post}, ensure_ascii=False) + "\n" for post in POSTS)


def write_csv(path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["id", "content"], *([str(i), post] for i, post in enumerate(POSTS))])


def write_parquet(path: Path) -> None:
    pyarrow.parquet.write_table(pyarrow.table({"content": POSTS}), path)


def write_json_list(path: Path) -> None:
    path.write_text(json.dumps([{"content": post} for post in POSTS], ensure_ascii=False), encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("posts.txt", write_text),
        ("posts.jsonl.gz", write_jsonl_gz),
        ("posts.csv", write_csv),
        ("posts.parquet", write_parquet),
        ("list.txt", write_json_list),
    ],
)
def test_every_format_gives_the_same_table(tmp_path: Path, name: str, write) -> None:
    write(tmp_path / name)
    # A glob, as a shell that does not expand it would pass it on.
    flags = ("--input", tmp_path / f"*{Path(name).suffix}", "--text_column", "content", "--method", "characters")
    run_command("find-words", *flags, "--output", tmp_path / "new_words.tsv")
    words = read_new_words(tmp_path / "new_words.tsv")
    assert [(word.word, word.count) for word in words] == [("绝绝子", 144)]
    assert "绝绝子" in words[0].example


def test_standard_input_is_read(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "aslstm", "find-words", "--input", "-", "--method", "characters"]
    result = subprocess.run(
        [*command, "--output", str(tmp_path / "new_words.tsv")], input="\n".join(POSTS), text=True, encoding="utf-8"
    )
    assert result.returncode == 0
    assert [word.word for word in read_new_words(tmp_path / "new_words.tsv")] == ["绝绝子"]


@pytest.mark.parametrize("content", ["", "\n", "nothing Chinese here\n1234\n", "一行\n", "哈" * 100_000])
def test_a_corpus_without_words_gives_an_empty_table(tmp_path: Path, content: str) -> None:
    (tmp_path / "posts.txt").write_text(content, encoding="utf-8")
    run_command("find-words", "--input", tmp_path / "posts.txt", "--output", tmp_path / "new_words.tsv")
    assert (tmp_path / "new_words.tsv").read_text(encoding="utf-8") == HEADER + "\n"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--input", "missing*.txt"), "--input missing*.txt: expected a file, found none"),
        (("--input", "posts.docx"), "posts.docx: expected a table or a text, found a PDF"),
        (("--input", "posts.csv", "--output", "there.tsv"), "there.tsv: expected a new file, found one"),
        (("--input", "posts.csv", "--output", "no/folder.tsv"), "expected an existing folder, found none"),
        (("--input", "posts.csv", "--encoding", "nonsense"), "--encoding: expected the name of an encoding"),
        (("--input", "-", "--method", "tagger"), "expected files, which it reads twice, found standard input"),
        (("--input", "posts.csv", "--output", "."), "expected the name of a file, found a folder"),
        (("--input", "posts.csv", "--min_count", "0"), "--min_count: expected 1 or more, found 0"),
        (("--input", "posts.csv", "--max_word_length", "1"), "--max_word_length: expected 2 or more"),
    ],
)
def test_bad_input_is_one_line_and_changes_nothing(tmp_path: Path, flags: tuple[str, ...], message: str) -> None:
    lines = refusal_lines(tmp_path, flags)
    assert len(lines) == 1 and message in lines[0]


@pytest.mark.parametrize(
    ("flags", "found", "message"),
    [
        (
            ("--input", "binary.txt"),
            "binary.txt: a post on each line, UTF-8, 2 rows",
            "line 1: expected UTF-8, found byte 0xff",
        ),
        (
            ("--input", "marked.txt"),
            "marked.txt: a post on each line, UTF-16, 1 row",
            "line 1: expected UTF-16-LE, found byte 0xdf at column 33",
        ),
        (
            ("--input", "posts.csv", "--text_column", "text"),
            "posts.csv: UTF-8, comma, text column text, no date column, over 5,000 rows",
            "line 2: expected a text in column 'text', found id, content; name it with --text_column",
        ),
    ],
)
def test_a_bad_row_is_one_line_below_what_was_found_and_changes_nothing(
    tmp_path: Path, flags: tuple[str, ...], found: str, message: str
) -> None:
    lines = refusal_lines(tmp_path, flags)
    assert len(lines) == 2 and lines[0] == found
    assert lines[1].startswith("error: ") and message in lines[1]


def refusal_lines(tmp_path: Path, flags: tuple[str, ...]) -> list[str]:
    """What the command says where it refuses its input, after a check that it changes nothing."""
    write_csv(tmp_path / "posts.csv")
    (tmp_path / "posts.docx").write_bytes(b"%PDF-1.7")
    # The first two of all bytes from 255 down are the byte order mark of UTF-16.
    (tmp_path / "marked.txt").write_bytes(bytes(range(255, 0, -1)))
    (tmp_path / "binary.txt").write_bytes(bytes([255, *range(253, 0, -1)]))
    (tmp_path / "there.tsv").write_text("mine", encoding="utf-8")
    result = run_command("find-words", "--output", "out.tsv", *flags, check=False, cwd=tmp_path)
    assert result.returncode == 2
    assert (tmp_path / "there.tsv").read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "out.tsv").exists()
    return result.stderr.splitlines()


# ---- what training makes of found words ----


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("corpus") / "posts.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = [[f"{post}{i % 97}", "good" if "绝绝子" in post else "bad"] for i, post in enumerate(POSTS[:7000])]
        csv.writer(file).writerows([["text", "label"], *rows])
    return path


def tokens_elsewhere(folder: Path, text: str) -> list[str]:
    """What the folder's own code makes of a text in a fresh process."""
    code = (
        "import sys, json; from transformers import AutoTokenizer\n"
        "print(json.dumps(AutoTokenizer.from_pretrained(sys.argv[1], trust_remote_code=True).tokenize(sys.argv[2])))"
    )
    command = [sys.executable, "-c", code, str(folder), text]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    result = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True, cwd=folder, env=environment)
    return json.loads(result.stdout.splitlines()[-1])


def test_a_trained_folder_keeps_discovered_words_whole(tmp_path: Path, corpus: Path) -> None:
    flags = ("--train_file", corpus, "--selection", "new_words", "--discover_words", "characters", *SMALL_MODEL)
    run_command("train", *flags, "--output_dir", tmp_path / "found")
    assert "绝绝子" in tokens_elsewhere(tmp_path / "found", "今天绝绝子啊")
    found = {word.word: word.example for word in read_new_words(tmp_path / "found" / "new_words.tsv")}
    assert "绝绝子" in found and not any(found.values())  # Examples are posts, and the folder may be published.
    entries = {word.word: word.frequency for word in read_user_dict(tmp_path / "found" / "user_dict.txt")}
    assert (entries["绝绝子"] or 0) >= 1
    assert json.loads((tmp_path / "found" / "tokenizer_config.json").read_text(encoding="utf-8"))["use_hmm"] is False
    assert "new_words.tsv" in json.loads((tmp_path / "found" / "checksums.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("word", ["绝绝子", "摆烂"])
def test_a_word_is_kept_where_a_given_table_has_it_and_only_there(tmp_path: Path, corpus: Path, word: str) -> None:
    table = tmp_path / "words.tsv"
    table.write_text(f"{HEADER}\n{word}\t144\t5\t2\t2\t10\t今天{word}啊\n", encoding="utf-8")
    run_command("train", "--train_file", corpus, "--new_words", table, *SMALL_MODEL, "--output_dir", tmp_path / "given")
    assert ("绝绝子" in tokens_elsewhere(tmp_path / "given", "今天绝绝子啊")) == (word == "绝绝子")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--discover_words", "words", "--new_words", "words.tsv"), "expected --discover_words or --new_words, found both"),
        (("--streaming", "--discover_words", "words"), "run aslstm find-words on the files first"),
        (("--new_words", "missing.tsv"), "missing.tsv: expected a readable file"),
        (
            ("--new_words", "words.tsv"),
            "words.tsv, line 2: expected Chinese characters, Latin letters or digits, found '有 空'",
        ),
        (("--new_words", "posts.csv"), "posts.csv, line 1: expected the columns word, count"),
    ],
)
def test_flags_and_tables_that_cannot_be(tmp_path: Path, corpus: Path, flags: tuple[str, ...], message: str) -> None:
    (tmp_path / "words.tsv").write_text(f"{HEADER}\n有 空\t9\t5\t2\t2\t10\t好\n", encoding="utf-8")
    (tmp_path / "posts.csv").write_text("text,label\n", encoding="utf-8")
    result = run_command("train", "--train_file", corpus, *flags, check=False, cwd=tmp_path)
    assert result.returncode == 2
    assert message in result.stderr
