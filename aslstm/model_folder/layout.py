"""Takes a model folder and says in one line what is wrong with it, or adds files so that it stays complete.

This module knows what a model folder holds; it loads no model.
"""

import json
import logging
from pathlib import Path
from types import SimpleNamespace

import modeling_aslstm
import tokenization
from aslstm.disk import put_file, sync
from aslstm.errors import UserError
from aslstm.files import CHECKSUMS, find_damage, json_text, sha256
from modeling_aslstm.config_values import POLARITY_THRESHOLD, check_config, labels_by_id
from modeling_aslstm.results_aslstm import check_format

logger = logging.getLogger(__name__)

# These are the files that aslstm export-onnx adds.
GRAPH_FOLDER = "onnx"
_NUM_NAMED = 12
GRAPH, INT8_GRAPH = "model.onnx", "model_int8.onnx"

CARD, WEIGHTS = "README.md", "model.safetensors"
# A model cannot be loaded without these files.
LOADED_FILES = ("config.json", WEIGHTS, "tokenizer_config.json", "vocab.txt", "emoji_vocab.txt")
DATA_FILES = (
    *LOADED_FILES,
    "user_dict.txt",
    CARD,
    "eval_results.json",
)
# The code in a folder is that of the version that saved it. Every version has written these files; the checksums name all
# others.
CODE_FILES = (
    "configuration_aslstm.py",
    "layers_aslstm.py",
    "modeling_aslstm.py",
    "pipeline_aslstm.py",
    "results_aslstm.py",
    "emoji_splitting.py",
    "text_normalization.py",
    "tokenization_aslstm.py",
    "vocabulary_files.py",
    "word_segmentation.py",
)
REQUIRED_FILES = (*DATA_FILES, *CODE_FILES, CHECKSUMS)
NEW_WORDS = "new_words.tsv"
SCRIPT_TABLE = "script_table.txt"
# What the files hold of the posts that a model was trained on.
HELD_OF_POSTS = {
    "vocab.txt": "words and characters of the posts",
    "emoji_vocab.txt": "emoji of the posts",
    "user_dict.txt": "new words of the posts",
    NEW_WORDS: "new words of the posts, with counts",
    WEIGHTS: "what was learned from the posts",
    "eval_results.json": "counts and scores of the labels",
}
# What a config that does not name these values means by that.
_CONFIG_DEFAULTS = {"problem_type": None, "polarity_of_labels": None, "polarity_threshold": POLARITY_THRESHOLD}
_CODE_FOLDERS = tuple(Path(package.__file__ or "").parent for package in (tokenization, modeling_aslstm))


def put_subfolder(folder: Path, staging: Path) -> None:
    """Move a folder of new files into a model folder that was checked, as ``folder/NAME`` for a folder named NAME beside it.

    If the process is killed at any moment, the model folder is still complete: the checksums list a file only while it is in
    its place.

    Args:
        folder: The model folder.
        staging: The folder with the new files, on the same disk; the files that they replace are moved next to it.
    """
    target = folder / staging.name
    if not (folder / CHECKSUMS).is_file():
        if target.exists():
            target.rename(staging.with_name(f"{staging.name}-old"))
        staging.rename(target)
        return
    listed = json.loads((folder / CHECKSUMS).read_text(encoding="utf-8"))
    others = {name: checksum for name, checksum in listed.items() if not name.startswith(f"{staging.name}/")}
    files = {f"{staging.name}/{path.name}": sha256(path) for path in sorted(staging.iterdir())}

    def list_files(checksums: dict[str, str]) -> None:
        (staging.parent / CHECKSUMS).write_text(json_text(checksums), encoding="utf-8")
        put_file(staging.parent / CHECKSUMS, folder / CHECKSUMS)

    for path in (*staging.iterdir(), staging):
        sync(path)
    list_files(others)
    if target.exists():
        target.rename(staging.with_name(f"{staging.name}-old"))
    staging.rename(target)
    list_files(others | files)


def checksums_of(folder: Path) -> dict[str, str]:
    """Return the checksums that a model folder lists, or those of its files if it lists none.

    Args:
        folder: A model folder that was checked.
    """
    if (folder / CHECKSUMS).is_file():
        listed: dict[str, str] = json.loads((folder / CHECKSUMS).read_text(encoding="utf-8"))
        return listed
    # What a training script leaves beside the model, a pickle for instance, is no part of it.
    names = {
        *DATA_FILES,
        SCRIPT_TABLE,
        NEW_WORDS,
        *(path.name for path in folder.glob("*.py")),
        f"{GRAPH_FOLDER}/{GRAPH}",
        f"{GRAPH_FOLDER}/{INT8_GRAPH}",
    }
    return {name: sha256(folder / name) for name in sorted(names) if (folder / name).is_file()}


def check_model_folder(folder: Path) -> None:
    """Check that a model folder is complete and unchanged; its card may be edited.

    A folder that another program saved, for example the stock ``Trainer``, has no checksums, so only its files are checked.

    Raises:
        UserError: A file is missing or is not the one that was written, the folder has a newer format, or no model can have
            its config; the file is named.
    """
    _check_format(folder / "config.json")
    has_checksums = (folder / CHECKSUMS).is_file()
    for name in REQUIRED_FILES if has_checksums else LOADED_FILES:
        if not (folder / name).is_file():
            raise UserError(f"{folder}: expected a model folder with {name}, found none; train or fetch it again")
    if not has_checksums:
        logger.warning(
            "%s has no %s, so damage to its files would not be noticed; aslstm finish adds what is missing", folder, CHECKSUMS
        )
    elif damage := find_damage(folder, set(REQUIRED_FILES) - {CHECKSUMS}, editable={CARD}):
        raise UserError(f"{damage}; fetch the folder again")
    try:
        read_config(folder)
    except ValueError as error:
        raise UserError(str(error)) from error


def read_config(folder: Path) -> SimpleNamespace:
    """Return the content of the ``config.json`` of a model folder.

    Raises:
        ValueError: The file is damaged, no model can have one of its values, or the folder has a newer format.
    """
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: expected JSON, found: {error}; fetch the file again") from error
    if not isinstance(config, dict):
        raise ValueError(f"{path}: expected the values of a config by their names, found {config!r:.60}; fetch the file again")
    try:
        check_format(config)
        check_config(config)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    # transformers leaves out the labels where there are two without names.
    labels = config.get("id2label") or {"0": "LABEL_0", "1": "LABEL_1"}
    return SimpleNamespace(**_CONFIG_DEFAULTS | config | {"id2label": labels_by_id(labels)})


def peek_config(folder: Path) -> SimpleNamespace:
    """Return the config of a folder before it is loaded, or one without any special answers if it cannot be read.

    What is wrong with a folder that is missing or damaged is said when it is loaded.
    """
    try:
        return read_config(folder)
    except (OSError, ValueError):
        return SimpleNamespace(**_CONFIG_DEFAULTS)


def own_code() -> dict[str, bytes]:
    """Return the contents of the travelling files of this version, by name."""
    paths = (path for folder in _CODE_FOLDERS for path in folder.glob("*.py"))
    return {path.name: _code_of(path) for path in paths if path.name != "__init__.py"}


def check_code(folder: Path, *, trust_code: bool, shown: Path | None = None) -> None:
    """Refuse a folder whose code is not that of this version, before any of it is run.

    Args:
        folder: The model folder.
        trust_code: Whether the user trusts the code of the folder. Nothing is compared then.
        shown: The folder that the message names, if ``folder`` is a copy of it.

    Raises:
        UserError: A file of code differs, or this version has none of its name; the files are named.
    """
    if trust_code:
        return
    own = own_code()
    others = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*.py"))]
    others = [name for name in others if own.get(name) != _code_of(folder / name)]
    if others:
        named = ", ".join(others[:_NUM_NAMED]) + f" and {len(others) - _NUM_NAMED} more" * (len(others) > _NUM_NAMED)
        raise UserError(
            f"{shown or folder}: expected the code of this version of aslstm, found other code in {named}; "
            "it would run with your rights: read it, then add `trust_code`"
        )


def _code_of(path: Path) -> bytes:
    # A checkout on Windows has other line ends.
    return path.read_bytes().replace(b"\r\n", b"\n")


def _check_format(path: Path) -> None:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return  # The file is damaged or missing, which is reported below.
    try:
        check_format(config if isinstance(config, dict) else {})
    except ValueError as error:
        raise UserError(f"{path}: {error}") from error
