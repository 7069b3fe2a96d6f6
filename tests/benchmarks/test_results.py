import itertools
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from huggingface_hub import ModelCard

from aslstm.errors import UserError
from aslstm.files import CHECKSUMS
from aslstm.model_folder.layout import CARD, check_model_folder
from aslstm.model_folder.loading import load_model
from aslstm.training.publishing import TrainingRecord, fill_card
from benchmarks.results import GATES, polarity_accuracy, publish_in_card, table_of
from benchmarks.speed import HEADER, Result
from tests.support.commands import ROOT, contents, files_no_larger_than

NAMES = ["anger", "happiness", "like", "none", "sadness", "surprise"]


@pytest.fixture
def folder(model_folder: Path, tmp_path: Path) -> Path:
    """A copy of a model folder, with the card of a model of a known corpus."""
    folder = tmp_path / "model"
    shutil.copytree(model_folder, folder)
    results = json.loads((folder / "eval_results.json").read_text(encoding="utf-8"))
    record = TrainingRecord("nlpcc2014", results=results)
    (folder / CARD).write_text(fill_card("model", load_model(folder), record), encoding="utf-8")
    return folder


@pytest.fixture
def figures() -> dict[str, Any]:
    ours = {key: [gate.target + (-0.01 if gate.at_most else 0.01), 0.001] for key, gate in GATES.items()}
    ours["accuracy"] = [0.5, 0.1]
    return {"num_runs": 3, "ours": ours, "svm": {"macro_f1": 0.428}, "svm_balanced": {"macro_f1": 0.43}}


def test_polarity_sums_the_groups_and_leaves_out_other_gold_labels() -> None:
    probabilities = np.array([
        [0.3, 0.2, 0.2, 0.1, 0.0, 0.2],  # like + happiness .4 beat anger .3, though anger is the largest of all
        [0.0, 0.0, 0.2, 0.5, 0.3, 0.0],  # sadness .3 beats like .2; none is ignored
        [0.9, 0.0, 0.0, 0.1, 0.0, 0.0],  # gold is none: not a row of this measure
        [0.0, 0.6, 0.0, 0.0, 0.4, 0.0],  # wrong
    ])  # fmt: skip
    labels = np.array([NAMES.index(name) for name in ("like", "sadness", "none", "anger")])
    assert polarity_accuracy(probabilities, labels, NAMES) == pytest.approx(2 / 3)


def test_the_table_says_what_is_reached(figures: dict[str, Any]) -> None:
    lines = {line.split(" | ")[0]: line for line in table_of(figures)}
    assert lines["| NLPCC 2014 test, accuracy"].endswith("≥ 0.780 | not reached |")
    assert lines["| NLPCC 2014 test, macro-F1 of 8"].endswith("| 0.428 | 0.430 | 0.510 ± 0.001 | ≥ 0.500 | pass |")
    assert lines["| weights, MB in fp32"].endswith("≤ 35.0 | pass |")


def test_the_card_gets_the_table_once_and_its_figures(folder: Path, figures: dict[str, Any], tmp_path: Path) -> None:
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    before = len(ModelCard.load(folder / "README.md").data.eval_results)
    for _ in range(2):
        publish_in_card(folder, figures)
    check_model_folder(folder)
    listed = json.loads((folder / CHECKSUMS).read_text(encoding="utf-8"))
    assert listed.keys() == {path.name for path in folder.iterdir()} - {CHECKSUMS, "notes.txt"}
    assert (folder / "notes.txt").read_text(encoding="utf-8") == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    card = ModelCard.load(folder / "README.md")
    assert card.text.count("## Beside the baselines") == 1
    assert "| NLPCC 2014 test, accuracy |" in card.text
    assert "](emoji_map.png)" in card.text and (folder / "emoji_map.png").read_bytes().startswith(b"\x89PNG")
    for section in ("## Results", "## Limits and risks", "## Citation"):
        assert card.text.count(section) == 1
    added = {result.metric_name: result.metric_value for result in card.data.eval_results[before:]}
    assert added["NLPCC 2014 test, accuracy"] == 0.5
    assert len(added) == len(card.data.eval_results) - before == len(GATES) - 1


def test_a_card_that_cannot_be_written_leaves_the_one_before(folder: Path, figures: dict[str, Any], tmp_path: Path) -> None:
    before = contents(folder)
    with files_no_larger_than(20_000), pytest.raises(UserError, match=rf"^--card {folder}: .* File too large.*as it was$"):
        publish_in_card(folder, figures)
    assert contents(folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.fixture
def kept_table() -> list[str]:
    """The lines of the table of the kept figures."""
    figures = json.loads((ROOT / "benchmarks" / "results" / "gates.json").read_text(encoding="utf-8"))
    return "\n".join(table_of(figures)).splitlines()


def tables_in(document: str) -> list[list[str]]:
    """The tables of a document, each as its lines."""
    text = (ROOT / document).read_text(encoding="utf-8")
    groups = itertools.groupby(text.splitlines(), key=lambda line: line.startswith("|"))
    return [list(lines) for is_table, lines in groups if is_table]


@pytest.mark.parametrize("document", ["docs/figures.md", "model_card.md"])
def test_the_documents_show_the_kept_figures(document: str, kept_table: list[str]) -> None:
    assert kept_table in tables_in(document)


@pytest.mark.parametrize("document", ["README.md", "README.zh.md"])
def test_the_table_of_readme_is_a_part_of_the_kept_figures(document: str, kept_table: list[str]) -> None:
    (shown,) = [lines for lines in tables_in(document) if lines[0] == kept_table[0]]
    assert len(shown) > 4
    assert [line for line in kept_table if line in shown] == shown


@pytest.mark.parametrize("name", ["speed.json", "speed_built_in.json"])
def test_the_figures_show_the_kept_speed(name: str) -> None:
    kept = json.loads((ROOT / "benchmarks" / "results" / name).read_text(encoding="utf-8"))["results"]
    lines = [Result(**{name: entry[name] for name in Result._fields if name in entry}).line() for entry in kept]
    assert "\n".join([HEADER, *lines]).splitlines() in tables_in("docs/figures.md")


def test_the_figures_hold_those_of_the_card() -> None:
    of_card = [lines for lines in tables_in("model_card.md") if any("±" in line for line in lines)]
    assert len(of_card) == 3
    assert [lines for lines in of_card if lines not in tables_in("docs/figures.md")] == []
