"""Takes what visitors send and what is made for them, and keeps both within bounds of memory and disk.

:class:`BodyLimit` refuses requests that are too large. :class:`ReportPages` keeps the newest reports as files and serves them.
"""

import secrets
import tempfile
from collections import deque
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

_MEGABYTE = 1_000_000
UPLOAD = "/upload"  # The address of uploads, which alone may be large, ends with this.
MAX_BODY_MEGABYTES = 4  # This is the largest request of any other kind, pasted posts among them.
MAX_FOLDER_MEGABYTES = 500  # No more uploads are taken while so much of them is kept.
MAX_PAGES = 20


class BodyLimit:
    """Refuses a request whose body is too large, before anything reads it.

    Args:
        app: The application behind this one.
        upload_megabytes: The largest upload.
        folder: The folder in which uploads are kept.
    """

    def __init__(self, app: ASGIApp, upload_megabytes: int, folder: Path) -> None:
        self.app = app
        self.upload_megabytes = upload_megabytes
        self.folder = folder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        refusal = self._refusal(Request(scope)) if scope["type"] == "http" and scope["method"] != "GET" else None
        await (refusal or self.app)(scope, receive, send)

    def _refusal(self, request: Request) -> Response | None:
        is_upload = request.url.path.endswith(UPLOAD)
        # The form around an upload takes some bytes too.
        limit = (self.upload_megabytes + 1 if is_upload else MAX_BODY_MEGABYTES) * _MEGABYTE
        length = request.headers.get("content-length", "0")
        if "transfer-encoding" in request.headers or not length.isdecimal():
            return PlainTextResponse("expected the length of the request, found none", 411)
        if int(length) > limit:
            return PlainTextResponse(f"expected at most {limit // _MEGABYTE} MB, found {int(length):,} bytes", 413)
        if is_upload and size_of(self.folder) + int(length) > MAX_FOLDER_MEGABYTES * _MEGABYTE:
            return PlainTextResponse("expected room for uploads, found none; try again in some minutes", 507)
        return None


def size_of(folder: Path) -> int:
    """Return the bytes of all files in a folder, some of which may be deleted meanwhile."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total


class ReportPages:
    """Keeps the newest reports as files and serves them.

    A report takes megabytes. As a value of Gradio, it would stay in memory for each visitor.
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="aslstm-reports-")
        self._names: deque[str] = deque()
        self.route = Route("/report/{name}", self._serve)

    def add(self, page: str) -> str:
        """Keep a page and return its address; the oldest page is deleted if there are too many.

        Args:
            page: The page as HTML.
        """
        name = f"{secrets.token_urlsafe(16)}.html"
        Path(self._folder.name, name).write_text(page, encoding="utf-8")
        self._names.append(name)
        if len(self._names) > MAX_PAGES:
            Path(self._folder.name, self._names.popleft()).unlink(missing_ok=True)
        return f"report/{name}"

    async def _serve(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in self._names:
            return PlainTextResponse("expected a report, found none; make it again", 404)
        # The sandbox holds also for whoever opens the address by itself.
        headers = {"Content-Security-Policy": "sandbox allow-scripts", "X-Content-Type-Options": "nosniff"}
        return FileResponse(Path(self._folder.name, name), media_type="text/html", headers=headers)
