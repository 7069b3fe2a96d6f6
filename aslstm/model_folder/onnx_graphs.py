"""Takes a model of any fusion, writes ONNX graphs in fp32 and in int8, and says how far a graph is from the model.

The graphs take ``input_ids`` and ``attention_mask`` (batch, seq_len) int64 of any size. They give ``logits``
(batch, num_labels) float and, where the fusion has them, ``attention_weights`` (batch, seq_len).
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
import onnxruntime
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import Tensor, nn
from transformers import PretrainedConfig

from modeling_aslstm import ASLSTMForSequenceClassification, ASLSTMModel
from modeling_aslstm.results_aslstm import FUSIONS_WITH_WEIGHTS

OPSET_VERSION = 17
# The sizes (batch, seq_len) at which a graph is compared with the model: from single tokens to a large batch of long posts.
SHAPES = ((1, 1), (1, 2), (1, 7), (2, 1), (3, 5), (4, 17), (8, 40), (16, 3), (33, 100), (64, 333))
# A fusion may look at every pair of word and emoji, and real posts have few emoji.
MAX_EMOJI = 4
# To turn what a smaller matrix is multiplied by into int8 takes longer than the product in fp32.
MIN_QUANTIZED_WEIGHTS = 10_000
# A table of keys adds a byte for each of its numbers to the int8 graph: with a large vocabulary it would double the folder.
MAX_TABULATED_NUMBERS = 4_000_000


class GraphOutputs(nn.Module):
    """Gives those outputs of a model that a graph has, as a tuple."""

    def __init__(self, model: ASLSTMForSequenceClassification) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, ...]:
        """Return the logits, and the attention weights where the fusion has them."""
        found = self.model(input_ids, attention_mask, return_dict=True)
        return (found.logits,) if found.attention_weights is None else (found.logits, found.attention_weights)


def export_graph(model: ASLSTMForSequenceClassification, path: Path) -> None:
    """Write a model as a graph in fp32.

    Args:
        model: The model.
        path: The file to write.
    """
    inputs, outputs = ["input_ids", "attention_mask"], ["logits"]
    if model.config.emoji_fusion in FUSIONS_WITH_WEIGHTS:
        outputs.append("attention_weights")
    example = torch.tensor([[1, 1, 1], [1, 1, 1]])
    with warnings.catch_warnings(), _tabulated_keys(model.aslstm):
        # The tracer warns of values that might be frozen at the example's size; compare_with_model finds out whether any was.
        warnings.simplefilter("ignore")
        # The dynamo exporter is not used: it freezes the length in a model with two LSTMs (torch 2.13).
        torch.onnx.export(
            GraphOutputs(model).eval(),
            (example, torch.ones_like(example)),
            path,
            dynamo=False,
            opset_version=OPSET_VERSION,
            input_names=inputs,
            output_names=outputs,
            dynamic_axes={n: {0: "batch"} if n == "logits" else {0: "batch", 1: "seq_len"} for n in inputs + outputs},
        )

    graph = onnx.load(path)
    _leave_out_initial_states(graph.graph)
    onnx.save(graph, path)


@contextmanager
def _tabulated_keys(encoder: ASLSTMModel) -> Iterator[None]:
    """Let the graph of a small model look up the keys of the attention, which takes half the time of computing them."""
    encoder.tabulate_keys(encoder.config.vocab_size * encoder.config.hidden_size <= MAX_TABULATED_NUMBERS)
    try:
        yield
    finally:
        encoder.tabulate_keys(False)


def _leave_out_initial_states(graph: onnx.GraphProto) -> None:
    """Take out the initial states of each LSTM, which are zeros as they are without any, and the nodes that only made them."""
    for node in graph.node:
        if node.op_type == "LSTM":
            # The sequence, the weights and the bias stay; behind them come the lengths, which are not used, and the states.
            del node.input[4:]
    while True:
        read = {name for node in graph.node for name in node.input} | {output.name for output in graph.output}
        dead = [node for node in graph.node if read.isdisjoint(node.output)]
        if not dead:
            return
        for node in dead:
            graph.node.remove(node)


def quantize_graph(path: Path, quantized_path: Path) -> None:
    """Write a copy of a graph with its weights in int8, by onnxruntime's dynamic quantisation."""
    optimized_path = quantized_path.with_suffix(".optimized")
    quant_pre_process(path, optimized_path, skip_symbolic_shape=True)
    # The weights are unsigned and have 7 bits, because sums overflow on CPUs without VNNI: those of signed weights in matrix
    # products, and those of any weights in the LSTM (the largest difference of a logit there, with the sample's model, is 0.085
    # with 8 bits and 0.027 with 7). Each channel has its own scale: on the recipe's model that difference falls from 0.87 to
    # 0.20 (8 bits, with VNNI). A scale for each row of the embedding, which onnxruntime does not support, would give 0.04, but
    # no answer depends on it: macro-F1 stays within 0.001 either way.
    graph = onnx.load(optimized_path).graph
    sizes = {weights.name: int(np.prod(weights.dims)) for weights in graph.initializer}
    small = [
        node.name
        for node in graph.node
        if node.op_type in ("MatMul", "Gemm") and sizes.get(node.input[1], 0) < MIN_QUANTIZED_WEIGHTS
    ]
    quantize_dynamic(
        optimized_path, quantized_path, weight_type=QuantType.QUInt8, per_channel=True, reduce_range=True,
        # The norms of a bag of words differ by a factor of 100, and each token has only one.
        nodes_to_exclude=small + [node.name for node in graph.node if "squared_norms" in node.name],
    )  # fmt: skip
    optimized_path.unlink()


class Difference(NamedTuple):
    """Says how far a graph is from its model: the largest differences, and the share of rows with the same answer."""

    logits: float
    probabilities: float
    attention_weights: float
    same_answer: float


@torch.inference_mode()
def compare_with_model(path: Path, model: ASLSTMForSequenceClassification) -> Difference:
    """Compare a graph with its model on made-up batches of each of ``SHAPES``.

    Args:
        path: The graph.
        model: The model.
    """
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    outputs = GraphOutputs(model).eval()
    logits, probabilities, weights, same = 0.0, 0.0, 0.0, []
    for ids, mask in sample_batches(model.config):
        expected = [x.numpy() for x in outputs(torch.from_numpy(ids), torch.from_numpy(mask))]
        found = session.run(None, {"input_ids": ids, "attention_mask": mask})
        if [x.shape for x in found] != [x.shape for x in expected]:
            return Difference(np.inf, np.inf, np.inf, 0.0)
        logits = max(logits, np.abs(found[0] - expected[0]).max())
        probabilities = max(probabilities, float((_softmax(found[0]) - _softmax(expected[0])).abs().max()))
        weights = max([weights, *(np.abs(x - y).max() for x, y in zip(found[1:], expected[1:], strict=True))])
        same.append(found[0].argmax(1) == expected[0].argmax(1))
    return Difference(float(logits), probabilities, float(weights), float(np.concatenate(same).mean()))


def _softmax(logits: np.ndarray) -> Tensor:
    return torch.from_numpy(logits).double().softmax(-1)


def sample_batches(config: PretrainedConfig) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield ids and mask (batch, seq_len) int64 of each shape, with rows of words and emoji, words, emoji, and empty rows.

    Every second batch is wider than its longest row.
    """
    rng = np.random.default_rng(0)
    words = np.setdiff1d(np.arange(config.emoji_token_offset), [config.pad_token_id])
    emoji = np.arange(config.emoji_token_offset, config.emoji_token_offset + config.num_emoji_tokens)
    clause_ends = np.array(config.clause_end_token_ids or words)
    for number, (batch, seq_len) in enumerate(SHAPES):
        ids = np.full((batch, seq_len), config.pad_token_id)
        longest = max(1, seq_len * 3 // 4) if number % 2 else seq_len
        for i, row in enumerate(ids):
            kind = i % 4
            length = longest if i == 0 else int(rng.integers(1, longest + 1))
            places = rng.integers(0, length, MAX_EMOJI)
            if kind < 2:
                row[:length] = np.where(rng.random(length) < 0.2, rng.choice(clause_ends, length), rng.choice(words, length))
            if kind == 0:
                row[places] = rng.choice(emoji, MAX_EMOJI)
            elif kind == 2:
                row[: min(length, MAX_EMOJI)] = rng.choice(emoji, min(length, MAX_EMOJI))
        yield ids, (ids != config.pad_token_id).astype(np.int64)
