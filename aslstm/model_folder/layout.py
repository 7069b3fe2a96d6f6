"""What a model folder holds, and whether it is whole; no model is loaded.

Takes a folder; adds files to it so that it stays whole, or says in one line what is wrong with it.
"""

import json
from pathlib import Path

import modeling_aslstm
import tokenization
from aslstm.errors import UserError
from aslstm.files import CHECKSUMS, find_damage, json_text, sha256
from modeling_aslstm.results_aslstm import check_format

# What aslstm export-onnx adds.
GRAPH_FOLDER = "onnx"
_NUM_NAMED = 12
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
# The code in a folder is that of the version that saved it. These files were there from the first version on; the checksums
# name whatever else was written.
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
# What the files hold of the posts that a model was trained on.
HELD_OF_POSTS = {
    "vocab.txt": "words and characters of the posts",
    "emoji_vocab.txt": "emoji of the posts",
    "user_dict.txt": "new words of the posts",
    NEW_WORDS: "new words of the posts, with counts",
    "model.safetensors": "what was learned from the posts",
    "eval_results.json": "counts and scores of the labels",
}
_CODE_FOLDERS = tuple(Path(package.__file__ or "").parent for package in (tokenization, modeling_aslstm))


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
    files = {f"{staging.name}/{path.name}": sha256(path) for path in sorted(staging.iterdir())}

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
        return  # a damaged file, which the checksums tell of
    try:
        check_format(config if isinstance(config, dict) else {})
    except ValueError as error:
        raise UserError(f"{path}: {error}") from error
