"""Opens the app in Chromium, as visitors do, and says whether each of its views can be shown to anybody.

python -m benchmarks.app_page --pictures shots/

The views are the first one, a post that was asked, a search for emoji, a workbook with its menu of columns, the same one
labelled, and a file that cannot be read. Each is looked at on two desktops and a phone, light and dark, in English and in
Chinese. A row for each view says whether it can be scrolled sideways, what axe-core finds serious, which requests went to
others, and what the browser wrote to its console; the report inside a view is looked at too. The exit code is 1 if anything
is wrong.
"""

import datetime
import itertools
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aslstm.app.texts import TEXTS
from aslstm.commands.flags import CommandParser, run
from aslstm.model_folder.choosing import BUILT_IN_MODEL
from aslstm.workbooks import Sheet, write_workbook
from tests.support.app_visitor import served_app

from .browsing import LANGUAGES, SCHEMES, Watched, chromium

WIDTHS = (1440, 1280, 390)
POST = "说好的周末不加班，结果又改了一整天方案，真是太“开心”了[微笑][微笑]"
POSTS = (
    "今天又加班[泪]", "奶茶第二杯半价，开心😂", "地铁又停了，气死我了[怒]", "抽奖从来没中过[允悲]",
    "https://example.org 转发微博",
    "家里的猫会开门了[doge]", "明天考试，好紧张[衰]", "外卖迟到一个小时，客服还让我等等🙄", "", "终于放假了🎉",
)  # fmt: skip
NUM_POSTS = 120
MILLISECONDS = 180_000
HEADER = "| view | width | scheme | language | sideways | serious | outside | errors |\n|---|---|---|---|---|---|---|---|"


def write_posts(path: Path) -> None:
    """Write a workbook as a crawler does, with dates and a second column of texts."""
    day = datetime.date(2026, 5, 1)
    rows = [
        [f"49{i:014d}", POSTS[i % len(POSTS)], "来自 手机客户端", str(day + datetime.timedelta(i // 6))]
        for i in range(NUM_POSTS)
    ]
    write_workbook(path, [Sheet("微博", ["id", "微博正文", "来源", "发布时间"], rows)])


def first(tab: Any, language: str, _folder: Path) -> None:
    """Choose the language, and wait for the answered example."""
    tab.get_by_label({"zh": "中文", "en": "English"}[language], exact=True).check()
    tab.locator("#result h2").filter(has_text=TEXTS[language].without_emoji).wait_for()


def asked(tab: Any, _language: str, _folder: Path) -> None:
    """Ask for a post."""
    tab.locator("#post textarea").fill(POST)
    tab.locator("#result .post").filter(has_text=POST).first.wait_for()


def searched(tab: Any, _language: str, _folder: Path) -> None:
    """Search for emoji."""
    tab.locator("#search").locator("input, textarea").fill("笑")
    tab.locator("#picker .note").wait_for()


def chosen(tab: Any, language: str, folder: Path) -> None:
    """Bring a workbook, and open its menu of columns."""
    tab.get_by_role("tab", name=TEXTS[language].many_posts).click()
    tab.locator("#file input[type=file]").set_input_files(folder / "微博.xlsx")
    tab.locator("#looked table").wait_for()
    tab.locator("#column input").click()
    # The menu comes into sight by and by.
    tab.get_by_role("listbox").locator("..").evaluate("menu => Promise.all(menu.getAnimations().map(one => one.finished))")


def labelled(tab: Any, _language: str, _folder: Path) -> None:
    """Have the posts labelled."""
    tab.keyboard.press("Escape")
    tab.locator("#make").click()
    tab.locator(".finished").wait_for(timeout=MILLISECONDS)
    tab.frame_locator("iframe.report").locator("#rows tr").first.wait_for()


def refused(tab: Any, language: str, folder: Path) -> None:
    """Begin again, and bring a file that holds no posts."""
    tab.reload()
    first(tab, language, folder)
    tab.get_by_role("tab", name=TEXTS[language].many_posts).click()
    tab.locator("#file input[type=file]").set_input_files(folder / "照片.png")
    tab.locator("#looked .error").filter(has_text=TEXTS[language].error.strip()).wait_for()


VIEWS: tuple[Callable[[Any, str, Path], None], ...] = (first, asked, searched, chosen, labelled, refused)


def faults_of(watched: Watched) -> tuple[list[str], ...]:
    """Return what is wrong with a view, one list for each column of the table; what the browser saw counts for one view."""
    found = watched.too_wide(), watched.serious(), [*watched.outside], [*watched.errors]
    watched.outside.clear()
    watched.errors.clear()
    return found


def main() -> None:
    """Serve the app, look at its views, and print a row for each."""
    parser = CommandParser("app_page", __doc__)
    parser.add_argument("--model", type=Path, default=BUILT_IN_MODEL, help="model folder")
    parser.add_argument("--pictures", type=Path, help="folder of the screenshots")
    arguments = parser.parse_args()
    failed = False
    print(HEADER)
    with tempfile.TemporaryDirectory() as scratch, served_app(arguments.model) as (address, _), chromium() as browser:
        folder = Path(scratch)
        write_posts(folder / "微博.xlsx")
        (folder / "照片.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
        for language, scheme, width in itertools.product(LANGUAGES, SCHEMES, WIDTHS):
            watched = Watched(browser, width, scheme, (address, "data:", "blob:", "about:"))
            watched.tab.goto(address)
            for view in VIEWS:
                view(watched.tab, language, folder)
                if arguments.pictures:
                    watched.shoot(arguments.pictures / f"{view.__name__}-{language}-{width}-{scheme}.png")
                faults = faults_of(watched)
                told = " | ".join("; ".join(column) or "none" for column in faults)
                print(f"| {view.__name__} | {width} | {scheme} | {language} | {told} |", flush=True)
                failed |= any(faults)
            watched.close()
    if failed:
        sys.exit(1)


if __name__ == "__main__":
    run(main)
