"""Takes single items from many requests and gives each its result; the items of a few milliseconds are worked on at once.

One thread does the work, so that the event loop goes on reading requests meanwhile. While it works, items gather for the next
batch: the busier the service, the larger its batches.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, NamedTuple, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class TooBusyError(Exception):
    """Says that too many items wait already."""


class _Item(NamedTuple):
    """Holds an item and the future of its result."""

    value: Any
    result: "asyncio.Future[Any]"


class MicroBatcher(Generic[T, R]):
    """Collects items and works on those that came within a few milliseconds in one batch; :meth:`run` must run meanwhile.

    Args:
        work: The function that takes a list of items and returns a result for each, in order. It is called in one thread.
        max_items: The largest batch.
        max_waiting: How many items may wait; more are refused.
        seconds: How long a batch waits for more items after the first one came. It does not wait for one that is full.
        on_batch: A function that is called with the number of items of each batch.

    Attributes:
        num_waiting: How many items somebody waits for, also those that are being worked on.
    """

    def __init__(
        self,
        work: Callable[[list[T]], Sequence[R]],
        *,
        max_items: int,
        max_waiting: int,
        seconds: float = 0.0,
        on_batch: Callable[[int], object] = lambda number: None,
    ) -> None:
        self._work = work
        self._max_items = max_items
        self._max_waiting = max_waiting
        self._seconds = seconds
        self._on_batch = on_batch
        self._waiting: deque[_Item] = deque()
        self._has_come = asyncio.Event()
        self.num_waiting = 0

    async def results(self, values: Sequence[T]) -> list[R]:
        """Return the result of each item, in order, once all are there.

        If the task that waits here is cancelled, its items that still wait are never worked on.

        Raises:
            TooBusyError: Too many items wait already.
        """
        if self.num_waiting + len(values) > self._max_waiting:
            raise TooBusyError
        loop = asyncio.get_running_loop()
        items = [_Item(value, loop.create_future()) for value in values]
        self._waiting.extend(items)
        self._has_come.set()
        self.num_waiting += len(items)
        try:
            return list(await asyncio.gather(*(item.result for item in items)))
        finally:
            self.num_waiting -= len(items)

    async def run(self) -> None:
        """Work on what comes, until the task of this is cancelled."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1) as thread:
            while True:
                await self._has_come.wait()
                if len(self._waiting) < self._max_items and self._seconds:
                    await asyncio.sleep(self._seconds)
                if items := self._next_items():
                    self._on_batch(len(items))
                    found = await loop.run_in_executor(thread, self._results_or_errors, [item.value for item in items])
                    for item, result in zip(items, found, strict=True):
                        _settle(item.result, result)

    def _next_items(self) -> list[_Item]:
        """Take the items of the next batch; those that nobody waits for any longer are dropped."""
        items: list[_Item] = []
        while self._waiting and len(items) < self._max_items:
            item = self._waiting.popleft()
            if not item.result.done():
                items.append(item)
        if not self._waiting:
            self._has_come.clear()
        return items

    def _results_or_errors(self, values: list[T]) -> Sequence[R | Exception]:
        """Return the result of each item; if a batch fails, each item is tried alone, so that one does not fail the others."""
        try:
            return self._work(values)
        except Exception as error:
            return [error] if len(values) == 1 else [self._results_or_errors([value])[0] for value in values]


def _settle(future: "asyncio.Future[Any]", result: Any) -> None:
    if future.done():  # Whoever asked has given up.
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
