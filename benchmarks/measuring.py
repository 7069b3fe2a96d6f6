"""Takes a command and gives the time and the memory that it needs with all of its processes."""

import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

import psutil

_POLL_SECONDS = 0.02


class Cost(NamedTuple):
    """Holds the wall time in seconds and the peak resident memory in megabytes."""

    seconds: float
    megabytes: float


def run_measured(command: Sequence[str]) -> Cost:
    """Run a command to its end; its memory is the largest sum over its processes (shared pages count in each).

    Raises:
        CalledProcessError: The command failed; its standard error is attached.
    """
    started = time.perf_counter()
    peak = 0.0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        tree = psutil.Process(process.pid)
        while process.poll() is None:
            try:
                processes = [tree, *tree.children(recursive=True)]
                peak = max(peak, sum(p.memory_info().rss for p in processes) / (1 << 20))
            except psutil.NoSuchProcess:  # The child ended after it was listed.
                continue
            time.sleep(_POLL_SECONDS)
        seconds = time.perf_counter() - started
        error = process.stderr.read() if process.stderr else ""
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(command), stderr=error)
    return Cost(seconds, peak)


def peak_megabytes() -> float:
    """Return the peak resident memory of this process so far."""
    return megabytes_of(resource.getrusage(resource.RUSAGE_SELF))


def megabytes_of(usage: resource.struct_rusage) -> float:
    """Return the peak resident memory that the system reports in ``usage``."""
    return usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
