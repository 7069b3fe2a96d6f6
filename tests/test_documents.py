"""What the documents tell people to type works: every block of commands and of Python is run, page by page, on small input."""

import csv
import gzip
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

from aslstm import cli
from tests.support.commands import COMMANDS, PART_OF_SAMPLE, ROOT, SAMPLE
from tests.support.fake_hub import FakeHub

DOCUMENTS = sorted(
    [*ROOT.glob("README*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("docs/zh/*.md")], key=lambda path: path.relative_to(ROOT)
)
NAMES = [path.relative_to(ROOT).as_posix() for path in DOCUMENTS]
LANGUAGES = {"bash", "python", "text"}
# Each says why in a comment before it. A block that is not run can be wrong for years: there should be few.
NUM_NOT_RUN = 15

# What is added to a command so that it ends in seconds.
SMALL = {
    "pretrain": ("--num_train_epochs", "1", "--min_target_count", "10"),
    "train": ("--num_train_epochs", "1", "--max_train_samples", "200"),
    "train-vectors": ("--vector_size", "16", "--epochs", "1", "--num_buckets", "1000"),
}
# A stream is read to its end.
SMALL_STREAM = ("--num_train_epochs", "1")
# Flags in the prose that are not ours: of pip, accelerate and benchmarks.
FLAGS_OF_OTHERS = {"--cpu", "--extra-index-url", "--help", "--kills", "--models", "--num_processes", "--others", "--quiet"}

TOKEN = "hf_token_of_owner"
HUB_NAME = "owner/name"
SHELL_SIGNS = frozenset("|<>;&")


class Block(NamedTuple):
    """A block of a document, with what the comment before it says."""

    language: str
    text: str
    not_run: bool


def blocks_of(path: Path) -> list[Block]:
    """The fenced blocks of a document, in order."""
    lines = ["", *path.read_text(encoding="utf-8").splitlines()]
    fences = [number for number, line in enumerate(lines) if line.startswith("```")]
    assert len(fences) % 2 == 0, f"{path}: a fence that is not closed"
    return [
        Block(lines[start][3:], "\n".join(lines[start + 1 : end]), lines[start - 1].startswith("<!-- not run: "))
        for start, end in list(pairwise(fences))[::2]
    ]


def commands_of(block: Block) -> list[str]:
    """The commands of a block, each on one line."""
    lines = block.text.replace("\\\n", " ").splitlines()
    return [line for line in lines if shlex.split(line, comments=True)]


def launched(name: str) -> list[str]:
    """What Python runs for ``aslstm NAME``."""
    return ["-m", "aslstm", name]


def run_python(
    arguments: list[str], folder: Path, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run Python with these arguments, in a process that is forked, or with an environment in a fresh one."""
    if environment is None:
        return COMMANDS.run(arguments, cwd=folder)
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8"
    )


def run_command(line: str, folder: Path, environment: dict[str, str]) -> None:
    """Run one line of a document as a shell would, on small input.

    Lines that begin with ``aslstm`` run in a process that is forked, others in a shell. A Hub is reached from a fresh process
    alone, because its address is read when ``huggingface_hub`` is imported.

    Args:
        line: of a document.
        folder: where it is run.
        environment: of a fresh process.
    """
    words = shlex.split(line, comments=True)
    if words[0] == "aslstm" and not SHELL_SIGNS & set(words):
        small = SMALL_STREAM if "--streaming" in words else SMALL.get(words[1], ())
        command = [*launched(words[1]), *words[2:], *small]
        result = run_python(command, folder, environment if HUB_NAME in line else None)
    else:
        shell = re.sub(r"\baslstm ([a-z-]+)", lambda found: shlex.join([sys.executable, *launched(found[1])]), line)
        result = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", shell],
            cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8",
        )  # fmt: skip
    assert result.returncode == 0, f"{line}\nended with {result.returncode}:\n{result.stdout}\n{result.stderr}"


def write_csv(path: Path, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])


def json_lines(rows: Sequence[dict[str, str]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def write_corpora(folder: Path, labelled: list[tuple[str, str]]) -> None:
    """Files that are named and formed as those of known corpora."""
    nlpcc, smp = folder / "nlpcc2014", folder / "smp2020_ewect"
    nlpcc.mkdir(parents=True)
    smp.mkdir()
    (nlpcc / "train.jsonl").write_text(
        json_lines([{"text": t, "label": label} for t, label in labelled[:300]]), encoding="utf-8"
    )
    sentences = "".join(
        f'<weibo id="{i}"><sentence id="1" opinionated="Y" emotion-1-type="{label}">{text}</sentence></weibo>'
        for i, (text, label) in enumerate(labelled[300:350])
        if not set("<&") & set(text)
    )
    (nlpcc / "EmotionClassficationTest.xml").write_text(f"<r>{sentences}</r>", encoding="utf-8")
    names = {
        "happiness": "happy",
        "sadness": "sad",
        "anger": "angry",
        "fear": "fear",
        "surprise": "surprise",
        "none": "neutral",
    }
    rows = [{"content": text, "label": names[label]} for text, label in labelled if label in names]
    (smp / "usual_train_labeled.txt").write_text(json.dumps(rows[:200], ensure_ascii=False), encoding="utf-8")
    (smp / "usual_eval_labeled.txt").write_text(json.dumps(rows[200:260], ensure_ascii=False), encoding="utf-8")


def write_input(folder: Path, model: Path) -> None:
    """The files that the documents name."""
    lines = (SAMPLE / "train.jsonl").read_text(encoding="utf-8").splitlines()
    labelled = [(row["text"], row["label"]) for row in map(json.loads, lines[: PART_OF_SAMPLE["train"]])]
    texts = [text for text, _ in labelled]
    dated = [(text, f"2026-03-{1 + i % 28:02}") for i, text in enumerate(texts[:80])]
    write_csv(folder / "train.csv", ["text", "label"], labelled[:300])
    write_csv(folder / "validation.csv", ["text", "label"], labelled[300:380])
    write_csv(folder / "test.csv", ["text", "label"], labelled[380:460])
    write_csv(folder / "reviews.csv", ["review", "stars"], labelled[:300])
    write_csv(folder / "posts.csv", ["text", "created_at"], dated)
    write_csv(folder / "more.csv", ["review"], [[text] for text in texts[1000:1100]])
    (folder / "more").mkdir()
    write_csv(folder / "more" / "first.csv", ["text"], [[text] for text in texts[1000:1100]])
    posts, plain = json_lines([{"text": text} for text in texts]), "".join(f"{text}\n" for text in texts)
    (folder / "train.jsonl").write_text(
        json_lines([{"text": t, "label": label} for t, label in labelled[:300]]), encoding="utf-8"
    )
    (folder / "posts.jsonl").write_text(json_lines([{"text": text} for text in texts[:80]]), encoding="utf-8")
    (folder / "scraped.jsonl").write_text(json_lines([{"text": texts[0]}]) + '{"text": "cut', encoding="utf-8")
    (folder / "posts.txt").write_text(plain, encoding="utf-8")
    for name, content in (("posts.jsonl.gz", posts), ("posts.txt.gz", plain)):
        with gzip.open(folder / name, "wt", encoding="utf-8") as file:
            file.write(content)
    write_corpora(folder / "corpora", labelled)
    shutil.copytree(model, folder / "outputs" / "sample")


def leave_unfinished(folder: Path) -> None:
    """A run of ``predict`` that is killed before its first part is in its place."""
    command = [*launched("predict"), "--model", "outputs/sample", "--input", "posts.jsonl", "--output", "labelled.jsonl"]
    result = COMMANDS.run(command, cwd=folder, killed_at=("os.rename", "/tmp-00000000.jsonl"))
    assert result.returncode == -signal.SIGKILL, result.stderr


@pytest.fixture(scope="module")
def hub_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Where ``owner`` may push, on the loopback interface."""
    home = tmp_path_factory.mktemp("home")
    online = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "ASLSTM_"))}
    with FakeHub({TOKEN: {HUB_NAME.split("/")[0]}}) as hub:
        ours = {"HF_ENDPOINT": hub.url, "HF_HOME": str(home), "HF_TOKEN": TOKEN, "HF_HUB_DISABLE_XET": "1"}
        yield online | ours | {"PYTHONPATH": str(ROOT)}


@pytest.mark.parametrize("name", [name for name in NAMES if any(not block.not_run for block in blocks_of(ROOT / name))])
def test_what_a_page_tells_to_type_works(name: str, onnx_folder: Path, hub_environment: dict[str, str], tmp_path: Path) -> None:
    write_input(tmp_path, onnx_folder)
    if "--resume" in (ROOT / name).read_text(encoding="utf-8"):
        leave_unfinished(tmp_path)
    blocks = [block for block in blocks_of(ROOT / name) if not block.not_run]
    for block in blocks:
        if block.language == "bash":
            for line in commands_of(block):
                run_command(line, tmp_path, hub_environment)
    code = "\n".join(block.text for block in blocks if block.language == "python")
    if code:
        result = run_python(["-c", code], tmp_path, hub_environment if HUB_NAME in code else None)
        assert result.returncode == 0, f"{name}:\n{result.stdout}\n{result.stderr}"


def test_every_block_says_what_it_is_and_few_are_not_run() -> None:
    blocks = [block for path in DOCUMENTS for block in blocks_of(path)]
    assert {block.language for block in blocks} == LANGUAGES
    assert sum(block.not_run for block in blocks) == NUM_NOT_RUN


@pytest.fixture(scope="module")
def flags() -> dict[str, set[str]]:
    """The flags of each command."""
    shown = {name: COMMANDS.run([*launched(name), "--help"]).stdout for name in cli.COMMANDS}
    return {name: set(re.findall(r"(?<![\w-])--[a-z_]+", text)) for name, text in shown.items()}


@pytest.mark.parametrize("name", NAMES)
def test_commands_have_the_flags_that_a_page_gives_them(name: str, flags: dict[str, set[str]]) -> None:
    # Also in blocks that are not run.
    for block in blocks_of(ROOT / name):
        for line in commands_of(block) if block.language == "bash" else ():
            for command, rest in re.findall(r"(?:aslstm |train_scripts/)([a-z-]+)(?:\.py)?( [^|#]*)?", line):
                if command in flags:
                    assert set(re.findall(r"(?<![\w-])--[a-z_]+", rest)) <= flags[command], line


@pytest.mark.parametrize("name", NAMES)
def test_the_prose_names_flags_that_exist(name: str, flags: dict[str, set[str]]) -> None:
    text = re.sub(r"^```.*?^```$", "", (ROOT / name).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z_-]*", " ".join(re.findall(r"`[^`]+`", text))))
    assert named <= set().union(*flags.values()) | FLAGS_OF_OTHERS


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", (ROOT / name).read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not ((ROOT / name).parent / link).exists()]
    assert missing == []


def test_readme_is_short() -> None:
    assert all(
        len((ROOT / name).read_text(encoding="utf-8").splitlines()) <= 200 for name in NAMES if name.startswith("README")
    )


def test_pages_in_chinese_use_its_punctuation() -> None:
    half_width = re.compile(r"[一-鿿][,;:?!()]|[,;:?!(][一-鿿]")
    for path in (path for path in DOCUMENTS if ".zh." in path.name or path.parent.name == "zh"):
        text = re.sub(r"^```.*?^```$|`[^`]*`", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        assert half_width.findall(re.sub(r"\]\([^)]*\)", "]", text)) == [], path.name
