import json
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from aslstm.data.corpora import CorpusSource, load_split
from aslstm.errors import UserError, check_packages
from aslstm.model_folder.layout import check_model_folder
from aslstm.model_folder.onnx_graphs import (
    MAX_TABULATED_NUMBERS,
    MIN_QUANTIZED_WEIGHTS,
    SHAPES,
    compare_with_model,
    export_graph,
    quantize_graph,
    sample_batches,
)
from aslstm.prediction.classifier import Classifier
from modeling_aslstm import ASLSTMConfig, ASLSTMForSequenceClassification
from modeling_aslstm.configuration_aslstm import EMOJI_FUSIONS
from tests.support.commands import COMMANDS, PART_OF_SAMPLE, run_command

PAD, COMMA, STOP = 0, 5, 6


def make_model(emoji_fusion: str, **changes: object) -> ASLSTMForSequenceClassification:
    torch.manual_seed(0)
    settings: dict[str, object] = {
        "vocab_size": 60, "emoji_token_offset": 40, "num_emoji_tokens": 18, "embedding_size": 12, "hidden_size": 10,
        "clause_end_token_ids": [COMMA, STOP], "initializer_range": 1.0, "num_labels": 4,
    }  # fmt: skip
    return ASLSTMForSequenceClassification(ASLSTMConfig(emoji_fusion=emoji_fusion, **(settings | changes))).eval()


def make_batch(batch: int, seq_len: int, longest: int) -> dict[str, np.ndarray]:
    """Rows of all lengths up to ``longest``: the first has that length, the second no words, the third no tokens."""
    rng = np.random.default_rng(batch * 1000 + seq_len)
    ids = np.full((batch, seq_len), PAD)
    for i, row in enumerate(ids):
        length = longest if i == 0 else int(rng.integers(1, longest + 1))
        row[:length] = np.where(rng.random(length) < 0.1, rng.integers(40, 58, length), rng.integers(1, 40, length))
        if i == 1:
            row[:] = [50] * min(seq_len, 3) + [PAD] * (seq_len - min(seq_len, 3))
        elif i == 2:
            row[:] = PAD
    return {"input_ids": ids, "attention_mask": (ids != PAD).astype(np.int64)}


@torch.inference_mode()
@pytest.mark.parametrize("emoji_fusion", EMOJI_FUSIONS)
@pytest.mark.parametrize(
    "changes",
    [{}, {"num_hidden_layers": 2, "label_prior": [0.1, 0.2, 0.3, 0.4], "decision_prior_weight": 0.7, "use_bag_of_words": True}],
    ids=["default", "two layers, a decision rule, a bag of words"],
)
def test_graphs_answer_as_the_model_does_on_every_shape(emoji_fusion: str, changes: dict, tmp_path: Path) -> None:
    model = make_model(emoji_fusion, **changes)
    if model.bag_of_words is not None:  # norms as they are: some a hundred times as large as others
        model.bag_of_words.squared_norms.weight.uniform_(1.0, 300.0)[7] = 20_000.0
    export_graph(model, tmp_path / "model.onnx")
    quantize_graph(tmp_path / "model.onnx", tmp_path / "model_int8.onnx")
    exact, int8 = (onnxruntime.InferenceSession(path) for path in (tmp_path / "model.onnx", tmp_path / "model_int8.onnx"))
    for batch, seq_len, longest in (
        (1, 1, 1), (1, 2, 2), (1, 9, 5), (2, 1, 1), (3, 4, 4), (5, 3, 2), (4, 20, 20), (8, 33, 16), (16, 64, 64),
        (64, 333, 333),
    ):  # fmt: skip
        inputs = make_batch(batch, seq_len, longest)
        expected = model(**{name: torch.from_numpy(x) for name, x in inputs.items()})
        logits, *weights = exact.run(None, inputs)
        np.testing.assert_allclose(logits, expected.logits.numpy(), atol=1e-4)
        assert len(weights) == (emoji_fusion in ("attention", "hierarchical"))
        for found in weights:
            np.testing.assert_allclose(found, expected.attention_weights.numpy(), atol=1e-4)
        probabilities = torch.from_numpy(int8.run(["logits"], inputs)[0]).softmax(-1)
        assert (probabilities - expected.logits.softmax(-1)).abs().max() < 0.1


def test_graphs_keep_real_lstm_nodes_and_quantize_all_large_weights(tmp_path: Path) -> None:
    model = make_model("attention")
    export_graph(model, tmp_path / "model.onnx")
    quantize_graph(tmp_path / "model.onnx", tmp_path / "model_int8.onnx")
    lstms = [node for node in onnx.load(tmp_path / "model.onnx").graph.node if node.op_type == "LSTM"]
    assert [len(node.input) for node in lstms] == [4, 4]  # They have no initial states, which would be zeros.
    floats = [x for x in onnx.load(tmp_path / "model_int8.onnx").graph.initializer if x.data_type == onnx.TensorProto.FLOAT]
    # Products with small matrices stay as they are; look-ups and LSTMs do not, whatever their size.
    read = {name: node.op_type for node in onnx.load(tmp_path / "model_int8.onnx").graph.node for name in node.input}
    assert {read[x.name] for x in floats if len(x.dims) > 1 and np.prod(x.dims) > 100} <= {"MatMul"}
    assert max(np.prod(x.dims) for x in floats) < MIN_QUANTIZED_WEIGHTS
    assert {path.name for path in tmp_path.iterdir()} == {"model.onnx", "model_int8.onnx"}


@pytest.mark.parametrize(("vocab_size", "num_tables"), [(1_000, 2), (MAX_TABULATED_NUMBERS // 10 + 1, 1)])
def test_a_large_vocabulary_has_no_table_of_keys_beside_its_vectors(vocab_size: int, num_tables: int, tmp_path: Path) -> None:
    export_graph(make_model("attention", vocab_size=vocab_size), tmp_path / "model.onnx")
    weights = onnx.load(tmp_path / "model.onnx").graph
    tables = [list(x.dims) for x in weights.initializer] + [
        list(attribute.t.dims) for node in weights.node for attribute in node.attribute if attribute.HasField("t")
    ]
    assert sum(dims[:1] == [vocab_size] for dims in tables) == num_tables


def test_the_comparison_finds_the_graph_of_another_model(tmp_path: Path) -> None:
    model = make_model("attention")
    export_graph(model, tmp_path / "model.onnx")
    assert compare_with_model(tmp_path / "model.onnx", model).logits < 1e-4
    with torch.no_grad():
        model.classifier.bias[0] += 0.01
    assert compare_with_model(tmp_path / "model.onnx", model).logits == pytest.approx(0.01, abs=1e-4)
    with torch.no_grad():
        model.aslstm.fusion.word_score.query_norm.weight[0] += 1.0
    assert compare_with_model(tmp_path / "model.onnx", model).attention_weights > 1e-4


def test_the_comparison_meets_rows_of_every_kind() -> None:
    batches = list(sample_batches(make_model("attention").config))
    assert [ids.shape for ids, _ in batches] == list(SHAPES)
    kinds = set()
    for ids, mask in batches:
        for row, counts in zip(ids.tolist(), mask.tolist(), strict=True):
            tokens = [token for token, is_token in zip(row, counts, strict=True) if is_token]
            kinds.add((any(token < 40 for token in tokens), any(40 <= token < 58 for token in tokens)))
    assert len(kinds) == 4  # words and emoji, words, emoji, nothing
    assert any(not mask[:, -1].any() for _, mask in batches)


def test_export_adds_graphs_that_answer_the_sample_posts_alike(onnx_folder: Path) -> None:
    check_model_folder(onnx_folder)
    listed = json.loads((onnx_folder / "checksums.json").read_text(encoding="utf-8"))
    assert {"onnx/model.onnx", "onnx/model_int8.onnx"} <= set(listed)
    assert {path.name for path in onnx_folder.parent.iterdir()} == {onnx_folder.name}  # nothing is left beside it
    texts = load_split(CorpusSource(), "test")["text"][: PART_OF_SAMPLE["test"]]
    expected, found = (Classifier(onnx_folder, backend=backend).predict(texts) for backend in ("torch", "onnx"))
    assert (found.argmax(1) == expected.argmax(1)).mean() >= 0.97
    assert np.abs(found - expected).max() < 0.05


def test_export_is_quiet_refuses_graphs_that_exist_and_replaces_them_on_demand(onnx_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(onnx_folder, folder)
    refused = run_command("export-onnx", "--model", folder, check=False)
    assert refused.returncode == 2
    assert refused.stderr == f"error: {folder / 'onnx'}: expected no graphs yet, found some; add --overwrite to replace them\n"
    (folder / "onnx" / "notes.txt").write_text("of the user", encoding="utf-8")
    replaced = run_command("export-onnx", "--model", folder, "--overwrite")
    assert replaced.stderr == ""
    assert {path.name for path in (folder / "onnx").iterdir()} == {"model.onnx", "model_int8.onnx"}
    check_model_folder(folder)


def test_a_kill_leaves_the_folder_as_it_was(model_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(model_folder, folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with (tmp_path / "log").open("wb") as log:
        process = COMMANDS.start(["-m", "aslstm", "export-onnx", "--model", folder], stdout=log, stderr=log)
    while process.poll() is None and not list(tmp_path.glob(".model.*/onnx/model.onnx")):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    check_model_folder(folder)


def test_a_missing_package_is_named_with_its_extra() -> None:
    with pytest.raises(
        UserError, match=r"expected the package no_such_package, found none; install the extra 'export' of aslstm"
    ):
        check_packages("export", "numpy", "no_such_package")
