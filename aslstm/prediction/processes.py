"""Gives what a process must know of those that the launcher started with it."""

import os
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from aslstm.errors import check_packages


class Processes(NamedTuple):
    """Says which of how many processes this is; ``wait`` returns when all processes have called it."""

    rank: int
    world_size: int
    wait: Callable[[], None]


def number_of_processes() -> int:
    """Return how many processes the launcher started."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def join_processes() -> Processes:
    """Meet the other processes, if there are any, and return what is known of them."""
    if number_of_processes() == 1:
        return Processes(0, 1, lambda: None)
    check_packages("train", "accelerate", "torch")
    # Imported here and not above: it imports torch.
    from accelerate import PartialState

    # The last wait is as long as the slowest process works.
    state = PartialState(cpu=True, timeout=timedelta(days=30))
    return Processes(state.process_index, state.num_processes, state.wait_for_everyone)
