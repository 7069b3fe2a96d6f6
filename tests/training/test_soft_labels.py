"""Soft labels: the answers of teachers as they are read, and what the loss makes of them."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from aslstm.errors import UserError
from aslstm.training.soft_labels import SMALLEST_PROBABILITY, read_soft_labels, soften, write_soft_labels

NAMES = ["a", "b"]


def write(path: Path, rows: list[tuple[str, float]]) -> Path:
    lines = [json.dumps({"text": text, "label": "a", "scores": {"b": 1 - p, "a": p}}, ensure_ascii=False) for text, p in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_teachers_are_averaged_by_their_logarithms(tmp_path: Path) -> None:
    paths = [write(tmp_path / "1.jsonl", [("好", 0.9), ("坏", 0.2)]), write(tmp_path / "2.jsonl", [("好", 0.5), ("坏", 0.2)])]
    texts, probabilities = read_soft_labels(paths, NAMES)
    assert texts == ["好", "坏"]
    odds = np.sqrt(0.9 / 0.1)  # The geometric mean of the odds 9 and 1.
    np.testing.assert_allclose(probabilities, [[odds / (1 + odds), 1 / (1 + odds)], [0.2, 0.8]], atol=1e-6)


def test_a_teacher_that_is_sure_does_not_overrule_the_others(tmp_path: Path) -> None:
    paths = [write(tmp_path / "1.jsonl", [("好", 0.0)]), write(tmp_path / "2.jsonl", [("好", 0.99)])]
    ((first, _),) = read_soft_labels(paths, NAMES).probabilities
    odds = np.sqrt(SMALLEST_PROBABILITY / 1 * 0.99 / 0.01)
    assert first == pytest.approx(odds / (1 + odds), rel=1e-4)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "1.jsonl"
    write_soft_labels(path, [("好", [0.75, 0.25]), ("坏[泪]", [0.0625, 0.9375])], NAMES)
    texts, probabilities = read_soft_labels([path], NAMES)
    assert texts == ["好", "坏[泪]"]
    assert probabilities == pytest.approx(np.array([[0.75, 0.25], [0.0625, 0.9375]]))


def test_a_teacher_may_give_numbers_of_numpy(tmp_path: Path) -> None:
    path = tmp_path / "1.jsonl"
    write_soft_labels(path, [("好", np.array([0.75, 0.25], dtype=np.float32))], NAMES)
    assert read_soft_labels([path], NAMES).probabilities.tolist() == [[0.75, 0.25]]


@pytest.mark.parametrize("score", ["NaN", "null", "5", "-4"])
def test_scores_that_are_no_probabilities_are_refused(tmp_path: Path, score: str) -> None:
    path = write(tmp_path / "1.jsonl", [("好", 0.5)])
    path.write_text(
        path.read_text(encoding="utf-8") + f'{{"text": "坏", "scores": {{"a": {score}, "b": 0.5}}}}\n', encoding="utf-8"
    )
    with pytest.raises(UserError, match=r"row 2: expected scores from 0 to 1"):
        read_soft_labels([path], NAMES)


def test_scores_in_csv(tmp_path: Path) -> None:
    path = tmp_path / "1.csv"
    path.write_text('text,label,scores\n好,a,"{""a"": 0.75, ""b"": 0.25}"\n', encoding="utf-8")
    assert read_soft_labels([path], NAMES).probabilities.tolist() == [[0.75, 0.25]]


@pytest.mark.parametrize(
    ("other", "names", "words"),
    [
        ([("好", 0.5), ("怀", 0.5)], NAMES, ["row 2", "same post"]),
        ([("好", 0.5)], NAMES, ["row 2", "same post"]),
        ([("好", 0.5), ("坏", 0.5), ("更", 0.5)], NAMES, ["row 3", "same post"]),
        ([("好", 0.5), ("坏", 0.5)], ["a", "c"], ["row 1", "a, c", "b, a"]),
    ],
)
def test_files_that_do_not_belong_together(
    tmp_path: Path, other: list[tuple[str, float]], names: list[str], words: list[str]
) -> None:
    paths = [write(tmp_path / "1.jsonl", [("好", 0.5), ("坏", 0.5)]), write(tmp_path / "2.jsonl", other)]
    with pytest.raises(UserError) as raised:
        read_soft_labels(paths, names)
    assert [word for word in words if word not in str(raised.value)] == []


def test_temperature_shows_more_of_unlikely_labels() -> None:
    probabilities = torch.tensor([[0.9, 0.09, 0.01], [0.0, 1.0, 0.0]])
    softened = soften(probabilities, torch.tensor([[3.0], [1.0]]))
    torch.testing.assert_close(softened[0], torch.softmax(probabilities[0].log() / 3, 0))
    torch.testing.assert_close(softened[1], probabilities[1])
