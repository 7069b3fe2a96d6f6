"""Takes commands and runs each in a process of its own, forked from a server that has already imported their modules.

Otherwise every command would take seconds to start. The tests import :class:`CommandServer` from this module, which runs the
module as a script in the server process: ``command_server.py SOCKET MODULE...``.
"""

import atexit
import contextlib
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
    """Holds a running script; its exit codes are like those of ``subprocess``."""

    def __init__(self, connection: socket.socket) -> None:
        self._answers = connection.makefile("rb")
        connection.close()
        self.pid = int(self._answers.readline())
        self.returncode: int | None = None

    def poll(self, seconds: float = 0) -> int | None:
        """Return the exit code, or None if the script does not end within ``seconds``."""
        if self.returncode is None and select.select([self._answers], [], [], seconds)[0]:
            self.returncode = int(self._answers.readline())
            self._answers.close()
        return self.returncode

    def wait(self) -> int:
        """Wait for the script to end and return its exit code.

        Raises:
            TimeoutError: The script does not end within ten minutes.
        """
        code = self.poll(600)
        if code is None:
            raise TimeoutError(f"process {self.pid} does not end")
        return code

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to the script, unless it has ended."""
        if self.poll() is None:
            # It may have ended since.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


class CommandServer:
    """Imports modules once, at the first command, and then forks a process for each command.

    Args:
        modules: The modules to import.
        environment: The environment of the server. A script may have another one, but what modules read while they are
            imported comes from this one.
    """

    def __init__(self, modules: list[str], environment: Mapping[str, str]) -> None:
        self._modules, self._environment = modules, dict(environment)
        self._starting = threading.Lock()
        self._address = ""

    def _start(self) -> None:
        folder = tempfile.mkdtemp(prefix="scripts")
        atexit.register(shutil.rmtree, folder)
        # The server ends when its standard input does, and that is closed when this process ends, for whatever reason.
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
        """Start what ``python COMMAND`` would start: a script, ``-m`` and a module, or ``-c`` and code, with arguments.

        Args:
            command: The command without ``python``.
            stdout: The file for the standard output.
            stderr: The file for the standard error.
            cwd: The working folder; None for that of this process.
            environment: The environment variables.
            killed_at: The name of one of Python's audit events and a text. The script ends itself by SIGKILL at the first such
                event whose arguments contain the text.
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
        """Run a command to its end, as ``subprocess.run`` would."""
        with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
            code = self.start(command, stdout=stdout, stderr=stderr, **options).wait()
            texts = []
            for file in (stdout, stderr):
                file.seek(0)
                texts.append(file.read().decode().replace("\r\n", "\n"))
        return subprocess.CompletedProcess(list(map(str, command)), code, *texts)


def serve(address: str) -> None:
    """Fork a process for each connection until standard input ends."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    gc.freeze()  # Without this the first garbage collection in a forked process would copy all memory.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # Nothing waits for the processes that answer.
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
    """Run a script and send back its process id and its exit code."""
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
    """Run the script in this process, with its streams, folder, environment and arguments."""
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
