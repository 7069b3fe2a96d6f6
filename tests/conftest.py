"""Real, tiny objects for the tests: a tokenizer, and a model folder that ``aslstm train`` wrote."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import pytest

# Set before any test imports huggingface_hub: nothing here may ask the network, and what a model folder's code and a corpus are
# cached as stays away from the user's and from that of tests at the same time, which would read files half written.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HOME"] = tempfile.mkdtemp(prefix="huggingface")
# Two threads of one tiny operation cost more than they save, above all on a busy machine.
os.environ["OMP_NUM_THREADS"] = "1"

from hypothesis import settings

from aslstm.words.vocabulary import build_tokenizer, build_vocabulary
from tests.support.command_server import CommandServer
from tests.support.commands import COMMANDS, TEXTS, TINY_TRAINING, run_command
from tokenization import ASLSTMTokenizer

atexit.register(shutil.rmtree, os.environ["HF_HOME"], ignore_errors=True)

# The same examples in every run: a suite that fails by chance is not believed. Searching for new ones is fuzzing.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def tokenizer() -> ASLSTMTokenizer:
    """Knows the words and emoji of TEXTS."""
    return build_tokenizer(build_vocabulary(TEXTS))


@pytest.fixture(scope="session")
def commands() -> CommandServer:
    """What runs commands in processes of their own, for a test whose module such a process imports."""
    return COMMANDS


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder that ``aslstm train`` wrote from a part of the sample corpus."""
    folder = tmp_path_factory.mktemp("trained") / "tiny"
    run_command("train", "--output_dir", folder, *TINY_TRAINING)
    return folder


@pytest.fixture(scope="session")
def onnx_folder(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same folder with the graphs of ``aslstm export-onnx``."""
    folder = tmp_path_factory.mktemp("exported") / "tiny"
    shutil.copytree(model_folder, folder)
    run_command("export-onnx", "--model", folder)
    return folder
