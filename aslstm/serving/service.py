"""Takes a loaded model and settings and gives the application that answers ``/predict``, ``/health`` and ``/metrics``."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from itertools import repeat
from typing import Any, NamedTuple

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from aslstm import __version__
from aslstm.prediction.analysis import Analyzer
from modeling_aslstm.results_aslstm import check_has_weights

from .batching import MicroBatcher, TooBusyError
from .bodies import BodyReader
from .metrics import Metrics, RequestCounter
from .schemas import Answers, Fault, Health, Posts, explain
from .settings import ServingSettings

_MAX_BATCH = 64
_RETRY_SECONDS = "1"
_REASONS = ("attention", "contributions", "emoji_effect")
_DESCRIPTION = "The emotion or the sentiment of Chinese social media posts, with their emoji."
_FAULTS: dict[int | str, dict[str, Any]] = {
    408: {"model": Fault, "description": "The request did not come in time."},
    413: {"model": Fault, "description": "The request is too large, or has too many posts."},
    422: {"model": Fault, "description": "The request is not what is expected."},
    503: {"model": Fault, "description": "Too many posts wait already; try again."},
    504: {"model": Fault, "description": "The answer was not there in time."},
}


class _AskedPost(NamedTuple):
    """Holds a post and the names of the reasons that were asked for."""

    text: str
    reasons: tuple[str, ...]


class Service:
    """Answers requests with a model.

    Posts without reasons and posts with reasons wait in two lines: the reasons of one post can take seconds, in which hundreds
    of other posts are answered.

    Args:
        analyzer: The loaded model.
        model: The name of the model.
        settings: What the service refuses, and how long it collects posts.
    """

    def __init__(self, analyzer: Analyzer, model: str, settings: ServingSettings) -> None:
        self.analyzer = analyzer
        self.model = model
        self.settings = settings
        self.is_stopping = False
        self.metrics = Metrics(lambda: self._plain.num_waiting + self._reasoned.num_waiting)
        # In the int8 graph, the other posts of a batch move the scores a little. What strangers ask at the same time must not
        # change an answer, so that graph reads each post alone, on several cores at once.
        size = 1 if analyzer.settings.backend == "onnx" else None
        self._plain: MicroBatcher[str, dict[str, Any]] = MicroBatcher(
            partial(self._results, reasons=(), batch_size=size), max_items=_MAX_BATCH, max_waiting=settings.max_waiting,
            seconds=settings.collect_ms / 1000, on_batch=self.metrics.batch_posts.observe,
        )  # fmt: skip
        self._reasoned: MicroBatcher[_AskedPost, dict[str, Any]] = MicroBatcher(
            self._answers_with_reasons, max_items=1, max_waiting=settings.max_waiting, on_batch=self.metrics.batch_posts.observe
        )

    def _results(self, texts: list[str], reasons: tuple[str, ...], batch_size: int | None = None) -> list[dict[str, Any]]:
        """Return what the service says of each post, in their order."""
        answers = self.analyzer.answers(texts, batch_size=batch_size, **dict.fromkeys(reasons, True))
        given = zip(*(answers.reasons[name] for name in reasons), strict=True) if reasons else repeat(())
        results = map(vars, self.analyzer.results_of(answers))
        return [result | dict(zip(reasons, values, strict=True)) for result, values in zip(results, given, strict=False)]

    def _answers_with_reasons(self, posts: list[_AskedPost]) -> list[dict[str, Any]]:
        return [self._results([post.text], post.reasons)[0] for post in posts]

    @asynccontextmanager
    async def working(self, _app: FastAPI) -> AsyncIterator[None]:
        """Work on what is asked, while this context lasts."""
        tasks = [asyncio.create_task(batcher.run()) for batcher in (self._plain, self._reasoned)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def predict(self, posts: Posts) -> Response:
        """Return what the model says of each post, in their order."""
        texts = [posts.texts] if isinstance(posts.texts, str) else posts.texts
        if len(texts) > self.settings.max_posts:
            found = f"expected at most {self.settings.max_posts:,} posts, found {len(texts):,}; send several smaller requests"
            return _fault(413, f"`texts`: {found}")
        reasons = tuple(name for name in _REASONS if getattr(posts, name))
        if posts.attention:
            try:
                check_has_weights(self.analyzer.config)
            except ValueError as error:
                return _fault(422, str(error).replace("return_attention", "`attention`"))
        try:
            async with asyncio.timeout(self.settings.timeout):
                answers = await self._answers(texts, reasons)
        except TooBusyError:
            found = f"expected at most {self.settings.max_waiting:,} posts that wait, found more; try again"
            return _fault(503, found, {"Retry-After": _RETRY_SECONDS})
        except TimeoutError:
            return _fault(504, f"expected an answer within {self.settings.timeout:g} seconds, found none; send fewer posts")
        for answer in answers:
            self.metrics.posts.labels(answer["label"]).inc()
        return JSONResponse({"answers": answers})

    async def _answers(self, texts: list[str], reasons: tuple[str, ...]) -> list[dict[str, Any]]:
        if reasons:
            return await self._reasoned.results([_AskedPost(text, reasons) for text in texts])
        return await self._plain.results(texts)

    async def health(self) -> Response:
        """Return 200 while requests are taken, and 503 once the service stops."""
        settings = self.analyzer.settings
        health = Health(
            status="stopping" if self.is_stopping else "ok",
            model=self.model,
            backend=settings.backend or "",
            labels=self.analyzer.label_names,
            version=__version__,
        )
        return JSONResponse(health.model_dump(), 503 if self.is_stopping else 200)

    async def show_metrics(self) -> Response:
        """Return metrics in the format of Prometheus."""
        return self.metrics.page()


def make_app(service: Service) -> FastAPI:
    """Return the ASGI application of a service, whose OpenAPI page at ``/docs`` needs no network."""
    app = FastAPIOffline(
        title="AS-LSTM", version=__version__, description=_DESCRIPTION, redoc_url=None, lifespan=service.working
    )
    app.post("/predict", response_model=Answers, responses=_FAULTS)(service.predict)
    app.get("/health", response_model=Health, responses={503: {"model": Health}})(service.health)
    app.get("/metrics", response_class=Response)(service.show_metrics)
    settings = service.settings
    app.add_middleware(BodyReader, max_megabytes=settings.max_megabytes, timeout=settings.timeout)
    app.add_middleware(RequestCounter, metrics=service.metrics, paths=("/predict", "/health", "/metrics"))
    app.add_exception_handler(RequestValidationError, _refuse_json)
    app.add_exception_handler(HTTPException, _refuse)
    app.add_exception_handler(Exception, _admit)
    return app


async def _refuse_json(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return _fault(422, explain(error.errors()))


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    found = {
        400: "expected JSON in UTF-8, found what cannot be read; check its encoding and how deep it is nested",
        404: f"expected the address /predict, /health, /metrics or /docs, found {request.url.path!r:.60}",
        405: f"expected another method at {request.url.path!r:.60}, found {request.method}; posts are sent with POST",
    }
    return _fault(error.status_code, found.get(error.status_code, error.detail), dict(error.headers or {}))


async def _admit(_request: Request, _error: Exception) -> Response:
    return _fault(500, "expected an answer, found a fault of the service, which its log describes")


def _fault(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": message}, status, headers)
