"""Takes functions and commands and gives the time and the memory that they need, and the row of a table for each figure."""

import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import psutil

_POLL_SECONDS = 0.02
REPEATS = 5
HEADER = "| | figure | must reach | aim | bound | |\n|---|---|---|---|---|---|"


class Result(NamedTuple):
    """Holds a ratio, or a figure in the unit that its title names, and what it is compared with.

    Attributes:
        title: What is measured.
        ratio: The figure.
        target: The figure that must be reached, or None.
        at_most: Whether a smaller figure is better.
        aim: The figure that is aimed for, or None.
        bound: The best that the figure could be as measured in the same run, or None. What sets it is said in the docstring of
            the function that measures it.
    """

    title: str
    ratio: float
    target: float | None = None
    at_most: bool = False
    aim: float | None = None
    bound: float | None = None

    @property
    def is_reached(self) -> bool | None:
        """Whether the target is met; None if there is none."""
        if self.target is None:
            return None
        return self.ratio <= self.target if self.at_most else self.ratio >= self.target

    def line(self) -> str:
        """Return the row of the table."""
        verdict = {True: "pass", False: "not reached", None: ""}[self.is_reached]
        sign = "≤" if self.at_most else "≥"
        asked = ("–" if value is None else f"{sign} {value:g}" for value in (self.target, self.aim))
        bound = "–" if self.bound is None else _shown(self.bound)
        return f"| {self.title} | {_shown(self.ratio)} | {' | '.join(asked)} | {bound} | {verdict} |"


def _shown(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"


def seconds_of_each(ways: Mapping[str, Callable[[], object]], repeats: int = REPEATS) -> dict[str, float]:
    """Return the median seconds of each way after one call that warms it up; the ways take turns."""
    for way in ways.values():
        way()
    return median_seconds(ways, repeats)


def median_seconds(ways: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Return the median seconds of each way; the ways take turns."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


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
