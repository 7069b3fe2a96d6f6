"""Takes the ids of a batch and gives the outputs of the model of a folder, with torch."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import transformers
from torch.nn.utils.rnn import pad_sequence

from modeling_aslstm import ASLSTMForSequenceClassification


class TorchBackend:
    """Runs the model of a folder, which this project's own code loads.

    Args:
        folder: A model folder.
        num_threads: The number of threads of one operation, in the whole process; None leaves it to torch.
    """

    # One operation already uses all threads.
    batches_at_once = 1

    def __init__(self, folder: Path, num_threads: int | None = None) -> None:
        if num_threads:
            torch.set_num_threads(num_threads)
        # The weights of a small model load so fast that a progress bar would tell nothing.
        transformers.utils.logging.disable_progress_bar()
        self.model = ASLSTMForSequenceClassification.from_pretrained(folder).eval()

    @torch.inference_mode()
    def run(self, rows: Sequence[Sequence[int]], outputs: Sequence[str] = ("logits",)) -> dict[str, np.ndarray]:
        """Return outputs of the model by name for the ids of a batch.

        Args:
            rows: The ids of each post.
            outputs: The names: ``logits`` (batch, num_labels) float32, ``attention_weights`` (batch, seq_len) float32.
        """
        input_ids = pad_sequence(
            [torch.tensor(row) for row in rows], batch_first=True, padding_value=self.model.config.pad_token_id
        )
        lengths = torch.tensor([len(row) for row in rows])
        attention_mask = (torch.arange(input_ids.size(1)) < lengths[:, None]).long()
        found = self.model(input_ids=input_ids, attention_mask=attention_mask)
        return {name: found[name].numpy() for name in outputs}
