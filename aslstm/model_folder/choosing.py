"""Takes the name of a model, or no name, and gives its folder; without a name it is the default model of this machine."""

import os
from os import PathLike
from pathlib import Path

from aslstm.errors import UserError

HUB = "hf://"
# This name, in the place of a folder, stands for the built-in model; a folder of this name wins.
BUILT_IN = "built-in"
MODEL_VARIABLE = "ASLSTM_MODEL"
BUILT_IN_MODEL = Path(__file__).parent.parent / "models" / "weibo-emotion"
DEFAULT_HELP = f"default: the variable {MODEL_VARIABLE}, or the built-in model"


def model_path() -> Path:
    """Return the folder of the model that is used where none is named.

    It is the model that the variable ``ASLSTM_MODEL`` names, or else the one that is built into this package.

    Raises:
        UserError: No variable names a model, and none is built in; or the model cannot be downloaded.
    """
    if named := os.environ.get(MODEL_VARIABLE):
        return folder_of(named)
    return _built_in_model()


def _built_in_model() -> Path:
    if not BUILT_IN_MODEL.is_dir():
        raise UserError(
            f"model: expected a model, found none: this version has no built-in one; name a model folder, or set the variable "
            f"{MODEL_VARIABLE} to one"
        )
    return BUILT_IN_MODEL


def has_default_model() -> bool:
    """Return whether :func:`model_path` has a model to give: the variable names one, or one is built in."""
    return bool(os.environ.get(MODEL_VARIABLE)) or BUILT_IN_MODEL.is_dir()


def folder_of(model: str | PathLike[str]) -> Path:
    """Return the folder of a model, which is downloaded first if the name begins with ``hf://``.

    Args:
        model: A model folder, ``hf://owner/name`` for a model of the Hub, or ``built-in`` for the one of this package.

    Raises:
        UserError: The model cannot be downloaded, or none is built in.
    """
    if str(model) == BUILT_IN and not Path(model).is_dir():
        return _built_in_model()
    if not str(model).startswith(HUB):
        return Path(model)
    # Imported here, because a local folder does not need the Hub.
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HTTPError

    try:
        return Path(snapshot_download(str(model).removeprefix(HUB)))
    except (HTTPError, OSError, ValueError) as error:
        found = " ".join(str(error).split())
        raise UserError(f"`model` {model}: expected a model of the Hub, found: {found:.200}") from error
