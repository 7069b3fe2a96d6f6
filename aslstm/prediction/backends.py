"""Takes a model folder and gives what runs its model: torch, or its ONNX graph.

Importing this imports neither torch nor onnxruntime: each backend is imported when a folder is loaded for it.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Protocol

import numpy as np

from aslstm.errors import UserError, check_packages
from aslstm.model_folder.layout import GRAPH_FOLDER, INT8_GRAPH

from .settings import InferenceSettings

TORCH_PACKAGES = ("torch", "transformers")


class Backend(Protocol):
    """Runs a model.

    Attributes:
        num_workers: How many batches run at once beside the thread that encodes the next ones; with 0 one thread does it all.
    """

    num_workers: int

    def run(self, rows: Sequence[Sequence[int]], outputs: Sequence[str] = ("logits",)) -> dict[str, np.ndarray]:
        """Return outputs of the model by name for the ids of a batch."""


def choose_backend(folder: Path, named: str | None) -> str:
    """Return the backend to use, after a check that its packages are installed.

    Args:
        folder: The model folder.
        named: The backend that the user names. None is torch, or onnx where torch is not installed and the folder has a graph.

    Raises:
        UserError: The packages of the backend are not installed.
    """
    has_torch = all(find_spec(name) for name in TORCH_PACKAGES)
    has_graph = (folder / GRAPH_FOLDER / INT8_GRAPH).is_file()
    backend = named or ("onnx" if has_graph and not has_torch else "torch")
    if backend == "torch":
        check_packages(
            "torch", *TORCH_PACKAGES, instead="choose `backend` onnx for a folder that aslstm export-onnx was run on"
        )
    return backend


def load_backend(folder: Path, settings: InferenceSettings, config: SimpleNamespace) -> Backend:
    """Return the backend that the settings name, with the model of a folder.

    Args:
        folder: The model folder.
        settings: How it is run; the backend is one of :func:`choose_backend`.
        config: Its configuration.

    Raises:
        UserError: The folder has no graph or a damaged one.
    """
    # A backend is imported here and not above: torch takes seconds, and a base installation has none.
    if settings.backend == "torch":
        from .torch_backend import TorchBackend

        return TorchBackend(folder, settings.num_threads)
    from .onnx_backend import OnnxBackend

    try:
        return OnnxBackend(folder, config.pad_token_id, num_threads=settings.num_threads)
    except ValueError as error:
        raise UserError(str(error)) from error
