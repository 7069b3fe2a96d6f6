"""Compares training that is killed again and again with a run that is not: the final weights must be equal, bit by bit.

python -m benchmarks.killed_training --kills 20 --num_processes 1
python -m benchmarks.killed_training --kills 20 --num_processes 2

A tiny model learns the sample corpus. After each start the benchmark waits for the first state that the run saves and then
sends SIGKILL: at a random moment, while a state is being written, or to only one of two processes. The next start resumes.
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from aslstm.commands.flags import CommandParser, run
from aslstm.errors import UserError

TRAIN = ("-m", "aslstm", "train")
SIZES = ("--embedding_size", "16", "--hidden_size", "8", "--early_stopping_patience", "1000", "--checkpointing_steps", "5")
COMPARED = ("model.safetensors", "config.json", "eval_results.json")
LONGEST_DELAY_SECONDS = 0.3
START_TIMEOUT_SECONDS = 300


def start_training(output: Path, num_processes: int, num_epochs: int, *more: str) -> subprocess.Popen[bytes]:
    """Start ``aslstm train`` on the sample corpus; its output is appended to ``OUTPUT.log``."""
    launcher = (
        [] if num_processes == 1 else ["-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={num_processes}"]
    )
    command = [sys.executable, *launcher, *TRAIN, "--output_dir", str(output), "--num_train_epochs", str(num_epochs)]
    environment = {**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    with output.with_name(f"{output.name}.log").open("ab") as log:
        return subprocess.Popen([*command, *SIZES, *more], stdout=log, stderr=log, env=environment)


def end_of_log(output: Path) -> str:
    """Return the last lines of the log of an output folder."""
    return output.with_name(f"{output.name}.log").read_text(encoding="utf-8")[-2000:]


def wait_for(condition: Callable[[], object], process: subprocess.Popen[bytes], output: Path) -> None:
    """Wait until a condition is true.

    Raises:
        RuntimeError: The process ended before that, or it takes too long.
    """
    started = time.monotonic()
    while not condition():
        if process.poll() is not None or time.monotonic() - started > START_TIMEOUT_SECONDS:
            raise RuntimeError(f"expected a process to kill, found its end ({process.poll()}):\n{end_of_log(output)}")
        time.sleep(0.0005)


def states(output: Path) -> list[str]:
    """Return the names of the saved states, in order."""
    return sorted(path.name for path in output.with_name(f"{output.name}-checkpoints").glob("step-????????"))


def partial_states(output: Path) -> list[Path]:
    """Return the folders of states that are being written or that a killed run left incomplete."""
    return list(output.with_name(f"{output.name}-checkpoints").glob("*.partial"))


def kill_once(process: subprocess.Popen[bytes], output: Path, way: str, chooser: random.Random) -> None:
    """Kill a run that was just started, after the first state that it saves.

    Args:
        process: The run or its launcher.
        output: The output folder of the run.
        way: ``random moment``, ``while saving`` or ``one process``.
        chooser: The random numbers that choose moments and processes.
    """
    before = states(output)
    wait_for(lambda: states(output) not in ([], before), process, output)
    launcher = psutil.Process(process.pid)
    family = [launcher, *launcher.children(recursive=True)]
    time.sleep(chooser.uniform(0, LONGEST_DELAY_SECONDS))
    if way == "while saving":
        wait_for(lambda: partial_states(output), process, output)
    for victim in [chooser.choice(family[1:])] if way == "one process" else family:
        victim.send_signal(signal.SIGKILL)
    process.wait()
    psutil.wait_procs(family)


def train_unbroken(output: Path, num_processes: int, num_epochs: int, *more: str) -> None:
    """Train to the end without a kill.

    Raises:
        RuntimeError: Training failed.
    """
    if start_training(output, num_processes, num_epochs, *more).wait() != 0:
        raise RuntimeError(f"expected a run to its end, found:\n{end_of_log(output)}")


def compare(num_kills: int, num_processes: int, folder: Path, seed: int) -> bool:
    """Train without and with kills, print a line for each kill, and return whether the results are equal."""
    chooser = random.Random(seed)
    num_epochs = 5 + num_kills
    whole, killed = folder / "whole", folder / "killed"
    train_unbroken(whole, num_processes, num_epochs)
    ways = ["while saving", "random moment", *(["one process"] if num_processes > 1 else [])]
    print(f"{'kill':>5}  {'way':<15}{'newest state':<15}left half-written")
    for number in range(1, num_kills + 1):
        way = ways[number % len(ways)]
        kill_once(start_training(killed, num_processes, num_epochs, "--resume_from_checkpoint"), killed, way, chooser)
        print(f"{number:>5}  {way:<15}{states(killed)[-1]:<15}{'yes' if partial_states(killed) else 'no'}", flush=True)
    train_unbroken(killed, num_processes, num_epochs, "--resume_from_checkpoint")
    print(f"unbroken: {states(whole)[-1]}, killed: {states(killed)[-1]}")
    is_same = {name: (whole / name).read_bytes() == (killed / name).read_bytes() for name in COMPARED}
    for name, same in is_same.items():
        print(f"{name}: {'pass: equal, byte for byte' if same else 'FAIL: differs'}")
    return all(is_same.values())


def main() -> None:
    """Measure and print; the exit code is 1 if a result differs."""
    parser = CommandParser("killed_training", "Training killed and resumed.")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--num_processes", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    arguments = parser.parse_args()
    for name in ("kills", "num_processes"):
        if getattr(arguments, name) < 1:
            raise UserError(f"--{name}: expected 1 or more, found {getattr(arguments, name)}")
    with tempfile.TemporaryDirectory() as folder:
        if not compare(arguments.kills, arguments.num_processes, Path(folder), arguments.seed):
            sys.exit(1)


if __name__ == "__main__":
    run(main)
