"""Graphs whose weights hold NaN, which 8 bits would hide, are found and refused."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from aslstm.files import write_checksums
from aslstm.prediction.graph_weights import nan_weights
from aslstm.prediction.onnx_pipeline import OnnxPipeline

onnx = pytest.importorskip("onnx", reason="needs the extra export")
NAN, INFINITE = float("nan"), float("inf")


def write_graph(path: Path, *weights: "onnx.TensorProto") -> Path:
    graph = onnx.helper.make_graph([], "graph", [], [], list(weights))
    onnx.save(onnx.helper.make_model(graph), path)
    return path


@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
@pytest.mark.parametrize("value", [NAN, INFINITE, -INFINITE, 0.5])
def test_nan_is_found_and_nothing_else(tmp_path: Path, kind: str, value: float) -> None:
    weights = [np.zeros((300, 3), kind), np.full(3, value, kind), np.arange(5), np.zeros((0, 2), kind)]
    named = [onnx.numpy_helper.from_array(one, f"权重{number}") for number, one in enumerate(weights)]
    assert nan_weights(write_graph(tmp_path / "model.onnx", *named)) == (["权重1"] if value != value else [])


@pytest.mark.parametrize("value", [NAN, 0.5])
def test_nan_is_found_where_numbers_are_no_raw_bytes(tmp_path: Path, value: float) -> None:
    weight = onnx.helper.make_tensor("weight", onnx.TensorProto.FLOAT, [3], [1.0, value, 2.0])
    assert weight.float_data
    assert nan_weights(write_graph(tmp_path / "model.onnx", weight)) == (["weight"] if value != value else [])


def test_a_pipeline_refuses_a_graph_whose_nan_would_not_reach_the_scores(onnx_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(onnx_folder, folder)
    OnnxPipeline(folder)
    path = folder / "onnx" / "model_int8.onnx"
    graph = onnx.load(path)
    (weight,) = [one for one in graph.graph.initializer if one.name.endswith("key_norm.weight")]
    values = onnx.numpy_helper.to_array(weight).copy()
    values[0] = NAN
    weight.CopyFrom(onnx.numpy_helper.from_array(values, weight.name))
    onnx.save(graph, path)
    write_checksums(folder)
    with pytest.raises(ValueError, match=r"model_int8\.onnx: expected finite weights, found NaN in .*key_norm\.weight"):
        OnnxPipeline(folder)
