"""A model folder to answers: raw texts in, probabilities out, by torch or by the ONNX graph of the folder.

Importing this imports no torch: the ONNX backend needs none.
"""

import argparse
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.special import softmax
from tqdm.auto import tqdm

import modeling_aslstm
from aslstm.errors import UserError, check_packages
from aslstm.model_folder.layout import check_model_folder
from tokenization import ASLSTMTokenizer

BACKENDS = ("torch", "onnx")


class Batch(NamedTuple):
    """Posts that the model reads at once.

    Attributes:
        places: of the posts, among all.
        outputs: of the model, in the order asked for: ``logits`` (batch, num_labels), ``attention_weights`` (batch, seq_len).
    """

    places: list[int]
    outputs: list[np.ndarray]


class Classifier(ABC):
    """A model and its tokenizer, loaded by this project's own code after their checksums were verified.

    Args:
        folder: a model folder.
        batch_size: texts at once; they are sorted by length, so batches have little padding.

    Raises:
        UserError: a folder that is not whole.
    """

    config: Any
    label_names: list[str]

    def __init__(self, folder: Path, *, batch_size: int = 256) -> None:
        check_model_folder(folder)
        self.tokenizer = ASLSTMTokenizer.from_pretrained(folder)
        self.batch_size = batch_size

    @abstractmethod
    def run(self, rows: Sequence[Sequence[int]], outputs: Sequence[str] = ("logits",)) -> list[np.ndarray]:
        """Outputs of the model, by name, for the ids of a batch."""

    def run_each(
        self, batches: Iterable[Sequence[Sequence[int]]], outputs: Sequence[str] = ("logits",)
    ) -> Iterator[list[np.ndarray]]:
        """:meth:`run` for each batch, in order."""
        return (self.run(rows, outputs) for rows in batches)

    def batches(self, ids: Sequence[Sequence[int]], outputs: Sequence[str] = ("logits",)) -> Iterator[Batch]:
        """The posts in batches, longest first, by the ids of each. The same posts give the same batches."""
        order = sorted(range(len(ids)), key=lambda i: -len(ids[i]))
        places = [order[start : start + self.batch_size] for start in range(0, len(order), self.batch_size)]
        return map(Batch, places, self.run_each(([ids[i] for i in batch] for batch in places), outputs))

    def predict(self, texts: Sequence[str], *, description: str = "Predicting") -> np.ndarray:
        """Probabilities (num_texts, num_labels) at the model's own answer, in the order of the texts."""
        probabilities = np.zeros((len(texts), len(self.label_names)))
        with tqdm(total=len(texts), desc=description, leave=False, disable=None) as bar:
            for batch in self.batches(self.tokenizer.encode_batch(texts, max_length=self.tokenizer.model_max_length)):
                probabilities[batch.places] = to_probabilities(batch.outputs[0])
                bar.update(len(batch.places))
        return probabilities


def to_probabilities(logits: np.ndarray) -> np.ndarray:
    """Probabilities (batch, num_labels) float64 of logits (batch, num_labels)."""
    return softmax(logits.astype(np.float64), axis=-1)


class TextClassifier(Classifier):
    """A model folder in torch.

    Args:
        folder: a model folder.
        batch_size: texts at once.
        num_threads: of one operation, in the whole process; None leaves it to torch.
    """

    def __init__(self, folder: Path, *, batch_size: int = 256, num_threads: int | None = None) -> None:
        # Imported here and not above: it takes seconds, and the other backend needs none.
        import torch

        super().__init__(folder, batch_size=batch_size)
        if num_threads:
            torch.set_num_threads(num_threads)
        self.model = modeling_aslstm.ASLSTMForSequenceClassification.from_pretrained(folder).eval()
        self.config = self.model.config
        self.label_names = [self.config.id2label[i] for i in range(self.model.num_labels)]
        self._inference_mode = torch.inference_mode

    def run(self, rows: Sequence[Sequence[int]], outputs: Sequence[str] = ("logits",)) -> list[np.ndarray]:
        """Outputs of the model, by name, for the ids of a batch."""
        with self._inference_mode():
            found = self.model(**self.tokenizer.pad({"input_ids": rows}, return_tensors="pt"))
        return [found[name].numpy() for name in outputs]


class OnnxTextClassifier(Classifier):
    """The int8 graph of a model folder; arguments as in :class:`TextClassifier`.

    Raises:
        UserError: no graph, or nothing to run it with.
    """

    def __init__(self, folder: Path, *, batch_size: int = 256, num_threads: int | None = None) -> None:
        super().__init__(folder, batch_size=batch_size)
        check_packages("onnx", "onnxruntime")
        try:
            # The attribute is imported here and not above: only this class needs onnxruntime.
            from .onnx_pipeline import OnnxPipeline

            self._pipeline = OnnxPipeline(folder, self.tokenizer, num_threads=num_threads)
        except ValueError as error:
            raise UserError(str(error)) from error
        self.config = self._pipeline.config
        self.label_names = self._pipeline.label_names

    def run(self, rows: Sequence[Sequence[int]], outputs: Sequence[str] = ("logits",)) -> list[np.ndarray]:
        """Outputs of the graph, by name, for the ids of a batch."""
        return self._pipeline.run(rows, outputs)

    def run_each(
        self, batches: Iterable[Sequence[Sequence[int]]], outputs: Sequence[str] = ("logits",)
    ) -> Iterator[list[np.ndarray]]:
        """:meth:`run` for each batch, in order, several at once."""
        return self._pipeline.run_each(batches, outputs)


def add_inference_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of how a model folder is run, the same for every script."""
    group = parser.add_argument_group("inference")
    group.add_argument("--backend", choices=BACKENDS, default="torch", help="onnx: the int8 graph of aslstm export-onnx")
    group.add_argument("--batch_size", type=int, default=256)
    group.add_argument("--num_threads", type=int, help="torch: of one operation; onnx: batches at once; default: one a core")


def load_classifier(folder: Path, arguments: argparse.Namespace) -> Classifier:
    """Load a model folder as the flags say.

    Raises:
        UserError: numbers below 1; a folder that is not whole or has no graph.
    """
    for name in ("batch_size", "num_threads"):
        value = getattr(arguments, name)
        if value is not None and value < 1:
            raise UserError(f"--{name}: expected 1 or more, found {value}")
    backend = OnnxTextClassifier if arguments.backend == "onnx" else TextClassifier
    return backend(folder, batch_size=arguments.batch_size, num_threads=arguments.num_threads)
