"""Takes a model folder and says in one line what is wrong with it, or adds files so that it stays complete.

This module knows what a model folder holds; it loads no model.
"""

import json
from pathlib import Path

from aslstm.disk import put_file, sync
from aslstm.errors import UserError
from aslstm.files import CHECKSUMS, find_damage, json_text, sha256
from modeling_aslstm.results_aslstm import check_format

# These are the files that aslstm export-onnx adds.
GRAPH_FOLDER = "onnx"
GRAPH, INT8_GRAPH = "model.onnx", "model_int8.onnx"

DATA_FILES = (
    "config.json",
    "model.safetensors",
    "tokenizer_config.json",
    "vocab.txt",
    "emoji_vocab.txt",
    "user_dict.txt",
    "README.md",
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


def put_subfolder(folder: Path, staging: Path) -> None:
    """Move a folder of new files into a model folder that was checked, as ``folder/NAME`` for a folder named NAME beside it.

    If the process is killed at any moment, the model folder is still complete: the checksums list a file only while it is in
    its place.

    Args:
        folder: The model folder.
        staging: The folder with the new files, on the same disk; the files that they replace are moved next to it.
    """
    target = folder / staging.name
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


def check_model_folder(folder: Path) -> None:
    """Check that a model folder is complete and unchanged.

    Raises:
        UserError: A file is missing or is not the one that was written, or the folder has a newer format; the file is named.
    """
    _check_format(folder / "config.json")
    for name in REQUIRED_FILES:
        if not (folder / name).is_file():
            raise UserError(f"{folder}: expected a model folder with {name}, found none; train or fetch it again")
    if damage := find_damage(folder, set(REQUIRED_FILES) - {CHECKSUMS}):
        raise UserError(f"{damage}; fetch the folder again")


def _check_format(path: Path) -> None:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return  # The file is damaged; the checksums report that.
    try:
        check_format(config if isinstance(config, dict) else {})
    except ValueError as error:
        raise UserError(f"{path}: {error}") from error
