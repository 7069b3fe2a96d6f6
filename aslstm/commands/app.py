"""Takes the flags of ``aslstm app`` and serves a page in the browser that shows what a model answers.

aslstm app
aslstm app --model outputs/nlpcc2014

It needs no network, unless the model is named as ``hf://owner/name``.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from aslstm.errors import check_packages
from aslstm.model_folder.choosing import BUILT_IN, BUILT_IN_MODEL, DEFAULT_HELP, HUB, MODEL_VARIABLE, folder_of, model_path
from aslstm.settings import setting

from .flags import CommandParser, add_settings, make_settings, say

# The folder that `aslstm train` writes by default, where there is no built-in model.
DEFAULT_MODEL = "outputs/sample"


@dataclass(frozen=True)
class AppSettings:
    """Says which model the app begins with."""

    model: str = setting("", f"model folder, {BUILT_IN}, or {HUB}owner/name; {DEFAULT_HELP}, or {DEFAULT_MODEL}")

    def folder(self) -> str:
        """Return the model folder; a model of the Hub is downloaded first.

        Raises:
            UserError: The model cannot be downloaded.
        """
        if self.model:
            return str(folder_of(self.model))
        if not os.environ.get(MODEL_VARIABLE) and not BUILT_IN_MODEL.is_dir():
            return DEFAULT_MODEL
        return str(model_path())


def main(given: Sequence[str] | None = None) -> None:
    """Load the model once to check it, then serve the page."""
    parser = CommandParser("app", "Show what a model says, in the browser.")
    add_settings(parser, AppSettings)
    settings = make_settings(AppSettings, parser.parse_args(given))
    check_packages("app", "gradio", "altair", "jinja2", "vl_convert", "torch", "transformers")
    # Imported here, after the check that the packages of the extra "app" are installed.
    from aslstm.app.answers import load
    from aslstm.app.blocks import launch

    folder = settings.folder()
    load(folder)
    launch(folder, say)
