"""Model folders on their way to a Hub and back: real processes, the true client, a Hub on the loopback interface."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
import torch
from huggingface_hub import ModelCard
from safetensors.torch import load_file, save_file

from aslstm.commands.train import parse_settings
from aslstm.errors import UserError
from aslstm.files import CHECKSUMS, write_checksums
from aslstm.model_folder.hub import check_repo, check_tag
from aslstm.model_folder.staging import answer_posts, name_in_card, stage
from aslstm.prediction.classifier import Classifier
from tests.support.commands import ROOT, TINY_TRAINING, contents
from tests.support.fake_hub import FakeHub

TOKEN, READ_ONLY_TOKEN = "hf_aVeryPrivateToken", "hf_anotherPrivateToken"
POSTS = ["今天又加班[泪]", "今天又加班[太开心]", "", "Nice 一天👍🏽，[泪流满面流]"]

# Prepared without the load in a fresh process, which takes seconds; a second try in the same process where one is asked for.
PUSH = """
import sys, tempfile
from pathlib import Path
from aslstm.model_folder.hub import push
from aslstm.model_folder.staging import stage
from aslstm.errors import UserError
folder, repo, tag, tries = sys.argv[1:]
for _ in range(int(tries)):
    with tempfile.TemporaryDirectory() as staging:
        stage(Path(folder), repo, Path(staging))
        # here
        try:
            print("pushed", push(Path(staging), repo, tag=tag or None))
        except UserError as error:
            print(f"error: {error}")
"""
LOAD = """
import json, sys
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification, AutoTokenizer, pipeline
repo, posts, revisions = json.loads(sys.argv[1])
results = []
for revision in revisions:
    pinned = {"revision": revision, "trust_remote_code": True}
    for auto_class in (AutoConfig, AutoTokenizer, AutoModel, AutoModelForSequenceClassification):
        auto_class.from_pretrained(repo, **pinned)
    results.append(pipeline("text-classification", model=repo, **pinned)(posts, top_k=None))
print(json.dumps(results))
"""


@pytest.fixture(scope="module")
def hub() -> Iterator[FakeHub]:
    with FakeHub({TOKEN: {"alice"}, READ_ONLY_TOKEN: set()}) as server:
        yield server


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What the client writes for itself; no token may be among it."""
    path = tmp_path_factory.mktemp("home")
    yield path
    for file in path.rglob("*"):
        assert not file.is_file() or TOKEN.encode() not in file.read_bytes(), file


def start(hub: FakeHub, home: Path, *command: str | Path, cwd: Path = ROOT, token: str | None = TOKEN) -> subprocess.Popen[str]:
    """A process that knows this Hub; it knows the project when it runs in its folder."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("HF_H", "HF_TOKEN", "PYTHONPATH"))}
    environment |= {"HF_ENDPOINT": hub.url, "HF_HOME": str(home), "HF_HUB_DOWNLOAD_TIMEOUT": "2"}
    if token:
        environment["HF_TOKEN"] = token
    if cwd == ROOT:
        environment["PYTHONPATH"] = str(ROOT)
    return subprocess.Popen(
        [sys.executable, *map(str, command)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", cwd=cwd, env=environment,
    )  # fmt: skip


def finish(process: subprocess.Popen[str], *, code: int = 0) -> tuple[str, str]:
    """Output and error output; neither may hold a token."""
    output, errors = process.communicate()
    assert TOKEN not in output + errors and READ_ONLY_TOKEN not in output + errors
    assert process.returncode == code, output + errors
    return output, errors


def push(hub: FakeHub, home: Path, folder: Path, repo: str, *, tag: str = "", tries: int = 1, token: str | None = TOKEN) -> str:
    """What a process says that pushes a folder; the folder stays as it was."""
    before = contents(folder)
    output, _ = finish(start(hub, home, "-c", PUSH, folder, repo, tag, str(tries), token=token))
    assert contents(folder) == before
    return output


def expected_on_hub(folder: Path, repo: str) -> dict[str, bytes]:
    """The files that the checksums name; the card and its checksum follow the name of the repository."""
    names = [*json.loads((folder / CHECKSUMS).read_text(encoding="utf-8")), CHECKSUMS]
    files = {name: (folder / name).read_bytes() for name in names}
    card, name = files["README.md"].decode(), ModelCard.load(folder / "README.md").data.model_name
    for form in ('"{}"', "# {}\n", "name: {}\n"):
        card = card.replace(form.format(name), form.format(repo))
    sums = json.loads(files[CHECKSUMS]) | {"README.md": hashlib.sha256(card.encode()).hexdigest()}
    return files | {"README.md": card.encode(), CHECKSUMS: (json.dumps(sums, indent=2) + "\n").encode()}


def files_of(hub: FakeHub, repo: str) -> dict[str, bytes]:
    return {name: content for name, content in hub.repos[repo].head.files.items() if name != ".gitattributes"}


def scores_of(folder: Path) -> list[dict[str, float]]:
    classifier = Classifier(folder, backend="torch")
    return [dict(zip(classifier.label_names, row, strict=True)) for row in classifier.predict(POSTS).tolist()]


@pytest.fixture(scope="module")
def folder(onnx_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder with graphs, and beside its files some that are nobody's business."""
    path = tmp_path_factory.mktemp("models") / "tiny"
    shutil.copytree(onnx_folder, path)
    (path / ".env").write_text("PASSWORD=1", encoding="utf-8")
    (path / "notes").mkdir()
    (path / "notes" / "thesis.txt").write_text("mine", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def other_folder(folder: Path) -> Path:
    """Other weights, which answer something else, no graphs."""
    path = folder.with_name("other")
    shutil.copytree(folder, path)
    shutil.rmtree(path / "onnx")
    weights = {name: tensor * -1.5 for name, tensor in load_file(path / "model.safetensors").items()}
    # A tiny model's answers are all alike, and less than this follows from its inner weights.
    weights["classifier.bias"] += torch.arange(len(weights["classifier.bias"]))
    save_file(weights, path / "model.safetensors", metadata={"format": "pt"})
    shutil.rmtree(path / "notes")
    (path / ".env").unlink()
    write_checksums(path)
    return path


@pytest.fixture(scope="module")
def log_of_first_push(hub: FakeHub, home: Path, folder: Path) -> str:
    before = contents(folder)
    command = ("-m", "aslstm", "push", "--model", folder, "--repo", "alice/weibo", "--tag", "v1.0")
    log, _ = finish(start(hub, home, *command))
    assert contents(folder) == before
    return log


def test_a_folder_becomes_one_commit_and_a_tag(hub: FakeHub, folder: Path, log_of_first_push: str) -> None:
    repo = hub.repos["alice/weibo"]
    assert files_of(hub, "alice/weibo") == expected_on_hub(folder, "alice/weibo")
    assert {"onnx/model_int8.onnx", "model.safetensors", "README.md", "eval_results.json"} <= set(repo.head.files)
    assert len(repo.commits) == 2 and repo.head.parent in repo.commits
    assert repo.tags == {"v1.0": repo.head.sha}
    assert not repo.is_private
    # Weights and graphs go the way of large files, which is another one of the client.
    assert set(hub.blobs.values()) >= {repo.head.files[name] for name in ("model.safetensors", "onnx/model.onnx")}
    for name, content in files_of(hub, "alice/weibo").items():
        assert re.search(rf"^{re.escape(name)} +{len(content):,} bytes$", log_of_first_push, re.MULTILINE), name
    assert f"/alice/weibo/commit/{repo.head.sha}" in log_of_first_push
    assert re.search(r"^今天又加班\[泪\]: \w+ 0\.\d\d$", log_of_first_push, re.MULTILINE)


def test_pushing_again_changes_nothing(hub: FakeHub, home: Path, folder: Path, log_of_first_push: str) -> None:
    head = hub.repos["alice/weibo"].head
    assert f"/commit/{head.sha}" in push(hub, home, folder, "alice/weibo", tag="v1.0")
    assert hub.repos["alice/weibo"].head is head


def test_a_tag_of_another_model_is_refused_before_anything_is_sent(
    hub: FakeHub, home: Path, other_folder: Path, log_of_first_push: str
) -> None:
    head = hub.repos["alice/weibo"].head
    assert "`tag` v1.0: expected a new tag, found it on another model" in push(
        hub, home, other_folder, "alice/weibo", tag="v1.0"
    )
    assert hub.repos["alice/weibo"].head is head


def test_of_two_pushes_at_once_one_wins_and_the_other_is_told(
    hub: FakeHub, home: Path, folder: Path, other_folder: Path
) -> None:
    push(hub, home, folder, "alice/race")
    third = folder.with_name("third")
    shutil.copytree(other_folder, third)
    (third / "user_dict.txt").write_text("给力 9\n", encoding="utf-8")
    write_checksums(third)
    hub.meet("commit", 2)
    processes = {path: start(hub, home, "-c", PUSH, path, "alice/race", "", "1") for path in (other_folder, third)}
    outputs = {path: finish(process)[0] for path, process in processes.items()}
    del hub.meetings["commit"]
    (winner,) = (path for path, output in outputs.items() if "pushed http" in output)
    (loser,) = set(outputs) - {winner}
    assert re.fullmatch(r"error: alice/race: expected no other change at the same time, found one; .*\n", outputs[loser])
    # The graphs of the first model, which neither of these has, are gone.
    assert files_of(hub, "alice/race") == expected_on_hub(winner, "alice/race")
    assert "pushed http" in push(hub, home, loser, "alice/race")
    assert files_of(hub, "alice/race") == expected_on_hub(loser, "alice/race")
    assert len(hub.repos["alice/race"].commits) == 4


def test_a_fresh_process_loads_from_the_hub_and_a_pinned_revision_stays(
    hub: FakeHub, home: Path, folder: Path, other_folder: Path, log_of_first_push: str, tmp_path: Path
) -> None:
    pinned = hub.repos["alice/weibo"].tags["v1.0"]
    own = "left by hand.md"
    hub.repos["alice/weibo"].commit(hub.repos["alice/weibo"].head.files | {own: b"hello"})
    push(hub, home, other_folder, "alice/weibo")
    assert own in hub.repos["alice/weibo"].head.files and "onnx/model.onnx" not in hub.repos["alice/weibo"].head.files
    asked = json.dumps(["alice/weibo", POSTS, ["main", "v1.0", pinned]])
    output, _ = finish(start(hub, tmp_path, "-c", LOAD, asked, cwd=tmp_path, token=None))
    first, updated = scores_of(folder), scores_of(other_folder)
    assert max(abs(a[label] - b[label]) for a, b in zip(first, updated, strict=True) for label in a) > 0.02
    for expected, found in zip((updated, first, first), json.loads(output.splitlines()[-1]), strict=True):
        for scores, entries in zip(expected, found, strict=True):
            assert {entry["label"]: pytest.approx(entry["score"], abs=1e-5) for entry in entries} == scores


def test_the_examples_of_the_card_run_on_the_folder_and_on_the_hub(
    hub: FakeHub, home: Path, folder: Path, tmp_path: Path
) -> None:
    push(hub, home, folder, "alice/examples")
    cards = ((folder / "README.md").read_bytes(), hub.repos["alice/examples"].head.files["README.md"])
    examples = [re.findall(r"```python\n(.*?)```", card.decode(), re.DOTALL) for card in cards]
    assert [len(of_card) for of_card in examples] == [2, 2]
    assert all('"tiny"' in code for code in examples[0]) and all('"alice/examples"' in code for code in examples[1])
    # In one process: importing transformers takes seconds.
    output, _ = finish(start(hub, tmp_path, "-c", "\n".join(examples[0] + examples[1]), cwd=folder.parent, token=None))
    lines = output.splitlines()
    assert len(lines) == 8
    assert lines[:4] == lines[4:]


FAILURES: list[tuple[str, int | str, str]] = [
    ("create", 500, r"expected http\S+ to take the model, found HfHubHTTPError: Server error '500"),
    ("info", "hang", r"expected http\S+ to take the model, found ReadTimeout"),
    ("validate", "drop", r"expected http\S+ to take the model, found RemoteProtocolError"),
    ("preupload", 404, r"expected a repository, found none; .* \(status 404\)"),
    ("lfs_put", 403, r"expected a token that may write there, found one that may not; .* \(status 403\)"),
    ("commit", 401, r"expected a valid token, found one that the Hub refuses; .* \(status 401\)"),
    ("commit", 409, r"expected no other change at the same time, found one; .* \(status 409\)"),
    ("commit", 412, r"expected no other change at the same time, found one; .* \(status 412\)"),
    (
        "commit",
        400,
        r"expected http\S+ to take the model, found BadRequestError: .* failing as told, Bearer \*\*\*; put that right",
    ),
    ("commit", 429, r"expected fewer requests, found the Hub's limit reached; .* \(status 429\)"),
    ("commit", 503, r"expected http\S+ to take the model, found HfHubHTTPError: Server error '503"),
    ("commit", "hang", r"expected http\S+ to take the model, found ReadTimeout"),
    ("commit", "drop", r"expected http\S+ to take the model, found \w+(Protocol|Read|Write)Error"),
    ("commit", "drop_after", r"expected http\S+ to take the model, found RemoteProtocolError"),
    ("tag", 500, r"expected http\S+ to take the model, found HfHubHTTPError: Server error '500"),
]


@pytest.fixture(scope="module")
def failures(home: Path, folder: Path) -> Iterator[dict[tuple[str, int | str], tuple[FakeHub, str]]]:
    """Hubs that fail once each, and what is said of it; all at once, as the client mostly waits before it tries again."""

    def push_twice(hub: FakeHub, route: str, kind: int | str) -> tuple[FakeHub, str]:
        hub.fail(route, kind)
        return hub, push(hub, home, folder, f"alice/{route}-{kind}", tag="v1", tries=2)

    with ExitStack() as stack, ThreadPoolExecutor(len(FAILURES)) as pool:
        cases = [(route, kind) for route, kind, _ in FAILURES]
        hubs = [stack.enter_context(FakeHub({TOKEN: {"alice"}})) for _ in cases]
        yield dict(zip(cases, pool.map(push_twice, hubs, *zip(*cases, strict=True)), strict=True))


@pytest.mark.parametrize(("route", "kind", "message"), FAILURES)
def test_a_failure_is_one_line_and_the_next_try_goes_on(
    route: str, kind: int | str, message: str, failures: dict[tuple[str, int | str], tuple[FakeHub, str]], folder: Path
) -> None:
    repo = f"alice/{route}-{kind}"
    hub, output = failures[route, kind]
    first, second = output.splitlines()
    assert re.match(f"error: {repo}: {message}", first), first
    assert second.startswith("pushed http")
    assert files_of(hub, repo) == expected_on_hub(folder, repo)
    assert len(hub.repos[repo].commits) == 2
    assert hub.repos[repo].tags == {"v1": hub.repos[repo].head.sha}


def test_a_full_disk_is_one_line_and_the_next_try_goes_on(hub: FakeHub, home: Path, folder: Path, tmp_path: Path) -> None:
    push(hub, home, folder, "alice/full")
    head = hub.repos["alice/full"].head
    # The client keeps what it looks up; the copy of the folder is there by then.
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (500, resource.RLIM_INFINITY))"
    code = PUSH.replace("# here", limit)
    found, _ = finish(start(hub, tmp_path, "-c", code, folder, "alice/full", "", "1"))
    assert re.fullmatch(r"error: alice/full: expected .* File too large.*; run again: .*\n", found), found
    assert hub.repos["alice/full"].head is head
    assert push(hub, tmp_path, folder, "alice/full").startswith("pushed http")


def test_one_dropped_upload_is_tried_again_by_itself(hub: FakeHub, home: Path, folder: Path) -> None:
    hub.blobs.clear()
    hub.fail("lfs_put", "drop")
    assert push(hub, home, folder, "alice/dropped").startswith("pushed http")
    assert files_of(hub, "alice/dropped") == expected_on_hub(folder, "alice/dropped")


@pytest.mark.parametrize(
    ("token", "repo", "message"),
    [
        ("hf_noSuchToken", "alice/none", r"expected a valid token, .* \(status 401\)"),
        (READ_ONLY_TOKEN, "alice/none", r"expected a token that may write there, .* \(status 403\)"),
        (TOKEN, "bob/none", r"expected a token that may write there, .* \(status 403\)"),
    ],
)
def test_a_token_that_may_not_write_is_one_line(
    token: str, repo: str, message: str, hub: FakeHub, home: Path, folder: Path
) -> None:
    output = push(hub, home, folder, repo, token=token)
    assert re.fullmatch(f"error: {repo}: {message}\n", output), output
    assert token not in output
    assert repo not in hub.repos


def test_no_token_and_no_network_are_one_line_each(hub: FakeHub, home: Path, folder: Path) -> None:
    command = ("-m", "aslstm", "push", "--model", folder, "--repo", "alice/none")
    _, errors = finish(start(hub, home, *command, token=None), code=2)
    assert errors == "error: expected a token of the Hub, found none; run `hf auth login` or set HF_TOKEN\n"
    code = f"import os; os.environ['HF_HUB_OFFLINE'] = '1'\n{PUSH}"
    output, _ = finish(start(hub, home, "-c", code, folder, "alice/none", "", "1"))
    assert output == "error: expected access to the Hub, found HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE; unset it\n"


def test_the_token_of_a_login_serves_too(hub: FakeHub, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN, encoding="utf-8")
    assert push(hub, tmp_path, folder, "alice/login", token=None).startswith("pushed http")


def test_a_public_repository_is_not_taken_for_a_private_one(hub: FakeHub, home: Path, folder: Path) -> None:
    private = PUSH.replace("tag=tag or None", "private=True")
    for repo, is_there in (("alice/secret", False), ("alice/open", True)):
        if is_there:
            push(hub, home, folder, repo)
        output, _ = finish(start(hub, home, "-c", private, folder, repo, "", "1"))
        assert output.startswith("error: `private`: expected alice/open" if is_there else "pushed http")
        assert hub.repos[repo].is_private != is_there


def test_a_dry_run_shows_the_files_and_sends_nothing(hub: FakeHub, home: Path, folder: Path) -> None:
    hub.requests.clear()
    command = ("-m", "aslstm", "push", "--model", folder, "--repo", "alice/dry", "--tag", "v1.0", "--dry_run")
    output, _ = finish(start(hub, home, *command, token=None))
    assert hub.requests == []
    shown = re.findall(r"^(\S+) +[\d,]+ bytes$", output, re.MULTILINE)
    assert sorted(shown) == sorted([*json.loads((folder / CHECKSUMS).read_text(encoding="utf-8")), CHECKSUMS])
    assert output.endswith("dry run: nothing was sent\n")


def test_training_ends_with_a_push(hub: FakeHub, home: Path, tmp_path: Path) -> None:
    path = tmp_path / "trained"
    command = ("-m", "aslstm", "train", "--output_dir", path, "--push_to_hub", "--hub_model_id", "alice/trained")
    output, _ = finish(start(hub, home, *command, *TINY_TRAINING))
    assert "pushed http" in output
    assert files_of(hub, "alice/trained") == expected_on_hub(path, "alice/trained")
    assert "hub" not in (path / "README.md").read_text(encoding="utf-8").split("## Training")[1].split("## Citation")[0]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--push_to_hub",), "expected `push_to_hub` and `hub_model_id` owner/name, found one of them"),
        (("--hub_model_id", "alice/a"), "expected `push_to_hub` and `hub_model_id` owner/name, found one of them"),
        (
            ("--push_to_hub", "--hub_model_id", "alice/a", "--seeds", "1", "2"),
            "`push_to_hub`: expected one model, found `seeds`",
        ),
        (("--push_to_hub", "--hub_model_id", "alice"), "'alice': expected the name of a repository as owner/name"),
        (("--push_to_hub", "--hub_model_id", "alice/a"), "expected a token of the Hub, found none"),
    ],
)
def test_training_that_could_not_push_does_not_start(
    flags: tuple[str, ...], message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "no_token"))
    monkeypatch.setattr(sys, "argv", ["train.py", *flags])
    with pytest.raises(UserError, match=f"^{re.escape(message)}"):
        parse_settings()


@pytest.mark.parametrize("name", ["weibo", "alice/a/b", "../alice/weibo", "alice/wei bo", "", "alice/", "/weibo", "alice/微博"])
def test_what_is_no_owner_and_name_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=f"^{re.escape(repr(name))}: expected the name of a repository") as raised:
        check_repo(name)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["v 1", "-v1", "", "v1/0", "v1\n"])
def test_what_is_no_tag_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=f"^`tag` {re.escape(repr(name))}: expected letters, digits, dots and hyphens"):
        check_tag(name)


@pytest.mark.parametrize("way_out", ["parent", "absolute", "link"])
def test_a_file_outside_the_folder_is_never_sent(way_out: str, folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "model"
    shutil.copytree(folder, path)
    secret = tmp_path / "secret.txt"
    secret.write_text("secret", encoding="utf-8")
    name = {"parent": "../secret.txt", "absolute": str(secret), "link": "link.txt"}[way_out]
    if way_out == "link":
        (path / name).symlink_to(secret)
    sums = json.loads((path / CHECKSUMS).read_text(encoding="utf-8")) | {name: hashlib.sha256(b"secret").hexdigest()}
    (path / CHECKSUMS).write_text(json.dumps(sums), encoding="utf-8")
    with pytest.raises(UserError, match=r"expected files (in|of) the folder, found .* leads out"):
        stage(path, "alice/weibo", tmp_path)


def test_a_file_that_the_client_would_leave_out_is_refused(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "model"
    shutil.copytree(folder, path)
    (path / ".cache" / "huggingface").mkdir(parents=True)
    (path / ".cache" / "huggingface" / "part.txt").write_text("part", encoding="utf-8")
    write_checksums(path)
    with pytest.raises(UserError, match=r"expected files that the Hub takes, found '.cache/huggingface/part.txt'"):
        stage(path, "alice/weibo", tmp_path / "staging")


@pytest.mark.parametrize("change", ["change", "remove", "add"])
def test_a_copy_that_was_changed_after_the_check_is_not_sent(change: str, hub: FakeHub, home: Path, folder: Path) -> None:
    name, step = {
        "change": ("vocab.txt", "path = Path(staging, 'vocab.txt'); path.write_text(path.read_text('utf-8')[1:], 'utf-8')"),
        "remove": ("onnx/model.onnx", "Path(staging, 'onnx', 'model.onnx').unlink()"),
        "add": ("onnx/more.txt", "Path(staging, 'onnx', 'more.txt').write_text('more')"),
    }[change]
    repo = f"alice/{change}"
    output, _ = finish(start(hub, home, "-c", PUSH.replace("# here", step), folder, repo, "", "1"))
    assert re.fullmatch(rf"error: \S+/{name}: expected .*, run again\n", output), output
    assert set(hub.repos[repo].head.files) == {".gitattributes"}


def test_what_answers_is_the_copy_that_is_sent(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    stage(folder, "alice/weibo", copy)
    # The folder is written again after it was copied.
    path = tmp_path / "model"
    shutil.copytree(folder, path)
    (path / "config.json").write_text("{}", encoding="utf-8")
    labels = set(json.loads((copy / "config.json").read_text(encoding="utf-8"))["id2label"].values())
    assert {label for label, _ in answer_posts(copy, path)} <= labels
    (copy / "config.json").unlink()
    with pytest.raises(UserError, match=f"^{re.escape(str(path))}: expected a folder that loads in a fresh process") as raised:
        answer_posts(copy, path)
    assert str(copy) not in str(raised.value)


def test_files_that_are_deleted_are_no_patterns(hub: FakeHub, home: Path, folder: Path) -> None:
    push(hub, home, folder, "alice/patterns")
    repo = hub.repos["alice/patterns"]
    stays, goes = {"notes a.md", "notes b.md", "notes [ab].txt"}, {"notes [ab].md", "notes ?.md", "*"}
    sums = json.dumps(json.loads(repo.head.files[CHECKSUMS]) | dict.fromkeys(goes, "0"))
    repo.commit(repo.head.files | dict.fromkeys(stays | goes, b"note") | {CHECKSUMS: sums.encode()})
    before = len(repo.commits)
    assert push(hub, home, folder, "alice/patterns").startswith("pushed http")
    assert files_of(hub, "alice/patterns") == expected_on_hub(folder, "alice/patterns") | dict.fromkeys(stays, b"note")
    assert len(repo.commits) == before + 1


def test_a_file_of_the_hub_cannot_be_written_outside(hub: FakeHub, home: Path, folder: Path, tmp_path: Path) -> None:
    push(hub, home, folder, "alice/hostile")
    repo = hub.repos["alice/hostile"]
    repo.commit(repo.head.files | {"../../../../outside.txt": b"hostile"})
    code = "from huggingface_hub import snapshot_download; snapshot_download('alice/hostile')"
    (tmp_path / "a" / "b").mkdir(parents=True)
    _, errors = finish(start(hub, tmp_path / "a" / "b", "-c", code), code=1)
    assert "outside.txt" in errors.splitlines()[-1]
    assert list(tmp_path.rglob("outside.txt*")) == []
    # Nor does a later push follow the names of files that it would delete.
    sums = json.dumps(json.loads(repo.head.files[CHECKSUMS]) | {"../../../../outside.txt": "0"})
    repo.commit(repo.head.files | {CHECKSUMS: sums.encode()})
    assert push(hub, home, folder, "alice/hostile").startswith("error: ")


def test_a_card_that_says_too_little_is_refused(folder: Path) -> None:
    bare = re.sub(rb"license: \S+\n|- custom_code\n", b"", (folder / "README.md").read_bytes())
    with pytest.raises(UserError, match=r"^README.md: expected metadata .* found no license, custom_code among the tags; add"):
        name_in_card(bare, "alice/weibo")
    with pytest.raises(UserError, match=r"^README.md: expected a model card, found: "):
        name_in_card(b"---\n: [\n---\n", "alice/weibo")


def test_a_folder_that_does_not_load_is_refused_and_its_code_sees_no_token(
    hub: FakeHub, home: Path, folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "model"
    shutil.copytree(folder, path)
    with (path / "modeling_aslstm.py").open("a", encoding="utf-8") as file:
        file.write("\nimport huggingface_hub\nraise RuntimeError(f'token {huggingface_hub.get_token()}')\n")
    write_checksums(path)
    command = ("-m", "aslstm", "push", "--trust_code", "--model", path, "--repo", "alice/broken")
    _, errors = finish(start(hub, home, *command), code=2)
    assert errors == f"error: {path}: expected a folder that loads in a fresh process, found: RuntimeError: token None\n"
    assert "alice/broken" not in hub.repos
