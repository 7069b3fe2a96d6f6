"""Takes a model, serves it with ``aslstm serve`` on the loopback interface, and measures the service with many clients.

python -m benchmarks.serving --model outputs/nlpcc2014 --backend onnx

It prints requests a second and latencies for 1, 8 and 64 clients, how many of the answers equal those of ``aslstm.load(model)``
for the same post alone, and what became of every request when the service was told to stop under load. The clients run in this
process, beside the service on the same machine, and share its cores.
"""

import asyncio
import json
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import numpy as np

import aslstm
from aslstm.commands.flags import CommandParser, run
from aslstm.data.corpora import CorpusSource, load_split
from aslstm.errors import UserError
from aslstm.prediction.settings import BACKENDS

NUM_CLIENTS = (1, 8, 64)
SECONDS_UNDER_LOAD = 2.0


class Load(NamedTuple):
    """Holds what many requests gave.

    Attributes:
        seconds: The time of all requests together.
        latencies: The seconds of each request.
        answers: The answer to each request.
    """

    seconds: float
    latencies: list[float]
    answers: list[Any]


class Service(NamedTuple):
    """Holds the process of a service and its address."""

    process: subprocess.Popen[str]
    address: str


@contextmanager
def serving(model: Path, backend: str, flags: Sequence[str]) -> Iterator[Service]:
    """Serve a model while this context lasts."""
    command = [sys.executable, "-m", "aslstm", "serve", "--model", str(model), "--backend", backend, "--port", "0", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            found = re.search(r"http://\S+/predict", process.stdout.readline() if process.stdout else "")
            if not found:
                raise UserError(f"{model}: expected a service that starts, found none")
            yield Service(process, found[0])
        finally:
            process.terminate()


def session_of(num_clients: int) -> aiohttp.ClientSession:
    """Return a session with one connection for each client."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=num_clients), trust_env=False)


async def ask_all(address: str, posts: Sequence[str], num_clients: int) -> Load:
    """Send one request for each post; each client sends its next one when the last is answered."""
    latencies, answers = [0.0] * len(posts), [None] * len(posts)
    places = iter(range(len(posts)))
    async with session_of(num_clients) as session:

        async def ask() -> None:
            for place in places:
                started = time.perf_counter()
                async with session.post(address, json={"texts": posts[place]}) as response:
                    answers[place] = (await response.json())["answers"][0]
                latencies[place] = time.perf_counter() - started

        started = time.perf_counter()
        await asyncio.gather(*(ask() for _ in range(num_clients)))
        seconds = time.perf_counter() - started
    return Load(seconds, latencies, answers)


async def ask_while_it_stops(service: Service, posts: Sequence[str], num_clients: int) -> Counter[str]:
    """Ask without a break, tell the service to stop meanwhile, and count what became of the requests.

    A request is ``refused`` if nobody accepts its connection, and ``lost`` if its connection was accepted and no answer came.
    """
    outcomes: Counter[str] = Counter()
    async with session_of(num_clients) as session:

        async def ask(client: int) -> None:
            for number in range(1_000_000):
                try:
                    async with session.post(service.address, json={"texts": posts[(client + number) % len(posts)]}) as response:
                        outcomes["answered" if (await response.json()).get("answers") else "lost"] += 1
                except aiohttp.ClientConnectorError:
                    outcomes["refused"] += 1
                    return
                except aiohttp.ClientError:
                    outcomes["lost"] += 1

        clients = [asyncio.create_task(ask(client)) for client in range(num_clients)]
        await asyncio.sleep(SECONDS_UNDER_LOAD)
        service.process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(asyncio.gather(*clients), 60)
    return outcomes


def num_equal(model: Path, backend: str, posts: Sequence[str], answers: Sequence[Any]) -> int:
    """Return how many answers equal those of the library, which reads each post alone, to the last digit."""
    analyze = aslstm.load(model, backend=backend, num_threads=1)
    expected = {post: json.loads(json.dumps(asdict(analyze(post)))) for post in dict.fromkeys(posts)}
    return sum(answer == expected[post] for post, answer in zip(posts, answers, strict=True))


def main() -> None:
    """Measure and print the tables."""
    parser = CommandParser("serving", "Requests a second of aslstm serve.")
    parser.add_argument("--model", type=Path, required=True, help="a model folder")
    parser.add_argument("--backend", choices=BACKENDS, default="onnx")
    parser.add_argument("--num_requests", type=int, default=10_000, help="with the most clients; fewer clients send a fourth")
    parser.add_argument("--flags", default="", help="further flags of aslstm serve, in one text")
    arguments = parser.parse_args()
    rows = load_split(CorpusSource(), "train")["text"][:]
    posts = [rows[i % len(rows)] for i in range(arguments.num_requests)]
    with serving(arguments.model, arguments.backend, arguments.flags.split()) as service:
        print(f"{'clients':>7}{'requests':>10}{'a second':>10}{'p50 ms':>9}{'p99 ms':>9}")
        for num_clients in NUM_CLIENTS:
            asked = posts if num_clients == max(NUM_CLIENTS) else posts[: len(posts) // 4]
            load = asyncio.run(ask_all(service.address, asked, num_clients))
            p50, p99 = np.percentile(load.latencies, [50, 99]) * 1e3
            print(f"{num_clients:>7}{len(asked):>10,}{len(asked) / load.seconds:>10,.0f}{p50:>9.1f}{p99:>9.1f}", flush=True)
        equal = num_equal(arguments.model, arguments.backend, posts, load.answers)
        print(f"\n{equal:,} of {len(posts):,} answers of {num_clients} clients equal those of the library", flush=True)
        outcomes = asyncio.run(ask_while_it_stops(service, posts, num_clients))
        code = service.process.wait(60)
    counts = ", ".join(f"{outcomes[name]:,} {name}" for name in ("answered", "refused", "lost"))
    print(f"SIGTERM under the load of {num_clients} clients: {counts}; exit code {code}")


if __name__ == "__main__":
    run(main)
