"""Takes the tables of a report and gives its page: one HTML file that needs no other file and no network.

Whatever comes from posts is escaped, and the page's content security policy forbids every script except its own and everything
that would be loaded from elsewhere. The page is at most 5 MB: the list of posts is packed, and made shorter if need be.
"""

import base64
import hashlib
import json
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from aslstm.charts import svg
from aslstm.colors import colors_of
from aslstm.prediction.attention_view import attention_html
from aslstm.printing import printable_chart
from tokenization.emoji_splitting import chinese_emoji_name

from .charts import MIN_ITEMS, configured, lines_of, named_colors, panels_of, trend
from .headlines import cards, difference_sentence, percent, sentences
from .naming import named_in, names_of_labels
from .posts import packed
from .tables import NAMES, PeakPosts, ReportTables
from .templates import environment
from .texts import LANGUAGES

WORKBOOK = "report.xlsx"
_FOLDER = Path(__file__).parent
_PAGE = environment(_FOLDER).get_template("page.html.j2")
_STYLE = (_FOLDER / "page.css").read_text(encoding="utf-8")
_SCRIPT = (_FOLDER / "page.js").read_text(encoding="utf-8")
# The tables that may have a chart beside the page.
PICTURES = ("labels", "polarity", "time", "emoji", "words", "groups")
_GREY = "#8b919a"
_CARD_COLORS = colors_of(("positive", "negative"))
# The widths of the lines over time in pixels, for a screen and for a phone.
_WIDTHS = {"wide": 860, "narrow": 280}
# The first sections are those that a reader has time for.
_SECTIONS = (
    *("headlines", "polarity", "labels", "time", "peaks", "groups", "group_words", "emoji", "words"),
    *("disagreements", "new_words", "posts", "examples", "about"),
)
_ONLY_IF_ASKED = ("polarity", "groups", "group_words")


def render(
    tables: ReportTables,
    *,
    title: str,
    language: str = "en",
    has_files: bool = True,
    pictures: Collection[str] = PICTURES,
    facts: Sequence[tuple[str, str]] = (),
) -> str:
    """Return the page as HTML.

    Args:
        tables: The tables that the page shows.
        title: The title at the top of the page.
        language: The language of the page and of the names of known labels, a key of ``LANGUAGES``.
        has_files: Whether the tables and charts are beside the page as CSV and PNG files, and all tables as a workbook.
        pictures: The names of the tables whose charts were drawn: a table of few rows has none.
        facts: Names and values that say how the report was made.
    """
    texts = LANGUAGES[language]
    named = named_in(language, tables)
    content, num_listed = packed(tables.posts, tables.labels)
    given = {**dict.fromkeys(_ONLY_IF_ASKED, False), **dict.fromkeys(named.tables, True), "about": bool(facts)}
    colors = named_colors(tables, language)
    label_colors = [colors[label] for label in named.labels]
    data = _data(tables, content, label_colors, language)
    return _PAGE.render(
        tables=named.tables,
        tables_labels=named.labels,
        sections=[name for name in _SECTIONS if given.get(name, True)],
        cards=cards(tables, language),
        sentences=sentences(tables, language),
        notes=_notes(tables, language),
        colors=colors,
        grey=_GREY,
        card_color=lambda card: colors[card.value] if card.kind == "top" else _CARD_COLORS.get(card.kind, "var(--line)"),
        trends=_trends(tables, language),
        trend_notes=_trend_notes(tables, language),
        trend_labels=[names_of_labels(tables, language)[label] for label in lines_of(tables)],
        peaks=[_peak(found, tables, language) for found in tables.peaks],
        difference=difference_sentence(tables, language) if tables.groups else "",
        disagreeing=texts.notes["disagreements"].format(found=tables.num_disagreeing, compared=tables.num_compared),
        polarity_is_summed=tables.polarity_is_summed,
        no_disagreement=_no_disagreement(tables, language),
        sampled=_sampled(num_listed, tables, language),
        dated=tables.first_day is not None,
        grouped=bool(tables.groups),
        examples=named.examples,
        facts=facts,
        texts=texts,
        title=title,
        language=language,
        has_files=has_files,
        files={name: ("csv", "png") if name in pictures else ("csv",) for name in NAMES},
        workbook=WORKBOOK,
        # The hash is base64, which needs no escaping, and the policy must have "+" and "=" as they are.
        hash=Markup(f"'sha256-{base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()}'"),
        style=Markup(_STYLE),
        script=Markup(_SCRIPT),
        # In JSON "<" occurs only inside texts. Written as an escape, it cannot end the script.
        data=Markup(json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")),
        figure=lambda column, value: _figure(column, value, language),
        percent=percent,
        rows_of=lambda name, width: [row[:width] for row in named.tables[name].rows],
        panels_of=panels_of,
        largest_of=lambda panels: max(row[4] for rows in panels.values() for row in rows),
        hidden_of=lambda name, panels: [
            label for label in (named.groups if name == "group_words" else named.labels) if label not in panels
        ],
        least=MIN_ITEMS,
        emoji_name=chinese_emoji_name,
        heat_map=lambda attention, text: Markup(attention_html(attention, text)),
    )


def _data(tables: ReportTables, content: str, colors: Sequence[str], language: str) -> dict[str, Any]:
    """Return what the script of the page reads."""
    controls = LANGUAGES[language].controls
    names = names_of_labels(tables, language)
    return printable_chart({
        "posts": content,
        "labels": [names[label] for label in tables.labels],
        "colors": list(colors),
        "controls": {name: controls[name] for name in ("found", "page")},
        "dated": tables.first_day is not None,
        "grouped": bool(tables.groups),
    })  # fmt: skip


def _notes(tables: ReportTables, language: str) -> list[str]:
    """Return the lines below the headline: what the figures do not say, and what is left out."""
    notes = LANGUAGES[language].notes
    lines = [notes["caution"]]
    if tables.num_unlabelled:
        lines.append(notes["unlabelled"].format(posts=tables.num_unlabelled))
    if tables.num_undated:
        lines.append(notes["undated"].format(posts=tables.num_undated))
    if tables.unread_column:
        lines.append(notes["unread"].format(column=tables.unread_column))
    return lines


def _trends(tables: ReportTables, language: str) -> dict[str, Markup]:
    """Return the lines over time as SVG, once for a screen and once for a phone, in the colours of the page."""
    if tables.timeline is None:
        return {}
    pictures = {}
    for kind, width in _WIDTHS.items():
        chart = trend(tables, language, width=width, paper="var(--page)", legend=False)
        heading = LANGUAGES[language].sections["time"].heading
        # The renderer escapes all texts; the picture as a whole gets a name for those who cannot see it.
        drawn = svg(configured(chart, ink="currentColor", background="transparent"))
        pictures[kind] = Markup(re.sub("<svg ", f'<svg role="img" aria-label="{heading}" ', drawn, count=1))
    return pictures


def _trend_notes(tables: ReportTables, language: str) -> list[str]:
    if tables.timeline is None:
        return []
    texts = LANGUAGES[language]
    unit = texts.units[tables.timeline.unit]
    lines = [texts.notes["trend"].format(unit=unit)]
    names, drawn = names_of_labels(tables, language), lines_of(tables)
    left_out = [names[label] for label in tables.labels if label not in drawn]
    if left_out:
        lines.append(texts.notes["left_out"].format(label=texts.separator.join(left_out)))
    if any(period.is_partial for period in tables.timeline.periods):
        lines.append(texts.notes["partial"].format(unit=unit))
    return lines


def _peak(found: PeakPosts, tables: ReportTables, language: str) -> dict[str, Any]:
    texts = LANGUAGES[language]
    peak = found.peak
    start, end = peak.period.start, peak.period.end
    label = texts.all_posts if peak.label is None else names_of_labels(tables, language)[peak.label]
    return {
        "days": str(start) if start == end else f"{start} – {end}",
        "label": label,
        "text": texts.notes["peak"].format(posts=peak.posts, label=label, expected=peak.expected),
        "words": found.words,
        "posts": [post.text for post in found.posts],
    }


def _no_disagreement(tables: ReportTables, language: str) -> str:
    """Return why no post has words and emoji that disagree, or ""."""
    if not tables.no_disagreement:
        return ""
    return LANGUAGES[language].notes[tables.no_disagreement].format(compared=tables.num_compared)


def _sampled(num_listed: int, tables: ReportTables, language: str) -> str:
    if num_listed == tables.num_posts:
        return ""
    return LANGUAGES[language].notes["sampled"].format(shown=num_listed, posts=tables.num_posts)


def _figure(column: str, value: Any, language: str) -> str:
    if isinstance(value, bool):
        return LANGUAGES[language].controls["yes" if value else "no"]
    if column in ("share", "low", "high"):
        return percent(value)
    if isinstance(value, float):
        return f"{value:,.1f}" if column in ("z", "expected") else f"{value:.2f}"
    return f"{value:,}"
