"""Takes the flags of ``aslstm finish`` and completes a model folder that the stock ``Trainer`` or another program saved.

aslstm finish DIR

It adds a card, the code, an empty table of figures, and the checksums; what the folder holds stays as it is.
"""

from collections.abc import Sequence
from pathlib import Path

from aslstm.training.finishing import finish_folder

from .flags import CommandParser


def main(given: Sequence[str] | None = None) -> None:
    """Complete the folder that the command line names, and print what was added."""
    parser = CommandParser("finish", "Add card and checksums to a model folder that another program saved.")
    parser.add_argument("model", type=Path, help="model folder with weights, config and tokenizer")
    folder = parser.parse_args(given).model
    added = finish_folder(folder)
    print(f"{folder}: added {', '.join(added)}" if added else f"{folder}: complete, nothing to add")
