"""Ctrl-C: one line and exit code 130 in every command, what is done is kept, and a second one stops at once."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.command_server import CommandProcess
from tests.support.commands import COMMANDS, ROOT, SMALL_CORPUS
from tests.support.prediction_runs import PREDICT, answer, write_txt

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has other signals")

SIZES = (
    "--embedding_size",
    "16",
    "--hidden_size",
    "8",
    "--max_train_samples",
    "800",
    "--num_train_epochs",
    "50",
    *SMALL_CORPUS,
)
NUM_POSTS = 60_000


def start(log: Path, *command: str | Path) -> CommandProcess:
    with log.open("ab") as file:
        return COMMANDS.start(["-m", "aslstm", *command], stdout=file, stderr=file)


def interrupted(process: CommandProcess, log: Path, ready: Callable[[str], bool], presses: int = 1) -> str:
    """What a command says after Ctrl-C, pressed when what it said before is enough."""
    while not ready(text := log.read_text(encoding="utf-8")):
        assert process.poll() is None, text
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    for _ in range(presses - 1):
        time.sleep(1.1)
        process.send_signal(signal.SIGINT)
    assert process.wait() == 128 + signal.SIGINT, log.read_text(encoding="utf-8")
    found = log.read_text(encoding="utf-8")
    assert "Traceback" not in found
    return found


@pytest.fixture
def posts(tmp_path: Path) -> Path:
    return write_txt(tmp_path / "posts.txt", [{"text": f"今天天气真的很好[泪]{i}"} for i in range(NUM_POSTS)])


def test_training_saves_a_state_and_goes_on_from_it(tmp_path: Path) -> None:
    log, output = tmp_path / "log", tmp_path / "model"
    flags = ("train", "--output_dir", output, *SIZES, "--checkpointing_steps", "1000", "--early_stopping_patience", "50")
    found = interrupted(start(log, *flags), log, lambda text: "epoch 1: " in text)
    assert "stopped by Ctrl-C after step " in found.splitlines()[-1]
    assert len(list(tmp_path.glob("model-checkpoints/step-????????"))) == 1
    assert not list(tmp_path.glob(".*"))
    log.unlink()
    found = interrupted(start(log, *flags, "--resume_from_checkpoint"), log, lambda text: "resumed in epoch " in text)
    assert len(list(tmp_path.glob("model-checkpoints/step-????????"))) == 2


def test_training_without_states_says_so(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = start(log, "train", "--output_dir", tmp_path / "model", *SIZES, "--early_stopping_patience", "50")
    found = interrupted(process, log, lambda text: "epoch 1: " in text)
    assert found.splitlines()[-1] == (
        "stopped by Ctrl-C; no state of training was saved; with --checkpointing_steps, a run goes on with "
        "--resume_from_checkpoint"
    )
    assert {path.name for path in tmp_path.iterdir()} == {"log"}


def test_a_second_ctrl_c_stops_training_at_once(tmp_path: Path) -> None:
    code = (
        "import signal, sys, time\nfrom aslstm.training.states import StopSignal\n"
        "stop = StopSignal()\nwith stop:\n    print('ready', flush=True)\n    time.sleep(1)\n    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout and process.stdout.readline() == b"ready\n"
        for pause in (0.1, 0.1, 1.2):  # Two presses within a second are one: a launcher passes on what the terminal sent.
            time.sleep(pause)
            assert process.poll() is None
            process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 128 + signal.SIGINT


def test_predicting_goes_on_afterwards(onnx_folder: Path, posts: Path, tmp_path: Path) -> None:
    log, output = tmp_path / "log", tmp_path / "out.jsonl"
    flags = ("--model", onnx_folder, "--backend", "onnx", "--num_threads", "1", "--input", posts, "--output", output)
    part = tmp_path / "out.jsonl.parts" / "00000001.jsonl"
    found = interrupted(start(log, *PREDICT[2:], *flags), log, lambda text: part.exists())
    assert found.splitlines()[-1] == "stopped by Ctrl-C; go on with --resume"
    assert not output.exists() and not (tmp_path / ".out.jsonl.lock").exists()
    answer(onnx_folder, "--input", posts, "--output", output, "--resume")
    answer(onnx_folder, "--input", posts, "--output", tmp_path / "unbroken.jsonl")
    assert output.read_bytes() == (tmp_path / "unbroken.jsonl").read_bytes()


@pytest.mark.parametrize("name", ["find-words", "train-vectors"])
def test_processes_of_a_command_say_nothing(posts: Path, tmp_path: Path, name: str) -> None:
    """A terminal sends Ctrl-C to all processes of a command."""
    output = tmp_path / ("out.tsv" if name == "find-words" else "out.bin")
    command = [
        sys.executable,
        "-m",
        "aslstm",
        name,
        "--input",
        *([str(posts)] * 20),
        "--output",
        str(output),
        "--num_workers",
        "2",
    ]
    before = {path.name for path in tmp_path.iterdir()}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True, cwd=ROOT) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while process.poll() is None and len(children.read_text(encoding="ascii").split()) < 2:
            time.sleep(0.01)
        time.sleep(0.3)
        os.killpg(process.pid, signal.SIGINT)
        assert process.stderr
        found = process.stderr.read()
    assert process.returncode == 128 + signal.SIGINT, found
    assert found.splitlines()[-1] == "stopped by Ctrl-C" and "Traceback" not in found
    assert {path.name for path in tmp_path.iterdir()} == before


def test_the_app_closes(model_folder: Path) -> None:
    pytest.importorskip("gradio", reason="needs the extra app")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    environment = {**os.environ, "GRADIO_SERVER_PORT": port, "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "aslstm", "app", "--model", str(model_folder)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, cwd=ROOT
    ) as process:
        assert process.stdout
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "(Ctrl-C stops)" in line:
                break
        else:
            pytest.fail("".join(lines))
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
    assert process.returncode in (0, 130) and "Traceback" not in rest, "".join(lines) + rest
    assert len([line for line in rest.splitlines() if line.strip()]) <= 2
