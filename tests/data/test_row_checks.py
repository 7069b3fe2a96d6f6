import io
import json
from pathlib import Path
from typing import Any

import datasets
import pyarrow
import pyarrow.parquet
import pytest

from aslstm.data.corpora import CorpusSource, load_corpus
from aslstm.data.row_checks import MAX_TEXT_CHARACTERS, RowChecker
from aslstm.data.row_readers import read_rows
from aslstm.errors import UserError


def labels(*given: Any) -> list[str]:
    check = RowChecker("posts.csv", "text")
    return [check(number, "好", label)["label"] for number, label in enumerate(given, start=1)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("neg", "neg "),
        ("neg", "\ufeffneg"),
        ("very bad", "very\u3000bad"),
        ("neg", "n\u200beg"),
        ("1", "1.0"),
        ("1", "01"),
        ("1", "+1"),
        ("0.5", "0.50"),
        ("1", "１"),
        ("neg", "ｎｅｇ"),
        ("caf\u00e9", "cafe\u0301"),
        ("ﾗﾍﾞﾙ", "ラベル"),
        (1, "1.0"),
    ],
)
def test_two_spellings_of_a_label_are_refused_with_both_rows(one: Any, other: Any) -> None:
    for first, second in ((one, other), (other, one)):
        with pytest.raises(UserError) as raised:
            labels("x", first, first, second)
        assert str(raised.value) == (
            f"posts.csv, row 4: expected one spelling of a label, found {str(second)!r} here and {str(first)!r} in row 2; "
            "write both in the same way"
        )


def test_different_labels_stay_different() -> None:
    given = ["a", "A", "ab", "1", "-1", "10", "0.5", "1.5", "v1.0", "v1", "好", "😂", "👨\u200d👩", "👨👩", "1e3", "1000"]
    assert labels(*given) == given


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("1.0", "1"),
        (1.0, "1"),
        ("-2.00", "-2"),
        (3, "3"),
        (" neg\t", "neg"),
        ("0.5", "0.5"),
        (4.5, "4.5"),
        (4.099999904632568, "4.1"),
        ("★★★☆☆", "★★★☆☆"),
        ("非常满意", "非常满意"),
        ("very bad", "very bad"),
        ("é", "é"),
    ],
)
def test_a_label_loses_white_space_around_it_and_the_zeros_of_a_whole_number(given: Any, name: str) -> None:
    assert labels(given, given) == [name, name]


@pytest.mark.parametrize("given", [None, "", "  ", True, float("nan"), float("inf"), ["a"]])
def test_what_is_no_label_is_refused(given: Any) -> None:
    with pytest.raises(UserError, match=r"^posts.csv, row 1: expected a text and a label"):
        labels(given)


def test_a_text_has_a_bound() -> None:
    check = RowChecker("posts.csv", "review")
    assert len(check(1, "a" * MAX_TEXT_CHARACTERS, "x")["text"]) == MAX_TEXT_CHARACTERS
    with pytest.raises(
        UserError, match=r"^posts.csv, row 2: expected a text of at most 1,000,000 characters in column 'review'"
    ):
        check(2, "a" * (MAX_TEXT_CHARACTERS + 1), "x")


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_the_spellings_of_a_file_are_compared(tmp_path: Path, name: str) -> None:
    rows = [("好", "neg"), ("泪", "pos"), ("怒", "neg ")]
    lines = [",".join(row) for row in [("text", "label"), *rows]]
    if name == "a.jsonl":
        lines = [json.dumps({"text": text, "label": label}) for text, label in rows]
    (tmp_path / name).write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(UserError, match=r"row 3: expected one spelling of a label, found 'neg ' here and 'neg' in row 1"):
        list(read_rows(tmp_path / name, text_column="text", label_column="label"))


def class_table(values: list[int | None]) -> bytes:
    features = datasets.Features(text=datasets.Value("string"), label=datasets.ClassLabel(names=["neg", "pos"]))
    file = io.BytesIO()
    texts = [f"post {i}" for i in range(len(values))]
    datasets.Dataset.from_dict({"text": texts, "label": values}, features=features).to_parquet(file)
    return file.getvalue()


def test_parquet_of_datasets_keeps_the_names_of_its_classes(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(class_table([1, 0]))
    rows = read_rows(tmp_path / "a.parquet", text_column="text", label_column="label")
    assert [row["label"] for row in rows] == ["pos", "neg"]


@pytest.mark.parametrize("missing", [-1, None])
def test_a_class_that_is_missing_is_refused(tmp_path: Path, missing: int | None) -> None:
    (tmp_path / "a.parquet").write_bytes(class_table([1, missing]))
    with pytest.raises(UserError, match=r"row 2: expected a text and a label .*None"):
        list(read_rows(tmp_path / "a.parquet", text_column="text", label_column="label"))


@pytest.mark.parametrize("metadata", [b"{", b"[]", b'{"info": null}', b'{"info": {"features": {"label": {"_type": "Value"}}}}'])
def test_metadata_of_another_kind_changes_nothing(tmp_path: Path, metadata: bytes) -> None:
    table = pyarrow.table({"text": ["a", "b"], "label": [1.0, 0.0]}).replace_schema_metadata({b"huggingface": metadata})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    rows = read_rows(tmp_path / "a.parquet", text_column="text", label_column="label")
    assert [row["label"] for row in rows] == ["1", "0"]


@pytest.mark.parametrize(
    ("feature", "values", "expected"),
    [
        (datasets.Value("int64"), [1, 0], {"0", "1"}),
        (datasets.Value("float64"), [1.0, 0.0], {"0", "1"}),
        (datasets.ClassLabel(names=["neg", "pos"]), [1, 0], {"neg", "pos"}),
        (datasets.Value("string"), ["1", "0"], {"0", "1"}),
    ],
    ids=["int", "float", "ClassLabel", "string"],
)
def test_the_labels_of_a_data_set_of_any_type_become_strings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, feature: Any, values: list[Any], expected: set[str]
) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    features = datasets.Features(text=datasets.Value("string"), label=feature)
    rows = {"text": [f"post {i}" for i in range(40)], "label": [values[i % 2] for i in range(40)]}
    (tmp_path / "corpus").mkdir()
    datasets.Dataset.from_dict(rows, features=features).to_parquet(tmp_path / "corpus" / "train.parquet")
    corpus = load_corpus(CorpusSource(str(tmp_path / "corpus")))
    for split in ("train", "validation"):
        assert corpus[split].features == {"text": datasets.Value("string"), "label": datasets.Value("string")}
        assert set(corpus[split]["label"]) == expected
