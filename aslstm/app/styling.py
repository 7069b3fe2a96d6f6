"""Gives what makes the page of the app look as it does: the theme, the path of its style, and its script."""

import json
from pathlib import Path

import gradio as gr

from .texts import TEXTS, AppTexts
from .uploads import FORMATS

# No font is fetched: these fonts are looked for on the visitor's machine. "Emoji in colour" is defined in style.css for emoji
# alone, because some fonts draw emoji in black, and the fonts that draw them in colour also draw digits.
FONTS = ("Emoji in colour", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", "sans-serif")
STYLE = Path(__file__).with_name("style.css")
SCRIPT = Path(__file__).with_name("page.js")


def script(megabytes: int) -> str:
    """Return the script of the page with the texts that it shows.

    Args:
        megabytes: The largest upload.
    """

    def of(texts: AppTexts) -> dict[str, str]:
        large = texts.large_file.format(megabytes=megabytes)
        return {"lang": texts.lang, "hint": texts.file_hint.format(formats=FORMATS, megabytes=megabytes), "large": large}

    pages = json.dumps({language: of(texts) for language, texts in TEXTS.items()}, ensure_ascii=False)
    source = SCRIPT.read_text(encoding="utf-8").split("\n", 1)[1]
    return source.replace("{PAGES}", pages).replace("{LIMIT}", str(megabytes * 1_000_000))


def theme() -> gr.themes.Base:
    """Return the theme: its letters have the contrast that WCAG asks for (AA) in both modes."""
    return gr.themes.Default(
        font=FONTS, font_mono=FONTS, primary_hue=gr.themes.colors.blue, neutral_hue=gr.themes.colors.zinc
    ).set(
        button_primary_background_fill="*primary_700", button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700", button_primary_background_fill_hover_dark="*primary_800",
        body_text_color_subdued="*neutral_600", body_text_color_subdued_dark="*neutral_300",
        block_label_text_color="*neutral_700", block_label_text_color_dark="*neutral_200",
        block_title_text_color="*neutral_700", block_title_text_color_dark="*neutral_200",
        block_info_text_color="*neutral_600", block_info_text_color_dark="*neutral_300",
        input_placeholder_color="*neutral_500", input_placeholder_color_dark="*neutral_400",
    )  # fmt: skip
