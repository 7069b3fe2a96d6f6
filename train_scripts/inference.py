"""A model folder to answers: raw texts in, probabilities out."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tqdm.auto import tqdm

from model_folder import check_model_folder
from modeling_aslstm import ASLSTMForSequenceClassification
from tokenization import ASLSTMTokenizer


class TextClassifier:
    """A model and its tokenizer, loaded by this project's own code after their checksums were verified.

    Args:
        folder: a model folder.
        batch_size: texts at once; they are sorted by length, so batches have little padding.

    Raises:
        UserError: a folder that is not whole.
    """

    def __init__(self, folder: Path, *, batch_size: int = 256) -> None:
        check_model_folder(folder)
        self.tokenizer = ASLSTMTokenizer.from_pretrained(folder)
        self.model = ASLSTMForSequenceClassification.from_pretrained(folder).eval()
        self.batch_size = batch_size
        self.label_names = [self.model.config.id2label[i] for i in range(self.model.num_labels)]

    @torch.inference_mode()
    def predict(self, texts: Sequence[str], *, description: str = "Predicting") -> np.ndarray:
        """Probabilities (num_texts, num_labels) at the model's own answer, in the order of the texts."""
        ids = self.tokenizer(list(texts), truncation=True, return_attention_mask=False)["input_ids"]
        order = sorted(range(len(ids)), key=lambda i: -len(ids[i]))
        probabilities = np.zeros((len(ids), len(self.label_names)))
        for start in tqdm(range(0, len(order), self.batch_size), desc=description, leave=False):
            rows = order[start : start + self.batch_size]
            batch = self.tokenizer.pad({"input_ids": [ids[i] for i in rows]}, return_tensors="pt")
            probabilities[rows] = self.model(**batch).logits.double().softmax(-1).numpy()
        return probabilities
