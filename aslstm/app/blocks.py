"""Takes a model folder and gives the app in the browser, as Gradio blocks.

The app shows one post with and without its emoji, and the report of many posts. It asks the network for nothing.
"""

import os
import signal
from functools import partial
from pathlib import Path
from typing import Any

# Gradio reads this variable when it is imported.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import gradio as gr
from gradio.utils import get_upload_folder
from starlette.middleware import Middleware

from aslstm.errors import UserError
from aslstm.prediction import torch_backend
from tokenization import split_emoji

from . import answers
from .answers import MAX_PASTED_CHARACTERS, MAX_POST_CHARACTERS, SUFFIXES, error_line, frame, load, make_report
from .jobs import JobRefused, JobRunner, Refusal
from .serving import BodyLimit, ReportPages
from .texts import TEXTS

ENCODINGS = ["utf-8", "gb18030", "utf-16"]
MAX_MEGABYTES = 20
MAX_EVENTS = 60  # More clicks and answers than these do not wait.
MAX_SESSIONS = 20  # Gradio keeps the last inputs and outputs of so many visitors.
SECONDS_OF_UPLOADS = 600
REPORTS = JobRunner(answers.__name__, torch_backend.__name__, seconds=120, num_waiting=3)
PAGES = ReportPages()
EMOJI = (
    *("[泪]", "[太开心]", "[怒]", "[赞]", "[心]", "[哈哈]", "[抓狂]", "[可怜]", "[吃惊]", "[偷笑]", "[鼓掌]", "[doge]"),
    *("😂", "😭", "😰", "😱", "😡", "😳", "😍", "🥳", "🎉", "💔", "👍", "🙂"),
)
# No font is fetched: these fonts are looked for on the visitor's machine. "Emoji in colour" is defined below for emoji alone,
# because some fonts draw emoji in black, and the fonts that draw them in colour also draw digits.
FONTS = ("Emoji in colour", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", "sans-serif")
CSS = """
@font-face { font-family: "Emoji in colour"; unicode-range: U+231A-27BF, U+2934-2B55, U+FE0F, U+200D, U+1F000-1FAFF;
  src: local("Noto Color Emoji"), local("NotoColorEmoji"), local("Apple Color Emoji"), local("Segoe UI Emoji"); }
.picker { gap: 4px !important; } .picker button { min-width: 0 !important; flex: 0 0 auto !important; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr)); gap: 16px; }
.panel { border: 1px solid var(--border-color-primary); border-radius: 8px; padding: 12px 16px; min-width: 0; }
.panel h3 { margin: 0; color: var(--body-text-color); } .panel .label { font-size: 1.4em; margin: 0 0 8px; }
.panel .polarity { margin: 0 0 8px; }
.panel .post { font-size: 1.3em; line-height: 1.8; overflow-wrap: anywhere; unicode-bidi: isolate; white-space: pre-wrap; }
.bars { width: 100%; margin-top: 12px; font-size: 14px; border-collapse: collapse; }
.bars th { text-align: left; font-weight: normal; white-space: nowrap; }
.bars th { max-width: 10em; overflow: hidden; text-overflow: ellipsis; }
.bars td { text-align: right; padding: 2px; } .bars, .bars :is(tr, th, td) { border: 0 !important; }
.bars .track { width: 50%; } .bars .track div { background: #4c78a8; height: 12px; border-radius: 3px; min-width: 1px; }
.note { color: var(--body-text-color-subdued); margin: 8px 0 0; } .error { color: #b00020; overflow-wrap: anywhere; }
iframe.report { width: 100%; height: 85vh; border: 1px solid var(--border-color-primary); background: white; }
"""


def put_emoji(emoji: str, post: str, mode: str) -> str:
    """Return a post with one more emoji, or with this emoji in the place of all its emoji.

    >>> put_emoji("[泪]", "又加班😂", "add"), put_emoji("[泪]", "又加班😂", "swap")
    ('又加班😂[泪]', '又加班[泪]')
    """
    pieces = split_emoji(post)
    if mode == "swap" and any(piece.is_emoji for piece in pieces):
        return "".join(emoji if piece.is_emoji else piece.text for piece in pieces)
    return post + emoji


def answer_post(model: str, post: str, language: str) -> str:
    """Return HTML with the answer to one post."""
    try:
        return load(model).of_post(post, language)
    except UserError as error:
        return error_line(error, TEXTS[language])


def report(
    model: str,
    lines: str,
    file: str | None,
    text_column: str,
    encoding: str,
    language: str,
    progress: gr.Progress = gr.Progress(),  # noqa: B008 (so Gradio finds it)
) -> str:
    """Return HTML with the report on a file, or on pasted lines if no file is given."""
    texts = TEXTS[language]
    try:
        page = REPORTS.run(make_report, model, lines, file, text_column, encoding, language, progress=progress)
    except JobRefused as refused:
        message = {Refusal.BUSY: texts.busy, Refusal.SLOW: texts.too_slow, Refusal.ENDED: texts.ended}[refused.why]
        return error_line(UserError(message.format(seconds=REPORTS.seconds)), texts)
    except UserError as error:
        return error_line(error, texts)
    return frame(PAGES.add(page))


def local_models(model: str) -> list[str]:
    """Return the model folders under ``outputs`` and the folder that was named."""
    return sorted({model, *(str(path.parent) for path in Path("outputs").rglob("checksums.json"))})


def wording(language: str) -> dict[str, dict[str, Any]]:
    """Return the properties of each component that depend on the language."""
    texts = TEXTS[language]
    return {
        "title": {"value": f"# {texts.title}\n{texts.about}"},
        "model": {"label": texts.model},
        "one_post": {"label": texts.one_post},
        "many_posts": {"label": texts.many_posts},
        "post": {"label": texts.post, "placeholder": texts.post_hint},
        "mode": {"label": texts.picker, "choices": [(texts.add, "add"), (texts.swap, "swap")]},
        "lines": {"label": texts.lines, "placeholder": texts.lines_hint},
        "file": {"label": texts.file.format(megabytes=MAX_MEGABYTES)},
        "text_column": {"label": texts.text_column},
        "encoding": {"label": texts.encoding},
        "make": {"value": texts.report},
    }


def build(model: str) -> gr.Blocks:
    """Build the app.

    Args:
        model: The model folder that the app begins with. In a Space it cannot be changed.
    """
    words = wording("zh")
    parts: dict[str, Any] = {}
    # One answer is computed at a time, because each uses all cores.
    answering: dict[str, Any] = {"concurrency_id": "model", "concurrency_limit": 1, "api_visibility": "private"}
    # Reports wait in REPORTS, which refuses them when too many wait. In the queue of Gradio they would keep answers out.
    reporting: dict[str, Any] = {"concurrency_limit": None, "api_visibility": "private"}
    light: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    with gr.Blocks(title=TEXTS["en"].title, analytics_enabled=False, delete_cache=(60, SECONDS_OF_UPLOADS)) as app:
        with gr.Row():
            parts["title"] = gr.Markdown(**words["title"])
            language = gr.Radio([("中文", "zh"), ("English", "en")], value="zh", label="语言 / Language")
        # A visitor of a Space must not be able to try out its paths.
        is_space = "SPACE_ID" in os.environ
        choices = [model] if is_space else local_models(model)
        parts["model"] = gr.Dropdown(
            choices, value=model, allow_custom_value=not is_space, interactive=not is_space, **words["model"]
        )
        with gr.Tab(**words["one_post"]) as parts["one_post"]:
            parts["post"] = gr.Textbox(lines=2, max_lines=8, max_length=MAX_POST_CHARACTERS, elem_id="post", **words["post"])
            parts["mode"] = gr.Radio(value="add", **words["mode"])
            with gr.Row(elem_classes="picker"):
                for emoji in EMOJI:
                    button = gr.Button(emoji, size="sm")
                    button.click(partial(put_emoji, emoji), [parts["post"], parts["mode"]], parts["post"], **light)
            result = gr.HTML(elem_id="result")
        with gr.Tab(**words["many_posts"]) as parts["many_posts"]:
            with gr.Row():
                parts["lines"] = gr.Textbox(
                    lines=6, max_lines=12, max_length=MAX_PASTED_CHARACTERS, elem_id="lines", **words["lines"]
                )
                parts["file"] = gr.File(file_types=list(SUFFIXES), height=190, **words["file"])
            with gr.Row():
                parts["text_column"] = gr.Textbox("text", **words["text_column"])
                parts["encoding"] = gr.Dropdown(ENCODINGS, value="utf-8", **words["encoding"])
            parts["make"] = gr.Button(variant="primary", elem_id="make", **words["make"])
            page = gr.HTML(elem_id="page")
        gr.on(
            [app.load, parts["post"].change, parts["model"].change, language.change],
            answer_post, [parts["model"], parts["post"], language], result,
            trigger_mode="always_last", show_progress="hidden", **answering,
        )  # fmt: skip
        inputs = [parts[name] for name in ("model", "lines", "file", "text_column", "encoding")]
        parts["make"].click(report, [*inputs, language], page, **reporting)
        language.change(
            lambda chosen: [gr.update(**properties) for properties in wording(chosen).values()],
            language, [parts[name] for name in words], **light,
        )  # fmt: skip
    return app


def launch(model: str) -> None:
    """Serve the app until it is stopped, at the address that GRADIO_SERVER_NAME and GRADIO_SERVER_PORT name.

    Args:
        model: The model folder that the app begins with.
    """
    # Uploads and reports are deleted at the end, also where a service is stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # The first visitor should not wait for what is read or imported at the first use.
    REPORTS.start()
    answer_post(model, EMOJI[0], "zh")
    limit = Middleware(BodyLimit, upload_megabytes=MAX_MEGABYTES, folder=Path(get_upload_folder()))
    build(model).queue(max_size=MAX_EVENTS).launch(
        theme=gr.themes.Default(font=FONTS, font_mono=FONTS), css=CSS, footer_links=[], share=False, ssr_mode=False,
        max_file_size=f"{MAX_MEGABYTES}mb", state_session_capacity=MAX_SESSIONS,
        app_kwargs={"middleware": [limit], "routes": [PAGES.route]},
    )  # fmt: skip
