"""Takes a model folder, serves it with gunicorn's ``--preload`` on this machine, and gives the answers of its workers."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
POSTS = ["今天又加班[泪]", "今天又加班[太开心]，奖金到手😂", "气死我了[怒]。再也不买了"] * 80

SERVER = """
import json, os
from aslstm import OnnxPipeline
classify = OnnxPipeline(os.environ["MODEL"], num_threads=2)
classify(["今天"] * 200)

def application(environ, start_response):
    posts = json.loads(environ["wsgi.input"].read())
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps([os.getpid(), classify(posts)]).encode()]
"""


def _ask(port: int) -> tuple[int, Any]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}", json.dumps(POSTS).encode())
    with urllib.request.urlopen(request, timeout=60) as answer:
        pid, results = json.loads(answer.read())
    return pid, results


def answers_of_workers(folder: Path) -> tuple[list[tuple[int, Any]], int]:
    """Serve from workers that were forked after the model was loaded and used, and ask from several threads.

    Returns:
        The process and the results of each answer, and the exit code of the server.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as work:
        Path(work, "served.py").write_text(SERVER, encoding="utf-8")
        flags = ["--preload", "--workers", "2", "--bind", f"127.0.0.1:{port}", "--chdir", work, "served:application"]
        environment = {**os.environ, "MODEL": str(folder.absolute()), "PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1"}
        with subprocess.Popen([sys.executable, "-m", "gunicorn", *flags], env=environment, stderr=subprocess.DEVNULL) as server:
            try:
                answers = _ask_until_up(port, server)
            finally:
                server.terminate()
                code = server.wait(60)
    return answers, code


def _ask_until_up(port: int, server: subprocess.Popen[bytes]) -> list[tuple[int, Any]]:
    while server.poll() is None:
        try:
            first = _ask(port)
            break
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionError):
                raise
            time.sleep(0.2)
    if server.poll() is not None:
        raise SystemExit("failed: expected a server that runs")
    with ThreadPoolExecutor(4) as pool:
        return [first, *pool.map(lambda _: _ask(port), range(8))]
