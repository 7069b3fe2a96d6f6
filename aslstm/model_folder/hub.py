"""Publish a model folder on the Hugging Face Hub, as one commit and, where asked, a tag.

Run as ``aslstm push --model DIR --repo owner/name [--private] [--tag v1.0] [--dry_run]``. The folder is
checked, loaded in a fresh process and only read. The token is that of ``hf auth login`` or ``HF_TOKEN``.
"""

import hashlib
import json
import math
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, ModelCard, constants, get_session, get_token
from huggingface_hub.errors import (
    HFValidationError,
    HTTPError,  # of the HTTP library that huggingface_hub uses, whichever it is
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import validate_repo_id

from aslstm.errors import UserError
from aslstm.files import CHECKSUMS, json_text

from .layout import check_model_folder

CARD = "README.md"
CARD_KEYS = ("language", "license", "library_name", "pipeline_tag", "tags", "metrics", "model_name")
POSTS = ("今天又加班[泪]", "今天又加班[太开心]")
ANSWER_POSTS = """
import json, sys
from transformers import pipeline
folder, posts = json.loads(sys.argv[1])
print(json.dumps(pipeline("text-classification", model=folder, trust_remote_code=True)(posts, top_k=None)))
"""
# By default the client waits for ever, but for files that it fetches, for which it has this variable.
SECONDS_WITHOUT_ANSWER = float(os.environ.get("HF_HUB_DOWNLOAD_TIMEOUT") or 60)
RACE = "expected no other change at the same time, found one; look at the repository and run again"
ADVICE = {
    401: "expected a valid token, found one that the Hub refuses; run `hf auth login` again",
    403: "expected a token that may write there, found one that may not; make one with write access",
    404: "expected a repository, found none; check the name",
    409: RACE,
    412: RACE,
    429: "expected fewer requests, found the Hub's limit reached; wait and run again",
}


def check_repo(repo: str) -> None:
    """Refuse what is no ``owner/name``.

    Raises:
        UserError: such a name.
    """
    try:
        validate_repo_id(repo)
    except HFValidationError as error:
        raise UserError(f"{repo!r}: expected the name of a repository, found: {str(error).splitlines()[0]}") from error
    if repo.count("/") != 1:
        raise UserError(f"{repo!r}: expected the name of a repository as owner/name, found no owner; add yours")


def check_tag(tag: str) -> None:
    """Refuse a tag that is no name of a version.

    Raises:
        UserError: The tag holds other characters than a name may.
    """
    if not re.fullmatch(r"\w[\w.-]*", tag):
        raise UserError(f"`tag` {tag!r}: expected letters, digits, dots and hyphens, found others, e.g. v1.0")


def check_token() -> None:
    """Refuse to go on without a token.

    Raises:
        UserError: there is none.
    """
    if get_token() is None:
        raise UserError("expected a token of the Hub, found none; run `hf auth login` or set HF_TOKEN")


def read_files(folder: Path) -> dict[str, bytes]:
    """The files that the checksums name, and these, as they are now: name -> content, each what its checksum says.

    Held in memory, so that what is sent is what was checked, whatever happens to the folder meanwhile.

    Raises:
        UserError: a folder that is not whole, or a file outside it.
    """
    check_model_folder(folder)
    content = (folder / CHECKSUMS).read_bytes()
    checksums = json.loads(content)
    files = {}
    for name in checksums:
        if not (folder / name).resolve().is_relative_to(folder.resolve()):
            raise UserError(f"{folder / CHECKSUMS}: expected files in the folder, found {name!r}, which leads out; copy it")
        files[name] = (folder / name).read_bytes()
        if hashlib.sha256(files[name]).hexdigest() != checksums[name]:
            raise UserError(f"{folder / name}: expected the file that was saved, found another; is it being written?")
    return files | {CHECKSUMS: content}


def name_in_card(files: dict[str, bytes], repo: str) -> dict[str, bytes]:
    """The same files, where the examples of the card load the repository instead of a local folder.

    Raises:
        UserError: a card that lacks what the Hub reads.
    """
    try:
        card = ModelCard(files[CARD].decode("utf-8"))
    except (ValueError, yaml.YAMLError) as error:
        raise UserError(f"{CARD}: expected a model card, found: {str(error).splitlines()[0]}") from error
    missing = [key for key in CARD_KEYS if not card.data.get(key)]
    if "custom_code" not in (card.data.get("tags") or ()):
        missing.append("custom_code among the tags")
    if missing:
        raise UserError(f"{CARD}: expected metadata that the Hub shows a model by, found no {', '.join(missing)}; add them")
    for form in ('"{}"', "# {}\n"):
        card.text = card.text.replace(form.format(card.data["model_name"]), form.format(repo))
    card.data["model_name"] = repo
    content = str(card).encode()
    checksums = json.loads(files[CHECKSUMS]) | {CARD: hashlib.sha256(content).hexdigest()}
    return files | {CARD: content, CHECKSUMS: json_text(checksums).encode()}


def answer_posts(folder: Path) -> list[tuple[str, float]]:
    """Label and score of ``POSTS`` by a fresh process that has the folder and no project, token or network.

    Raises:
        UserError: it does not load or does not answer.
    """
    with tempfile.TemporaryDirectory() as elsewhere:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUGGING", "PYTHONPATH"))}
        result = subprocess.run(
            [sys.executable, "-c", ANSWER_POSTS, json.dumps([str(folder.absolute()), POSTS])],
            capture_output=True, text=True, encoding="utf-8", cwd=elsewhere,
            env=kept | {"HF_HUB_OFFLINE": "1", "HF_HOME": elsewhere},
        )  # fmt: skip
    if result.returncode:
        found = (result.stderr.strip() or f"exit code {result.returncode}").splitlines()[-1]
        raise UserError(f"{folder}: expected a folder that loads in a fresh process, found: {found}")
    labels = set(json.loads((folder / "config.json").read_text(encoding="utf-8"))["id2label"].values())
    answers = json.loads(result.stdout.splitlines()[-1])
    for answer in answers:
        if {entry["label"] for entry in answer} != labels or not math.isclose(sum(e["score"] for e in answer), 1, abs_tol=1e-3):
            raise UserError(f"{folder}: expected a score of each label, adding up to 1, found {answer}")
    return [(answer[0]["label"], answer[0]["score"]) for answer in answers]


def checksums_on_hub(api: HfApi, repo: str, revision: str | None) -> dict[str, str] | None:
    """The checksums of a revision; None where there is no such revision or no checksums."""
    try:
        path = Path(api.hf_hub_download(repo, CHECKSUMS, revision=revision))
    except (RemoteEntryNotFoundError, RevisionNotFoundError):
        return None
    return json.loads(path.read_text(encoding="utf-8"))


def send(files: dict[str, bytes], repo: str, *, is_private: bool, tag: str | None) -> str:
    """One commit with the files, on top of the head that was looked at, and a tag on it; gives the commit's address.

    Files of an earlier model that this one has not are deleted; what else stands in the repository stays.

    Raises:
        UserError: a public repository where a private one was asked for; a tag of another model.
    """
    get_session().timeout = SECONDS_WITHOUT_ANSWER
    api = HfApi()
    api.create_repo(repo, private=is_private or None, exist_ok=True)
    head = api.model_info(repo, timeout=SECONDS_WITHOUT_ANSWER)
    if is_private and not head.private:
        raise UserError(f"`private`: expected {repo} to be private, found a public repository; change its settings or the name")
    is_tagged = False
    if tag is not None and (tagged := checksums_on_hub(api, repo, tag)) is not None:
        if tagged != json.loads(files[CHECKSUMS]):
            raise UserError(f"`tag` {tag}: expected a new tag, found it on another model; choose another")
        is_tagged = True
    present = {file.rfilename for file in head.siblings or []}
    left_over = sorted((set(checksums_on_hub(api, repo, head.sha) or ()) & present) - set(files))
    operations: list[Any] = [CommitOperationAdd(name, content) for name, content in files.items()]
    operations += [CommitOperationDelete(name) for name in left_over]
    commit = api.create_commit(repo, operations, commit_message="Upload AS-LSTM model", parent_commit=head.sha)
    if tag is not None and not is_tagged:
        api.create_tag(repo, tag=tag, revision=commit.oid)
    return commit.commit_url


def explain(error: Exception, repo: str) -> str:
    """What went wrong on the way to the Hub, in one line and without the token."""
    if isinstance(error, RuntimeError) and isinstance(error.__cause__, Exception):
        error = error.__cause__  # of an upload: the client's own message names the file alone
    if isinstance(error, OfflineModeIsEnabled):
        return "expected access to the Hub, found HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE; unset it"
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in ADVICE:
        return f"{repo}: {ADVICE[status]} (status {status})"
    found = " ".join(f"{type(error).__name__}: {error}".split())
    if token := get_token():
        found = found.replace(token, "***")
    what_next = "mend that" if status is not None and status < 500 else "run again: it goes on from what was sent"
    return f"{repo}: expected {constants.ENDPOINT} to take the model, found {found}; {what_next}"


def prepare(folder: Path, repo: str) -> dict[str, bytes]:
    """Check a model folder, show its answers and its files; gives what is to be sent. The folder is only read.

    Raises:
        UserError: a folder that is not whole, whose card says too little, or that does not answer.
    """
    files = name_in_card(read_files(folder), repo)
    for post, (label, score) in zip(POSTS, answer_posts(folder), strict=True):
        print(f"{post}: {label} {score:.2f}")
    for name, content in sorted(files.items()):
        print(f"{name:<32}{len(content):>12,} bytes")
    print(f"{len(files)} files, {sum(map(len, files.values())) / 1e6:.1f} MB for {repo}")
    return files


def push(files: dict[str, bytes], repo: str, *, is_private: bool = False, tag: str | None = None) -> None:
    """Send what was prepared.

    Raises:
        UserError: whatever keeps it from being sent, in one line.
    """
    try:
        print(f"pushed {send(files, repo, is_private=is_private, tag=tag)}")
    except (HTTPError, OSError, ValueError, RuntimeError) as error:
        raise UserError(explain(error, repo)) from None
