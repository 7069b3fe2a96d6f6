"""The pipeline without torch: posts in, label and score out, by the ONNX graph that ``aslstm export-onnx`` writes.

Needs numpy and onnxruntime, and of the model folder ``config.json`` and ``onnx/`` alone. Importing this imports no torch.
"""

import itertools
import json
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from os import PathLike
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np

from modeling_aslstm.results_aslstm import (
    attention_entries,
    check_format,
    check_has_weights,
    check_tokenizer,
    emoji_effect_entry,
    parts_of_posts,
)

try:
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as onnxruntime_errors
except ImportError as error:
    raise ImportError("expected the package onnxruntime, found none; pip install 'aslstm[onnx]'") from error

_UNREADABLE = (
    onnxruntime_errors.Fail,
    onnxruntime_errors.InvalidArgument,
    onnxruntime_errors.InvalidGraph,
    onnxruntime_errors.InvalidProtobuf,
    onnxruntime_errors.NotImplemented,
    onnxruntime_errors.RuntimeException,
)


# Encoded at once: posts of similar length meet, and a batch of texts is cheaper to encode than its parts (of 2 to 32 batches on
# two cores: 6,000 to 15,000 posts a second).
_BATCHES_PER_CHUNK = 32


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities (batch, num_labels) of logits (batch, num_labels)."""
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: expected JSON, found: {error}; fetch the file again") from error
    check_format(config)
    return config


class OnnxPipeline:
    """What ``pipeline("text-classification", …)`` gives, from the same arguments, without torch.

    Args:
        folder: a model folder that ``aslstm export-onnx`` was run on; of it, ``config.json`` and the graph are read.
        tokenizer: of the same folder: an ``ASLSTMTokenizer``, or a ``PostEncoder``, which needs no transformers.
        file_name: the graph in ``folder/onnx``: ``model_int8.onnx`` or ``model.onnx``.
        num_threads: batches that run at once, each on one thread; None: one a core.

    Raises:
        ValueError: a config or graph that is missing or damaged; a folder of a newer format; a tokenizer of another vocabulary.
    """

    def __init__(
        self,
        folder: str | PathLike[str],
        tokenizer: Any,
        file_name: str = "model_int8.onnx",
        num_threads: int | None = None,
    ) -> None:
        path = Path(folder) / "onnx" / file_name
        self.config = SimpleNamespace(**_read_config(Path(folder) / "config.json"))
        self.label_names = list(self.config.id2label.values())
        check_tokenizer(tokenizer, self.config)
        self.tokenizer = tokenizer
        if not path.is_file():
            raise ValueError(f"{path}: expected an ONNX graph, found none; write it with aslstm export-onnx")
        options = onnxruntime.SessionOptions()
        # A thread a batch, not several a batch: the steps of an LSTM leave little to share.
        options.intra_op_num_threads = 1
        num_threads = num_threads or os.cpu_count() or 1
        self._threads = ThreadPoolExecutor(num_threads)
        self._max_waiting = 2 * num_threads
        try:
            self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except _UNREADABLE as error:
            reason = str(error).splitlines()[0]
            raise ValueError(f"{path}: expected an ONNX graph, found: {reason}; export or fetch it again") from error

    def run(self, rows: Sequence[Sequence[int]], outputs: Sequence[str] = ("logits",)) -> list[np.ndarray]:
        """Outputs of the graph for one batch of ids: ``logits`` (batch, num_labels), ``attention_weights`` (batch, seq_len)."""
        lengths = np.array([len(row) for row in rows])
        attention_mask = (np.arange(lengths.max()) < lengths[:, None]).astype(np.int64)
        input_ids = np.full(attention_mask.shape, self.config.pad_token_id, dtype=np.int64)
        input_ids[attention_mask.astype(bool)] = np.concatenate([np.asarray(row, dtype=np.int64) for row in rows])
        return self.session.run(list(outputs), {"input_ids": input_ids, "attention_mask": attention_mask})

    def run_each(
        self, batches: Iterable[Sequence[Sequence[int]]], outputs: Sequence[str] = ("logits",)
    ) -> Iterator[list[np.ndarray]]:
        """:meth:`run` for each batch, in order; some run while the next are made."""
        waiting: deque[Future[list[np.ndarray]]] = deque()
        batches = iter(batches)
        head = list(itertools.islice(batches, 2))
        if len(head) == 1:  # one post, say: another thread would have to wake first
            yield self.run(head[0], outputs)
            return
        for rows in itertools.chain(head, batches):
            waiting.append(self._threads.submit(self.run, rows, outputs))
            if len(waiting) > self._max_waiting:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def __call__(
        self,
        texts: str | Sequence[str],
        *,
        top_k: int | Literal["best"] | None = "best",
        batch_size: int = 32,
        return_attention: bool = False,
        emoji_effect: bool = False,
    ) -> list[Any]:
        """Classify a text or several.

        Args:
            texts: a post or a list of posts.
            top_k: so many labels a text, best first, as a list; None for all; "best" for the best alone, not in a list.
            batch_size: posts at once; they are sorted by length, so batches have little padding.
            return_attention: adds ``attention``, as :class:`ASLSTMPipeline` does.
            emoji_effect: adds ``emoji_effect``, as :class:`ASLSTMPipeline` does.

        Returns:
            A result for each text: a dictionary, or with ``top_k`` a list of them. For a text that is not in a list, a list
            with its one dictionary, or with ``top_k`` its list: the shape that transformers gives.

        Raises:
            ValueError: attention asked of a fusion that has none.
        """
        if return_attention:
            check_has_weights(self.config)
        many = [texts] if isinstance(texts, str) else list(texts)
        results: list[Any] = [None] * len(many)
        has_reasons = return_attention or emoji_effect
        batches, to_run = itertools.tee(self._batches(many, batch_size, with_spans=has_reasons))
        outputs = ("logits", "attention_weights") if return_attention else ("logits",)
        found_of = self.run_each((rows for _, rows, _ in to_run), outputs)
        for found, (batch, rows, spans) in zip(found_of, batches, strict=True):
            probabilities = softmax(found[0])
            weights = found[1].tolist() if return_attention else [[0.0] * len(ids) for ids in rows]
            parts = self._probabilities_of_parts(rows) if emoji_effect else None
            for j, i in enumerate(batch):
                entries = self._entries(probabilities[j], top_k)
                if has_reasons:
                    attention = attention_entries(many[i], spans[j], rows[j], weights[j], self.config)
                    reasons: dict[str, Any] = {"attention": attention} if return_attention else {}
                    if parts is not None:
                        every = np.vstack([probabilities[j], parts[j]]).tolist()
                        scores = [dict(zip(self.label_names, row, strict=True)) for row in every]
                        reasons["emoji_effect"] = emoji_effect_entry(attention, *scores)
                    entries = [entry | reasons for entry in entries]
                results[i] = entries[0] if top_k == "best" else entries
        return results[0] if isinstance(texts, str) and top_k != "best" else results

    def _batches(
        self, texts: list[str], batch_size: int, *, with_spans: bool
    ) -> Iterator[tuple[list[int], list[list[int]], list[list[tuple[int, int]]]]]:
        """Places of the texts of a batch, their ids and on request the places of these in each; texts of similar length."""
        max_length = self.tokenizer.model_max_length
        for first in range(0, len(texts), batch_size * _BATCHES_PER_CHUNK):
            chunk = texts[first : first + batch_size * _BATCHES_PER_CHUNK]
            posts = self.tokenizer.encode_with_offsets(chunk, max_length=max_length) if with_spans else []
            ids = [post.ids for post in posts] if with_spans else self.tokenizer.encode_batch(chunk, max_length=max_length)
            order = sorted(range(len(ids)), key=lambda i: -len(ids[i]))
            for start in range(0, len(order), batch_size):
                batch = order[start : start + batch_size]
                spans = [posts[i].spans for i in batch] if with_spans else []
                yield [first + i for i in batch], [ids[i] for i in batch], spans

    def _probabilities_of_parts(self, rows: Sequence[Sequence[int]]) -> np.ndarray:
        """Probabilities (batch, 2, num_labels) of words alone and emoji alone, zeros for a post without emoji."""
        parts = np.zeros((len(rows), 2, len(self.label_names)), dtype=np.float32)
        places, ids = parts_of_posts(rows, self.config, self.tokenizer.unk_token_id)
        if places:
            parts[places] = softmax(self.run(ids)[0]).reshape(len(places), 2, -1)
        return parts

    def _entries(self, probabilities: np.ndarray, top_k: int | Literal["best"] | None) -> list[dict[str, Any]]:
        best = np.argsort(-probabilities, kind="stable")[: 1 if top_k == "best" else top_k]
        return [{"label": self.label_names[i], "score": float(probabilities[i])} for i in best]
