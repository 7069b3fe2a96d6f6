"""What many ask at once is worked on together, and nobody gets what another one caused."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from aslstm.serving.batching import MicroBatcher, TooBusyError

T = TypeVar("T")


class Doubler:
    """Doubles numbers, remembers the batches, refuses 13, and can be held up."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go = threading.Event()
        self.go.set()

    def __call__(self, numbers: list[int]) -> list[int]:
        self.batches.append(numbers)
        assert self.go.wait(10)
        if 13 in numbers:
            raise ValueError("13")
        return [2 * number for number in numbers]


def run(ask: Callable[[MicroBatcher[int, int]], Awaitable[T]], doubler: Doubler, **options: float) -> T:
    """Return what a function gives that asks a batcher which runs."""

    async def main() -> T:
        batcher = MicroBatcher(doubler, **{"max_items": 8, "max_waiting": 100, "seconds": 0.02} | options)  # type: ignore[arg-type]
        task = asyncio.create_task(batcher.run())
        try:
            return await asyncio.wait_for(ask(batcher), 20)
        finally:
            doubler.go.set()
            task.cancel()

    return asyncio.run(main())


def test_requests_of_the_same_moment_are_one_batch_and_each_gets_its_own_results() -> None:
    doubler = Doubler()

    async def ask(batcher: MicroBatcher[int, int]) -> list[list[int]]:
        return await asyncio.gather(batcher.results([1, 2]), batcher.results([]), batcher.results([3]))

    assert run(ask, doubler) == [[2, 4], [], [6]]
    assert doubler.batches == [[1, 2, 3]]


def test_a_large_request_is_cut_and_stays_in_order() -> None:
    doubler = Doubler()
    assert run(lambda batcher: batcher.results(range(12)), doubler) == [2 * number for number in range(12)]
    assert [len(batch) for batch in doubler.batches] == [8, 4]


def test_an_item_that_fails_fails_its_own_request_alone() -> None:
    async def ask(batcher: MicroBatcher[int, int]) -> list[list[int] | BaseException]:
        return await asyncio.gather(*(batcher.results([number]) for number in (1, 13, 2)), return_exceptions=True)

    first, second, third = run(ask, Doubler())
    assert (first, third) == ([2], [4])
    assert isinstance(second, ValueError)


def test_too_many_are_refused_and_what_nobody_waits_for_is_dropped() -> None:
    doubler = Doubler()
    doubler.go.clear()

    async def ask(batcher: MicroBatcher[int, int]) -> list[int]:
        first = asyncio.create_task(batcher.results([1]))
        while not doubler.batches:
            await asyncio.sleep(0.005)
        given_up = asyncio.create_task(batcher.results([2]))
        waiting = asyncio.create_task(batcher.results([3, 4]))
        await asyncio.sleep(0)
        assert batcher.num_waiting == 4
        with pytest.raises(TooBusyError):
            await batcher.results([5])
        given_up.cancel()
        await asyncio.wait([given_up])
        assert batcher.num_waiting == 3
        doubler.go.set()
        return [*await first, *await waiting]

    assert run(ask, doubler, max_waiting=4) == [2, 6, 8]
    assert doubler.batches == [[1], [3, 4]]
