"""The app in a real browser: what is shown, what changes, what is asked of the network."""

import csv
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.app_visitor import served_app
from tests.support.commands import ROOT, run_command

playwright_api = pytest.importorskip("playwright.sync_api", reason="needs playwright, of the extra dev")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python, of the extra dev")
openpyxl = pytest.importorskip("openpyxl", reason="needs openpyxl, of the extra dev")
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
        page.locator("#result .panel").first.wait_for()
        # The first answer comes with the page; its script, which sets the language first of all, may run after that.
        page.locator("html[lang=zh-CN]").wait_for()

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

    def upload(self, path: Path) -> None:
        """Choose a file in the tab for many posts, and wait until something is known of it."""
        self.page.get_by_role("tab", name="很多条").click()
        self.page.locator("#file input[type=file]").set_input_files(path)
        self.page.locator("#looked p").first.wait_for()

    def serious_findings(self) -> list[str]:
        """What axe-core finds on the page and calls serious or critical."""
        found = axe.Axe().run(self.page).response["violations"]
        return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found if one["impact"] in ("serious", "critical")]

    def shot(self, name: str) -> None:
        """A screenshot, kept for a look."""
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / name, full_page=True)


@pytest.fixture
def visit(app: str, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A fresh page, on a phone in the mode that a test asks for.

    The test fails at its end if the console, the network or a dialog showed a fault.
    """
    with playwright_api.sync_playwright() as playwright:
        found = next(filter(None, map(shutil.which, BROWSERS)), playwright.chromium.executable_path)
        if not Path(found).is_file():
            pytest.skip("no Chromium is installed and none could be; see `make browser`")
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        phone = getattr(request, "param", None)
        size = {"width": WIDTH, "height": 900} if phone is None else {"width": 390, "height": 844}
        opened = Visit(browser.new_page(viewport=size, color_scheme=phone, accept_downloads=True), app)
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
    playwright_api.expect(page.locator("#result .panel h2")).to_have_text(["The post", "Without its emoji"])
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
    report.locator("#chart-labels").wait_for(timeout=180_000)
    assert report.locator("img[src=x]").count() == 0
    assert "200" in report.locator("body").inner_text()
    visit.shot("app_report.png")


def workbook(path: Path) -> Path:
    """A workbook as a crawler of weibo writes it, with a second column of text."""
    book = openpyxl.Workbook()
    rows = [[f"490000000000{i:04d}", POSTS[i % len(POSTS)], "还行", f"2023-10-{i % 28 + 1:02d} 12:00"] for i in range(600)]
    for row in (["id", "微博正文", "评论内容", "发布时间"], *rows):
        book.active.append(row)
    book.save(path)
    return path


def test_a_workbook_is_labelled_with_a_menu_of_columns_progress_and_downloads(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    visit.upload(workbook(tmp_path / "国庆.xlsx"))
    playwright_api.expect(page.locator("#looked p")).to_contain_text(
        "国庆.xlsx：600 行，4 列。微博在“微博正文”列。日期在“发布时间”列。"
    )
    menu = page.locator("#column input")
    assert menu.input_value() == "微博正文"
    menu.click()
    for name in ("id", "评论内容", "发布时间"):
        playwright_api.expect(page.get_by_role("option", name=name)).to_be_visible()
    page.get_by_role("option", name="微博正文").click()
    # A step may be shown for less than the time between two looks, so the page itself notes what it shows.
    page.evaluate(
        "() => { window.steps = []; new MutationObserver(() => window.steps.push(document.body.textContent))"
        ".observe(document.body, {childList: true, subtree: true, characterData: true}) }"
    )
    page.locator("#make").click()
    playwright_api.expect(page.locator(".finished")).to_contain_text("已标注 600 条", timeout=180_000)
    playwright_api.expect(page.locator("#spoken")).to_contain_text("已标注 600 条")
    assert page.evaluate("() => window.steps.some(shown => shown.includes('/ 600 条'))")
    with page.expect_download() as download:
        page.get_by_text("下载 .xlsx").click()
    assert download.value.suggested_filename == "国庆_标注.xlsx"
    download.value.save_as(tmp_path / "labelled.xlsx")
    sheet, counts = openpyxl.load_workbook(tmp_path / "labelled.xlsx").worksheets
    header, *rows = sheet.iter_rows(values_only=True)
    assert header[:5] == ("id", "微博正文", "评论内容", "发布时间", "标签") and len(rows) == 600
    assert [row[1] for row in rows[:4]] == list(POSTS) and rows[0][0] == "4900000000000000"
    assert sum(count for _, count in list(counts.iter_rows(values_only=True))[1:]) == 600
    assert visit.serious_findings() == []


def test_a_file_is_shown_in_the_language_that_is_chosen_after_it(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    path = tmp_path / "posts.csv"
    path.write_text("text\n" + "".join(f"{post}\n" for post in ("今天又加班[泪]", "好开心😂")), encoding="utf-8")
    visit.upload(path)
    assert page.locator("#encoding input").input_value() == "自动识别"
    page.locator("#make").click()
    playwright_api.expect(page.locator(".finished")).to_have_text("已标注 2 条。", timeout=180_000)
    address = page.locator("iframe.report").get_attribute("src")
    page.get_by_label("English").click()
    playwright_api.expect(page.locator("#encoding")).to_contain_text("Encoding (choose one if the letters look wrong)")
    playwright_api.expect(page.locator("#encoding input")).to_have_value("detected automatically")
    playwright_api.expect(page.locator(".finished")).to_have_text("2 posts labelled.")
    playwright_api.expect(page.locator("#looked p")).to_have_text(
        "posts.csv: 2 rows, 1 columns. The posts are in the column “text”."
    )
    shown = page.locator("#page").inner_text()
    assert "Download .xlsx" in shown and "Posts of each label" in shown and not re.search("[一-鿿]", shown)
    assert page.locator("iframe.report").get_attribute("src") == address
    visit.shot("app_english.png")


def test_a_wrong_file_is_told_in_the_language_of_the_page(visit: Visit, tmp_path: Path) -> None:
    (tmp_path / "照片.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    visit.upload(tmp_path / "照片.png")
    told = visit.page.locator("#looked .error")
    assert told.get_attribute("role") == "alert"
    assert told.inner_text() == "出错了：这种文件里没有可读的表格或文字；请另存为 .xlsx 或 CSV。"
    visit.shot("app_wrong_file.png")


@pytest.mark.parametrize("visit", ["light", "dark"], indirect=True)
def test_a_phone_shows_everything_in_its_width_large_enough_and_legible(visit: Visit) -> None:
    page = visit.page
    page.locator("#search input, #search textarea").fill("泪")
    playwright_api.expect(page.locator("#picker .note")).to_contain_text("找到", timeout=30_000)
    visit.add("[泪]")
    visit.answer_to("今天又加班[泪][泪]")
    assert page.locator("#spoken").get_attribute("aria-live") == "polite"
    playwright_api.expect(page.locator("#spoken")).to_contain_text("判断：")
    small = page.locator("button:visible, a:visible, [role=tab]:visible, label:has(input):visible").evaluate_all(
        "all => all.map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])"
        ".filter(([_, box]) => box.width < 44 || box.height < 44).map(([html, _]) => html)"
    )
    assert small == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert visit.serious_findings() == []
    # The margin of a phone, and bars of one scale in both answers.
    assert page.locator("#post").bounding_box()["x"] <= 16
    widths = page.locator("#result .panel").evaluate_all("all => all.map(e => e.querySelector('.track').offsetWidth)")
    assert widths[0] == widths[1]
    visit.shot("app_phone.png")


def test_a_damaged_folder_is_refused_in_one_line(model_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(model_folder, folder)
    (folder / "vocab.txt").write_text("x\n", encoding="utf-8")
    refused = run_command("app", "--model", folder, check=False)
    assert refused.returncode == 2
    assert (
        refused.stderr.strip().splitlines()[-1].startswith(f"error: {folder / 'vocab.txt'}: expected the file that was saved")
    )
