"""``aslstm serve`` as a process of its own, asked over the loopback interface."""

import http.client
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import aslstm
from tests.support.commands import COMMANDS, ROOT

# What a model finds hard: nothing, an emoji alone, an unknown code, a long post, a control character.
POSTS = ["今天又加班[泪]", "", "🎉", "[泪流满面]", "好" * 3000, "气死我了[怒]\x00", "A & B <b>", "明天下午三点开会"]

NO_JSON = (
    "expected JSON, found a body of another kind; send it with Content-Type: application/json (curl --json), such as "
    '{"texts": ["今天又加班[泪]"]}'
)


class Reply(NamedTuple):
    """What the service sent back."""

    status: int
    body: Any
    headers: dict[str, str]


class Client:
    """One connection to the service."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        self.connection.request(method, path, body, headers)
        response = self.connection.getresponse()
        content = response.read().decode()
        found = json.loads(content) if response.headers["content-type"] == "application/json" else content
        return Reply(response.status, found, {name.lower(): value for name, value in response.getheaders()})

    def predict(self, texts: Any, **options: Any) -> Reply:
        return self.post(json.dumps({"texts": texts, **options}).encode())

    def post(self, body: bytes) -> Reply:
        return self.ask("POST", "/predict", body, **{"Content-Type": "application/json"})


@contextmanager
def serving(folder: Path, *flags: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The process and the port of a service, which is told to stop at the end."""
    command = [sys.executable, "-m", "aslstm", "serve", "--model", str(folder), "--backend", "onnx", "--port", "0", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout and process.stderr
            line = process.stdout.readline()
            found = re.fullmatch(r"\S+ answers at http://127\.0\.0\.1:(\d+)/predict, shown at http://.*/docs; .*\n", line)
            assert found, line + process.stderr.read()
            yield process, int(found[1])
        finally:
            process.terminate()
            try:
                process.wait(30)
            finally:
                process.kill()


@pytest.fixture(scope="module")
def port(onnx_folder: Path) -> Iterator[int]:
    with serving(onnx_folder, "--max_posts", "10", "--max_megabytes", "1") as (process, port):
        yield port
        process.terminate()
        assert process.wait(30) == 0
        assert process.stderr and process.stderr.read() == ""


@pytest.fixture
def client(port: int) -> Client:
    return Client(port)


@pytest.fixture(scope="module")
def analyzer(onnx_folder: Path) -> aslstm.Analyzer:
    return aslstm.load(onnx_folder, backend="onnx", num_threads=1)


def test_answers_are_those_of_the_library_whatever_others_ask(port: int, client: Client, analyzer: aslstm.Analyzer) -> None:
    expected = [json.loads(json.dumps(vars(analyzer(post)))) for post in POSTS]
    together = client.predict(POSTS)
    assert (together.status, together.body) == (200, {"answers": expected})
    clients = [Client(port) for _ in POSTS]
    with ThreadPoolExecutor(len(POSTS)) as pool:
        for _ in range(5):
            alone = pool.map(lambda client, post: client.predict(post).body, clients, POSTS)
            assert [answer for body in alone for answer in body["answers"]] == expected
    assert client.predict([]).body == {"answers": []}


def test_reasons_are_given_where_they_are_asked_for(client: Client, analyzer: aslstm.Analyzer) -> None:
    reasons = {"attention": True, "contributions": True, "emoji_effect": True}
    found = client.predict(POSTS[:3], **reasons).body["answers"]
    for answer, post in zip(found, POSTS, strict=False):
        (expected,) = analyzer.answers([post], **reasons)
        assert {name: answer[name] for name in reasons} == {name: getattr(expected, name) for name in reasons}
    (answer,) = client.predict(POSTS[:1], contributions=True, attention=False).body["answers"]
    assert set(reasons) & set(answer) == {"contributions"}


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ("{", 422, "expected JSON, found: Expecting property name enclosed in double quotes at character 1"),
        ("", 422, 'expected `texts`, found nothing; send {"texts": […]}'),
        ('{"text": "好"}', 422, "expected `texts`, found 'text'; send {\"texts\": […]}"),
        ("null", 422, 'expected a JSON object with `texts`, found null; send {"texts": […]} as application/json'),
        ('{"texts": 5}', 422, "`texts`: expected a text or a list of texts, found 5"),
        ('{"texts": ["好", null]}', 422, "`texts`: text 2: expected a text, found null"),
        ('{"texts": "\\ud83d"}', 422, "`texts`: text 1: expected Unicode, found half of a surrogate pair; send UTF-8"),
        ('{"texts": "好", "attention": "no"}', 422, '`attention`: expected true or false, found "no"'),
        ('{"texts": "好", "model": "/"}', 422, "expected one of texts, attention, contributions, emoji_effect, found 'model'"),
        (json.dumps({"texts": ["a"] * 11}), 413, "`texts`: expected at most 10 posts, found 11; send several smaller requests"),
        ("[" * 100_000, 400, "expected JSON in UTF-8, found what cannot be read; check its encoding and how deep it is nested"),
        ("x" * 1_000_001, 413, "expected a request of at most 1 MB, found 1,000,001 bytes; send several smaller ones"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_cannot_be_answered_is_one_line(client: Client, body: str, status: int, message: str) -> None:
    reply = client.post(body.encode())
    assert (reply.status, reply.body) == (status, {"error": message})
    assert client.predict("好").status == 200


def test_other_requests_are_one_line_too(port: int, client: Client) -> None:
    assert client.post(b'{"texts": "\xff"}').status == 400
    # A form is what `curl -d` sends; what has no type at all may be anything.
    for kind in ({"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"}, {}):
        for body in ("今天", '{"texts": "好"}'):
            reply = client.ask("POST", "/predict", body.encode(), **kind)
            assert (reply.status, reply.body) == (422, {"error": NO_JSON}), (kind, body)
    reply = client.ask("GET", "/predict")
    assert (reply.status, reply.headers["allow"]) == (405, "POST") and "expected another method" in reply.body["error"]
    reply = client.ask("GET", "/other")
    assert reply.status == 404 and "expected the address /predict" in reply.body["error"]
    # A body whose length nobody said is counted while it comes.
    parts = (b"x" * 100_000 for _ in range(20))
    client.connection.request("POST", "/predict", parts, {"Content-Type": "application/json"}, encode_chunked=True)
    response = client.connection.getresponse()
    assert response.status == 413 and b"found more" in response.read()


def test_health_metrics_and_the_page_of_the_interface(client: Client, onnx_folder: Path, analyzer: aslstm.Analyzer) -> None:
    client.predict(["好耶🎉"])
    health = client.ask("GET", "/health")
    expected = {"status": "ok", "model": onnx_folder.name, "backend": "onnx", "version": aslstm.__version__}
    assert health.body == {**expected, "labels": analyzer.label_names}
    metrics = client.ask("GET", "/metrics").body
    values = dict(re.findall(r"^(\S+) (\S+)$", metrics, flags=re.MULTILINE))
    assert float(values['aslstm_requests_total{path="/predict",status="200"}']) >= 1
    assert sum(float(value) for name, value in values.items() if name.startswith("aslstm_posts_total")) >= 1
    assert float(values["aslstm_waiting_posts"]) == 0
    page = client.ask("GET", "/docs").body
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(addresses) >= 3 and all(address.startswith("/") for address in addresses)
    assert all(client.ask("GET", address).status == 200 for address in addresses if address.endswith((".js", ".css")))
    described = client.ask("GET", "/openapi.json").body
    assert set(described["paths"]) == {"/predict", "/health", "/metrics"}


def test_a_request_takes_no_longer_than_it_may_and_few_may_wait(onnx_folder: Path) -> None:
    with (
        serving(onnx_folder, "--timeout", "2", "--max_posts", "200", "--max_waiting", "200") as (_, port),
        ThreadPoolExecutor(1) as pool,
    ):
        # These are more reasons than two seconds are enough for.
        slow = pool.submit(Client(port).predict, ["好[泪]" * 200] * 200, contributions=True)
        client = Client(port)
        while "\naslstm_waiting_posts 200.0" not in client.ask("GET", "/metrics").body:
            assert not slow.done()
        reply = client.predict("好", contributions=True)
        assert (reply.status, reply.headers["retry-after"]) == (503, "1")
        assert reply.body == {"error": "expected at most 200 posts that wait, found more; try again"}
        assert client.predict("好").status == 200
        reply = slow.result()
        assert reply.status == 504 and reply.body["error"].startswith("expected an answer within 2 seconds")
        # A body of which the second half never comes.
        client.connection.putrequest("POST", "/predict")
        client.connection.putheader("Content-Length", "100")
        client.connection.endheaders(b'{"texts": ')
        response = client.connection.getresponse()
        assert response.status == 408 and b"expected the whole request within 2 seconds" in response.read()
        assert Client(port).predict("好", contributions=True).status == 200


def ask_until_it_ends(port: int) -> tuple[int, int, bool]:
    """How many requests one client sent, how many were answered, and whether the last one was told that the connection ends."""
    client, sent, answered, is_last = Client(port), 0, 0, False
    while not is_last:
        sent += 1
        reply = client.predict(POSTS[:3])
        assert len(reply.body["answers"]) == 3
        answered += 1
        is_last = reply.headers.get("connection") == "close"
    return sent, answered, is_last


def test_sigterm_under_load_loses_no_request(onnx_folder: Path) -> None:
    with serving(onnx_folder) as (process, port), ThreadPoolExecutor(8) as pool:
        idle = Client(port)
        assert idle.predict("好").status == 200
        clients = [pool.submit(ask_until_it_ends, port) for _ in range(8)]
        assert Client(port).predict(["好"] * 500).status == 200
        process.send_signal(signal.SIGTERM)
        for sent, answered, is_last in (client.result(30) for client in clients):
            assert sent == answered > 0 and is_last
        assert process.wait(30) == 0
        with pytest.raises(OSError):
            Client(port).predict("好")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--port", "99999"), ["--port: expected 0 to 65535, found 99999"]),
        (("--timeout", "0"), ["--timeout: expected a number above 0, found 0"]),
        (("--max_posts", "0"), ["--max_posts: expected 1 or more, found 0"]),
        (("--max_waiting", "9"), ["--max_waiting: expected the number of --max_posts (1000) or more, found 9"]),
        (("--host", "192.0.2.1"), ["--host and --port: expected a free address, found 192.0.2.1:8000: "]),
        (("--model", "nowhere"), ["nowhere", "expected a model folder"]),
    ],
    ids=str,
)
def test_flags_that_cannot_be_are_one_line(onnx_folder: Path, flags: tuple[str, ...], words: list[str]) -> None:
    result = COMMANDS.run(["-m", "aslstm", "serve", "--model", onnx_folder, "--backend", "onnx", *flags])
    assert result.returncode == 2
    (line,) = result.stderr.splitlines()
    assert [word for word in words if word not in line] == []


def test_a_port_that_is_taken_is_one_line(port: int, onnx_folder: Path) -> None:
    result = COMMANDS.run(["-m", "aslstm", "serve", "--model", onnx_folder, "--backend", "onnx", "--port", str(port)])
    assert result.returncode == 2 and f"expected a free address, found 127.0.0.1:{port}: " in result.stderr
