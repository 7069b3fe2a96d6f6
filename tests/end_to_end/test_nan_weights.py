"""Weights that are NaN: every command that loads the model says so in one line."""

import shutil
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file

from aslstm.commands import export_onnx, try_model
from aslstm.errors import UserError
from aslstm.files import write_checksums
from aslstm.model_folder.loading import load_model


@pytest.fixture
def folder(onnx_folder: Path, tmp_path: Path) -> Path:
    """A folder with a weight that is NaN."""
    folder = tmp_path / "model"
    shutil.copytree(onnx_folder, folder)
    path = folder / "model.safetensors"
    weights = {name: value.copy() for name, value in load_file(path).items()}
    weights["classifier.bias"][0] = float("nan")
    save_file(weights, path, {"format": "pt"})
    write_checksums(folder)
    return folder


def test_nan_is_named_where_the_model_is_loaded_and_exported(folder: Path) -> None:
    expected = r"model\.safetensors: expected finite weights, found NaN in classifier\.bias; train or fetch the model again"
    with pytest.raises(UserError, match=expected):
        load_model(folder)
    with pytest.raises(UserError, match=expected):
        export_onnx.main(["--model", str(folder), "--overwrite"])


def test_try_says_in_one_line_that_the_scores_are_none(folder: Path) -> None:
    with pytest.raises(UserError, match="expected a model that answers, found: scores: expected finite numbers"):
        try_model.main([str(folder), "今天"])
