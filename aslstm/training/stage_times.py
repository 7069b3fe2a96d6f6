"""Wall time of the stages of a run: logged as each ends, a table at the end."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from aslstm.printing import table_text

logger = logging.getLogger(__name__)


class StageTimes:
    """Adds up the seconds of each stage; a stage that comes again, as with several seeds, is added to."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """Time the block. One that fails is not counted: its error is the report."""
        started = time.perf_counter()
        yield
        seconds = time.perf_counter() - started
        self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds
        logger.info("%s: %.1f s", stage, seconds)

    def table(self) -> str:
        """A line a stage, in the order of their first end, with its share of their sum."""
        total = sum(self.seconds.values())
        rows = [[stage, f"{seconds:.1f}", f"{seconds / total:.0%}"] for stage, seconds in self.seconds.items()]
        return table_text(["stage", "seconds", "share"], [*rows, ["all", f"{total:.1f}", ""]])
