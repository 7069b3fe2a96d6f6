"""What a model folder holds, and whether it is whole; knows nothing of models.

Takes a folder; gives its checksums, adds files to it so that it stays whole, or says in one line what is wrong with it.
"""

import hashlib
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

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


def json_text(content: Any) -> str:
    """JSON as the files of a model folder have it."""
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_checksums(folder: Path) -> None:
    """Write ``checksums.json``: the SHA-256 of every other file in the folder."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != CHECKSUMS and "__pycache__" not in p.parts)
    checksums = {str(p.relative_to(folder).as_posix()): _sha256(p) for p in files}
    (folder / CHECKSUMS).write_text(json_text(checksums), encoding="utf-8")


def put_subfolder(folder: Path, staging: Path) -> None:
    """Put more files into a model folder that was checked, as ``folder/NAME`` for a folder NAME that lies beside it.

    A kill at any moment leaves a folder that is whole: a file is in the checksums only while it stands in its place.

    Args:
        folder: the model folder.
        staging: the new files, in a temporary folder on the same disk; what they replace is moved there.
    """
    target = folder / staging.name
    listed = json.loads((folder / CHECKSUMS).read_text(encoding="utf-8"))
    others = {name: checksum for name, checksum in listed.items() if not name.startswith(f"{staging.name}/")}
    files = {f"{staging.name}/{path.name}": _sha256(path) for path in sorted(staging.iterdir())}

    def list_files(checksums: dict[str, str]) -> None:
        (staging.parent / CHECKSUMS).write_text(json_text(checksums), encoding="utf-8")
        (staging.parent / CHECKSUMS).replace(folder / CHECKSUMS)

    list_files(others)
    if target.exists():
        target.rename(staging.with_name(f"{staging.name}-old"))
    staging.rename(target)
    list_files(others | files)


def check_model_folder(folder: Path) -> None:
    """Check that a model folder is whole.

    Raises:
        UserError: a file is missing or is not the one that was written; it is named.
    """
    for name in REQUIRED_FILES:
        if not (folder / name).is_file():
            raise UserError(f"{folder}: expected a model folder with {name}, found none; train or fetch it again")
    if damage := find_damage(folder, set(REQUIRED_FILES) - {CHECKSUMS}):
        raise UserError(f"{damage}; fetch the folder again")


def find_damage(folder: Path, required: Collection[str]) -> str | None:
    """What is not as :func:`write_checksums` left it, in words that begin with the path; None if nothing.

    Args:
        folder: of any kind.
        required: files that it must list.
    """
    try:
        checksums = json.loads((folder / CHECKSUMS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return f"{folder / CHECKSUMS}: expected a file, found none"
    except ValueError as error:
        return f"{folder / CHECKSUMS}: expected JSON, found: {error}"
    if not isinstance(checksums, dict) or not set(required) <= set(checksums):
        return f"{folder / CHECKSUMS}: expected a checksum of every file, found fewer"
    for name, checksum in checksums.items():
        if not (folder / name).is_file() or _sha256(folder / name) != checksum:
            return f"{folder / name}: expected the file that was saved, found another or none"
    return None
