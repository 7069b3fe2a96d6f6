"""Takes a model folder and gives what runs its model: torch, or its ONNX graph.

Importing this imports neither torch nor onnxruntime: each backend is imported when a folder is loaded for it.
"""

import logging
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Protocol

import numpy as np

from aslstm.errors import UserError, check_packages
from aslstm.model_folder.layout import GRAPH_FOLDER, INT8_GRAPH

from .settings import InferenceSettings

logger = logging.getLogger(__name__)

TORCH_PACKAGES = ("torch", "transformers")


class Backend(Protocol):
    """Runs a model.

    Attributes:
        num_workers: How many batches run at once beside the thread that encodes the next ones; with 0 one thread does it all.
    """

    num_workers: int

    def run(self, rows: Sequence[Sequence[int]], outputs: Sequence[str] = ("logits",)) -> dict[str, np.ndarray]:
        """Return outputs of the model by name for the ids of a batch."""


def default_backend(folder: Path) -> str:
    """Return the backend to use if none is named: torch, or onnx where torch is not installed and the folder has a graph."""
    if all(find_spec(name) for name in TORCH_PACKAGES) or not (folder / GRAPH_FOLDER / INT8_GRAPH).is_file():
        return "torch"
    logger.warning("torch is not installed: the answers are those of the int8 graph, as with backend onnx")
    return "onnx"


def load_backend(folder: Path, settings: InferenceSettings, config: SimpleNamespace) -> Backend:
    """Return the backend that the settings name, with the model of a folder.

    Raises:
        UserError: Its packages are not installed, or the folder has no graph or a damaged one.
    """
    # A backend is imported here and not above: torch takes seconds, and a base installation has none.
    if settings.backend == "torch":
        check_packages(
            "torch", *TORCH_PACKAGES, instead="choose `backend` onnx for a folder that aslstm export-onnx was run on"
        )
        from .torch_backend import TorchBackend

        return TorchBackend(folder, settings.num_threads)
    from .onnx_backend import OnnxBackend

    try:
        return OnnxBackend(folder, config.pad_token_id, num_threads=settings.num_threads)
    except ValueError as error:
        raise UserError(str(error)) from error
