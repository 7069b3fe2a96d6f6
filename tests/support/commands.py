"""Gives tests a function that runs commands in processes of their own, and the paths, posts and flags that many share."""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .command_server import CommandServer

ROOT = Path(__file__).parent.parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"
SAMPLE = ROOT / "aslstm" / "data" / "sample"

TEXTS = [
    "今天又加班[泪]，真的好累！！",
    "今天又加班[太开心]，奖金到手😂",
    "这家店的面太好吃了[太开心]下次还来👍🏽",
    "气死我了[怒]，快递又丢了！",
    "气死我了[怒]。再也不买了[泪]",
    "love this song😂，单曲循环",
    "明天下午三点开会，地点不变。",
] * 2

# How many rows of each split of the sample the tests train with: with all of them, a tiny training would mostly read.
PART_OF_SAMPLE = {"train": 1927, "validation": 317, "test": 396}


def _write_part_of_sample() -> tuple[str, ...]:
    """Write the first rows of each split into a temporary folder and return the flags that name the files."""
    folder = Path(tempfile.mkdtemp(prefix="part"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    flags: list[str] = []
    for split, count in PART_OF_SAMPLE.items():
        lines = (SAMPLE / f"{split}.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
        (folder / f"{split}.jsonl").write_text("".join(lines[:count]), encoding="utf-8")
        flags += [f"--{split}_file", str(folder / f"{split}.jsonl")]
    return tuple(flags)


SMALL_CORPUS = _write_part_of_sample()

TINY_TRAINING = (
    *SMALL_CORPUS,
    "--evaluate_test",
    "--num_train_epochs",
    "2",
    "--embedding_size",
    "16",
    "--hidden_size",
    "8",
    "--max_train_samples",
    "400",
)

# These are all modules that a command may import, except onnxruntime: a forked process would wait for its threads at the end.
_MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (ROOT / "aslstm").rglob("*.py")
    if "models" not in path.parts
    and path.name not in ("__init__.py", "__main__.py", "onnx_graphs.py", "onnx_backend.py", "onnx_pipeline.py", "blocks.py")
)
_PYTHONPATH = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
COMMANDS = CommandServer(_MODULES, {**os.environ, "PYTHONPATH": _PYTHONPATH})


def run_command(
    name: str, *arguments: str | Path, check: bool = True, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run ``aslstm NAME`` as a user would, in a process of its own; where ``environment`` is given, in a fresh interpreter."""
    command = ["-m", "aslstm", name, *map(str, arguments)]
    if environment or not hasattr(os, "fork"):
        result = subprocess.run(
            [sys.executable, *command],
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": _PYTHONPATH, **environment},
        )
    else:
        result = COMMANDS.run(command, cwd=cwd)
    if check and result.returncode != 0:
        raise AssertionError(f"aslstm {name} ended with {result.returncode}:\n{result.stdout}\n{result.stderr}")
    return result


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """Simulate a full disk for this process and those that it starts: no file grows beyond ``size`` bytes."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def contents(folder: Path) -> dict[str, bytes]:
    """Return the bytes of each file in a folder by its path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
