"""Commands in processes of their own, forked from one that has imported what they import: else each takes seconds to start.

As a module: the :class:`CommandServer` that the tests ask. As a script, ``command_server.py SOCKET MODULE...``: what it starts.
"""

import atexit
import gc
import importlib
import json
import multiprocessing
import os
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

STREAMS = 3


class CommandProcess:
    """A script that runs; its exit codes are those of ``subprocess``."""

    def __init__(self, connection: socket.socket) -> None:
        self._answers = connection.makefile("rb")
        connection.close()
        self.pid = int(self._answers.readline())
        self.returncode: int | None = None

    def poll(self, seconds: float = 0) -> int | None:
        """The exit code, or none in that time."""
        if self.returncode is None and select.select([self._answers], [], [], seconds)[0]:
            self.returncode = int(self._answers.readline())
            self._answers.close()
        return self.returncode

    def wait(self) -> int:
        """The exit code.

        Raises:
            TimeoutError: none in ten minutes.
        """
        code = self.poll(600)
        if code is None:
            raise TimeoutError(f"process {self.pid} does not end")
        return code

    def send_signal(self, number: signal.Signals) -> None:
        """Unless the script has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)


class CommandServer:
    """Imports modules once, when first asked, and forks processes from there.

    Args:
        modules: what is imported.
        environment: of the server. A script may have another one, but what modules read as they are imported is from here.
    """

    def __init__(self, modules: list[str], environment: Mapping[str, str]) -> None:
        self._modules, self._environment = modules, dict(environment)
        self._starting = threading.Lock()
        self._address = ""

    def _start(self) -> None:
        folder = tempfile.mkdtemp(prefix="scripts")
        atexit.register(shutil.rmtree, folder)
        # It ends when its standard input does, which is when this process ends, however that may be.
        self._process = subprocess.Popen(
            [sys.executable, __file__, f"{folder}/socket", *self._modules],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=self._environment,
        )  # fmt: skip
        assert self._process.stdout and self._process.stdout.readline() == b"ready\n"
        self._process.stdout.close()
        self._address = f"{folder}/socket"

    def start(
        self,
        command: list[str | Path],
        *,
        stdout: IO[Any],
        stderr: IO[Any],
        cwd: Path | None = None,
        environment: Mapping[str, str] = os.environ,
        killed_at: tuple[str, str] | None = None,
    ) -> CommandProcess:
        """Start what ``python COMMAND`` would: a script, ``-m`` and a module, or ``-c`` and code, with arguments.

        Args:
            killed_at: the script ends itself by SIGKILL at the first of Python's audit events of this name whose arguments
                hold this text.
        """
        with self._starting:
            if not self._address:
                self._start()
        request = {
            "command": list(map(str, command)),
            "cwd": str(cwd or Path.cwd()),
            "environment": dict(environment),
            "killed_at": killed_at,
        }
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self._address)
        with Path(os.devnull).open("rb") as nothing:
            socket.send_fds(connection, [b"!"], [file.fileno() for file in (nothing, stdout, stderr)])
        connection.sendall(json.dumps(request).encode())
        connection.shutdown(socket.SHUT_WR)
        return CommandProcess(connection)

    def run(self, command: list[str | Path], **options: Any) -> subprocess.CompletedProcess[str]:
        """Run to the end, as ``subprocess.run`` would."""
        with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
            code = self.start(command, stdout=stdout, stderr=stderr, **options).wait()
            texts = []
            for file in (stdout, stderr):
                file.seek(0)
                texts.append(file.read().decode().replace("\r\n", "\n"))
        return subprocess.CompletedProcess(list(map(str, command)), code, *texts)


def serve(address: str) -> None:
    """Fork a process for each connection, until standard input ends."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    gc.freeze()  # else the first collection in a forked process copies all there is
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that answer
    os.write(1, b"ready\n")
    while listener in select.select([listener, 0], [], [])[0]:
        connection = listener.accept()[0]
        if os.fork() == 0:
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            answer(connection)
            os._exit(0)
        connection.close()


def answer(connection: socket.socket) -> None:
    """Run a script, and tell the number of its process and its exit code."""
    streams = socket.recv_fds(connection, 1, STREAMS)[1]
    request = json.loads(connection.makefile("rb").read())
    process = multiprocessing.get_context("fork").Process(target=run, args=(connection, streams), kwargs=request)
    process.start()
    connection.sendall(f"{process.pid}\n".encode())
    process.join()
    connection.sendall(f"{process.exitcode}\n".encode())


def run(
    connection: socket.socket,
    streams: list[int],
    command: list[str],
    cwd: str,
    environment: dict[str, str],
    killed_at: tuple[str, str] | None,
) -> None:
    """Be the script."""
    connection.close()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    if killed_at:
        event, name = killed_at
        sys.addaudithook(lambda found, arguments: found == event and name in str(arguments) and os.kill(os.getpid(), 9))
    if command[0] == "-c":
        sys.argv = ["-c", *command[2:]]
        sys.path[0] = ""
        exec(compile(command[1], "<string>", "exec"), {"__name__": "__main__"})
    elif command[0] == "-m":
        sys.argv = command[1:]
        runpy.run_module(command[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = command
        sys.path[0] = str(Path(command[0]).parent)
        runpy.run_path(command[0], run_name="__main__")


if __name__ == "__main__":
    for module in sys.argv[2:]:
        importlib.import_module(module)
    serve(sys.argv[1])
