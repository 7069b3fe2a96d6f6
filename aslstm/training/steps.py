"""Takes rows and makes batches of them; takes batches and makes optimizer steps, losses and logits.

All kinds of training share these functions.
"""

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator, PartialState
from datasets import Dataset
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torch.utils.data import DataLoader
from tqdm.auto import tqdm

from aslstm.errors import UserError
from aslstm.files import json_text

from .batches import Collator, LengthBucketSampler
from .optimization import dense_parameters
from .streaming import StreamingRows

logger = logging.getLogger(__name__)


def usable_precision(mixed_precision: str | None) -> str | None:
    """Return the precision for an ``Accelerator``: the one asked for, or "no" if the processor has no LSTM in bf16.

    In bf16, torch uses the LSTM of oneDNN, which on x86 needs AVX-512. bf16 only makes training faster, so a recipe that asks
    for it goes on in float32 and says so.

    Args:
        mixed_precision: The precision asked for, or None to take the one of ``accelerate launch``.
    """
    asked = mixed_precision or os.environ.get("ACCELERATE_MIXED_PRECISION", "no")
    if asked != "bf16" or PartialState().device.type != "cpu":
        return mixed_precision
    try:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            nn.LSTM(1, 1)(torch.zeros(1, 1, 1))
    except RuntimeError:
        if PartialState().is_main_process:
            logger.warning("mixed precision: this processor has no LSTM in bf16 (on x86 it takes AVX-512); training in float32")
        return "no"
    return mixed_precision


def make_loader(
    rows: Dataset | StreamingRows, collator: Collator, batch_size: int, *, shuffle: bool, seed: int = 0
) -> DataLoader[dict[str, Tensor]]:
    """Return a loader of batches whose rows have similar lengths; a stream brings its own order."""
    if isinstance(rows, StreamingRows):
        return DataLoader(rows, batch_size=batch_size, collate_fn=collator, pin_memory=torch.cuda.is_available())
    lengths = [len(ids) for ids in rows["input_ids"]]
    sampler = LengthBucketSampler(lengths, batch_size, shuffle=shuffle, seed=seed)
    return DataLoader(rows, batch_sampler=sampler, collate_fn=collator, pin_memory=torch.cuda.is_available())


class NonFiniteLossError(UserError):
    """Says that a loss is NaN or infinite.

    Args:
        place: Where in the training it happened.
        loss: The loss, ().
        batch: The batch that gave it.
    """

    def __init__(self, place: str, loss: Tensor, batch: dict[str, Tensor]) -> None:
        super().__init__(
            f"{place}: expected a finite loss, found {loss.item()}; lower `learning_rate` or train without `mixed_precision`"
        )
        self.batch = batch


@contextmanager
def saving_bad_batch(output: Path, accelerator: Accelerator) -> Iterator[None]:
    """Write the batch of a :class:`NonFiniteLossError` beside the output of a run, so that the user can look at it.

    Raises:
        UserError: The loss was not finite; the message names the file.
    """
    try:
        yield
    except NonFiniteLossError as error:
        path = output.with_name(f"{output.name}-bad-batch-{accelerator.process_index}.json")
        content = {"error": str(error), **{name: values.tolist() for name, values in error.batch.items()}}
        path.write_text(json_text(content), encoding="utf-8")
        raise UserError(f"{error}; its batch is in {path}") from error


def train_steps(
    accelerator: Accelerator,
    model: torch.nn.Module,
    batches: Iterable[dict[str, Tensor]],
    loss_of: Callable[[dict[str, Tensor]], Tensor],
    optimizers: Sequence[Optimizer],
    schedules: Sequence[LRScheduler],
    *,
    max_grad_norm: float,
    description: str,
    num_batches: int,
    num_done: int = 0,
) -> Iterator[Tensor]:
    """Train on batches and yield the loss of each, (), after the optimizers have stepped.

    Args:
        accelerator: The device, the processes and the precision.
        model: The model, prepared by the accelerator.
        batches: The batches of a prepared loader.
        loss_of: A function that takes a batch and returns its loss, (). It may change the batch.
        optimizers: The optimizers, prepared by the accelerator.
        schedules: The schedules, which step after each optimizer step.
        max_grad_norm: The largest norm of the dense gradients; longer ones are shortened to it.
        description: The text before the progress bar.
        num_batches: The number of batches in the whole epoch.
        num_done: The number of batches of the epoch that were done before.

    Raises:
        NonFiniteLossError: A loss is not finite.
    """
    model.train()
    # With None, tqdm shows a bar on a terminal and none in a log file.
    hide_bar = None if accelerator.is_local_main_process else True
    bar = tqdm(batches, desc=description, disable=hide_bar, leave=False, total=num_batches, initial=num_done)
    for number, batch in enumerate(bar, start=num_done + 1):
        with accelerator.accumulate(model):
            loss = loss_of(dict(batch))
            if not torch.isfinite(loss):
                step = schedules[0].last_epoch + 1
                raise NonFiniteLossError(f"step {step} ({description}, batch {number} of {num_batches})", loss, batch)
            accelerator.backward(loss)
            if accelerator.sync_gradients:
                accelerator.clip_grad_norm_(list(dense_parameters(model)), max_grad_norm)
            for optimizer in optimizers:
                optimizer.step()
            if accelerator.sync_gradients:
                for schedule in schedules:
                    schedule.step()
            for optimizer in optimizers:
                optimizer.zero_grad()
        yield loss.detach()


def mean_loss(accelerator: Accelerator, losses: Sequence[Tensor]) -> float:
    """Return the mean over the losses of all processes; ``losses``, () each, are those of this process."""
    gathered: Any = accelerator.gather(torch.stack(list(losses)).mean().unsqueeze(0))
    return float(gathered.mean())


def train_epoch(
    accelerator: Accelerator,
    model: torch.nn.Module,
    loader: DataLoader,
    loss_of: Callable[[dict[str, Tensor]], Tensor],
    optimizers: Sequence[Optimizer],
    schedules: Sequence[LRScheduler],
    *,
    max_grad_norm: float,
    description: str,
) -> float:
    """Train on every batch of a prepared loader once and return the mean loss of all processes; see :func:`train_steps`."""
    steps = train_steps(
        accelerator, model, loader, loss_of, optimizers, schedules,
        max_grad_norm=max_grad_norm, description=description, num_batches=len(loader),
    )  # fmt: skip
    return mean_loss(accelerator, list(steps))


@torch.inference_mode()
def predict_logits(accelerator: Accelerator, model: torch.nn.Module, loader: DataLoader) -> np.ndarray:
    """Return the logits of all rows of a prepared loader, (num_rows, num_labels), in their order, on every process."""
    model.eval()
    num_rows = len(loader.dataset)  # type: ignore[arg-type]
    logits = np.zeros((0, 0), dtype=np.float32)
    seen = np.zeros(num_rows, dtype=bool)
    for batch in loader:
        rows = batch.pop("row")
        batch.pop("labels")
        gathered = accelerator.gather((rows, model(**batch).logits.float()))
        indices, values = (part.cpu().numpy() for part in gathered)
        if logits.size == 0:
            logits = np.zeros((num_rows, values.shape[1]), dtype=np.float32)
        # Rows are placed by their own number: processes end their shares at different times, and short shares are filled up.
        logits[indices] = values
        seen[indices] = True
    if not seen.all():
        raise RuntimeError(f"expected every one of {num_rows} rows to be predicted, {int((~seen).sum())} were not")
    return logits
