"""The recipe step that averages models: the mean of the weights, the bag of words of the first, and no other vocabulary."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import torch

from aslstm.files import write_checksums
from aslstm.model_folder.layout import check_model_folder
from aslstm.model_folder.loading import load_model

ROOT = Path(__file__).parents[2]
# The script is to import this checkout, whatever is installed.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
SCRIPT = ROOT / "train_scripts" / "recipes" / "average_models.py"


def average(*arguments: Path | str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True, check=False, env=ENVIRONMENT)


def moved(folder: Path, target: Path, by: float) -> Path:
    """Copy a model whose weights are all larger by a number."""
    shutil.copytree(folder, target, ignore=shutil.ignore_patterns("onnx"))
    model = load_model(folder)
    with torch.no_grad():
        for weights in model.parameters():
            weights += by
    model.save_pretrained(target)
    write_checksums(target)
    return target


def test_the_mean_lies_between_the_models(model_folder: Path, tmp_path: Path) -> None:
    others = [moved(model_folder, tmp_path / str(by), by) for by in (0.5, 1.0)]
    done = average(tmp_path / "mean", model_folder, *others, "--bag_of_words", "0.25")
    assert done.returncode == 0, done.stderr
    check_model_folder(tmp_path / "mean")
    first, mean = load_model(model_folder).state_dict(), load_model(tmp_path / "mean").state_dict()
    for name, weights in first.items():
        expected = weights if name.startswith("bag_of_words.") else weights + 0.5
        if name == "bag_of_words.scores.weight":
            expected = weights / 4
        torch.testing.assert_close(mean[name], expected, msg=name)


def test_another_vocabulary_is_refused(model_folder: Path, tmp_path: Path) -> None:
    other = moved(model_folder, tmp_path / "other", 0.5)
    words = (other / "vocab.txt").read_text(encoding="utf-8").splitlines()
    (other / "vocab.txt").write_text("\n".join([*words[:-1], "另外的词"]) + "\n", encoding="utf-8")
    write_checksums(other)
    done = average(tmp_path / "mean", model_folder, other)
    assert done.returncode != 0
    assert "expected the vocabulary and weights of" in done.stderr
    assert not (tmp_path / "mean").exists()
