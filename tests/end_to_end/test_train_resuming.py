"""Training killed, told to stop and resumed: the final weights are those of an unbroken run, by one process and two."""

import json
import os
import random
import re
import signal
import socket
import sys
import time
from pathlib import Path

import pytest

from aslstm.commands.flags import show_flags
from tests.support.command_server import CommandProcess
from tests.support.commands import COMMANDS, SMALL_CORPUS

SIZES = (
    "--embedding_size", "16", "--hidden_size", "8", "--max_train_samples", "800", "--num_train_epochs", "5",
    "--early_stopping_patience", "5", *SMALL_CORPUS,
)  # fmt: skip
SAVING = ("--checkpointing_steps", "5")
COMPARED = ("model.safetensors", "config.json", "eval_results.json")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows neither forks nor kills by signal")


def start(output: Path, *flags: str | Path, num_processes: int = 1, killed_at: str = "") -> list[CommandProcess]:
    """Start a run as a launcher would; its processes end by SIGKILL when they open a file whose path ends so."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    processes = []
    with output.with_name(f"{output.name}.log").open("ab") as log:
        for rank in range(num_processes):
            environment = {**os.environ, "ACCELERATE_USE_CPU": "true"}
            if num_processes > 1:
                environment |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(num_processes)}
                environment |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
            command = ["-m", "aslstm", "train", "--output_dir", output, *SIZES, *flags]
            kill = ("open", f"{killed_at}'") if killed_at else None
            processes.append(COMMANDS.start(command, stdout=log, stderr=log, environment=environment, killed_at=kill))
    return processes


def exit_codes(processes: list[CommandProcess]) -> list[int]:
    return [process.wait() for process in processes]


def assert_killed(processes: list[CommandProcess], output: Path) -> None:
    """Kill what still runs; the others may end of themselves before that, because the first no longer answers them."""
    for process in processes:
        process.send_signal(signal.SIGKILL)
    codes = exit_codes(processes)
    assert codes[0] == -signal.SIGKILL and 0 not in codes, log_of(output)


def log_of(output: Path) -> str:
    return output.with_name(f"{output.name}.log").read_text(encoding="utf-8")


def states(output: Path) -> list[str]:
    return sorted(path.name for path in output.with_name(f"{output.name}-checkpoints").glob("step-????????"))


def wait_for_a_new_state(processes: list[CommandProcess], output: Path) -> None:
    before = states(output)
    while states(output) in ([], before):
        assert all(process.poll() is None for process in processes), log_of(output)
        time.sleep(0.001)


@pytest.fixture(scope="module", params=[1, 2])
def unbroken(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """A run that saves no states, and its number of processes."""
    output = tmp_path_factory.mktemp("unbroken") / "model"
    assert exit_codes(start(output, num_processes=request.param)) == [0] * request.param, log_of(output)
    return output, request.param


def test_a_run_that_is_killed_and_stopped_ends_with_the_same_weights(unbroken: tuple[Path, int], tmp_path: Path) -> None:
    whole, num_processes = unbroken
    output = tmp_path / "model"
    # The same command each time. While the second state is written:
    killed_at = "step-00000010.partial/state.json"
    flags = (*SAVING, "--resume_from_checkpoint")
    processes = start(output, *flags, num_processes=num_processes, killed_at=killed_at)
    processes[0].wait()
    assert_killed(processes, output)
    assert "no state of training yet: starting anew" in log_of(output)
    assert [path.name for path in tmp_path.glob("*/*.partial")] == ["step-00000010.partial"]
    assert states(output) == ["step-00000005"]

    # At a random moment.
    processes = start(output, *flags, num_processes=num_processes)
    wait_for_a_new_state(processes, output)
    time.sleep(random.uniform(0, 0.05))
    assert_killed(processes, output)
    assert "resumed in epoch 1, after step 5" in log_of(output)

    # The last of the processes is told to stop.
    processes = start(output, *flags, num_processes=num_processes)
    wait_for_a_new_state(processes, output)
    processes[-1].send_signal(signal.SIGTERM)
    assert exit_codes(processes) == [128 + signal.SIGTERM] * num_processes, log_of(output)
    stopped_at = re.search(r"stopped by SIGTERM after step (\d+)", log_of(output))
    assert stopped_at and states(output)[-1] == f"step-{int(stopped_at[1]):08d}"
    assert not output.exists()

    # To the end, passing over the newest state.
    newest = tmp_path / "model-checkpoints" / states(output)[-1] / "state.safetensors"
    newest.write_bytes(newest.read_bytes()[:-1])
    assert exit_codes(start(output, *flags, num_processes=num_processes)) == [0] * num_processes, log_of(output)
    assert f"passed over a damaged state of training ({newest}: " in log_of(output)
    for name in COMPARED:
        assert (output / name).read_bytes() == (whole / name).read_bytes(), name
    assert len(states(output)) == 2 and not list(tmp_path.glob("*/*.partial"))
    assert "checkpoint" not in (output / "README.md").read_text(encoding="utf-8")

    # A run with other flags is another run.
    assert exit_codes(start(output, "--resume_from_checkpoint", "--learning_rate", "0.1"))[0] == 2
    assert "expected the run that was begun, with --learning_rate 0.002" in log_of(output).splitlines()[-1]


@pytest.mark.parametrize(
    ("flags", "every", "killed_at"),
    [
        (("--gradient_accumulation_steps", "3"), "1", "step-00000003.partial/state.json"),  # 7 batches, 3 steps an epoch
        (("--mixed_precision", "bf16", "--early_stopping_patience", "1", "--select", "accuracy"), "epoch", ""),
    ],
    ids=["accumulation", "bf16"],
)
def test_every_state_leads_to_the_same_weights(flags: tuple[str, ...], every: str, killed_at: str, tmp_path: Path) -> None:
    flags = (*flags, "--max_train_samples", "400", "--num_train_epochs", "3")
    whole, saved = tmp_path / "whole", tmp_path / "saved"
    assert exit_codes(start(whole, *flags)) == [0], log_of(whole)
    code = exit_codes(start(saved, *flags, "--checkpointing_steps", every, killed_at=killed_at))
    assert code == [-signal.SIGKILL if killed_at else 0]
    assert len(states(saved)) == 2
    for state in states(saved):
        resumed = tmp_path / state
        path = tmp_path / "saved-checkpoints" / state
        assert exit_codes(start(resumed, *flags, "--resume_from_checkpoint", path)) == [0], log_of(resumed)
        for name in COMPARED:
            assert (resumed / name).read_bytes() == (whole / name).read_bytes(), (state, name)


def test_a_loss_that_is_not_finite_stops_with_its_batch(tmp_path: Path) -> None:
    output = tmp_path / "model"
    flags = ("--learning_rate", "1e30", "--warmup_ratio", "0", "--max_train_samples", "400", *SAVING)
    assert exit_codes(start(output, *flags)) == [2]
    place = output.with_name("model-bad-batch-0.json")
    last = log_of(output).splitlines()[-1]
    found = re.fullmatch(
        r"error: step (\d+) \(Epoch 1/5, batch \1 of 7\): expected a finite loss, found (nan|inf); lower --learning_rate or "
        rf"train without --mixed_precision; its batch is in {re.escape(str(place))}",
        last,
    )
    assert found, last
    batch = json.loads(place.read_text(encoding="utf-8"))
    assert last.startswith(f"error: {show_flags(batch['error'])}")
    assert len(batch["input_ids"]) == len(batch["labels"]) == len(batch["row"]) == 64
    assert all(0 <= label < 8 for label in batch["labels"]) and not output.exists()
