"""The training loop: batches in, the best weights out.

Takes a prepared model and encoded splits, gives validation figures per epoch and leaves the model with the weights of
the chosen epoch. Knows nothing of corpora, files or model folders.
"""

import copy
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from datasets import Dataset
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torch.utils.data import DataLoader
from tqdm.auto import tqdm

from batching import Collator, LengthBucketSampler
from metrics import compute_metrics, fit_prior_weight, fit_temperature, log_loss
from optimization import dense_parameters
from streaming import StreamingRows
from user_errors import UserError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingSettings:
    """How to train; see ``train.py --help``."""

    num_train_epochs: int
    early_stopping_patience: int
    select: str
    max_grad_norm: float
    label_smoothing: float
    logit_adjustment: float
    checkpointing_epochs: int


@dataclass
class Progress:
    """Where a run stands: all that resuming needs beside the weights and optimizers."""

    epoch: int = 0
    best_score: float = -float("inf")
    best_epoch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)


def make_loader(
    rows: Dataset | StreamingRows, collator: Collator, batch_size: int, *, shuffle: bool, seed: int = 0
) -> DataLoader[dict[str, Tensor]]:
    """Batches of similar length; a stream brings its own order."""
    if isinstance(rows, StreamingRows):
        return DataLoader(rows, batch_size=batch_size, collate_fn=collator, pin_memory=torch.cuda.is_available())
    lengths = [len(ids) for ids in rows["input_ids"]]
    sampler = LengthBucketSampler(lengths, batch_size, shuffle=shuffle, seed=seed)
    return DataLoader(rows, batch_sampler=sampler, collate_fn=collator, pin_memory=torch.cuda.is_available())


@torch.inference_mode()
def predict_logits(accelerator: Accelerator, model: torch.nn.Module, loader: DataLoader) -> np.ndarray:
    """Logits of every row of a prepared loader, (num_rows, num_labels), in the order of the rows, on every process."""
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
        # By the row's own number: processes end their shares at different times, and short shares are filled up.
        logits[indices] = values
        seen[indices] = True
    if not seen.all():
        raise RuntimeError(f"expected every one of {num_rows} rows to be predicted, {int((~seen).sum())} were not")
    return logits


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
    """Train on every batch of a prepared loader once; gives the mean loss of all processes.

    Args:
        accelerator: device, processes and precision.
        model: prepared by it.
        loader: prepared by it.
        optimizers: prepared by it.
        loss_of: a batch → its loss, ().
        schedules: step with the optimizer steps.
        max_grad_norm: of the dense gradients.
        description: of the progress bar.

    Raises:
        UserError: a loss that is not finite.
    """
    model.train()
    losses = []
    # None: a bar on a terminal, none in a log file.
    hide_bar = None if accelerator.is_local_main_process else True
    for batch in tqdm(loader, desc=description, disable=hide_bar, leave=False):
        with accelerator.accumulate(model):
            loss = loss_of(batch)
            if not torch.isfinite(loss):
                raise UserError(
                    f"{description}: expected a finite loss, found {loss.item()}; lower --learning_rate or train without "
                    "--mixed_precision"
                )
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
        losses.append(loss.detach())
    mean_loss = torch.stack(losses).mean()
    return float(accelerator.gather(mean_loss.unsqueeze(0)).mean())


class Trainer:
    """One run of training.

    Args:
        accelerator: device, processes and precision.
        model, optimizers, train_loader, validation_loader: prepared by it.
        schedules: one an optimizer, not prepared: they step with the optimizer steps of one process.
        collator: of the training loader.
        validation_labels: (num_rows,) int.
        label_names: in the order of the model.
        label_prior: (num_labels,) share of each label in training.
        loss_priors: (2, num_labels) the shares that the loss takes as given in rows without and with emoji.
        class_weights: (num_labels,) weights of the loss, or None.
        settings: the rest.
        checkpoint_dir: where states of training are kept.
    """

    def __init__(
        self,
        accelerator: Accelerator,
        model: torch.nn.Module,
        *,
        optimizers: list[Optimizer],
        schedules: list[LRScheduler],
        train_loader: DataLoader,
        validation_loader: DataLoader,
        collator: Collator,
        validation_labels: np.ndarray,
        label_names: list[str],
        label_prior: np.ndarray,
        loss_priors: np.ndarray,
        class_weights: Tensor | None,
        settings: TrainingSettings,
        checkpoint_dir: Path,
    ) -> None:
        self.accelerator = accelerator
        self.model = model
        self.optimizers = optimizers
        self.schedules = schedules
        self.train_loader = train_loader
        self.validation_loader = validation_loader
        self.collator = collator
        self.validation_labels = validation_labels
        self.label_names = label_names
        self.label_prior = label_prior
        # Added to the logits in the loss alone, the log shares leave the model with balanced logits: the rare labels get
        # their gradient, and how much of the prior counts is decided later, on validation (Menon et al. 2021,
        # arXiv:2007.07314).
        adjustments = settings.logit_adjustment * torch.tensor(np.log(loss_priors), dtype=torch.float32)
        self.adjustments = adjustments.to(accelerator.device)
        weight = None if class_weights is None else class_weights.to(accelerator.device)
        self.loss = torch.nn.CrossEntropyLoss(weight=weight, label_smoothing=settings.label_smoothing)
        self.settings = settings
        self.checkpoint_dir = checkpoint_dir
        self.progress = Progress()
        self._best_weights: dict[str, Tensor] = {}

    def train(self) -> Progress:
        """Train to the end or to early stopping, then load the weights of the chosen epoch."""
        settings = self.settings
        while self.progress.epoch < settings.num_train_epochs:
            train_loss = self._train_epoch()
            figures = self._validate()
            self.progress.epoch += 1
            self.progress.history.append({"epoch": self.progress.epoch, "train_loss": train_loss, **figures})
            self.accelerator.log({"train_loss": train_loss, **figures}, step=self.progress.epoch)
            logger.info(
                "epoch %d: train loss %.4f, validation loss %.4f, accuracy %.4f, macro-F1 %.4f",
                self.progress.epoch, train_loss, figures["loss"], figures["accuracy"], figures["macro_f1"],
            )  # fmt: skip
            score = {"loss": -figures["loss"], "last": float(self.progress.epoch)}.get(settings.select)
            score = figures[settings.select] if score is None else score
            if score > self.progress.best_score:
                self.progress.best_score, self.progress.best_epoch = score, self.progress.epoch
                self._best_weights = copy.deepcopy(self.accelerator.unwrap_model(self.model).state_dict())
            if settings.checkpointing_epochs and self.progress.epoch % settings.checkpointing_epochs == 0:
                self._save_checkpoint()
            if self.progress.epoch - self.progress.best_epoch >= settings.early_stopping_patience:
                logger.info("no better %s for %d epochs: stopping", settings.select, settings.early_stopping_patience)
                break
        self.accelerator.unwrap_model(self.model).load_state_dict(self._best_weights)
        logger.info("kept the weights of epoch %d", self.progress.best_epoch)
        return self.progress

    def _train_epoch(self) -> float:
        self.collator.epoch = self.progress.epoch
        self.train_loader.set_epoch(self.progress.epoch)  # type: ignore[attr-defined]
        return train_epoch(
            self.accelerator,
            self.model,
            self.train_loader,
            self.loss_of,
            self.optimizers,
            self.schedules,
            max_grad_norm=self.settings.max_grad_norm,
            description=f"Epoch {self.progress.epoch + 1}/{self.settings.num_train_epochs}",
        )

    def loss_of(self, batch: dict[str, Tensor]) -> Tensor:
        """The loss of a batch, (); its logits with the label shares that rows of their kind have."""
        batch.pop("row")
        labels = batch.pop("labels")
        config = self.accelerator.unwrap_model(self.model).config
        end = config.emoji_token_offset + config.num_emoji_tokens
        has_emoji = ((batch["input_ids"] >= config.emoji_token_offset) & (batch["input_ids"] < end)).any(1)
        return self.loss(self.model(**batch).logits.float() + self.adjustments[has_emoji.long()], labels)

    def _validate(self) -> dict[str, float]:
        logits = predict_logits(self.accelerator, self.model, self.validation_loader)
        # At the decision rule that would be fitted now: it is part of the answer that the run is chosen for.
        logits = logits + fit_prior_weight(logits, self.validation_labels, self.label_prior) * np.log(self.label_prior)
        metrics = compute_metrics(self.validation_labels, logits.argmax(1), self.label_names)
        loss = log_loss(logits / fit_temperature(logits, self.validation_labels), self.validation_labels)
        return {"loss": loss, "accuracy": metrics["accuracy"], "macro_f1": metrics["macro_f1"]}

    # ---- states of training ----

    def _save_checkpoint(self) -> None:
        """Write the state beside its place and rename it, so that a kill never leaves half of one."""
        place = self.checkpoint_dir / f"epoch-{self.progress.epoch:04d}"
        partial = self.checkpoint_dir / f"{place.name}.partial"
        self.accelerator.save_state(str(partial))
        self.accelerator.wait_for_everyone()  # every process writes its random state
        if self.accelerator.is_main_process:
            torch.save(
                {"best_weights": self._best_weights, "schedules": [schedule.state_dict() for schedule in self.schedules]},
                partial / "trainer.pt",
            )
            (partial / "progress.json").write_text(json.dumps(asdict(self.progress)), encoding="utf-8")
            partial.rename(place)
        self.accelerator.wait_for_everyone()

    def resume(self) -> None:
        """Go on from the newest state.

        Raises:
            UserError: there is none.
        """
        found = sorted(path for path in self.checkpoint_dir.glob("epoch-*") if path.suffix != ".partial")
        if not found:
            raise UserError(
                f"{self.checkpoint_dir}: expected a state of training, found none; train with --checkpointing_epochs first"
            )
        state: dict[str, Any] = json.loads((found[-1] / "progress.json").read_text(encoding="utf-8"))
        self.accelerator.load_state(str(found[-1]))
        self.progress = Progress(**state)
        own = torch.load(found[-1] / "trainer.pt", map_location="cpu", weights_only=True)
        self._best_weights = own["best_weights"]
        for schedule, schedule_state in zip(self.schedules, own["schedules"], strict=True):
            schedule.load_state_dict(schedule_state)
        logger.info("resumed after epoch %d from %s", self.progress.epoch, found[-1])
