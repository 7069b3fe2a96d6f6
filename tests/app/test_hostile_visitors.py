"""Visitors who upload or paste what costs much: they are told so, and others are answered meanwhile."""

import os
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("gradio", reason="needs the extra app")

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from aslstm.app.serving import MAX_FOLDER_MEGABYTES, MAX_PAGES, BodyLimit, ReportPages
from tests.support.app_visitor import Visitor, served_app
from tests.support.commands import ROOT

SECONDS = 3
UPLOADS = {
    "wide.csv": (",".join(f"column{i}" for i in range(60_000)).encode(), "Expected at most 200 columns, found 60,000"),
    "wide.jsonl": (b'{"text": "a", %s}' % b",".join(b'"%d": 1' % i for i in range(300)), "at most 200 columns, found 301"),
    "long_line.csv": (b"text\n" + b"a" * 19_000_000, "Expected lines of at most 1 MB, found a longer one in line 2"),
    "long_post.txt": ("今天".encode() * 3_000_000, "at most 1,000,000 characters, but here are 6,000,000"),
    "ligatures.txt": ("ﷺ".encode() * 10_000, "Expected at most 60,000 characters in a post, found 180,000"),
    "blank.txt": (b"\n" * 20_000_000, "There is no text to label"),
    "many.csv": (b"text\n" + b"a\n" * 30_000, "At most 20,000 posts"),
}


@pytest.fixture(scope="module")
def app(model_folder: Path) -> Iterator[str]:
    with served_app(model_folder) as (address, _):
        yield address


@pytest.mark.parametrize("name", UPLOADS)
def test_a_hostile_upload_is_refused_and_others_are_answered_meanwhile(
    name: str, app: str, model_folder: Path, tmp_path: Path
) -> None:
    content, message = UPLOADS[name]
    (tmp_path / name).write_bytes(content)
    hostile, other = Visitor(app, model_folder), Visitor(app, model_folder)
    found: list[str] = []
    work = threading.Thread(target=lambda: found.append(hostile.report(file=hostile.upload(tmp_path / name))))
    work.start()
    while work.is_alive():
        start = time.monotonic()
        assert 'class="panel"' in other.answer("今天又加班[泪]")
        assert time.monotonic() - start < SECONDS
    assert message in found[0]
    assert str(tmp_path) not in found[0] and len(found[0]) < 1000


def test_more_reports_than_may_wait_are_refused_at_once_and_others_are_answered(app: str, model_folder: Path) -> None:
    visitors = [Visitor(app, model_folder) for _ in range(30)]
    events = [visitor.join_report(lines="今天又加班[泪]\n好开心😂") for visitor in visitors]
    start = time.monotonic()
    assert 'class="panel"' in Visitor(app, model_folder).answer("今天又加班[泪]")
    assert time.monotonic() - start < SECONDS
    results = [visitor.result(event) for visitor, event in zip(visitors, events, strict=True)]
    refused = [result for result in results if "Too many files are being read or labelled" in result]
    # One runs and three wait.
    assert len(refused) >= 20 and all("<iframe" in result for result in results if result not in refused)


def test_a_request_that_is_too_large_is_refused_before_it_is_read(app: str, model_folder: Path) -> None:
    visitor = Visitor(app, model_folder)
    for post in ("a" * 19_000_000, "ﷺ" * 1_500_000):
        # The app answers with status 413 and closes the connection, which may be seen before the answer.
        with pytest.raises(urllib.error.URLError):
            visitor.join("answer_post", visitor.model, post, "en")
    assert "Expected at most 60,000 characters in a post, found 100,000" in visitor.answer("a" * 100_000)
    assert "Expected at most 60,000 characters in a post, found 90,000" in Visitor(app, model_folder).answer("ﷺ" * 5_000)
    pasted = Visitor(app, model_folder).report(lines="a\n" * 600_000)
    assert "Expected at most 1,000,000 pasted characters, found 1,200,000" in pasted


def test_a_report_is_served_and_may_only_draw_itself(app: str, model_folder: Path) -> None:
    html = Visitor(app, model_folder).report(lines="今天又加班[泪]\n\x00\x1b坏\ufffe[怒]")
    assert 'sandbox="allow-scripts" src="report/' in html and html.count("<iframe") == 1
    address = html.split('src="')[1].split('"')[0]
    for link in re.findall(r'href="(.*?)"', html):
        with urllib.request.urlopen(f"{app}/{link}") as file:
            assert file.read(2)
            assert link == address or file.headers["Content-Disposition"] == "attachment"
    with urllib.request.urlopen(f"{app}/{address}") as page:
        assert page.headers["Content-Security-Policy"] == "sandbox allow-scripts"
        assert b"<h1>What the posts feel</h1>" in page.read()


def uploads_of(folder: Path) -> TestClient:
    """A server that takes uploads of 2 MB into a folder."""

    async def take(request: object) -> PlainTextResponse:
        return PlainTextResponse("taken")

    limit = Middleware(BodyLimit, upload_megabytes=2, folder=folder)
    return TestClient(Starlette(routes=[Route("/gradio_api/upload", take, methods=["POST"])], middleware=[limit]))


def test_uploads_are_refused_while_too_many_are_kept(tmp_path: Path) -> None:
    client = uploads_of(tmp_path)
    assert client.post("/gradio_api/upload", content=b"a" * 2_000_000).text == "taken"
    assert client.post("/gradio_api/upload", content=b"a" * 3_000_001).status_code == 413
    assert client.post("/gradio_api/upload", content=iter([b"a"])).status_code == 411
    with (tmp_path / "kept").open("wb") as file:
        file.truncate(MAX_FOLDER_MEGABYTES * 1_000_000)
    assert client.post("/gradio_api/upload", content=b"a").status_code == 507


def test_the_newest_reports_are_kept_and_no_other_file_is_served() -> None:
    pages = ReportPages()
    client = TestClient(Starlette(routes=[pages.route]))
    addresses = [pages.add(f"<p>{i}") for i in range(MAX_PAGES + 3)]
    answers = [client.get(f"/{address}") for address in addresses]
    assert [answer.status_code for answer in answers] == [404] * 3 + [200] * MAX_PAGES
    assert answers[-1].text == f"<p>{MAX_PAGES + 2}"
    assert client.get("/report/..%2F..%2Fetc%2Fpasswd").status_code == 404


JOBS = """
import os, subprocess, sys, time
from aslstm.errors import UserError

def add(a, b, progress):
    progress(0.5)
    return a + b

def refuse(progress):
    raise UserError("expected more, found less")

def abort(progress):
    os.abort()

def sleep(path, progress):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    open(path, "w").write(str(child.pid))
    time.sleep(600)
"""
TRY_JOBS = """
import sys, time
import jobs
from aslstm.app.jobs import JobRefused, JobRunner
from aslstm.errors import UserError

if __name__ == "__main__":
    shares = []
    runner = JobRunner("jobs", seconds=20, num_waiting=0)
    print(runner.run(jobs.add, 1, 2, progress=shares.append), shares)
    for job in (jobs.refuse, jobs.abort):
        try:
            runner.run(job, progress=print)
        except (UserError, JobRefused) as error:
            print(type(error).__name__, error)
    short = JobRunner("jobs", seconds=5, num_waiting=0)
    start = time.monotonic()
    try:
        short.run(jobs.sleep, sys.argv[1], progress=print)
    except JobRefused as error:
        print(error.why.name, time.monotonic() - start < 15)
"""


def test_a_job_gives_its_result_or_says_why_not_and_leaves_no_process(tmp_path: Path) -> None:
    (tmp_path / "jobs.py").write_text(JOBS, encoding="utf-8")
    (tmp_path / "try_jobs.py").write_text(TRY_JOBS, encoding="utf-8")
    child = tmp_path / "child"
    result = subprocess.run(
        [sys.executable, tmp_path / "try_jobs.py", child],
        capture_output=True, text=True, encoding="utf-8", env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == [
        "3 [0.5]",
        "UserError expected more, found less",
        "JobRefused its process ended before the work was done",
        "SLOW True",
    ]
    # A process that was killed may remain as an entry without a command line until its parent is told.
    status = Path(f"/proc/{child.read_text()}/cmdline")
    assert not status.exists() or not status.read_bytes()
