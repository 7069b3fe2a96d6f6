"""Keeps the attacks on the commands, which other modules register here, and gives them a place, a model and processes.

An attack is a function that takes an :class:`Arena`, does its worst and returns what came out in a few words. It raises
:class:`BrokenError` if the project did not hold.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from .measuring import megabytes_of

TINY = ("--embedding_size", "8", "--hidden_size", "4", "--max_train_samples", "400")
TIMEOUT_SECONDS = 300


class BrokenError(Exception):
    """Says what came out of an attack that the project did not withstand."""


@dataclass(frozen=True)
class Arena:
    """Gives an attack what it needs.

    Attributes:
        folder: An empty folder of this attack alone.
        model: A tiny model folder with ONNX graphs, which all attacks share and only read.
    """

    folder: Path
    model: Path
    environment: dict[str, str] = field(default_factory=lambda: {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"})

    def command(self, name: str, *flags: str | Path) -> list[str]:
        """Return the command line of ``aslstm NAME``."""
        return [sys.executable, "-m", "aslstm", name, *map(str, flags)]

    def predict(self, *flags: str | Path) -> list[str]:
        """Return the command line of ``aslstm predict`` with the model."""
        return self.command("predict", "--model", self.model, "--backend", "onnx", "--num_threads", "1", *flags)

    def run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(command, capture_output=True, text=True, env=self.environment, timeout=TIMEOUT_SECONDS)

    def run_weighed(self, command: list[str]) -> tuple[subprocess.CompletedProcess[str], float]:
        """Run a command to its end, and return what it said and its peak memory in MB."""
        with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said, env=self.environment)
            limit = threading.Timer(TIMEOUT_SECONDS, process.kill)
            limit.start()
            _, status, usage = os.wait4(process.pid, 0)
            limit.cancel()
            process.returncode = os.waitstatus_to_exitcode(status)
            said.seek(0)
            return subprocess.CompletedProcess(command, process.returncode, "", said.read()), megabytes_of(usage)

    def start(self, command: list[str]) -> subprocess.Popen[str]:
        """Start a command."""
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=self.environment)

    def posts(self, name: str, text: str, num_rows: int) -> Path:
        """Write a file with a post on each line, each with its number."""
        path = self.folder / name
        path.write_text("".join(f"{text}{number}[泪]\n" for number in range(num_rows)), encoding="utf-8")
        return path


class Attack(NamedTuple):
    """Describes a registered attack.

    Attributes:
        number: Its number in the list of faults that it comes from.
        name: What is attacked.
        done: What is done to it.
        run: The function that does it.
    """

    number: int
    name: str
    done: str
    run: Callable[[Arena], str]


ATTACKS: list[Attack] = []


def attack(number: int, name: str, done: str) -> Callable[[Callable[[Arena], str]], Callable[[Arena], str]]:
    """Register the decorated function as an attack; see :class:`Attack`."""

    def register(function: Callable[[Arena], str]) -> Callable[[Arena], str]:
        ATTACKS.append(Attack(number, name, done, function))
        return function

    return register


def expect(holds: bool, found: str) -> None:
    """Raise :class:`BrokenError` with what was found unless something holds."""
    if not holds:
        raise BrokenError(found)


def last_line(text: str) -> str:
    """Return the last line of what a command said."""
    return (text.strip() or "nothing").splitlines()[-1]


def expect_refusal(result: subprocess.CompletedProcess[str], what: str, *words: str) -> None:
    """Expect exit code 2 and a last line with all of the words, without a traceback."""
    last = last_line(result.stderr)
    refused = result.returncode == 2 and "Traceback" not in result.stderr and last.startswith("error: ")
    expect(refused and all(word in last for word in words), f"{what}: exit code {result.returncode}, {last}")


def wait_for(process: subprocess.Popen[str], is_ready: Callable[[], bool]) -> None:
    """Wait until something has happened.

    Raises:
        BrokenError: The process ended before, or it takes too long.
    """
    limit = time.monotonic() + TIMEOUT_SECONDS
    while not is_ready():
        if process.poll() is not None or time.monotonic() > limit:
            said = process.stderr.read() if process.stderr and process.poll() is not None else ""
            raise BrokenError(f"ended too early or too slow: {last_line(said)}")
        time.sleep(0.005)
