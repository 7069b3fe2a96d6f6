"""What a model folder holds, and whether it is whole; loads no model.

Takes a folder; gives its checksums, adds files to it so that it stays whole, or says in one line what is wrong with it.
"""

import hashlib
import json
from collections.abc import Collection, Iterable
from pathlib import Path, PureWindowsPath
from typing import Any

from aslstm.errors import UserError
from modeling_aslstm.results_aslstm import check_format

CHECKSUMS = "checksums.json"
# What aslstm export-onnx adds.
GRAPH_FOLDER = "onnx"
GRAPH, INT8_GRAPH = "model.onnx", "model_int8.onnx"
# What the folders of every version hold. The checksums name whatever else was written, the code of later versions with it.
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
    "results_aslstm.py",
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


def write_checksums(folder: Path, names: Iterable[str] | None = None) -> None:
    """Write ``checksums.json``: the SHA-256 of these files, or of every other file in the folder."""
    if names is None:
        files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != CHECKSUMS and "__pycache__" not in p.parts)
        names = [p.relative_to(folder).as_posix() for p in files]
    checksums = {name: _sha256(folder / name) for name in names}
    (folder / CHECKSUMS).write_text(json_text(checksums), encoding="utf-8")


def put_folder(folder: Path, staging: Path) -> None:
    """Put a folder in its place; what stands there goes beside ``staging``, or stays where that fails."""
    if not folder.is_dir():
        staging.rename(folder)
        return
    old = staging.with_name("old")
    folder.rename(old)
    try:
        staging.rename(folder)
    except OSError:
        old.rename(folder)
        raise


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
        UserError: a file is missing or is not the one that was written, or the folder is of a newer format; the file is named.
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
        return  # a damaged file, which the checksums tell of
    try:
        check_format(config if isinstance(config, dict) else {})
    except ValueError as error:
        raise UserError(f"{path}: {error}") from error


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
    for name in checksums:
        # As Windows reads it, everywhere: it knows every way out of a folder, "/", ".." and drives among them.
        if (path := PureWindowsPath(name)).anchor or ".." in path.parts:
            return f"{folder / CHECKSUMS}: expected files of the folder, found {name!r}, which leads out"
    for name, checksum in checksums.items():
        if not (folder / name).is_file() or _sha256(folder / name) != checksum:
            return f"{folder / name}: expected the file that was saved ({CHECKSUMS}), found another or none"
    return None
