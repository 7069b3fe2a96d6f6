"""The layout of a model folder, as data, and the check that a folder is whole. Importing this imports no torch."""

import hashlib
import json
from pathlib import Path

from user_errors import UserError

CHECKSUMS = "checksums.json"
# Every folder holds these; the checksums name whatever else was written.
REQUIRED_FILES = (
    "config.json",
    "model.safetensors",
    "tokenizer_config.json",
    "vocab.txt",
    "emoji_vocab.txt",
    "user_dict.txt",
    "configuration_aslstm.py",
    "layers_aslstm.py",
    "modeling_aslstm.py",
    "pipeline_aslstm.py",
    "emoji_splitting.py",
    "text_normalization.py",
    "tokenization_aslstm.py",
    "vocabulary_files.py",
    "word_segmentation.py",
    "README.md",
    "eval_results.json",
    CHECKSUMS,
)


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_model_folder(folder: Path) -> None:
    """Check that a model folder is whole.

    Raises:
        UserError: a file is missing or is not the one that was written; it is named.
    """
    for name in REQUIRED_FILES:
        if not (folder / name).is_file():
            raise UserError(f"{folder}: expected a model folder with {name}, found none; train or fetch it again")
    try:
        checksums = json.loads((folder / CHECKSUMS).read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{folder / CHECKSUMS}: expected JSON, found: {error}; fetch the folder again") from error
    if not isinstance(checksums, dict) or not set(REQUIRED_FILES) - {CHECKSUMS} <= set(checksums):
        raise UserError(f"{folder / CHECKSUMS}: expected a checksum of every file, found fewer; fetch the folder again")
    for name, checksum in checksums.items():
        if not (folder / name).is_file() or sha256(folder / name) != checksum:
            raise UserError(f"{folder / name}: expected the file that was saved, found another or none; fetch the folder again")
