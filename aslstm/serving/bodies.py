"""Takes requests and passes on those whose whole body is there in time and small enough; the others get an error as JSON."""

import asyncio
from typing import NamedTuple

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MEGABYTE = 1_000_000
# Of a body that is too large, so many times the limit is read and thrown away: a client that is still sending when its
# connection is closed would see a broken connection and not the error.
_MAX_READ = 10


class _Refusal(NamedTuple):
    """Holds the status and the message of an error."""

    status: int
    message: str


class BodyReader:
    """Reads the body of each request before the application behind it sees the request.

    Args:
        app: The application behind this one.
        max_megabytes: The largest body.
        timeout: The seconds in which the whole body must be there.
    """

    def __init__(self, app: ASGIApp, max_megabytes: int, timeout: float) -> None:
        self.app = app
        self.max_megabytes = max_megabytes
        self.timeout = timeout

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its body, or refuse it."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self.timeout):
                body = await self._body(Request(scope, receive))
        except TimeoutError:
            body = _Refusal(408, f"expected the whole request within {self.timeout:g} seconds, found a part; send it faster")
        except ClientDisconnect:
            return
        if isinstance(body, _Refusal):
            # What was not read of the body would be taken for the next request on this connection.
            response = JSONResponse({"error": body.message}, body.status, {"Connection": "close"})
            await response(scope, receive, send)
        else:
            await self.app(scope, _with_body(body, receive), send)

    async def _body(self, request: Request) -> bytes | _Refusal:
        limit = self.max_megabytes * _MEGABYTE
        body, length = bytearray(), 0
        async for part in request.stream():
            length += len(part)
            if length <= limit:
                body += part
            elif length > _MAX_READ * limit:
                break
        if length <= limit:
            return bytes(body)
        declared = request.headers.get("content-length", "")
        found = f"{int(declared):,} bytes" if declared.isdecimal() else "more"
        return _Refusal(413, f"expected a request of at most {self.max_megabytes} MB, found {found}; send several smaller ones")


def _with_body(body: bytes, receive: Receive) -> Receive:
    """Return a function that gives the body at first, and then what the server gives."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_body() -> Message:
        return messages.pop() if messages else await receive()

    return receive_body
