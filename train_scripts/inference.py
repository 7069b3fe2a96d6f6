"""A model folder to answers: raw texts in, probabilities out, by torch or by the ONNX graph of the folder."""

import argparse
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from scipy.special import softmax
from tqdm.auto import tqdm

import modeling_aslstm
from folder_checks import check_model_folder
from tokenization import ASLSTMTokenizer
from user_errors import UserError, check_packages

BACKENDS = ("torch", "onnx")


class Classifier(ABC):
    """A model and its tokenizer, loaded by this project's own code after their checksums were verified.

    Args:
        folder: a model folder.
        batch_size: texts at once; they are sorted by length, so batches have little padding.

    Raises:
        UserError: a folder that is not whole.
    """

    label_names: list[str]

    def __init__(self, folder: Path, *, batch_size: int = 256) -> None:
        check_model_folder(folder)
        self.tokenizer = ASLSTMTokenizer.from_pretrained(folder)
        self.batch_size = batch_size

    @abstractmethod
    def logits(self, rows: Sequence[Sequence[int]]) -> np.ndarray:
        """Logits (batch, num_labels) of the ids of a batch."""

    def predict(self, texts: Sequence[str], *, description: str = "Predicting") -> np.ndarray:
        """Probabilities (num_texts, num_labels) at the model's own answer, in the order of the texts."""
        ids = self.tokenizer(list(texts), truncation=True, return_attention_mask=False)["input_ids"]
        order = sorted(range(len(ids)), key=lambda i: -len(ids[i]))
        probabilities = np.zeros((len(ids), len(self.label_names)))
        for start in tqdm(range(0, len(order), self.batch_size), desc=description, leave=False):
            rows = order[start : start + self.batch_size]
            probabilities[rows] = softmax(self.logits([ids[i] for i in rows]).astype(np.float64), axis=-1)
        return probabilities


class TextClassifier(Classifier):
    """A model folder in torch.

    Args:
        folder: a model folder.
        batch_size: texts at once.
        num_threads: of one operation, in the whole process; None leaves it to torch.
    """

    def __init__(self, folder: Path, *, batch_size: int = 256, num_threads: int | None = None) -> None:
        super().__init__(folder, batch_size=batch_size)
        if num_threads:
            torch.set_num_threads(num_threads)
        self.model = modeling_aslstm.ASLSTMForSequenceClassification.from_pretrained(folder).eval()
        self.label_names = [self.model.config.id2label[i] for i in range(self.model.num_labels)]

    @torch.inference_mode()
    def logits(self, rows: Sequence[Sequence[int]]) -> np.ndarray:
        """Logits (batch, num_labels) of the ids of a batch."""
        return self.model(**self.tokenizer.pad({"input_ids": rows}, return_tensors="pt")).logits.numpy()


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
            self._pipeline = modeling_aslstm.ASLSTMOnnxPipeline(folder, self.tokenizer, num_threads=num_threads)
        except ValueError as error:
            raise UserError(str(error)) from error
        self.label_names = self._pipeline.label_names

    def logits(self, rows: Sequence[Sequence[int]]) -> np.ndarray:
        """Logits (batch, num_labels) of the ids of a batch."""
        return self._pipeline.run(rows)[0]


def add_inference_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of how a model folder is run, the same for every script."""
    group = parser.add_argument_group("inference")
    group.add_argument("--backend", choices=BACKENDS, default="torch", help="onnx: the int8 graph of export_onnx.py")
    group.add_argument("--batch_size", type=int, default=256)
    group.add_argument("--num_threads", type=int, help="of one operation; default: one a core")


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
