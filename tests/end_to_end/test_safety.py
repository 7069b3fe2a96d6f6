"""What a user need not fear: a hidden call over the network, a pickle that runs code, a post that takes for ever."""

import ast
import gc
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.commands import ROOT, TINY_TRAINING
from tokenization import ASLSTMTokenizer

# Comes before anything else of a Python process. A refusal that is swallowed still stands in the log.
NO_NETWORK = """
import os, socket
def refuse(*arguments, **named):
    if getattr(arguments[0], "family", None) != getattr(socket, "AF_UNIX", 0):
        with open(os.environ["NETWORK_LOG"], "a", encoding="utf-8") as log:
            log.write(f"{arguments}\\n")
        raise OSError("no network here")
for name in ("connect", "connect_ex", "sendto"):
    setattr(socket.socket, name, refuse)
for name in ("getaddrinfo", "gethostbyname", "create_connection"):
    setattr(socket, name, refuse)
"""
NO_PICKLE = """
import pickle
def refuse(*arguments, **named):
    raise pickle.UnpicklingError("no pickle here")
class Refused(pickle._Unpickler):
    __init__ = refuse
pickle.load = pickle.loads = refuse
pickle.Unpickler = pickle._Unpickler = Refused
"""
CLASSIFY = """
import json, sys
from transformers import AutoModel, pipeline
AutoModel.from_pretrained(sys.argv[1], trust_remote_code=True)
classify = pipeline("text-classification", model=sys.argv[1], trust_remote_code=True)
print(json.dumps(classify(["今天又加班[泪]", "好耶🎉"], top_k=None)))
"""


def run_guarded(guard: str, tmp_path: Path, *command: str | Path) -> str:
    """Run a Python process, and those that it starts, behind a guard, with an empty cache and allowed to ask the Hub."""
    (tmp_path / "guard").mkdir(exist_ok=True)
    (tmp_path / "guard" / "sitecustomize.py").write_text(guard, encoding="utf-8")
    paths = [tmp_path / "guard", ROOT]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HF_")} | {
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
        "HF_HOME": str(tmp_path / "home"),
        "NETWORK_LOG": str(tmp_path / "network.log"),
    }
    result = subprocess.run(
        [sys.executable, *map(str, command)], capture_output=True, text=True, encoding="utf-8", cwd=ROOT, env=environment
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_the_guards_hold(tmp_path: Path) -> None:
    code = "import socket\ntry:\n    socket.create_connection(('127.0.0.1', 9))\nexcept OSError as error:\n    print(error)"
    assert run_guarded(NO_NETWORK, tmp_path, "-c", code) == "no network here\n"
    assert "127.0.0.1" in (tmp_path / "network.log").read_text(encoding="utf-8")
    code = "import pickle\ntry:\n    pickle.loads(pickle.dumps(1))\nexcept pickle.UnpicklingError as error:\n    print(error)"
    assert run_guarded(NO_PICKLE, tmp_path, "-c", code) == "no pickle here\n"


def test_training_export_and_prediction_never_reach_for_the_network(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    run_guarded(NO_NETWORK, tmp_path, "-m", "aslstm", "train", "--output_dir", folder, *TINY_TRAINING)
    run_guarded(NO_NETWORK, tmp_path, "-m", "aslstm", "export-onnx", "--model", folder)
    run_guarded(NO_NETWORK, tmp_path, "-c", CLASSIFY, folder)
    assert not (tmp_path / "network.log").exists(), (tmp_path / "network.log").read_text(encoding="utf-8")


def test_a_folder_loads_and_answers_where_nothing_can_be_unpickled(model_folder: Path, tmp_path: Path) -> None:
    answers = json.loads(run_guarded(NO_PICKLE, tmp_path, "-c", CLASSIFY, model_folder).splitlines()[-1])
    for entries in answers:
        assert sum(entry["score"] for entry in entries) == pytest.approx(1, abs=1e-5)


def calls_of(path: Path) -> list[str]:
    """What a file imports and calls, as it is written there; keyword arguments as ``name=value``."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            found += [f"import {getattr(node, 'module', None) or alias.name}" for alias in node.names]
        elif isinstance(node, ast.Call):
            found.append(f"{ast.unparse(node.func)}({', '.join(ast.unparse(keyword) for keyword in node.keywords)})")
    return found


@pytest.mark.parametrize("folder", ["tokenization", "modeling_aslstm", "aslstm", "train_scripts"])
def test_no_file_unpickles_or_runs_text(folder: str) -> None:
    # torch.load reads tensors alone with weights_only=True.
    unsafe = re.compile(
        r"import (pickle|dill|cloudpickle|joblib|shelve|marshal)\b|^(eval|exec|compile|__import__)\(|\.read_pickle\("
        r"|torch\.load\((?!.*weights_only=True)|allow_pickle=True|yaml\.(unsafe_)?load\(|shell=True|os\.(system|popen)\("
    )
    paths = sorted((ROOT / folder).rglob("*.py"))
    assert paths
    assert {str(path): [call for call in calls_of(path) if unsafe.search(call)] for path in paths} == {
        str(p): [] for p in paths
    }


@pytest.mark.parametrize("unit", ["[[[[", "😂\u200d", "//@", "&#", "e\u0301\u0316", "[没", "🇨", "a.b-"])
def test_a_hostile_post_takes_time_in_proportion_to_its_length(unit: str, tokenizer: ASLSTMTokenizer) -> None:
    def seconds(size: int, repeats: int) -> float:
        text = unit * (size // len(unit))
        times = []
        for _ in range(repeats):
            start = time.process_time()
            tokenizer.encode(text)
            times.append(time.process_time() - start)
        return min(times)

    tokenizer.encode("今天")  # reads jieba's dictionary
    gc.disable()  # Its time depends on what other tests have left in this process.
    try:
        short, long = seconds(250_000, 2), seconds(1_000_000, 2)
    finally:
        gc.enable()
    # Four times as long; quadratic time would be 16 times as much. What takes no time is noise.
    assert long < 7 * short + 0.2
