"""Takes what happens in the service and gives it as metrics in the format of Prometheus."""

import time
from collections.abc import Callable, Collection

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Addresses are labels, and every label takes memory: what nobody serves is counted together.
_OTHER = "other"


class Metrics:
    """Counts requests, answered posts and batches of one service.

    Args:
        num_waiting: A function that returns how many posts wait for the model.
    """

    def __init__(self, num_waiting: Callable[[], int]) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "aslstm_requests", "Requests by address and status.", ["path", "status"], registry=self._registry
        )
        self.seconds = Histogram(
            "aslstm_request_seconds", "Seconds until a request was answered.", ["path"], registry=self._registry,
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
        )  # fmt: skip
        self.posts = Counter("aslstm_posts", "Answered posts by label.", ["label"], registry=self._registry)
        self.batch_posts = Histogram(
            "aslstm_batch_posts", "Posts that were read at once.", registry=self._registry,
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
        )  # fmt: skip
        Gauge("aslstm_waiting_posts", "Posts that wait for the model.", registry=self._registry).set_function(num_waiting)

    def page(self) -> Response:
        """Return the metrics as a response."""
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)


class RequestCounter:
    """Counts each request with its status and its time.

    Args:
        app: The application behind this one.
        metrics: The metrics in which requests are counted.
        paths: The addresses that are counted by themselves.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, paths: Collection[str]) -> None:
        self.app = app
        self.metrics = metrics
        self.paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and count it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"] if scope["path"] in self.paths else _OTHER
        status, started = 500, time.perf_counter()

        async def send_counted(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self.app(scope, receive, send_counted)
        finally:
            self.metrics.requests.labels(path, status).inc()
            self.metrics.seconds.labels(path).observe(time.perf_counter() - started)
