"""Takes a function and its arguments, and gives its result from a process of its own, within a time limit.

Work on what a visitor uploads is done there: whatever it costs, the app goes on answering others meanwhile, and all memory of
the work is free when it ends.
"""

import atexit
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from contextlib import closing, suppress
from enum import Enum
from multiprocessing.connection import Connection
from threading import BoundedSemaphore, Lock
from typing import Any

from aslstm.errors import UserError

# Processes are forked from a server that has imported what they need. On Windows there is none, and each process takes seconds
# to start.
_HAS_SERVER = "forkserver" in multiprocessing.get_all_start_methods()
_CONTEXT: Any = multiprocessing.get_context("forkserver" if _HAS_SERVER else "spawn")
# The app's process answers posts meanwhile, and should be served first.
_NICENESS = 10
# A file of some megabytes may unpack to gigabytes. A job that needs more than these ends, and the app goes on.
_MAX_MEMORY = 6 << 30


class Refusal(Enum):
    """Says why a job was not done."""

    BUSY = "too many jobs wait already"
    SLOW = "it took too long and was stopped"
    ENDED = "its process ended before the work was done"


class JobRefused(Exception):
    """Says that a job was not done.

    Args:
        why: The reason.
    """

    def __init__(self, why: Refusal) -> None:
        super().__init__(why.value)
        self.why = why


class JobRunner:
    """Runs jobs one at a time, each in a process of its own.

    Args:
        modules: The names of the modules that the jobs need. The server of processes imports them once.
        seconds: The time that one job may take.
        num_waiting: How many jobs may wait for the one that runs; more are refused.
    """

    def __init__(self, *modules: str, seconds: float, num_waiting: int) -> None:
        if _HAS_SERVER:
            _CONTEXT.set_forkserver_preload(list(modules))
        self.seconds = seconds
        self._places = BoundedSemaphore(1 + num_waiting)
        self._turn = Lock()
        self._process: Any = None
        # Before the exit, Python waits for processes that run.
        atexit.register(self._kill)

    def start(self) -> None:
        """Wait until the server of processes has imported what jobs need."""
        self.run(_nothing, progress=_nothing)

    def run(self, job: Callable[..., Any], *arguments: Any, progress: Callable[[Any], Any]) -> Any:
        """Wait for this job's turn, run it and return its result.

        Args:
            job: A function of a module, which is called with the arguments and with a function that takes what is known of the
                progress.
            arguments: The arguments, which pickle must be able to store.
            progress: A function that is called with what the job says of its progress.

        Raises:
            UserError: The job raised it.
            JobRefused: The job was not done.
        """
        if not self._places.acquire(blocking=False):
            raise JobRefused(Refusal.BUSY)
        try:
            with self._turn:
                return self._run(job, arguments, progress)
        finally:
            self._places.release()

    def _run(self, job: Callable[..., Any], arguments: tuple[Any, ...], progress: Callable[[Any], Any]) -> Any:
        end = time.monotonic() + self.seconds
        ours, theirs = _CONTEXT.Pipe(duplex=False)
        process = _CONTEXT.Process(target=_work, args=(theirs, job, arguments))
        process.start()
        # Whoever stops the app meanwhile finds no process that has no number yet.
        self._process = process
        theirs.close()
        with closing(ours):
            try:
                while ours.poll(max(0.0, end - time.monotonic())):
                    kind, value = ours.recv()
                    if kind == "result":
                        return value
                    if kind == "error":
                        raise UserError(value)
                    progress(value)
            except EOFError as error:
                raise JobRefused(Refusal.ENDED) from error
            finally:
                self._kill()
        raise JobRefused(Refusal.SLOW)

    def _kill(self) -> None:
        """End the process of the job, and those that it has started."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.join()
        self._process = None


def _nothing(_: object) -> None:
    pass


def _work(connection: Connection, job: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    if hasattr(os, "setsid"):
        os.setsid()
        os.nice(_NICENESS)
        _bound_memory()
    try:
        connection.send(("result", job(*arguments, lambda step: connection.send(("progress", step)))))
    except UserError as error:
        connection.send(("error", str(error)))
    except MemoryError:
        os._exit(1)  # Whoever waits sees that the connection is closed; a traceback would only fill the log.


def _bound_memory() -> None:
    # Imported here, because Windows has no such module.
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = _MAX_MEMORY if hard == resource.RLIM_INFINITY else min(_MAX_MEMORY, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
