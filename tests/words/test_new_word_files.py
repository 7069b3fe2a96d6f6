from pathlib import Path

import pytest

from aslstm.errors import UserError
from aslstm.words.new_word_files import read_new_words, write_new_words
from aslstm.words.new_words import NewWord


def test_a_table_comes_back_as_it_was_written(tmp_path: Path) -> None:
    words = [NewWord("绝绝子", 50, 5.25, 2.0, 1.5, 9.125, "今天绝绝子啊"), NewWord("hold住", 9, 4.0, 1.0, 1.0, 4.0, "")]
    write_new_words(tmp_path / "new_words.tsv", words)
    assert read_new_words(tmp_path / "new_words.tsv") == words


HEADER = "word\tcount\tcohesion\tleft_entropy\tright_entropy\tscore\texample"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "line 1: expected the columns word, count"),
        ("绝绝子 50\n", "line 1: expected the columns"),
        (f"{HEADER}\n绝绝子\tmany\t1\t1\t1\t1\t好\n", "line 2: expected 7 columns"),
        (f"{HEADER}\n\n绝绝子\t5\n", "line 3: expected 7 columns"),
        (f"{HEADER}\n好\t9\t5\t2\t2\t10\t好\n{'好' * 65}\t9\t5\t2\t2\t10\t好\n", "line 3: expected a word of at most 64"),
        (f"{HEADER}\n有 空\t9\t5\t2\t2\t10\t好\n", "line 2: expected Chinese characters, Latin letters or digits"),
    ],
)
def test_a_malformed_table_names_its_line(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "new_words.tsv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=message):
        read_new_words(path)


def test_a_table_that_an_editor_saved_with_bom_and_crlf_is_read(tmp_path: Path) -> None:
    path = tmp_path / "new_words.tsv"
    path.write_bytes(f"\ufeff{HEADER}\r\n绝绝子\t5\t1\t1\t1\t1\t好\r\n".encode())
    assert read_new_words(path) == [NewWord("绝绝子", 5, 1.0, 1.0, 1.0, 1.0, "好")]


def test_a_table_of_a_spreadsheet_in_utf_16_is_read(tmp_path: Path) -> None:
    path = tmp_path / "new_words.tsv"
    path.write_text(f"{HEADER}\n上头\t5\t1\t1\t1\t1\t好\n", encoding="utf-16", newline="\r\n")
    assert read_new_words(path) == [NewWord("上头", 5, 1.0, 1.0, 1.0, 1.0, "好")]


def test_bytes_that_are_no_text_are_named_by_their_line(tmp_path: Path) -> None:
    path = tmp_path / "new_words.tsv"
    path.write_bytes(f"{HEADER}\n".encode() + "绝绝子".encode("gb18030"))
    with pytest.raises(UserError, match=r"new_words.tsv, line 2: expected UTF-8"):
        read_new_words(path)


@pytest.mark.parametrize("raw_cells", [False, True])
def test_a_spreadsheet_gets_no_formulas_but_the_words_come_back(tmp_path: Path, raw_cells: bool) -> None:
    words = [NewWord("+1", 50, -5.25, 2.0, 1.5, 9.125, "=1+1"), NewWord("好", 9, 4.0, 1.0, 1.0, 4.0, "'tis")]
    write_new_words(tmp_path / "new_words.tsv", words, raw_cells=raw_cells)
    assert read_new_words(tmp_path / "new_words.tsv") == words
    cells = (tmp_path / "new_words.tsv").read_text(encoding="utf-8").split("\n")[1].split("\t")
    assert cells[:3] == ["+1" if raw_cells else "'+1", "50", "-5.2500"]
    assert cells[-1] == ("=1+1" if raw_cells else "'=1+1")
