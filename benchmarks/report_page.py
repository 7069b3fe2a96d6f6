"""Opens reports in Chromium without a network, as a reader would, and says whether they can be shown to anybody.

python -m benchmarks.report_page --input answers.jsonl --compare_by city --pictures shots/

The answers are made into a report in English and in Chinese. Each is opened at 1440 and 390 pixels, light and dark. A line for
each says how wide the page is, how many serious faults axe-core finds, and how many errors and requests the browser saw. The
counts of the page are compared with those of the input. The exit code is 1 if anything is wrong.
"""

import json
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from aslstm.commands.flags import CommandParser, run
from aslstm.commands.report import main as report

from .browsing import LANGUAGES, SCHEMES, Watched, chromium

WIDTHS = (1440, 390)
MAX_BYTES = 5_000_000


def look_at(browser: Any, page: Path, width: int, scheme: str, picture: Path | None) -> list[str]:
    """Return what is wrong with a page in a window of a width, in a colour scheme."""
    watched = Watched(browser, width, scheme, ("file:",), offline=True)
    tab = watched.tab
    tab.goto(page.absolute().as_uri())
    tab.locator("#rows tr").first.wait_for()
    if picture is not None:
        watched.shoot(picture)
    faults = [*watched.too_wide(), *watched.serious()]
    word = tab.locator("#words button.find, #emoji button.find").first
    if word.count():
        item = word.get_attribute("data-find") or ""
        word.click()
        if tab.locator("#filter-search").input_value() != item or not tab.locator("#rows tr").count():
            faults.append(f"a click on {item} shows no posts")
    watched.close()
    return [*faults, *watched.errors, *watched.outside]


def counts_in(page: Path) -> Counter[str]:
    """Return how many posts of each label the bars of a page say."""
    bars = re.findall(r'id="chart-labels">(.*?)</div>', page.read_text(encoding="utf-8"), re.DOTALL)[0]
    return Counter({name: int(n.replace(",", "")) for name, n in re.findall(r"^<span>(.*?)</span>.* · ([\d,]+)<", bars, re.M)})


def main() -> None:
    """Make the reports, look at them, and print a line for each."""
    parser = CommandParser("report_page", __doc__)
    parser.add_argument("--input", type=Path, required=True, help="what aslstm predict wrote, as JSON Lines")
    parser.add_argument("--compare_by", help="name of a column of groups")
    parser.add_argument("--pictures", type=Path, help="folder of the screenshots")
    arguments = parser.parse_args()
    groups = ["--compare_by", arguments.compare_by] if arguments.compare_by else []
    lines = arguments.input.read_text(encoding="utf-8").splitlines()
    # Posts without words have no label, and no bar.
    expected = Counter(label for line in lines if (label := json.loads(line)["label"]))
    failed = False
    with tempfile.TemporaryDirectory() as scratch, chromium() as browser:
        for language in LANGUAGES:
            folder = Path(scratch, language)
            report(["--input", str(arguments.input), "--output", str(folder), "--language", language, *groups])
            page = folder / "index.html"
            counted = counts_in(page)
            is_equal = sorted(counted.values()) == sorted(expected.values()) and (language != "en" or counted == expected)
            size = page.stat().st_size
            print(f"{language}: {size / 1e6:.2f} MB, counts {'equal to' if is_equal else 'DIFFER from'} the input's")
            failed |= not is_equal or size > MAX_BYTES
            for width in WIDTHS:
                for scheme in SCHEMES:
                    name = f"{language}-{width}-{scheme}"
                    picture = arguments.pictures and arguments.pictures / f"{name}.png"
                    faults = look_at(browser, page, width, scheme, picture)
                    print(f"{name:<16}{'; '.join(faults) or 'no fault'}")
                    failed |= bool(faults)
    if failed:
        sys.exit(1)


if __name__ == "__main__":
    run(main)
