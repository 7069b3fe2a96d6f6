"""Takes a model folder and adds ONNX graphs to it, for answers without torch.

The graphs ``onnx/model.onnx`` (fp32) and ``onnx/model_int8.onnx`` are written, compared with the model, and moved into the
folder together with their checksums.
"""

import tempfile
from pathlib import Path
from typing import NamedTuple

from aslstm.disk import locked
from aslstm.errors import UserError, check_packages
from modeling_aslstm import ASLSTMForSequenceClassification

from .layout import GRAPH, GRAPH_FOLDER, INT8_GRAPH, check_model_folder, put_subfolder
from .loading import load_model

# The largest difference of logits and attention weights that is accepted; rounding in another order gives 1e-5.
MAX_DIFFERENCE = 1e-4
# The largest difference of probabilities that is accepted, on random ids, where answers are closer than on posts.
MAX_INT8_DIFFERENCE = 0.15
MIN_INT8_SAME_ANSWER = 0.9


class Graphs(NamedTuple):
    """Holds the paths of the graphs that were added, and how far each is from the model, in words."""

    paths: list[Path]
    differences: list[str]


def write_graphs(model: ASLSTMForSequenceClassification, folder: Path) -> list[str]:
    """Write both graphs into a folder and compare them with the model.

    Returns:
        How far each graph is from the model, in words.

    Raises:
        UserError: A graph does not answer as the model does.
    """
    check_packages("export", "onnx", "onnxruntime")
    from .onnx_graphs import compare_with_model, export_graph, quantize_graph

    export_graph(model, folder / GRAPH)
    quantize_graph(folder / GRAPH, folder / INT8_GRAPH)
    exact, int8 = (compare_with_model(folder / name, model) for name in (GRAPH, INT8_GRAPH))
    if not max(exact.logits, exact.attention_weights) <= MAX_DIFFERENCE:
        raise UserError(f"{GRAPH}: expected the model's outputs to {MAX_DIFFERENCE}, found {exact}; try another torch")
    if not (int8.probabilities <= MAX_INT8_DIFFERENCE and int8.same_answer >= MIN_INT8_SAME_ANSWER):
        raise UserError(
            f"{INT8_GRAPH}: expected the model's probabilities to {MAX_INT8_DIFFERENCE} and its answer in "
            f"{MIN_INT8_SAME_ANSWER:.0%} of the rows, found {int8}; this model does not bear int8"
        )
    return [
        f"{GRAPH}: largest difference of logits {exact.logits:.1e}, of attention weights {exact.attention_weights:.1e}",
        f"{INT8_GRAPH}: largest difference of probabilities {int8.probabilities:.3f}, same answer {int8.same_answer:.1%}",
    ]


def add_graphs(folder: Path, *, overwrite: bool = False) -> Graphs:
    """Add the graphs to a model folder, which is complete at every moment.

    Args:
        folder: The model folder.
        overwrite: Whether graphs that exist are replaced.

    Raises:
        UserError: The folder is damaged or has graphs, packages are missing, or a graph does not answer as the model does.
    """
    check_packages("export", "onnx", "onnxruntime")
    check_model_folder(folder)
    with locked(folder, name="model"):
        return _add_graphs(folder, overwrite=overwrite)


def _add_graphs(folder: Path, *, overwrite: bool) -> Graphs:
    target = folder / GRAPH_FOLDER
    if target.exists() and not overwrite:
        raise UserError(f"{target}: expected no graphs yet, found some; add `overwrite` to replace them")
    folder = folder.absolute()
    model = load_model(folder)
    try:
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as beside:
            staging = Path(beside) / GRAPH_FOLDER
            staging.mkdir()
            differences = write_graphs(model, staging)
            put_subfolder(folder, staging)
    except OSError as error:
        raise UserError(f"{folder}: expected a place to write, found: {error.strerror}; make room, then run again") from error
    return Graphs(sorted((folder / GRAPH_FOLDER).iterdir()), differences)
