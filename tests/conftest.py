"""Real, tiny objects for the tests: a tokenizer, models and a model folder that the training script made."""

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

# Set before any test imports huggingface_hub: nothing here may ask the network, and what a model folder's code and a corpus are
# cached as stays away from the user's and from that of tests at the same time, which would read files half written.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HOME"] = tempfile.mkdtemp(prefix="huggingface")
# Two threads of one tiny operation cost more than they save, above all on a busy machine.
os.environ["OMP_NUM_THREADS"] = "1"

from hypothesis import settings
from script_server import ScriptServer

from tokenization import ASLSTMTokenizer, build_tokenizer, build_vocabulary

atexit.register(shutil.rmtree, os.environ["HF_HOME"], ignore_errors=True)

# The same examples in every run: a suite that fails by chance is not believed. Searching for new ones is fuzzing.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

ROOT = Path(__file__).parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"

TEXTS = [
    "今天又加班[泪]，真的好累！！",
    "今天又加班[太开心]，奖金到手😂",
    "这家店的面太好吃了[太开心]下次还来👍🏽",
    "气死我了[怒]，快递又丢了！",
    "气死我了[怒]。再也不买了[泪]",
    "love this song😂，单曲循环",
    "明天下午三点开会，地点不变。",
] * 2


@pytest.fixture(scope="session")
def tokenizer() -> ASLSTMTokenizer:
    """Knows the words and emoji of TEXTS."""
    return build_tokenizer(build_vocabulary(TEXTS))


# Not onnxruntime, whose threads a forked process would wait for at its end.
SCRIPT_MODULES = sorted({path.stem for path in (ROOT / "train_scripts").glob("*.py")} - {"onnx_graphs"})
PYTHONPATH = os.pathsep.join(filter(None, [str(ROOT), str(ROOT / "train_scripts"), os.environ.get("PYTHONPATH")]))
SCRIPTS = ScriptServer(SCRIPT_MODULES, {**os.environ, "PYTHONPATH": PYTHONPATH})


@pytest.fixture(scope="session")
def scripts() -> ScriptServer:
    """Of what is run in processes of its own, in a test whose module such a process imports."""
    return SCRIPTS


def run_script(
    name: str, *arguments: str | Path, check: bool = True, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a training script in a process of its own, with an environment of its own in a fresh one, as a user would."""
    command = [str(ROOT / "train_scripts" / name), *map(str, arguments)]
    if environment or not hasattr(os, "fork"):
        result = subprocess.run(
            [sys.executable, *command],
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=cwd,
            env={**os.environ, **environment},
        )
    else:
        result = SCRIPTS.run(command, cwd=cwd)
    if check and result.returncode != 0:
        raise AssertionError(f"{name} ended with {result.returncode}:\n{result.stdout}\n{result.stderr}")
    return result


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """A full disk for this process and those that it starts: no file grows beyond so many bytes."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def contents(folder: Path) -> dict[str, bytes]:
    """What stands in a folder, by path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


TINY_TRAINING = ("--num_train_epochs", "2", "--embedding_size", "16", "--hidden_size", "8", "--max_train_samples", "400")


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder that ``train.py`` wrote from a part of the sample corpus."""
    folder = tmp_path_factory.mktemp("trained") / "tiny"
    run_script("train.py", "--output_dir", folder, *TINY_TRAINING)
    return folder


@pytest.fixture(scope="session")
def onnx_folder(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same folder with the graphs of ``export_onnx.py``."""
    folder = tmp_path_factory.mktemp("exported") / "tiny"
    shutil.copytree(model_folder, folder)
    run_script("export_onnx.py", "--model", folder)
    return folder
