import json
from pathlib import Path

import pytest

from tests.support.commands import SHARED_DATA, run_command


def test_the_report_counts_a_small_corpus(tmp_path: Path) -> None:
    rows = {
        "train": [
            ("好累[泪]", "sad"),
            ("好累[泪]", "sad"),
            ("好 开心", "glad"),
            ("同一句", "sad"),
            ("同一句", "glad"),
            ("", "sad"),
        ],
        "test": [("好开心", "glad"), ("气死[怒][怒]", "sad"), ("看[视频]", "glad")],
    }
    for split, content in rows.items():
        lines = [json.dumps({"text": text, "label": label}) for text, label in content]
        (tmp_path / f"{split}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    files = ("--train_file", tmp_path / "train.jsonl", "--test_file", tmp_path / "test.jsonl")
    report = run_command("describe", *files, "--output", tmp_path / "report").stdout
    assert "| train | 6 | 6 | 1 | 2 | 2 | 2 (33.3%) |" in report
    assert "| test | 3 | 3 | 0 | 0 | 0 | 1 (33.3%) |" in report
    assert "| test | 1 |  |" in report  # 好开心 also stands in train, white space ignored
    assert "| test | 1 | 1 | 2 | 2 (100.0%) |" in report
    assert "| remove_content_markers | 1 | `看[视频]` → `看 ` |" in report
    assert {path.name for path in (tmp_path / "report").iterdir()} == {"report.md", "labels.png", "lengths.png", "emoji.png"}


@pytest.mark.skipif(not SHARED_DATA.exists(), reason="needs the research corpora beside the project")
def test_the_report_of_nlpcc2014_has_the_known_counts() -> None:
    report = run_command("describe", "--dataset", "nlpcc2014", "--data_dir", SHARED_DATA / "nlpcc2014").stdout
    assert "| test | 15693 | 6000 |" in report and "2212 (14.1%)" in report
    assert "| test | 244 | 679 | 67 | 641 | 1630 | 11871 | 302 | 259 |" in report
    assert "| test | 96 |  |" in report
    assert "| test | 351 | 174 | 3732 | 468 (12.5%) |" in report


@pytest.mark.skipif(not SHARED_DATA.exists(), reason="needs the research corpora beside the project")
@pytest.mark.parametrize(
    ("dataset", "expected"),
    [
        ("weibo_senti_100k", ["| train | 47884 |", "| test | 5957 |", "negative", "positive"]),
        ("smp2020_ewect", ["| train | 27346 |", "| test | 2000 |", "neutral"]),
    ],
)
def test_other_known_corpora_are_read(dataset: str, expected: list[str]) -> None:
    report = run_command("describe", "--dataset", dataset, "--data_dir", SHARED_DATA / dataset).stdout
    assert [words for words in expected if words not in report] == []
