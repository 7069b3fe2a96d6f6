"""Takes a model folder and gives the app in the browser, as Gradio blocks.

The app shows one post with and without its emoji, and labels the posts of a file. It asks the network for nothing.
"""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

# Gradio reads this variable when it is imported.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import gradio as gr
from gradio.utils import get_upload_folder
from starlette.middleware import Middleware

from aslstm.data.known_corpora import shown_names
from aslstm.errors import UserError
from aslstm.prediction import torch_backend
from tokenization import split_emoji

from . import batch
from .answers import Shown, emoji_buttons, error_line, examples_html, load, results_html, upload_html
from .batch import ROWS, Labelled, label_posts
from .faults import ToldError, told
from .jobs import JobRefused, JobRunner, Refusal
from .serving import BodyLimit, ReportPages, address_of
from .styling import STYLE, script, theme
from .texts import TEXTS
from .uploads import MAX_PASTED_CHARACTERS, MAX_POST_CHARACTERS, Upload, look_at

ENCODINGS = ["UTF-8", "GB18030", "UTF-16", "Big5"]
MAX_MEGABYTES = 20
MAX_EVENTS = 60  # More clicks and answers than these do not wait.
MAX_SESSIONS = 20  # Gradio keeps the last inputs and outputs of so many visitors.
SECONDS_OF_UPLOADS = 600
_MODULES = (batch.__name__, torch_backend.__name__)
REPORTS = JobRunner(*_MODULES, seconds=120, num_waiting=3)
# Looking at an upload is short, and does not wait for reports.
LOOKS = JobRunner(*_MODULES, seconds=30, num_waiting=8)
PAGES = ReportPages()
EXAMPLES = ("今天又加班[泪]", "今天又加班[太开心]", "你可真行[怒]", "终于放假了🎉")
# A click on a button inside the component gives its text.
_CLICKS = """element.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-text]");
  if (button) trigger("click", {text: button.dataset.text});
});"""


def put_emoji(emoji: str, post: str, mode: str) -> str:
    """Return a post with one more emoji, or with this emoji in the place of all its emoji.

    >>> put_emoji("[泪]", "又加班😂", "add"), put_emoji("[泪]", "又加班😂", "swap")
    ('又加班😂[泪]', '又加班[泪]')
    """
    pieces = split_emoji(post)
    if mode == "swap" and any(piece.is_emoji for piece in pieces):
        return "".join(emoji if piece.is_emoji else piece.text for piece in pieces)
    return post + emoji


def put_clicked(post: str, mode: str, event: gr.EventData) -> str:
    """Return a post with the emoji of the button that was clicked."""
    return put_emoji(str(event.text), post, mode)


def clicked(event: gr.EventData) -> str:
    """Return the text of the button that was clicked."""
    return str(event.text)


def find_emoji(model: str, query: str, language: str) -> str:
    """Return HTML with a button for each emoji that was searched for."""
    try:
        return emoji_buttons(model, query, language)
    except UserError as error:
        return error_line(told(error, language), TEXTS[language])


def answer_post(model: str, post: str, language: str) -> Shown:
    """Return the answer to one post."""
    try:
        return load(model).of_post(post, language)
    except UserError as error:
        return _fault(told(error, language), language)


def show_model(model: str, language: str) -> tuple[str, dict[str, Any]]:
    """Return HTML of the line about a model, and the properties of the field that searches its emoji."""
    texts = TEXTS[language]
    try:
        answers = load(model)
    except UserError as error:
        return error_line(told(error, language), texts), gr.update()
    label = texts.search.format(count=len(answers.emoji))
    return answers.model_line(language), gr.update(label=label, placeholder=texts.search_hint)


class Looked(NamedTuple):
    """Holds what is known of an upload, so that it can be shown again in another language."""

    name: str
    upload: Upload

    def shown(self, language: str) -> Shown:
        """Return what is shown of it."""
        return upload_html(self.name, self.upload, language)


class Made(NamedTuple):
    """Holds what was labelled, so that it can be shown again in another language; ``stem`` is "" for pasted lines."""

    address: str
    stem: str
    labelled: Labelled

    def shown(self, language: str) -> Shown:
        """Return what is shown of it. The files and the report stay in the language in which they were made."""
        texts, labelled = TEXTS[language], self.labelled
        line = texts.finished.format(posts=labelled.num_posts)
        if labelled.num_blank:
            line += texts.blank.format(blank=labelled.num_blank)
        if labelled.num_cleaned:
            line += texts.cleaned.format(count=labelled.num_cleaned)
        names = shown_names(labelled.labels, language)
        counts = {names[label]: count for label, count in labelled.counts.items()}
        return Shown(results_html(self.address, self.stem or texts.title, ROWS, counts, line, texts), line)


def look(file: str | None, encoding: str, language: str) -> tuple[dict[str, Any], dict[str, Any], str, str, Looked | None]:
    """Return the properties of the row of choices and of the menu of columns, what is shown and said of an upload, and it."""
    if not file:
        return gr.update(visible=False), gr.update(choices=[], value=None), "", "", None
    try:
        upload = LOOKS.run(look_at, Path(file), encoding, language, progress=lambda _: None)
    except (JobRefused, UserError) as error:
        shown = _fault(error, language, LOOKS.seconds)
        # The encoding may be what is wrong.
        return gr.update(visible=True), gr.update(choices=[], value=None), shown.html, "", None
    looked = Looked(Path(file).name, upload)
    shown = looked.shown(language)
    return (
        gr.update(visible=True),
        gr.update(choices=upload.columns, value=upload.text_column or None),
        shown.html,
        shown.spoken,
        looked,
    )


def report(
    model: str,
    lines: str,
    file: str | None,
    text_column: str | None,
    encoding: str,
    language: str,
    progress: gr.Progress = gr.Progress(),  # noqa: B008 (so Gradio finds it)
) -> tuple[str, str, Made | None]:
    """Label the posts of a file, or pasted lines if no file is given, and return what is shown and said of it, and it."""
    try:
        with PAGES.new() as folder:
            given = (model, lines, file, text_column or "", encoding, language, str(folder))
            labelled = REPORTS.run(label_posts, *given, progress=lambda step: progress(step[0], desc=step[1]))
    except (JobRefused, UserError) as error:
        return *_fault(error, language, REPORTS.seconds), None
    made = Made(address_of(folder), Path(file).stem if file else "", labelled)
    return *made.shown(language), made


def show_again(looked: Looked | None, made: Made | None, language: str) -> list[str | dict[str, Any]]:
    """Return what is shown of an upload and of what was labelled; errors stay as they were told."""
    return [gr.update() if one is None else one.shown(language).html for one in (looked, made)]


def _fault(error: JobRefused | UserError, language: str, seconds: float = 0) -> Shown:
    """Return what is shown of work that was not done; an alert is heard by itself."""
    texts = TEXTS[language]
    if isinstance(error, JobRefused):
        message = {Refusal.BUSY: texts.busy, Refusal.SLOW: texts.too_slow, Refusal.ENDED: texts.ended}[error.why]
        error = ToldError(message.format(seconds=seconds))
    return Shown(error_line(error, texts), "")


def local_models(model: str) -> list[str]:
    """Return the model folders under ``outputs`` and the folder that was named."""
    return sorted({model, *(str(path.parent) for path in Path("outputs").rglob("checksums.json"))})


def wording(language: str) -> dict[str, dict[str, Any]]:
    """Return the properties of each component that depend on the language alone."""
    texts = TEXTS[language]
    return {
        "title": {"value": f"# {texts.title}\n{texts.about}"},
        "one_post": {"label": texts.one_post},
        "many_posts": {"label": texts.many_posts},
        "post": {"label": texts.post, "placeholder": texts.post_hint},
        "examples": {"value": examples_html(EXAMPLES, texts)},
        "mode": {"label": texts.picker, "choices": [(texts.add, "add"), (texts.swap, "swap")]},
        "file": {"label": texts.file},
        "lines": {"label": texts.lines, "placeholder": texts.lines_hint},
        "text_column": {"label": texts.text_column},
        "encoding": {"label": texts.encoding, "choices": [(texts.encoding_found, ""), *((name, name) for name in ENCODINGS)]},
        "make": {"value": texts.label_posts},
        "other_model": {"label": texts.other_model},
        "model": {"label": texts.model_folder},
    }


def build(model: str) -> gr.Blocks:
    """Build the app.

    Args:
        model: The model folder that the app begins with. In a Space it cannot be changed.
    """
    words = wording("zh")
    parts: dict[str, Any] = {}
    with gr.Blocks(title=TEXTS["zh"].title, analytics_enabled=False, delete_cache=(60, SECONDS_OF_UPLOADS)) as app:
        spoken = gr.HTML(elem_id="spoken")
        with gr.Row(elem_id="top"):
            parts["title"] = gr.Markdown(**words["title"])
            language = gr.Radio(
                [("中文", "zh"), ("English", "en")], value="zh", label="语言 / Language", show_label=False, container=False,
                elem_id="language",
            )  # fmt: skip
        line, search = show_model(model, "zh")
        model_line = gr.HTML(line, elem_id="model-line")
        with gr.Tab(**words["one_post"]) as parts["one_post"]:
            outputs = _one_post(model, words, parts, search)
        with gr.Tab(**words["many_posts"]) as parts["many_posts"]:
            many = _many_posts(words, parts)
        # A visitor of a Space must not be able to try out its paths.
        is_space = "SPACE_ID" in os.environ
        with gr.Accordion(open=False, visible=not is_space, **words["other_model"]) as parts["other_model"]:
            parts["model"] = gr.Dropdown(
                [model] if is_space else local_models(model), value=model, allow_custom_value=not is_space,
                interactive=not is_space, **words["model"],
            )  # fmt: skip
        _listen(app, parts, language, {**outputs, **many, "spoken": spoken, "model_line": model_line})
    return app


def _one_post(model: str, words: dict[str, dict[str, Any]], parts: dict[str, Any], search: dict[str, Any]) -> dict[str, Any]:
    """Add the components of the tab for one post, whose first example is answered already; return those that show something."""
    with gr.Row(elem_id="one"):
        with gr.Column(scale=2, min_width=320, elem_id="asked"):
            with gr.Column(elem_id="written"):
                parts["post"] = gr.Textbox(
                    EXAMPLES[0], lines=2, max_lines=8, max_length=MAX_POST_CHARACTERS, elem_id="post", **words["post"]
                )
                parts["examples"] = gr.HTML(js_on_load=_CLICKS, elem_id="examples", **words["examples"])
            with gr.Column(elem_id="emoji"):
                parts["mode"] = gr.Radio(value="add", **words["mode"])
                query = gr.Textbox(elem_id="search", label=search.get("label"), placeholder=search.get("placeholder"))
                picker = gr.HTML(emoji_buttons(model, "", "zh"), js_on_load=_CLICKS, elem_id="picker")
        with gr.Column(scale=3, min_width=320, elem_id="answered"):
            result = gr.HTML(answer_post(model, EXAMPLES[0], "zh").html, elem_id="result")
    return {"query": query, "picker": picker, "result": result}


def _many_posts(words: dict[str, dict[str, Any]], parts: dict[str, Any]) -> dict[str, Any]:
    """Add the components of the tab for many posts; return those that show something."""
    parts["file"] = gr.File(height=150, elem_id="file", **words["file"])
    with gr.Row(visible=False, elem_id="choices") as choices:
        parts["text_column"] = gr.Dropdown([], filterable=False, elem_id="column", **words["text_column"])
        parts["encoding"] = gr.Dropdown(value="", filterable=False, elem_id="encoding", **words["encoding"])
    looked = gr.HTML(elem_id="looked")
    parts["lines"] = gr.Textbox(lines=4, max_lines=12, max_length=MAX_PASTED_CHARACTERS, elem_id="lines", **words["lines"])
    parts["make"] = gr.Button(variant="primary", elem_id="make", **words["make"])
    page = gr.HTML(elem_id="page")
    return {"choices": choices, "looked": looked, "page": page, "upload": gr.State(), "made": gr.State()}


def _listen(app: gr.Blocks, parts: dict[str, Any], language: gr.Radio, shown: dict[str, Any]) -> None:
    """Connect the components."""
    # One answer is computed at a time, because each uses all cores.
    answering: dict[str, Any] = {"concurrency_id": "model", "concurrency_limit": 1, "api_visibility": "private"}
    # Reports wait in REPORTS, which refuses them when too many wait. In the queue of Gradio they would keep answers out.
    reporting: dict[str, Any] = {"concurrency_limit": None, "api_visibility": "private"}
    light: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    model, post, spoken = parts["model"], parts["post"], shown["spoken"]
    gr.on(
        [post.change, model.change, language.change],
        answer_post, [model, post, language], [shown["result"], spoken],
        trigger_mode="always_last", show_progress="hidden", **answering,
    )  # fmt: skip
    parts["examples"].click(clicked, None, post, **light)
    shown["picker"].click(put_clicked, [post, parts["mode"]], post, **light)
    gr.on(
        [shown["query"].change, model.change, language.change],
        find_emoji, [model, shown["query"], language], shown["picker"], trigger_mode="always_last", **light,
    )  # fmt: skip
    gr.on([model.change, language.change], show_model, [model, language], [shown["model_line"], shown["query"]], **light)
    looks = [shown["choices"], parts["text_column"], shown["looked"], spoken, shown["upload"]]
    gr.on(
        [parts["file"].change, parts["encoding"].input],
        look, [parts["file"], parts["encoding"], language], looks, show_progress_on=shown["looked"], **reporting,
    )  # fmt: skip
    inputs = [parts[name] for name in ("model", "lines", "file", "text_column", "encoding")]
    made = [shown["page"], spoken, shown["made"]]
    parts["make"].click(report, [*inputs, language], made, show_progress_on=shown["page"], **reporting)
    again = [shown["looked"], shown["page"]]
    language.change(show_again, [shown["upload"], shown["made"], language], again, **light)
    language.change(
        lambda chosen: [gr.update(**properties) for properties in wording(chosen).values()],
        language, [parts[name] for name in wording("zh")], **light,
    )  # fmt: skip
    gr.on([app.load, language.change], None, language, None, js=script(MAX_MEGABYTES))


def launch(model: str, say: Callable[[str], Any]) -> None:
    """Serve the app until it is stopped, at the address that GRADIO_SERVER_NAME and GRADIO_SERVER_PORT name.

    Args:
        model: The model folder that the app begins with.
        say: A function that is called with the address when the app is served.
    """
    # Uploads and reports are deleted at the end, also where a service is stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # The first visitor should not wait for what is read or imported at the first use.
    REPORTS.start()
    limit = Middleware(BodyLimit, upload_megabytes=MAX_MEGABYTES, folder=Path(get_upload_folder()))
    app = build(model).queue(max_size=MAX_EVENTS)
    # Gradio would also print how to show the app to the whole world.
    _, address, _ = app.launch(
        theme=theme(), css_paths=STYLE, footer_links=[], share=False, ssr_mode=False, quiet=True, prevent_thread_lock=True,
        max_file_size=f"{MAX_MEGABYTES}mb", state_session_capacity=MAX_SESSIONS,
        app_kwargs={"middleware": [limit], "routes": [PAGES.route]},
    )  # fmt: skip
    say(f"{address} (Ctrl-C stops)")
    app.block_thread()
