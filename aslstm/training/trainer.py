"""Takes a prepared model and encoded splits, trains, and leaves the model with the weights of the chosen epoch.

It gives validation figures of each epoch. Whatever it needs to go on after a kill it hands to :class:`TrainingStates`. It knows
nothing of corpora, files or model folders.
"""

import contextlib
import copy
import itertools
import logging
import os
import signal
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from accelerate import Accelerator, skip_first_batches
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torch.utils.data import DataLoader

from aslstm.errors import UserError

from .batches import SOFT_COLUMNS, Collator
from .fingerprints import CONTENTS
from .problems import Problem
from .settings import TrainingSettings
from .states import StopSignal, TrainingStates
from .steps import mean_loss, predict_logits, train_steps

logger = logging.getLogger(__name__)


@dataclass
class Progress:
    """Holds how many whole epochs and optimizer steps a run has done, and its best epoch so far."""

    epoch: int = 0
    step: int = 0
    best_score: float = -float("inf")
    best_epoch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)


class Trainer:
    """Trains a model once.

    Args:
        accelerator: The device, the processes and the precision.
        model, optimizers, train_loader, validation_loader: What is trained and on what, prepared by the accelerator.
        schedules: A schedule for each optimizer, not prepared: they step with the optimizer steps of one process.
        collator: The collator of the training loader.
        problem: What the labels are, which gives the loss and the figures of validation.
        settings: How it is trained, and which epoch is kept.
        states: Where states of training are saved.
        checkpointing_steps: How many optimizer steps lie between two states, ``epoch``, or None for no states.
        recipe: What a resumed run must have in common with the run that saved the state, by flag or name.
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
        problem: Problem,
        settings: TrainingSettings,
        states: TrainingStates,
        checkpointing_steps: int | str | None,
        recipe: dict[str, Any],
    ) -> None:
        self.accelerator = accelerator
        self.model = model
        self.optimizers = optimizers
        self.schedules = schedules
        self.train_loader = train_loader
        self.validation_loader = validation_loader
        self.collator = collator
        self.problem = problem
        self.settings = settings
        self.states = states
        self.checkpointing_steps = checkpointing_steps
        self.recipe = recipe
        self.progress = Progress()
        self._losses: list[Tensor] = []  # One loss for each batch of this epoch that is done.
        self._best_weights: dict[str, Tensor] = {}
        self._stop = StopSignal()

    def train(self) -> Progress:
        """Train to the end or to early stopping, then load the weights of the chosen epoch.

        If states are saved and SIGTERM or Ctrl-C tells it to stop, it saves a state and ends the process with exit code 143 or
        130.

        Raises:
            KeyboardInterrupt: Ctrl-C was pressed and no states are saved.
        """
        try:
            with self._stop if self.checkpointing_steps else contextlib.nullcontext():
                while not self._is_done():
                    self._train_epoch()
                    self._save_if_due(ends_epoch=True)
        except KeyboardInterrupt as error:
            raise KeyboardInterrupt(
                "no state of training was saved; with `checkpointing_steps`, a run goes on with `resume_from_checkpoint`"
            ) from error
        self.accelerator.unwrap_model(self.model).load_state_dict(self._best_weights)
        logger.info("kept the weights of epoch %d", self.progress.best_epoch)
        return self.progress

    def _is_done(self) -> bool:
        if self.progress.epoch - self.progress.best_epoch >= self.settings.early_stopping_patience:
            logger.info("no better %s for %d epochs: stopping", self.settings.select, self.settings.early_stopping_patience)
            return True
        return self.progress.epoch >= self.settings.num_train_epochs

    def _train_epoch(self) -> None:
        """Train on what is left of an epoch and validate."""
        settings, progress = self.settings, self.progress
        num_batches = len(self.train_loader)
        steps = train_steps(
            self.accelerator, self.model, self._batches_left(), self.loss_of, self.optimizers, self.schedules,
            max_grad_norm=settings.max_grad_norm, description=f"Epoch {progress.epoch + 1}/{settings.num_train_epochs}",
            num_batches=num_batches, num_done=len(self._losses),
        )  # fmt: skip
        for loss in steps:
            self._losses.append(loss)
            if self.accelerator.sync_gradients:
                progress.step += 1
                # After the last batch, the state is saved once the epoch is validated.
                if len(self._losses) < num_batches:
                    self._save_if_due(ends_epoch=False)
        figures = {"train_loss": mean_loss(self.accelerator, self._losses), **self._validate()}
        self._losses = []
        progress.epoch += 1
        progress.history.append({"epoch": progress.epoch, **figures})
        self.accelerator.log(figures, step=progress.epoch)
        logger.info(
            "epoch %d: train loss %.4f, validation loss %.4f, accuracy %.4f, macro-F1 %.4f",
            progress.epoch, *(figures[name] for name in ("train_loss", "loss", "accuracy", "macro_f1")),
        )  # fmt: skip
        score = {"loss": -figures["loss"], "last": float(progress.epoch)}.get(settings.select)
        score = figures[settings.select] if score is None else score
        if score > progress.best_score:
            progress.best_score, progress.best_epoch = score, progress.epoch
            self._best_weights = copy.deepcopy(self.accelerator.unwrap_model(self.model).state_dict())

    def _batches_left(self) -> Iterable[dict[str, Tensor]]:
        """Return the batches of the epoch that are not done."""
        self.collator.epoch = self.progress.epoch
        self.train_loader.set_epoch(self.progress.epoch)  # type: ignore[attr-defined]
        if not self._losses:
            return self.train_loader
        # A loader that begins draws a random number; the epoch that goes on drew it when it began.
        with torch.random.fork_rng(devices=[]):
            batches = iter(skip_first_batches(self.train_loader, len(self._losses)))
            first = next(batches)
        return itertools.chain([first], batches)

    def loss_of(self, batch: dict[str, Tensor]) -> Tensor:
        """Return the loss of a batch, ()."""
        batch.pop("row")
        labels = batch.pop("labels")
        soft = {name: batch.pop(name) for name in SOFT_COLUMNS if name in batch}
        config = self.accelerator.unwrap_model(self.model).config
        end = config.emoji_token_offset + config.num_emoji_tokens
        has_emoji = ((batch["input_ids"] >= config.emoji_token_offset) & (batch["input_ids"] < end)).any(1)
        return self.problem.loss(self.model(**batch).logits.float(), labels, has_emoji, soft)

    def _validate(self) -> dict[str, float]:
        logits = predict_logits(self.accelerator, self.model, self.validation_loader)
        # The figures are those at the decision that would be fitted now, because it is part of the answer.
        return self.problem.validate(logits)

    # ---- states of training ----

    def _save_if_due(self, *, ends_epoch: bool) -> None:
        every = self.checkpointing_steps
        if every is None:
            return
        must_stop = self._stop.was_received(self.accelerator)
        if must_stop or (ends_epoch if every == "epoch" else self.progress.step % int(every) == 0):
            self.states.save(self.progress.step, self._shared_state(), self._own_state())
        if must_stop:
            name = StopSignal.NAMES[signal.Signals(self._stop.number)]
            logger.info("stopped by %s after step %d; go on with `resume_from_checkpoint`", name, self.progress.step)
            self.accelerator.end_training()
            if self.accelerator.num_processes == 1:
                sys.exit(128 + self._stop.number)
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            # Not sys.exit, which frees the model: the destructor of its process group may wait for ever for a thread of its own
            # when another process has gone before (gloo, torch 2.13).
            os._exit(128 + self._stop.number)

    def _shared_state(self) -> dict[str, Any]:
        return {
            "recipe": self.recipe,
            "progress": asdict(self.progress),
            "model": self.accelerator.unwrap_model(self.model).state_dict(),
            "best_weights": self._best_weights,
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "schedules": [schedule.state_dict() for schedule in self.schedules],
            "scaler": self.accelerator.scaler.state_dict() if self.accelerator.scaler else {},
        }

    def _own_state(self) -> dict[str, Tensor]:
        losses = torch.stack(self._losses) if self._losses else torch.zeros(0)
        state = {"losses": losses, "random": torch.get_rng_state()}
        if self.accelerator.device.type == "cuda":
            state["random_cuda"] = torch.cuda.get_rng_state()
        return state

    def resume(self, place: str) -> None:
        """Go on from a state, or from the beginning if none was saved.

        Args:
            place: The path of a state, or ``latest``.

        Raises:
            UserError: Every state is damaged, or the state belongs to a run with another recipe.
        """
        state = self.states.load(place)
        if state is None:
            logger.warning("%s: no state of training yet: starting anew", self.states.folder)
            return
        shared, own = state
        before = shared["recipe"]
        missing = {name: value for name, value in self.recipe.items() if name.startswith(CONTENTS) and name not in before}
        if missing:
            logger.warning(
                "the state was saved by a version that did not note the contents of the data: whether the rows are the same "
                "is not checked"
            )
            before = before | missing
        if differing := [name for name in self.recipe | before if self.recipe.get(name) != before.get(name)]:
            raise UserError(
                f"`resume_from_checkpoint`: expected the run that was begun, with {_values(before, differing)}, found "
                f"{_values(self.recipe, differing)}; give the same flags and data"
            )
        self.progress = Progress(**shared["progress"])
        self.accelerator.unwrap_model(self.model).load_state_dict(shared["model"])
        self._best_weights = shared["best_weights"]
        for optimizer, saved in zip(self.optimizers, shared["optimizers"], strict=True):
            moments = {int(number): values for number, values in saved["state"].items()}
            optimizer.load_state_dict(saved | {"state": moments})
        for schedule, saved in zip(self.schedules, shared["schedules"], strict=True):
            schedule.load_state_dict(saved)
        if self.accelerator.scaler:
            self.accelerator.scaler.load_state_dict(shared["scaler"])
        self._losses = list(own["losses"].to(self.accelerator.device))
        torch.set_rng_state(own["random"])
        if "random_cuda" in own:
            torch.cuda.set_rng_state(own["random_cuda"])
        logger.info("resumed in epoch %d, after step %d", self.progress.epoch + 1, self.progress.step)


def _values(recipe: dict[str, Any], names: Iterable[str]) -> str:
    return ", ".join(f"{name} {recipe.get(name)}" for name in names)
