"""Takes a model folder, which is only read, and gives a temporary folder with exactly the files that are sent to a Hub.

The copy is checked, and its card names the repository.
"""

import hashlib
import json
import logging
import math
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml
from huggingface_hub import ModelCard

from aslstm.errors import UserError
from aslstm.files import CHECKSUMS, find_damage, json_text, sha256
from modeling_aslstm.config_values import PROBLEMS_WITHOUT_RULE

from .layout import CARD, NEW_WORDS, check_code, check_model_folder, checksums_of, read_config

logger = logging.getLogger(__name__)

CARD_KEYS = ("language", "license", "library_name", "pipeline_tag", "tags", "metrics", "model_name")
POSTS = ("今天又加班[泪]", "今天又加班[太开心]")
ANSWER_POSTS = """
import json, sys
from transformers import pipeline
folder, posts = json.loads(sys.argv[1])
print(json.dumps(pipeline("text-classification", model=folder, trust_remote_code=True)(posts, top_k=None)))
"""
NOT_SENT = frozenset({".git", ".cache"})
# The process that answers gets these variables and no others: tokens and keys of the user are none of a model's business.
KEPT_VARIABLES = frozenset((
    "PATH", "HOME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP", "TMP", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "VIRTUAL_ENV",
    "OMP_NUM_THREADS", "PYTHONUTF8", "SYSTEMROOT", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "PATHEXT", "NUMBER_OF_PROCESSORS",
))  # fmt: skip


@dataclass(frozen=True)
class Prepared:
    """Holds a folder that may be sent, and what is known of it.

    Attributes:
        folder: Where the files are that are going to be sent.
        sizes: The bytes of each of them.
        answers: The label and the score that the model gives to some posts.
    """

    folder: Path
    sizes: dict[str, int]
    answers: dict[str, tuple[str, float]]


def stage(folder: Path, repo: str, staging: Path) -> None:
    """Copy the files that are going to be sent into an empty folder: the checksums, and the files that they name.

    Every copy is compared with its checksum. The card is changed by :func:`name_in_card`, and its checksum with it.

    Raises:
        UserError: The folder is incomplete or damaged, one of its files lies outside or is not accepted by a repository, or
            its card says too little.
    """
    check_model_folder(folder)
    if not (folder / CARD).is_file():
        logger.warning("%s has no card %s, so the Hub will say nothing of the model; aslstm finish writes one", folder, CARD)
    checksums = checksums_of(folder)
    for name, checksum in checksums.items():
        if not (folder / name).resolve().is_relative_to(folder.resolve()):
            raise UserError(f"{folder / CHECKSUMS}: expected files in the folder, found {name!r}, which leads out; copy it")
        # The client of the Hub leaves such files out without saying so.
        if not NOT_SENT.isdisjoint(Path(name).parts):
            raise UserError(f"{folder / CHECKSUMS}: expected files that the Hub takes, found {name!r}; save the model again")
        copy = staging / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / name, copy)
        # A card may be edited; its checksum is made below.
        if name != CARD and sha256(copy) != checksum:
            raise UserError(f"{folder / name}: expected the file that was saved, found another; is it being written?")
    if (staging / NEW_WORDS).is_file():
        table = without_examples((staging / NEW_WORDS).read_bytes())
        (staging / NEW_WORDS).write_bytes(table)
        checksums[NEW_WORDS] = hashlib.sha256(table).hexdigest()
    if CARD in checksums:
        card = name_in_card((staging / CARD).read_bytes(), repo)
        (staging / CARD).write_bytes(card)
        checksums[CARD] = hashlib.sha256(card).hexdigest()
    (staging / CHECKSUMS).write_bytes(json_text(checksums).encode())


def without_examples(table: bytes) -> bytes:
    r"""Return a table of new words without its column of examples, which are posts of the corpus.

    Folders that earlier versions saved have this column.

    >>> without_examples(b"word\tcount\texample\nab\t5\tmy own post\n")
    b'word\tcount\nab\t5\n'
    """
    lines = table.split(b"\n")
    if lines[0].rstrip(b"\r").rpartition(b"\t")[2] != b"example":
        return table
    return b"\n".join(line.rpartition(b"\t")[0] for line in lines)


def name_in_card(content: bytes, repo: str) -> bytes:
    """Return the card with examples that load the repository instead of a local folder.

    Raises:
        UserError: The card lacks what the Hub reads.
    """
    try:
        card = ModelCard(content.decode("utf-8"))
    except (ValueError, yaml.YAMLError) as error:
        raise UserError(f"{CARD}: expected a model card, found: {str(error).splitlines()[0]}") from error
    missing = [key for key in CARD_KEYS if not card.data.get(key)]
    if "custom_code" not in (card.data.get("tags") or ()):
        missing.append("custom_code among the tags")
    if missing:
        raise UserError(
            f"{CARD}: expected metadata that the Hub shows a model by, found no {', '.join(missing)}; add "
            "them, or let aslstm finish do so where a folder has no checksums"
        )
    for form in ('"{}"', "# {}\n"):
        card.text = card.text.replace(form.format(card.data["model_name"]), form.format(repo))
    card.data["model_name"] = repo
    return str(card).encode()


def staged_files(staging: Path) -> list[str]:
    """Compare the files in a folder that :func:`stage` filled with their checksums, and return their names.

    Raises:
        UserError: The folder is not as it was left: a file was changed, removed or added.
    """
    if damage := find_damage(staging, ("config.json",)):
        raise UserError(f"{damage}; it was changed after the check, run again")
    names = [*json.loads((staging / CHECKSUMS).read_text(encoding="utf-8")), CHECKSUMS]
    added = {path for path in staging.rglob("*") if path.is_file()} - {staging / name for name in names}
    if added:
        raise UserError(f"{min(added)}: expected nothing but the checked files, found another; it was added since, run again")
    return names


def answer_posts(staging: Path, folder: Path) -> list[tuple[str, float]]:
    """Return the label and score of each of ``POSTS`` by a fresh process that has the copy but no project, token or network.

    Args:
        staging: The folder with the copy.
        folder: The folder that was copied. Messages name it, because the copy is gone when they are read.

    Raises:
        UserError: The model does not load or does not answer.
    """
    with tempfile.TemporaryDirectory() as elsewhere:
        kept = {name: value for name, value in os.environ.items() if name in KEPT_VARIABLES or name.startswith("LC_")}
        result = subprocess.run(
            [sys.executable, "-c", ANSWER_POSTS, json.dumps([str(staging.absolute()), POSTS])],
            capture_output=True, text=True, encoding="utf-8", cwd=elsewhere,
            env=kept | {"HF_HUB_OFFLINE": "1", "HF_HOME": elsewhere, "PYTHONIOENCODING": "utf-8"},
        )  # fmt: skip
    if result.returncode:
        found = (result.stderr.strip() or f"exit code {result.returncode}").splitlines()[-1]
        found = found.replace(str(staging.absolute()), str(folder))
        raise UserError(f"{folder}: expected a folder that loads in a fresh process, found: {found}")
    config = read_config(staging)
    labels = set(config.id2label.values())
    # The scores of several labels at once, or of a regression, add up to anything.
    adds_up = config.problem_type not in PROBLEMS_WITHOUT_RULE and len(labels) > 1
    answers = json.loads(result.stdout.splitlines()[-1])
    for answer in answers:
        total = sum(entry["score"] for entry in answer)
        if {entry["label"] for entry in answer} != labels or (adds_up and not math.isclose(total, 1, abs_tol=1e-3)):
            raise UserError(f"{folder}: expected a score of each label{', adding up to 1' * adds_up}, found {answer}")
    return [(answer[0]["label"], answer[0]["score"]) for answer in answers]


@contextmanager
def prepare(folder: Path, repo: str, *, trust_code: bool = False) -> Iterator[Prepared]:
    """Check a model folder and yield what is going to be sent, in a temporary folder.

    Raises:
        UserError: The folder is incomplete or damaged, its card says too little, its code is not that of this version and not
            trusted, or the model does not answer.
    """
    with tempfile.TemporaryDirectory() as name:
        staging = Path(name)
        stage(folder, repo, staging)
        check_code(staging, trust_code=trust_code, shown=folder)
        answers = dict(zip(POSTS, answer_posts(staging, folder), strict=True))
        yield Prepared(staging, {file: (staging / file).stat().st_size for file in sorted(staged_files(staging))}, answers)
