"""``aslstm COMMAND``: a table of the commands, each imported when it is called.

Prints the list of commands without importing any of them, and answers a misspelt one with the nearest.
"""

import difflib
import sys
from collections.abc import Sequence
from importlib import import_module

# Command -> its module in ``aslstm.commands`` and what it does.
COMMANDS = {
    "train": ("train", "train a model on a corpus of your own or on the embedded sample"),
    "pretrain": ("pretrain", "pre-train a model on posts without labels, by their emoji"),
    "predict": ("predict", "label the posts of a file"),
    "evaluate": ("evaluate", "score a model on a corpus, and what emoji are worth to it"),
    "report": ("report", "make a page of charts from the answers of predict"),
    "describe": ("describe", "count what a corpus holds before anybody trains on it"),
    "find-words": ("find_words", "find the new words of raw posts"),
    "train-vectors": ("train_vectors", "train vectors of words and emoji on raw posts"),
    "nearest": ("nearest", "show the nearest neighbours of words and emoji"),
    "export-onnx": ("export_onnx", "add ONNX graphs to a model folder, for answers without torch"),
    "push": ("push", "publish a model folder on the Hugging Face Hub"),
    "try": ("try_model", "show what a model says of a few posts"),
    "app": ("app", "show what a model says, in the browser"),
}


def usage() -> str:
    """The list of commands, a line for each."""
    lines = [f"  {name:<15}{summary}" for name, (_, summary) in COMMANDS.items()]
    return "\n".join(
        [
            "usage: aslstm COMMAND [flags]",
            "",
            "Emotion and sentiment of Chinese social media posts, with their emoji.",
            "",
            "commands:",
            *lines,
            "",
            "aslstm COMMAND --help shows the flags of a command; aslstm --version the version.",
        ]
    )


def call_command(name: str, given: Sequence[str]) -> None:
    """Run a command with its flags.

    Raises:
        UserError: There is no such command, or the command refuses its flags or its input.
    """
    # Imported here and not above: the list of commands needs neither of them.
    from aslstm.errors import UserError

    if name not in COMMANDS:
        nearest = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"; did you mean {nearest[0]}?" if nearest else ""
        raise UserError(f"expected a command ({', '.join(COMMANDS)}), found {name!r}{hint}")
    import_module(f"aslstm.commands.{COMMANDS[name][0]}").main(given)


def main() -> None:
    """Run what the command line says."""
    name, *given = sys.argv[1:] or ["--help"]
    if name in ("--help", "-h"):
        print(usage())
    elif name == "--version":
        from aslstm import __version__

        print(f"aslstm {__version__}")
    else:
        from aslstm.commands.flags import run

        run(lambda: call_command(name, given))
