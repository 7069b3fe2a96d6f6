"""Takes the flags of ``aslstm app`` and serves a page in the browser that shows what a model answers.

aslstm app
aslstm app --model outputs/nlpcc2014

It needs no network, unless the model is named as ``hf://owner/name``.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from aslstm.errors import UserError, check_packages
from aslstm.settings import setting

from .flags import CommandParser, add_settings, make_settings

DEFAULT_MODEL = "outputs/sample"
HUB = "hf://"


@dataclass(frozen=True)
class AppSettings:
    """Says which model the app begins with."""

    model: str = setting("", f"model folder, or {HUB}owner/name; default: the variable ASLSTM_MODEL, or {DEFAULT_MODEL}")

    def folder(self) -> str:
        """Return the model folder; a model of the Hub is downloaded first.

        Raises:
            UserError: The model cannot be downloaded.
        """
        model = self.model or os.environ.get("ASLSTM_MODEL", DEFAULT_MODEL)
        if not model.startswith(HUB):
            return model
        # Imported here, because a local folder does not need the Hub.
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HTTPError

        try:
            return snapshot_download(model.removeprefix(HUB))
        except (HTTPError, OSError, ValueError) as error:
            found = " ".join(str(error).split())
            raise UserError(f"`model` {model}: expected a model of the Hub, found: {found:.200}") from error


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
    launch(folder)
