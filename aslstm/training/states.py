"""Saves the state of a training run on disk, as nested dicts and lists of tensors and numbers, and gives it back.

A killed run goes on from its state and ends with the same bits as a run that was not killed. A state is a folder ``step-N``.
It holds tensors in safetensors, numbers in JSON, a file for each process, and the checksums of all these. It is written under
another name and renamed, so a kill at any moment leaves the states before it. A damaged state is passed over. Nothing is
pickled.
"""

import json
import logging
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, ClassVar

import torch
from accelerate import Accelerator
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from aslstm.disk import sync
from aslstm.errors import SECONDS_OF_ONE_INTERRUPT, UserError
from aslstm.files import find_damage, json_text, write_checksums

from .settings import LATEST

logger = logging.getLogger(__name__)

# One more state than is needed is kept, in case the newest is damaged.
NUM_KEPT = 2
_TENSORS, _NUMBERS = "state.safetensors", "state.json"
_PARTIAL = ".partial"
_MARK = "tensor:"


def take_out_tensors(tree: Any, tensors: dict[str, Tensor], name: str = "") -> Any:
    """Return a copy of nested dicts and lists with a name in the place of each tensor; the tensors are put into ``tensors``.

    >>> found = {}
    >>> take_out_tensors({"lr": 0.1, "moments": [torch.zeros(2)]}, found)
    {'lr': 0.1, 'moments': ['tensor:/moments/0']}
    >>> found
    {'/moments/0': tensor([0., 0.])}
    """
    if isinstance(tree, Tensor):
        tensors[name] = tree.detach().cpu().contiguous()
        return _MARK + name
    if isinstance(tree, dict):
        return {str(key): take_out_tensors(value, tensors, f"{name}/{key}") for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [take_out_tensors(value, tensors, f"{name}/{i}") for i, value in enumerate(tree)]
    return tree


def put_back_tensors(tree: Any, tensors: dict[str, Tensor]) -> Any:
    """Undo :func:`take_out_tensors`, except that keys have become strings and tuples have become lists."""
    if isinstance(tree, dict):
        return {key: put_back_tensors(value, tensors) for key, value in tree.items()}
    if isinstance(tree, list):
        return [put_back_tensors(value, tensors) for value in tree]
    return tensors[tree.removeprefix(_MARK)] if isinstance(tree, str) and tree.startswith(_MARK) else tree


def largest_anywhere(accelerator: Accelerator, value: int) -> int:
    """Return the largest ``value`` of all processes; all processes must ask together, and each waits for the others."""
    if accelerator.num_processes == 1:
        return value
    values: Any = accelerator.gather(torch.tensor([value], device=accelerator.device))
    return int(values.max())


def is_true_anywhere(accelerator: Accelerator, value: bool) -> bool:
    """Return whether ``value`` is true on any process; all processes must ask together, and each waits for the others."""
    return bool(largest_anywhere(accelerator, int(value)))


class StopSignal:
    """Notes SIGTERM and Ctrl-C instead of obeying them, while this context lasts, so that the run can save its state first.

    A second Ctrl-C ends the process at once.

    Attributes:
        number: The signal that was received, or 0.
    """

    NAMES: ClassVar = {signal.SIGTERM: "SIGTERM", signal.SIGINT: "Ctrl-C"}

    def __init__(self) -> None:
        self.number = 0
        self._interrupted_at = float("inf")
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> None:
        self._before = {number: signal.signal(number, self._note) for number in self.NAMES}

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT:
            now = time.monotonic()
            if now - self._interrupted_at > SECONDS_OF_ONE_INTERRUPT:
                os._exit(128 + signal.SIGINT)
            self._interrupted_at = min(self._interrupted_at, now)
        self.number = number

    def was_received(self, accelerator: Accelerator) -> bool:
        """Return whether any process was told to stop; all processes must ask together and get the same answer."""
        self.number = largest_anywhere(accelerator, self.number)
        return bool(self.number)


class TrainingStates:
    """Saves and loads the states of one run.

    Args:
        folder: The folder of the states, created when the first state is saved.
        accelerator: The accelerator whose processes share the folder.
    """

    def __init__(self, folder: Path, accelerator: Accelerator) -> None:
        self.folder = folder
        self.accelerator = accelerator

    def check(self, *, resume: str | None, is_saving: bool) -> None:
        """Check what can be known before training; nothing is changed.

        Args:
            resume: :data:`LATEST`, the path of a state, or None.
            is_saving: Whether the run will save states.

        Raises:
            UserError: States of another run are in the way, or the state to resume is damaged.
        """
        if resume is None and is_saving and self._saved():
            raise UserError(
                f"{self.folder}: expected no states of training, found some; go on with `resume_from_checkpoint` or remove them"
            )
        if resume not in (None, LATEST) and (damage := self._damage(Path(resume))):
            raise UserError(f"`resume_from_checkpoint`: expected a whole state of training, found {damage}; choose another")

    def save(self, step: int, shared: dict[str, Any], own: dict[str, Tensor]) -> None:
        """Save a state and remove those that are no longer needed; all processes call this together.

        Args:
            step: The number of the state.
            shared: The part of the state that is the same on every process.
            own: The part of the state that this process alone has.

        Raises:
            UserError: The state cannot be written; the states before it are as they were.
        """
        place = self.folder / f"step-{step:08d}"
        partial = place.with_name(f"{place.name}{_PARTIAL}")
        for stage in (
            lambda: self._begin(partial),
            lambda: self._write(partial, shared, own),
            lambda: self._put_in_place(partial, place),
        ):
            reason = _reason_of_failure(stage)
            if is_true_anywhere(self.accelerator, reason is not None):
                shutil.rmtree(partial, ignore_errors=True)
                raise UserError(
                    f"{place}: expected room for a state of training, found: {reason or 'another process has none'}; the state "
                    "before it is whole: make room and go on with `resume_from_checkpoint`"
                )

    def _begin(self, partial: Path) -> None:
        if self.accelerator.is_main_process:
            for left in self.folder.glob(f"*{_PARTIAL}"):  # A run that was killed left it.
                shutil.rmtree(left)
            partial.mkdir(parents=True)

    def _write(self, partial: Path, shared: dict[str, Any], own: dict[str, Tensor]) -> None:
        save_file(own, partial / self._own_name())
        if self.accelerator.is_main_process:
            tensors: dict[str, Tensor] = {}
            numbers = take_out_tensors(shared, tensors)
            save_file(tensors, partial / _TENSORS)
            (partial / _NUMBERS).write_text(json_text(numbers), encoding="utf-8")

    def _put_in_place(self, partial: Path, place: Path) -> None:
        if self.accelerator.is_main_process:
            write_checksums(partial)
            for path in (*partial.iterdir(), partial):
                sync(path)
            if place.exists():  # It is damaged, or the run was resumed from a state before it.
                _remove(place)
            partial.rename(place)
            sync(self.folder)
            self._remove_all_but(place)

    def load(self, resume: str) -> tuple[dict[str, Any], dict[str, Tensor]] | None:
        """Return what :meth:`save` was given for the newest undamaged state, or for the named one; None if there is no state.

        Raises:
            UserError: All states are damaged.
        """
        if resume != LATEST:
            return self._read(Path(resume))
        saved = self._saved()
        for folder in reversed(saved):
            damage = self._damage(folder)
            if damage is None:
                return self._read(folder)
            logger.warning("passed over a damaged state of training (%s)", damage)
        if saved:
            raise UserError(f"{self.folder}: expected a whole state of training, found damaged ones; remove them to start anew")
        return None

    def _saved(self) -> list[Path]:
        return sorted(path for path in self.folder.glob("step-*") if path.suffix != _PARTIAL)

    def _own_name(self) -> str:
        return f"process-{self.accelerator.process_index}.safetensors"

    def _damage(self, folder: Path) -> str | None:
        return find_damage(folder, (_TENSORS, _NUMBERS, "process-0.safetensors"))

    def _read(self, folder: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
        logger.info("resuming from %s", folder)
        numbers = json.loads((folder / _NUMBERS).read_text(encoding="utf-8"))
        shared = put_back_tensors(numbers, load_file(folder / _TENSORS))
        own = folder / self._own_name()
        # If the number of processes differs, the file may be missing; the caller finds that when it compares the recipes.
        return shared, load_file(own) if own.exists() else {}

    def _remove_all_but(self, newest: Path) -> None:
        """Keep a state and those just before it; a higher number belongs to a damaged state or to a run that was given up."""
        saved = self._saved()
        place = saved.index(newest)
        for path in saved[: max(0, place + 1 - NUM_KEPT)] + saved[place + 1 :]:
            _remove(path)


def _reason_of_failure(write: Callable[[], None]) -> str | None:
    """Write files; return why that failed, or None if it did not."""
    try:
        write()
    except (OSError, SafetensorError) as error:
        return getattr(error, "strerror", None) or str(error)
    return None


def _remove(folder: Path) -> None:
    """Remove a state so that a kill on the way leaves no state that looks damaged."""
    gone = folder.with_name(f"{folder.name}.gone{_PARTIAL}")
    folder.rename(gone)
    shutil.rmtree(gone)
