"""Takes a folder that was prepared and gives one commit on the Hugging Face Hub and, if asked, a tag.

:func:`aslstm.model_folder.staging.prepare` prepares the folder. Its checksums are compared again right before the commit, so
that what is sent is what was checked. The token is taken from ``hf auth login`` or ``HF_TOKEN``.
"""

import glob
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from huggingface_hub import HfApi, constants, get_session, get_token
from huggingface_hub.errors import (
    HFValidationError,
    HTTPError,  # The base class of the HTTP library that huggingface_hub uses, whichever it is.
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars, validate_repo_id

from aslstm.errors import UserError
from aslstm.files import CHECKSUMS

from .staging import staged_files

# By default the client waits for ever, except for files that it fetches. For these it reads this variable.
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
    """Refuse a name that is not of the form ``owner/name``.

    Raises:
        UserError: The name has another form.
    """
    try:
        validate_repo_id(repo)
    except HFValidationError as error:
        raise UserError(f"{repo!r}: expected the name of a repository, found: {str(error).splitlines()[0]}") from error
    if repo.count("/") != 1:
        raise UserError(f"{repo!r}: expected the name of a repository as owner/name, found no owner; add yours")


def check_tag(tag: str) -> None:
    """Refuse a name that no version can have.

    Raises:
        UserError: The name has other characters than a tag may have.
    """
    if not re.fullmatch(r"\w[\w.-]*", tag):
        raise UserError(f"`tag` {tag!r}: expected letters, digits, dots and hyphens, found others, e.g. v1.0")


def check_token() -> None:
    """Refuse to go on without a token.

    Raises:
        UserError: There is no token.
    """
    if get_token() is None:
        raise UserError("expected a token of the Hub, found none; run `hf auth login` or set HF_TOKEN")


def checksums_on_hub(api: HfApi, repo: str, revision: str | None) -> dict[str, str] | None:
    """Return the checksums of a revision, or None if there is no such revision or it has no checksums."""
    try:
        path = Path(api.hf_hub_download(repo, CHECKSUMS, revision=revision))
    except (RemoteEntryNotFoundError, RevisionNotFoundError):
        return None
    return json.loads(path.read_text(encoding="utf-8"))


@contextmanager
def _as_one_commit() -> Iterator[None]:
    """Switch off progress bars and the kind of upload that may become several commits.

    With hf_xet, ``upload_folder`` replaces a commit that failed by several smaller ones, of which only the first is bound to
    the head that was looked at. Others would see half a model, and a change in between would be mixed with it.
    """
    had_bars, had_no_xet = not are_progress_bars_disabled(), constants.HF_HUB_DISABLE_XET
    disable_progress_bars()
    constants.HF_HUB_DISABLE_XET = True
    try:
        yield
    finally:
        constants.HF_HUB_DISABLE_XET = had_no_xet
        if had_bars:
            enable_progress_bars()


def send(staging: Path, repo: str, *, private: bool, tag: str | None) -> str:
    """Make one commit with the files on top of the head that was looked at, tag it, and return its address.

    Files of an earlier model that this model lacks are deleted; all other files of the repository stay.

    Raises:
        UserError: The repository is public although a private one was asked for, the tag is on another model, or the files
            were changed after the check.
    """
    get_session().timeout = SECONDS_WITHOUT_ANSWER
    api = HfApi()
    api.create_repo(repo, private=private or None, exist_ok=True)
    head = api.model_info(repo, timeout=SECONDS_WITHOUT_ANSWER)
    if private and not head.private:
        raise UserError(f"`private`: expected {repo} to be private, found a public repository; change its settings or the name")
    is_tagged = False
    if tag is not None and (tagged := checksums_on_hub(api, repo, tag)) is not None:
        if tagged != json.loads((staging / CHECKSUMS).read_text(encoding="utf-8")):
            raise UserError(f"`tag` {tag}: expected a new tag, found it on another model; choose another")
        is_tagged = True
    present = {file.rfilename for file in head.siblings or []}
    earlier = set(checksums_on_hub(api, repo, head.sha) or ()) & present
    left_over = sorted(earlier - set(staged_files(staging)))
    commit = api.upload_folder(
        repo_id=repo,
        folder_path=staging,
        commit_message="Upload AS-LSTM model",
        parent_commit=head.sha,
        # The client takes patterns, so brackets and asterisks in names are escaped.
        delete_patterns=[glob.escape(name) for name in left_over] or None,
    )
    if tag is not None and not is_tagged:
        api.create_tag(repo, tag=tag, revision=commit.oid)
    return commit.commit_url


def explain(error: Exception, repo: str) -> str:
    """Return one line, without the token, that says what went wrong on the way to the Hub."""
    if isinstance(error, RuntimeError) and isinstance(error.__cause__, Exception):
        error = error.__cause__  # The message of a failed upload names only the file.
    if isinstance(error, OfflineModeIsEnabled):
        return "expected access to the Hub, found HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE; unset it"
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in ADVICE:
        return f"{repo}: {ADVICE[status]} (status {status})"
    found = " ".join(f"{type(error).__name__}: {error}".split())
    if token := get_token():
        found = found.replace(token, "***")
    what_next = "put that right" if status is not None and status < 500 else "run again: it goes on from what was sent"
    return f"{repo}: expected {constants.ENDPOINT} to take the model, found {found}; {what_next}"


def push(staging: Path, repo: str, *, private: bool = False, tag: str | None = None) -> str:
    """Send a folder that :func:`aslstm.model_folder.staging.prepare` prepared.

    Args:
        staging: The folder with the files to send.
        repo: The repository as owner/name, created if missing.
        private: Whether the repository must be private.
        tag: The name of this version, or None for no tag.

    Returns:
        The address of the commit.

    Raises:
        UserError: The folder cannot be sent; the message says why, in one line.
    """
    try:
        with _as_one_commit():
            return send(staging, repo, private=private, tag=tag)
    except (HTTPError, OSError, ValueError, RuntimeError) as error:
        raise UserError(explain(error, repo)) from None
