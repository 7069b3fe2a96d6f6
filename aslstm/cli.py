"""Takes the command line ``aslstm COMMAND …`` and runs the command, whose module is imported only then.

The list of commands is printed without importing any of them. A misspelt command is answered with the nearest one.
"""

import difflib
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import NamedTuple

_TORCH = ("torch", "transformers")
_TRAIN = (*_TORCH, "accelerate", "datasets", "gensim", "opencc", "scipy", "sklearn", "torchmetrics")
_REPORT = ("altair", "vl_convert", "mplfonts", "jinja2")


class Command(NamedTuple):
    """Holds what is known about a command before its module is imported.

    Attributes:
        module: The name of its module in ``aslstm.commands``.
        summary: A line that says what it does.
        needs: The packages that it imports besides those of the base installation, by the extra that installs them.
    """

    module: str
    summary: str
    needs: Mapping[str, Sequence[str]] = MappingProxyType({})


COMMANDS = {
    "train": Command("train", "train a model on a corpus of your own or on the embedded sample", {"train": _TRAIN}),
    "pretrain": Command("pretrain", "pre-train a model on posts without labels, by their emoji", {"train": _TRAIN}),
    "distil": Command("distil", "train a model on the answers of other models to posts without labels", {"train": _TRAIN}),
    "predict": Command("predict", "label the posts of a file"),
    "evaluate": Command(
        "evaluate",
        "score a model on a corpus, and what emoji are worth to it",
        {"train": ("torch", "datasets", "scipy", "sklearn", "torchmetrics")},
    ),
    "report": Command("report", "make a page of charts from the answers of predict", {"report": _REPORT}),
    "describe": Command(
        "describe", "count what a corpus holds before anybody trains on it", {"train": ("datasets",), "report": _REPORT}
    ),
    "find-words": Command("find_words", "find the new words of raw posts"),
    "train-vectors": Command("train_vectors", "train vectors of words and emoji on raw posts", {"train": ("gensim", "opencc")}),
    "nearest": Command(
        "nearest",
        "show the nearest neighbours of words and emoji",
        {"train": (*_TORCH, "gensim", "opencc", "sklearn"), "report": _REPORT},
    ),
    "export-onnx": Command(
        "export_onnx", "add ONNX graphs to a model folder, for answers without torch", {"export": (*_TORCH, "onnx")}
    ),
    "finish": Command("finish", "add card and checksums to a model folder that another program saved", {"train": _TRAIN}),
    "push": Command("push", "publish a model folder on the Hugging Face Hub", {"torch": _TORCH}),
    "try": Command("try_model", "show what a model says of a few posts", {"torch": _TORCH}),
    "serve": Command(
        "serve", "answer posts over HTTP", {"serve": ("fastapi", "fastapi_offline", "prometheus_client", "uvicorn")}
    ),
    "app": Command("app", "show what a model says, in the browser", {"app": ("gradio", *_REPORT)}),
}


def usage() -> str:
    """Return the usage text, with one line for each command."""
    lines = [f"  {name:<15}{command.summary}" for name, command in COMMANDS.items()]
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
        UserError: There is no such command, its packages are not installed, or it refuses its flags or its input.
    """
    # Imported here, because the list of commands does not need it.
    from aslstm.errors import UserError, check_packages

    if name not in COMMANDS:
        nearest = difflib.get_close_matches(name.lower(), [*COMMANDS, "--help", "--version"], n=1)
        hint = f"; did you mean {nearest[0]}?" if nearest else ""
        raise UserError(f"expected a command ({', '.join(COMMANDS)}), found {name!r}{hint}")
    for extra, packages in COMMANDS[name].needs.items():
        check_packages(extra, *packages)
    import_module(f"aslstm.commands.{COMMANDS[name].module}").main(given)


def main() -> None:
    """Run the command that the command line names."""
    name, *given = sys.argv[1:] or ["--help"]
    if name in ("--help", "-h"):
        print(usage())
    elif name == "--version":
        from aslstm import __version__

        print(f"aslstm {__version__}")
    else:
        from aslstm.commands.flags import run

        run(lambda: call_command(name, given))
