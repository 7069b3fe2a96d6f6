"""Takes the stages of a run and gives their wall times: a log line as each ends, and a table of all of them."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from aslstm.printing import table_text

logger = logging.getLogger(__name__)


class StageTimes:
    """Adds up the seconds of each stage; a stage that runs several times, as with several seeds, has one sum."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """Measure the time of the block; one that ends with an error is not counted."""
        started = time.perf_counter()
        yield
        seconds = time.perf_counter() - started
        self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds
        logger.info("%s: %.1f s", stage, seconds)

    def table(self) -> str:
        """Return a table with a line for each stage and its share of the sum, in the order in which the stages first ended."""
        total = sum(self.seconds.values())
        rows = [[stage, f"{seconds:.1f}", f"{seconds / total:.0%}"] for stage, seconds in self.seconds.items()]
        return table_text(["stage", "seconds", "share"], [*rows, ["all", f"{total:.1f}", ""]])
