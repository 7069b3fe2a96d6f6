"""Takes the ids of a batch and gives the outputs of the model of a folder, with torch."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from aslstm.model_folder.loading import load_model

from .batching import padded


class TorchBackend:
    """Runs the model of a folder, which this project's own code loads.

    Args:
        folder: A model folder.
        num_threads: The number of threads of one operation, in the whole process; None leaves it to torch.
    """

    def __init__(self, folder: Path, num_threads: int | None = None) -> None:
        if num_threads:
            torch.set_num_threads(num_threads)
        self.model = load_model(folder)
        # Nothing is encoded beside a batch: its operations already use all threads, and each of the many small ones would wait
        # for the interpreter, which cutting words holds. A worker gained nothing.
        self.num_workers = 0

    @torch.inference_mode()
    def run(self, rows: Sequence[Sequence[int]], outputs: Sequence[str] = ("logits",)) -> dict[str, np.ndarray]:
        """Return outputs of the model by name for the ids of a batch.

        Args:
            rows: The ids of each post.
            outputs: The names: ``logits`` (batch, num_labels) float32, ``attention_weights`` (batch, seq_len) float32.
        """
        input_ids, attention_mask = map(torch.from_numpy, padded(rows, self.model.config.pad_token_id))
        found = self.model(input_ids=input_ids, attention_mask=attention_mask, return_dict=True)
        # A folder may hold weights in bfloat16, which NumPy does not know.
        return {name: found[name].float().numpy() for name in outputs}
