"""Takes a function that makes something with threads of its own, and gives what it makes, made again in a forked process."""

import os
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class PerProcess(Generic[T]):
    """Holds something that every process must make for itself.

    A forked process has the memory of its parent and none of its threads, so a pool of threads or a session of the parent would
    wait for ever.

    Args:
        make: The function that makes it; it is called at the first use in each process.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: list[tuple[int, T]] = []

    def get(self) -> T:
        """Return what this process has made, which is made now if need be."""
        # Two threads may both make it at first, which costs time and does no harm. A lock could be held during a fork.
        if not self._made or self._made[-1][0] != os.getpid():
            # What the parent made is kept: to destroy it would wait for its threads.
            self._made.append((os.getpid(), self._make()))
        return self._made[-1][1]
