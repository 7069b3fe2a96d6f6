"""Add ONNX graphs to a model folder, for serving without torch.

Run as ``aslstm export-onnx --model DIR``. Writes ``DIR/onnx/model.onnx`` (fp32) and
``DIR/onnx/model_int8.onnx`` once both answer as the model does, and adds them to ``DIR/checksums.json``.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import transformers

from aslstm.errors import UserError
from aslstm.model_folder.layout import GRAPH, GRAPH_FOLDER, INT8_GRAPH, check_model_folder, put_subfolder
from modeling_aslstm import ASLSTMForSequenceClassification

from .flags import CommandParser

# Of logits and attention weights; rounding in another order makes 1e-5.
MAX_DIFFERENCE = 1e-4
# Of probabilities, on random ids, where answers are closer than on posts.
MAX_INT8_DIFFERENCE = 0.15
MIN_INT8_SAME_ANSWER = 0.9


def parse_arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line and check that the work can be done.

    Raises:
        UserError: a damaged model folder, or graphs that exist.
    """
    parser = CommandParser("export-onnx", "Add ONNX graphs to a model folder.")
    parser.add_argument("--model", type=Path, required=True, help="a model folder")
    parser.add_argument("--overwrite", action="store_true", help="replace graphs that exist")
    arguments = parser.parse_args(given)
    check_model_folder(arguments.model)
    target = arguments.model / GRAPH_FOLDER
    if target.exists() and not arguments.overwrite:
        raise UserError(f"{target}: expected no graphs yet, found some; add --overwrite to replace them")
    return arguments


def write_graphs(model: ASLSTMForSequenceClassification, folder: Path) -> None:
    """Write both graphs into a folder and compare them with the model.

    Raises:
        UserError: a graph that does not answer as the model does.
    """
    from aslstm.model_folder.onnx_graphs import compare_with_model, export_graph, quantize_graph

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
    print(f"{GRAPH}: largest difference of logits {exact.logits:.1e}, of attention weights {exact.attention_weights:.1e}")
    print(f"{INT8_GRAPH}: largest difference of probabilities {int8.probabilities:.3f}, same answer {int8.same_answer:.1%}")


def main(given: Sequence[str] | None = None) -> None:
    """Export, compare and put in place."""
    arguments = parse_arguments(given)
    transformers.utils.logging.disable_progress_bar()
    folder = arguments.model.absolute()
    model = ASLSTMForSequenceClassification.from_pretrained(folder).eval()
    try:
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as beside:
            staging = Path(beside) / GRAPH_FOLDER
            staging.mkdir()
            write_graphs(model, staging)
            put_subfolder(folder, staging)
    except OSError as error:
        raise UserError(f"{folder}: expected a place to write, found: {error.strerror}; make room, then run again") from error
    for path in sorted((folder / GRAPH_FOLDER).iterdir()):
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
