import csv
import json
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from aslstm.prediction.files import join_parts, part_suffix, write_part
from aslstm.prediction.parquet_files import types_of_answers

# Two parts whose columns differ in every way, and one all of whose rows were passed over.
PARTS: list[list[dict]] = [
    [{"a": 1, "b": None, "c": [], "d": {"x": 1}, "e": 2**60, "f": True}, {"a": 2, "b": None, "c": [], "g": {}}],
    [],
    [{"a": 2.5, "b": "文", "c": ["t"], "d": {"y": "z"}, "e": "id", "f": None, "h": 2**70}, {"e": 'a "quoted", text'}],
]
COLUMNS = list("abcdefgh")


def join(folder: Path, output_format: str, parts: list[list[dict]]) -> Path:
    paths = [folder / f"{i}{part_suffix(output_format)}" for i in range(len(parts))]
    for path, rows in zip(paths, parts, strict=True):
        write_part(path, rows, {})
    target = folder / f"out.{output_format}"
    join_parts(paths, COLUMNS, output_format, target)
    return target


def test_json_lines_are_the_rows(tmp_path: Path) -> None:
    lines = join(tmp_path, "jsonl", PARTS).read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == PARTS[0] + PARTS[2]


def test_numbers_that_json_has_no_word_for_are_null(tmp_path: Path) -> None:
    (line,) = (
        join(tmp_path, "jsonl", [[{"a": float("nan"), "c": [1.5, float("-inf")]}]]).read_text(encoding="utf-8").splitlines()
    )
    assert line == '{"a": null, "c": [1.5, null]}'


def test_csv_has_a_field_for_each_column_of_any_part(tmp_path: Path) -> None:
    with join(tmp_path, "csv", PARTS).open(encoding="utf-8", newline="") as file:
        found = list(csv.reader(file))
    assert found == [
        COLUMNS,
        ["1", "", "[]", '{"x": 1}', str(2**60), "true", "", ""],
        ["2", "", "[]", "", "", "", "{}", ""],
        ["2.5", "文", '["t"]', '{"y": "z"}', "id", "", "", str(2**70)],
        ["", "", "", "", 'a "quoted", text', "", "", ""],
    ]


def test_parquet_has_the_type_that_holds_all_values_or_text(tmp_path: Path) -> None:
    table = pyarrow.parquet.read_table(join(tmp_path, "parquet", PARTS))
    assert {field.name: str(field.type) for field in table.schema} == {
        "a": "double", "b": "string", "c": "list<element: string>", "d": "struct<x: int64, y: string>", "e": "string",
        "f": "bool", "g": "string", "h": "string",
    }  # fmt: skip
    nothing = dict.fromkeys(COLUMNS)
    assert table.to_pylist() == [
        nothing | {"a": 1.0, "c": [], "d": {"x": 1, "y": None}, "e": str(2**60), "f": True},
        nothing | {"a": 2.0, "c": [], "g": "{}"},
        nothing | {"a": 2.5, "b": "文", "c": ["t"], "d": {"x": None, "y": "z"}, "e": "id", "h": str(2**70)},
        nothing | {"e": 'a "quoted", text'},
    ]


def test_mixed_types_within_a_part_are_text(tmp_path: Path) -> None:
    rows = [{"a": 1, "b": [1]}, {"a": "x", "b": ["y"]}, {"a": None, "b": None}]
    table = pyarrow.parquet.read_table(join(tmp_path, "parquet", [rows]))
    assert table.to_pylist() == [{"a": "1", "b": "[1]"}, {"a": "x", "b": '["y"]'}, {"a": None, "b": None}]


@pytest.mark.parametrize("output_format", ["jsonl", "csv"])
def test_dates_are_text_where_there_is_no_type_for_them(tmp_path: Path, output_format: str) -> None:
    days = pyarrow.array([0], pyarrow.date32()).to_pylist()
    assert "1970-01-01" in join(tmp_path, output_format, [[{"a": days[0]}]]).read_text(encoding="utf-8")


def test_the_types_of_answers_are_known_where_no_row_shows_them(tmp_path: Path) -> None:
    names = ["label", "score", "scores", "polarity", "polarity_score", "emoji", "attention", "contributions"]
    types = types_of_answers(names, ["sad", "fun"])
    assert types_of_answers(names[:4], ["sad", "fun"]) == {name: types[name] for name in names[:4]}
    assert types_of_answers(["p_emoji"], ["sad"], "p_") == {"p_emoji": types["emoji"]}
    rows = [{"label": "sad", "score": 1, "scores": {"sad": 1, "fun": 0}, "polarity": "positive", "polarity_score": 1}]
    rows = [row | {"emoji": [], "attention": [], "contributions": []} for row in rows]
    write_part(tmp_path / "0.parquet", rows, types)
    schema = pyarrow.parquet.read_schema(tmp_path / "0.parquet")
    assert pyarrow.types.is_string(schema.field("emoji").type.value_type)
    assert [field.name for field in schema.field("attention").type.value_type] == [
        "token",
        "start",
        "end",
        "weight",
        "is_emoji",
    ]
    assert all(pyarrow.types.is_floating(schema.field(name).type) for name in ("score", "polarity_score"))
    assert pyarrow.types.is_string(schema.field("polarity").type)
