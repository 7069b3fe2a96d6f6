"""``aslstm app``: show what a model says, in the browser.

aslstm app
aslstm app --model outputs/nlpcc2014

Asks the network for nothing, unless the model is named as ``hf://owner/name``.
"""

import argparse
import os
from collections.abc import Sequence

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HTTPError

from aslstm.app.answers import load
from aslstm.app.blocks import launch
from aslstm.errors import UserError

from .flags import CommandParser

DEFAULT_MODEL = "outputs/sample"
HUB = "hf://"


def parse_arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; ``model`` becomes a folder.

    Raises:
        UserError: a package is missing, or a folder is not whole or cannot be fetched.
    """
    parser = CommandParser("app", "Show what a model says, in the browser.")
    parser.add_argument(
        "--model",
        default=os.environ.get("ASLSTM_MODEL", DEFAULT_MODEL),
        help=f"a model folder, or {HUB}owner/name; default: the variable ASLSTM_MODEL, or {DEFAULT_MODEL}",
    )
    arguments = parser.parse_args(given)
    if arguments.model.startswith(HUB):
        try:
            arguments.model = snapshot_download(arguments.model.removeprefix(HUB))
        except (HTTPError, OSError, ValueError) as error:
            found = " ".join(str(error).split())
            raise UserError(f"--model {arguments.model}: expected a model of the Hub, found: {found:.200}") from error
    load(arguments.model)
    return arguments


def main(given: Sequence[str] | None = None) -> None:
    """Check the model and serve."""
    launch(parse_arguments(given).model)
