"""Opens pages in Chromium and gives what is wrong with them: whom they ask, how wide they are, what axe-core finds."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

LANGUAGES = ("en", "zh")
SCHEMES = ("light", "dark")
SERIOUS = ("serious", "critical")
HEIGHT = 900
MILLISECONDS_OF_DRAWING = 500
# A page of thousands of posts takes half a minute to be drawn on a busy machine.
MILLISECONDS_OF_ANYTHING = 120_000


@contextmanager
def chromium() -> Iterator[Any]:
    """Yield a browser, the one of the machine if it has one; it is closed at the end."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = shutil.which("chromium") or playwright.chromium.executable_path
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


class Watched:
    """Holds a tab in a window of its own, and notes what goes wrong in it.

    Args:
        browser: The browser.
        width: The width of the window in pixels.
        scheme: The colour scheme, ``light`` or ``dark``.
        own: What the addresses begin with that the page may ask for.
        offline: Whether the window is without a network.

    Attributes:
        tab: The tab.
        errors: The errors that the page wrote to the console, and those that nothing caught.
        outside: The addresses that were asked for and that are not the page's own.
    """

    def __init__(self, browser: Any, width: int, scheme: str, own: tuple[str, ...], *, offline: bool = False) -> None:
        self.width = width
        viewport = {"width": width, "height": HEIGHT}
        self._context = browser.new_context(viewport=viewport, color_scheme=scheme, offline=offline)
        self._context.set_default_timeout(MILLISECONDS_OF_ANYTHING)
        self.tab = self._context.new_page()
        self.errors: list[str] = []
        self.outside: list[str] = []
        self.tab.on("console", self._note)
        self.tab.on("pageerror", lambda error: self.errors.append(f"error: {error}"))
        self.tab.on("request", lambda asked: None if asked.url.startswith(own) else self.outside.append(asked.url))

    def _note(self, message: Any) -> None:
        # Gradio itself writes warnings when a file is chosen.
        if message.type == "error":
            self.errors.append(f"console: {message.text}")

    def too_wide(self) -> list[str]:
        """Return a line for the page, and for each page inside it, that can be scrolled sideways."""
        measure = "[document.documentElement.scrollWidth, window.innerWidth]"
        sizes = [frame.evaluate(measure) for frame in self.tab.frames]
        return [f"{found} pixels wide in {window}" for found, window in sizes if found > window]

    def serious(self) -> list[str]:
        """Return what axe-core finds serious or critical in the page and in the pages inside it, with the number of places."""
        from axe_playwright_python.sync_playwright import Axe

        found = [one for frame in self.tab.frames for one in Axe().run(frame).response["violations"]]
        return [
            f"{one['id']} ({len(one['nodes'])}): {one['nodes'][0]['target'][0]}" for one in found if one["impact"] in SERIOUS
        ]

    def shoot(self, picture: Path) -> None:
        """Write a screenshot of the whole page, and one more of each page inside it, which is drawn only where it is seen."""
        picture.parent.mkdir(parents=True, exist_ok=True)
        self.tab.screenshot(path=picture, full_page=True)
        for number, frame in enumerate(self.tab.frames[1:], start=1):
            frame.frame_element().scroll_into_view_if_needed()
            self.tab.wait_for_timeout(MILLISECONDS_OF_DRAWING)
            self.tab.screenshot(path=picture.with_stem(f"{picture.stem}-inside-{number}"))

    def close(self) -> None:
        """Close the window."""
        self._context.close()
