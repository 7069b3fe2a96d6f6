"""Takes the ids of a batch and gives the outputs of the ONNX graph of a model folder; it imports no torch."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as onnxruntime_errors

from aslstm.model_folder.layout import GRAPH_FOLDER, INT8_GRAPH
from aslstm.threads import num_threads as default_threads

from .batching import padded
from .forks import PerProcess

_UNREADABLE = (
    onnxruntime_errors.Fail,
    onnxruntime_errors.InvalidArgument,
    onnxruntime_errors.InvalidGraph,
    onnxruntime_errors.InvalidProtobuf,
    onnxruntime_errors.NotImplemented,
    onnxruntime_errors.RuntimeException,
)


class OnnxBackend:
    """Runs a graph that ``aslstm export-onnx`` wrote.

    Args:
        folder: A model folder, of which only the graph is read.
        pad_token_id: The id that fills rows up to the longest of a batch.
        file_name: The graph in ``folder/onnx``: ``model_int8.onnx`` or ``model.onnx``.
        num_threads: How many batches run at once, each on one thread; None for as many as :mod:`aslstm.threads` says.

    Raises:
        ValueError: The graph is missing or damaged.
    """

    def __init__(self, folder: Path, pad_token_id: int, file_name: str = INT8_GRAPH, num_threads: int | None = None) -> None:
        path = folder / GRAPH_FOLDER / file_name
        if not path.is_file():
            raise ValueError(f"{path}: expected an ONNX graph, found none; write it with aslstm export-onnx")
        threads = num_threads or default_threads()
        self.num_workers = threads if threads > 1 else 0
        self._pad_token_id = pad_token_id
        self._sessions = PerProcess(lambda: _read_graph(path))
        self._sessions.get()

    def run(self, rows: Sequence[Sequence[int]], outputs: Sequence[str] = ("logits",)) -> dict[str, np.ndarray]:
        """Return outputs of the graph by name for the ids of a batch.

        Args:
            rows: The ids of each post.
            outputs: The names: ``logits`` (batch, num_labels) float32, ``attention_weights`` (batch, seq_len) float32.
        """
        input_ids, attention_mask = padded(rows, self._pad_token_id)
        found = self._sessions.get().run(list(outputs), {"input_ids": input_ids, "attention_mask": attention_mask})
        return dict(zip(outputs, found, strict=True))


def _read_graph(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    # Each batch has one thread and not several, because the steps of an LSTM leave little to share.
    options.intra_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except _UNREADABLE as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{path}: expected an ONNX graph, found: {reason}; export or fetch it again") from error
