"""``recipes/join_teachers.py``: what a coarse teacher adds to the others, and posts that are not the same."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from aslstm.data.known_corpora import COARSE_LABELS
from aslstm.training.soft_labels import write_soft_labels

SCRIPT = Path(__file__).parents[2] / "train_scripts" / "recipes" / "join_teachers.py"
FINE, COARSE = sorted(COARSE_LABELS), sorted(set(COARSE_LABELS.values()))


def join(tmp_path: Path, coarse_texts: list[str]) -> subprocess.CompletedProcess[str]:
    rows = np.random.default_rng(0).dirichlet(np.ones(len(FINE)), 2)
    write_soft_labels(tmp_path / "fine.jsonl", zip(["好", "坏"], rows, strict=True), FINE)
    even = np.full(len(COARSE), 1 / len(COARSE))
    write_soft_labels(tmp_path / "coarse.jsonl", [(text, even) for text in coarse_texts], COARSE)
    flags = ["--teachers", "fine.jsonl", "--coarse", "coarse.jsonl", "--coarse_weight", "1"]
    return subprocess.run([sys.executable, SCRIPT, "joined.jsonl", *flags], cwd=tmp_path, capture_output=True, text=True)


def test_a_coarse_teacher_alone_gives_each_group_its_share(tmp_path: Path) -> None:
    assert join(tmp_path, ["好", "坏"]).returncode == 0
    for line in (tmp_path / "joined.jsonl").read_text(encoding="utf-8").splitlines():
        scores = json.loads(line)["scores"]
        shares = [sum(scores[name] for name in FINE if COARSE_LABELS[name] == group) for group in COARSE]
        np.testing.assert_allclose(shares, 1 / len(COARSE), atol=1e-4)


def test_other_posts_are_refused(tmp_path: Path) -> None:
    for texts in (["好", "怀"], ["好", "坏", "更"]):
        result = join(tmp_path, texts)
        assert result.returncode != 0
        assert "expected the posts of --teachers, found others" in result.stderr
        assert not (tmp_path / "joined.jsonl").exists()
