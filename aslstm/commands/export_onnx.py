"""Takes the flags of ``aslstm export-onnx`` and adds ONNX graphs to a model folder, so that it answers without torch.

It writes ``DIR/onnx/model.onnx`` (fp32) and ``DIR/onnx/model_int8.onnx`` once both answer as the model does, and adds them
to ``DIR/checksums.json``.
"""

from collections.abc import Sequence
from dataclasses import MISSING, dataclass
from pathlib import Path

from aslstm.settings import setting

from .flags import CommandParser, add_settings, make_settings


@dataclass(frozen=True)
class ExportSettings:
    """Names the model folder, and says whether its graphs may be replaced."""

    model: Path = setting(MISSING, "model folder")
    overwrite: bool = setting(False, "replace graphs that exist")


def main(given: Sequence[str] | None = None) -> None:
    """Export the graphs, and print how much their answers differ and how large they are."""
    parser = CommandParser("export-onnx", "Add ONNX graphs to a model folder, for answers without torch.")
    add_settings(parser, ExportSettings)
    settings = make_settings(ExportSettings, parser.parse_args(given))
    # Imported here, because the help of the command does not need torch, which takes seconds to import.
    import transformers

    from aslstm.model_folder.exporting import add_graphs

    transformers.utils.logging.disable_progress_bar()
    graphs = add_graphs(settings.model, overwrite=settings.overwrite)
    for line in graphs.differences:
        print(line)
    for path in graphs.paths:
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
