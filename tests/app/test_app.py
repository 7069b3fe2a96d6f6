"""The app in a real browser: what is shown, what changes, what is asked of the network."""

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.app_visitor import served_app
from tests.support.commands import ROOT, run_command

playwright_api = pytest.importorskip("playwright.sync_api", reason="needs playwright, of the extra dev")
pytest.importorskip("gradio", reason="needs gradio, of the extra demo")

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SCREENSHOTS = ROOT / "test-artifacts"
HOSTILE = '<script>alert(1)</script> "><img src=x onerror=alert(1)>[泪]'
WIDTH = 1200
POSTS = ("今天又加班[泪]", "好开心😂", HOSTILE, "气死我了[怒]")


@pytest.fixture(scope="module")
def app(model_folder: Path) -> Iterator[str]:
    """The address of the app, served by a process of its own."""
    with served_app(model_folder) as (address, _):
        yield address


class Visit:
    """A page of the app, and what went wrong on it."""

    def __init__(self, page: "playwright_api.Page", address: str) -> None:
        self.page = page
        self.faults: list[str] = []
        page.on("console", lambda message: self.faults.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("dialog", lambda dialog: (self.faults.append(f"dialog {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: self._note_request(request.url, address))
        page.goto(address)
        page.locator("#result .note").first.wait_for()

    def _note_request(self, url: str, address: str) -> None:
        if not url.startswith((address, "data:", "blob:", "about:")):
            self.faults.append(f"request {url}")

    def add(self, emoji: str) -> None:
        """Click on an emoji of the picker."""
        self.page.get_by_role("button", name=emoji, exact=True).click()

    def answer_to(self, post: str) -> tuple[str, str]:
        """The label with its probability, and the HTML of the heat map, once the answer shown is that to this post."""
        panel = self.page.locator("#result .panel").first
        playwright_api.expect(panel.locator(".post")).to_have_text(post, timeout=30_000)
        return panel.locator(".label").inner_text(), panel.locator(".post").inner_html()

    def shot(self, name: str) -> None:
        """A screenshot, kept for a look."""
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / name, full_page=True)


@pytest.fixture
def visit(app: str) -> Iterator[Visit]:
    """A fresh page; the test fails at its end if the console, the network or a dialog showed a fault."""
    with playwright_api.sync_playwright() as playwright:
        found = next(filter(None, map(shutil.which, BROWSERS)), playwright.chromium.executable_path)
        if not Path(found).is_file():
            pytest.skip("no Chromium is installed and none could be; see `make browser`")
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        opened = Visit(browser.new_page(viewport={"width": WIDTH, "height": 900}), app)
        yield opened
        browser.close()
    assert opened.faults == []


def test_an_emoji_changes_label_and_heat_map(visit: Visit) -> None:
    page = visit.page
    page.locator("#post textarea").fill("今天又加班")
    visit.answer_to("今天又加班")
    visit.add("[泪]")
    sad = visit.answer_to("今天又加班[泪]")
    panels = page.locator("#result .panel")
    assert panels.count() == 2  # with its emoji, and without
    without = panels.last.locator(".bars").inner_text()
    visit.shot("app.png")
    visit.add("[太开心]")
    both = visit.answer_to("今天又加班[泪][太开心]")
    assert both[0] != sad[0]
    # The weights of the words, not only the emoji that is new.
    assert both[1].split("[泪]")[0] != sad[1].split("[泪]")[0]
    assert panels.last.locator(".bars").inner_text() == without  # the same words
    page.get_by_label("替换已有的表情").click()
    visit.add("[怒]")
    visit.answer_to("今天又加班[怒][怒]")

    page.get_by_label("English").click()
    playwright_api.expect(page.locator("#result h3")).to_have_text(["The post", "Without its emoji"])
    playwright_api.expect(page.get_by_role("tab", name="One post")).to_be_visible()


def test_hostile_posts_are_text(visit: Visit) -> None:
    page = visit.page
    page.locator("#post textarea").fill(HOSTILE)
    visit.answer_to(HOSTILE)
    page.locator("#post textarea").fill("[泪]" + "a" * 50_000)
    playwright_api.expect(page.locator("#result .panel .post").first).to_contain_text("[泪]aaa", timeout=30_000)
    assert page.locator("#result").inner_text().count("a") < 10_000
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH  # nothing is wider than the window


def test_two_hundred_uploaded_posts_give_the_charts(visit: Visit, tmp_path: Path) -> None:
    path = tmp_path / "posts.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "date"])
        writer.writerows([POSTS[i % len(POSTS)], f"2024-05-{i % 28 + 1:02d}"] for i in range(200))
    page = visit.page
    page.get_by_role("tab", name="很多条").click()
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_text("posts.csv").or_(page.get_by_text("posts")).first.wait_for()
    page.locator("#make").click()
    report = page.frame_locator("iframe.report")
    report.locator("#chart-labels").wait_for(timeout=60_000)
    assert report.locator("img[src=x]").count() == 0
    assert "200" in report.locator("body").inner_text()
    visit.shot("app_report.png")


def test_a_damaged_folder_is_refused_in_one_line(model_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(model_folder, folder)
    (folder / "vocab.txt").write_text("x\n", encoding="utf-8")
    refused = run_command("app", "--model", folder, check=False)
    assert refused.returncode == 2
    assert (
        refused.stderr.strip().splitlines()[-1].startswith(f"error: {folder / 'vocab.txt'}: expected the file that was saved")
    )
