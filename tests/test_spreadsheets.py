import csv
import io

import pytest

from aslstm.spreadsheets import guarded, unguarded, write_rows

FORMULAS = [
    "=1+1",
    "+86",
    "-1",
    "@小明 你好",
    "＝1",
    "＋1",
    "－1",
    "＠sum(1)",
    "\tx",
    "\rx",
    "\nx",
    "=cmd|' /C calc'!A0",
    "-",
    "=",
]
TEXTS = ["", "好", "'", "it's", "'tis", "''", "1-1", "a=b", " =1", "[泪]", "0.5", "''x", "–1"]


def written(rows: list[list], **options: bool) -> list[list[str]]:
    file = io.StringIO(newline="")
    write_rows(file, rows, **options)
    return list(csv.reader(io.StringIO(file.getvalue(), newline="")))


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_begins_with_an_apostrophe(text: str) -> None:
    assert written([[text], ["a", text]]) == [[f"'{text}"], ["a", f"'{text}"]]


@pytest.mark.parametrize("text", TEXTS)
def test_other_texts_are_written_as_they_are(text: str) -> None:
    assert written([["a", text]]) == [["a", text]]


@pytest.mark.parametrize("text", [*FORMULAS, *TEXTS, *("'" + text for text in FORMULAS), *("''" + text for text in FORMULAS)])
def test_a_text_comes_back(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert unguarded(written([["a", text]], keep_numbers=True)[0][1]) == text


def test_numbers_stay_numbers() -> None:
    assert written([[-0.53, -1, True, None]]) == [["-0.53", "-1", "True", ""]]
    numbers = ["-0.53", "+1", "-1e-07", "-1.5E+3"]
    assert written([numbers], keep_numbers=True) == [numbers]
    others = ["-1-1", "-1\n", "-", "--1", "-1,5", "-１", "+1(2)"]
    assert written([others], keep_numbers=True) == [[f"'{text}" for text in others]]


def test_raw_cells_are_written_as_they_are() -> None:
    assert written([FORMULAS], raw_cells=True) == [FORMULAS]
