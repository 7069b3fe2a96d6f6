"""Takes what visitors send and what is made for them, and keeps both within bounds of memory and disk.

:class:`BodyLimit` refuses requests that are too large. :class:`ReportPages` keeps the newest reports as files and serves them.
"""

import secrets
import shutil
import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

_MEGABYTE = 1_000_000
UPLOAD = "/upload"  # The address of uploads, which alone may be large, ends with this.
MAX_BODY_MEGABYTES = 4  # This is the largest request of any other kind, pasted posts among them.
MAX_FOLDER_MEGABYTES = 500  # No more uploads are taken while so much of them is kept; reports make room for newer ones.
MAX_PAGES = 20
PAGE = "report.html"
# The files of a report, and what they are.
KINDS = {
    PAGE: "text/html",
    "rows.csv": "text/csv",
    "rows.xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


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
    """Keeps the newest reports, with the files of labelled rows beside them, and serves them.

    They take megabytes. As values of Gradio, they would stay in memory for each visitor.
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="aslstm-reports-")
        self._names: deque[str] = deque()
        self.route = Route("/report/{folder}/{name}", self._serve)

    @contextmanager
    def new(self) -> Iterator[Path]:
        """Yield a new folder to write to; it is kept unless an error is raised, and the oldest are deleted instead."""
        folder = Path(self._folder.name, secrets.token_urlsafe(16))
        folder.mkdir()
        try:
            yield folder
        except BaseException:
            shutil.rmtree(folder)
            raise
        self._names.append(folder.name)
        while len(self._names) > MAX_PAGES or (
            len(self._names) > 1 and size_of(Path(self._folder.name)) > MAX_FOLDER_MEGABYTES * _MEGABYTE
        ):
            shutil.rmtree(Path(self._folder.name, self._names.popleft()))

    def add(self, page: str) -> str:
        """Keep a page and return its address; the oldest page is deleted if there are too many.

        Args:
            page: The page as HTML.
        """
        with self.new() as folder:
            (folder / PAGE).write_text(page, encoding="utf-8")
        return f"{address_of(folder)}/{PAGE}"

    async def _serve(self, request: Request) -> Response:
        folder, name = request.path_params["folder"], request.path_params["name"]
        path = Path(self._folder.name, folder, name)
        # The names of files are those that this app wrote, so that no name leads out.
        if folder not in self._names or name not in KINDS or not path.is_file():
            return PlainTextResponse("expected a report, found none; make it again", 404)
        # The sandbox holds also for whoever opens the address by itself.
        headers = {"Content-Security-Policy": "sandbox allow-scripts", "X-Content-Type-Options": "nosniff"}
        if name != PAGE:
            headers["Content-Disposition"] = "attachment"  # The link says under which name.
        return FileResponse(path, media_type=KINDS[name], headers=headers)


def address_of(folder: Path) -> str:
    """Return the address of a folder that :meth:`ReportPages.new` gave."""
    return f"report/{folder.name}"
