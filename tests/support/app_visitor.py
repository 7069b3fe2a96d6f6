"""The app in a process of its own, and visitors that speak to it as a browser does, or worse."""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SECONDS = 300
API = "/gradio_api"


@contextmanager
def served_app(model: Path, **environment: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Serve the app; gives its address and its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "aslstm", "app", "--model", str(model)]
    variables = {**os.environ, "GRADIO_SERVER_PORT": str(port), **environment}
    with subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL) as process:
        address = f"http://127.0.0.1:{port}"
        end = time.monotonic() + SECONDS
        try:
            while not _is_served(address):
                assert process.poll() is None, "the app ended before it served"
                assert time.monotonic() < end, f"the app did not serve within {SECONDS} seconds"
                time.sleep(0.5)
            yield address, process
        finally:
            process.terminate()


def _is_served(address: str) -> bool:
    try:
        urllib.request.urlopen(address).close()
    except urllib.error.URLError:
        return False
    return True


def send(address: str, body: bytes, kind: str) -> Any:
    """Post a body and return the JSON of the answer."""
    request = urllib.request.Request(address, body, {"Content-Type": kind})
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:
        return json.load(answer)


class Visitor:
    """A session of the app without a browser."""

    def __init__(self, address: str, model: Path, language: str = "en") -> None:
        self.api = address + API
        self.model, self.language = str(model), language
        self.session = secrets.token_hex(6)
        with urllib.request.urlopen(f"{address}/config", timeout=SECONDS) as answer:
            dependencies = json.load(answer)["dependencies"]
        self.functions = {one["api_name"]: one["id"] for one in dependencies}

    def upload(self, path: Path) -> str:
        """Upload a file and return its path on the side of the app."""
        mark = secrets.token_hex(16)
        head = f'--{mark}\r\nContent-Disposition: form-data; name="files"; filename="{path.name}"\r\n\r\n'
        body = head.encode() + path.read_bytes() + f"\r\n--{mark}--\r\n".encode()
        return send(f"{self.api}/upload", body, f"multipart/form-data; boundary={mark}")[0]

    def join(self, function: str, *data: Any) -> str:
        """Ask for a function and return the name of the event."""
        body = {"data": data, "fn_index": self.functions[function], "session_hash": self.session}
        return send(f"{self.api}/queue/join", json.dumps(body).encode(), "application/json")["event_id"]

    def result(self, event: str) -> str:
        """Wait for the HTML that an event gives."""
        messages = []
        url = f"{self.api}/queue/data?session_hash={self.session}"
        with urllib.request.urlopen(url, timeout=SECONDS) as stream:
            for line in stream:
                messages.append(line[:300])
                message = json.loads(line.removeprefix(b"data: ")) if line.startswith(b"data: ") else {}
                if message.get("msg") == "process_completed" and message["event_id"] == event:
                    return message["output"]["data"][0]
        raise AssertionError(f"the app ended its answer before the result: {messages}")

    def answer(self, post: str) -> str:
        """Return the HTML of the answer to one post."""
        return self.result(self.join("answer_post", self.model, post, self.language))

    def join_report(self, *, lines: str = "", file: str | None = None) -> str:
        """Ask for a report on lines or on an upload."""
        data = {"path": file, "meta": {"_type": "gradio.FileData"}} if file else None
        return self.join("report", self.model, lines, data, None, "", self.language)

    def report(self, *, lines: str = "", file: str | None = None) -> str:
        """Return the HTML of a report."""
        return self.result(self.join_report(lines=lines, file=file))
