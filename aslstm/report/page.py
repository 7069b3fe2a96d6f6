"""The page of a report: one HTML file that needs nothing else and asks the network for nothing.

Whatever comes from posts is escaped, and the page's own policy forbids every script but its own two and all that would be
loaded from elsewhere.
"""

import base64
import hashlib
import json
from html import escape
from typing import Any

import vl_convert

from aslstm.prediction.attention_view import attention_html, printable

from .examples import Example
from .tables import NAMES, ReportTables, Table
from .texts import LANGUAGES, Texts

_STYLE = """
body { font: 16px/1.6 "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif; color: #222; background: white;
  max-width: 960px; margin: 2em auto; padding: 0 1em; overflow-wrap: anywhere; }
h1, h2 { line-height: 1.3; } h2 { margin-top: 2em; border-bottom: 1px solid #ddd; }
.chart { overflow-x: auto; } .note { color: #666; font-size: 14px; }
table { border-collapse: collapse; font-size: 14px; } td, th { padding: 2px 10px; text-align: left; vertical-align: top; }
td.number, th.number { text-align: right; white-space: nowrap; } tr:nth-child(even) { background: #f6f6f6; }
.post { margin: .6em 0; padding: .3em .8em; border-left: 3px solid #ddd; line-height: 1.8; unicode-bidi: isolate; }
"""
_DRAW = """
const charts = %s;
for (const [name, chart] of Object.entries(charts)) {
  vegaEmbed("#chart-" + name, chart, {actions: false, renderer: "svg"});
}
"""


def render(
    tables: ReportTables, charts: dict[str, dict[str, Any]], *, title: str, language: str = "en", has_files: bool = True
) -> str:
    """The page.

    Args:
        tables: what it shows.
        charts: their names -> Vega-Lite, as ``chart.to_dict()`` gives it.
        title: on top.
        language: a key of ``LANGUAGES``.
        has_files: whether each chart lies beside the page as CSV and PNG.
    """
    texts = LANGUAGES[language]
    # In JSON "<" stands only inside texts; written so, none of them can end the script.
    scripts = [
        vl_convert.javascript_bundle(),  # type: ignore[call-arg]  # its stub forgets the default
        _DRAW % json.dumps(charts).replace("<", "\\u003c"),
    ]
    body = [f"<h1>{_shown(title)}</h1>", f"<p>{_summary(tables, texts)}</p>"]
    for name in NAMES:
        section = texts.sections[name]
        body.append(f"<h2>{section.heading}</h2>")
        if name in tables.tables:
            body.append(f'<p>{section.about}</p><div class="chart" id="chart-{name}"></div>{_table(name, tables, texts)}')
            if has_files:
                body.append(_links(name, texts))
        else:
            body.append(f"<p>{section.absent}</p>")
    section = texts.sections["examples"]
    body.append(f"<h2>{section.heading}</h2><p>{section.about}</p>")
    body += [_examples(label, examples, texts) for label, examples in tables.examples.items()]
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts)
    policy = f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'unsafe-eval' {hashes}"
    return "\n".join([
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{_shown(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>",
        *body,
        *(f"<script>{script}</script>" for script in scripts),
        "</body>\n</html>\n",
    ])  # fmt: skip


def _shown(value: Any) -> str:
    return escape(printable(str(value)))


def _summary(tables: ReportTables, texts: Texts) -> str:
    parts = [texts.summary.format(posts=tables.num_posts)]
    if tables.first_day:
        parts.append(texts.days.format(first=tables.first_day, last=tables.last_day))
    lines = [" · ".join(parts), texts.caution]
    if tables.num_unlabelled:
        lines.append(texts.unlabelled.format(posts=tables.num_unlabelled))
    if tables.num_undated:
        lines.append(texts.undated.format(posts=tables.num_undated))
    return "<br>".join(lines)


def _cell(column: str, value: Any) -> str:
    if isinstance(value, str):
        return f"<td>{_shown(value)}</td>"
    shown = f"{value:.1%}" if column == "share" else f"{value:.2f}" if isinstance(value, float) else f"{value:,}"
    return f'<td class="number">{shown}</td>'


def _table(name: str, tables: ReportTables, texts: Texts) -> str:
    table: Table = tables.tables[name]
    kinds = ["text" if isinstance(value, str) else "number" for value in table.rows[0]]
    header = "".join(
        f'<th class="{kind}">{texts.columns[column]}</th>' for column, kind in zip(table.columns, kinds, strict=True)
    )
    rows = "\n".join(
        f"<tr>{''.join(_cell(column, value) for column, value in zip(table.columns, row, strict=True))}</tr>"
        for row in table.rows
    )
    return f"<details><summary>{texts.table}</summary><table><tr>{header}</tr>\n{rows}</table></details>"


def _links(name: str, texts: Texts) -> str:
    files = " ".join(f'<a href="{name}.{suffix}">{name}.{suffix}</a>' for suffix in ("csv", "png"))
    return f'<p class="note">{texts.files} {files}</p>'


def _examples(label: str, examples: dict[str, list[Example]], texts: Texts) -> str:
    parts = [f"<h3>{_shown(label)}</h3>"]
    for kind, posts in examples.items():
        if not posts:
            continue
        parts.append(f'<p class="note">{getattr(texts, kind)}</p>')
        for post in posts:
            cut = texts.cut.format(shown=len(post.text), characters=post.num_characters)
            note = f' <span class="note">… {cut}</span>' if post.num_characters > len(post.text) else ""
            shown = attention_html(post.attention, post.text)
            parts.append(f'<div class="post"><span class="note">{post.score:.2f}</span> {shown}{note}</div>')
    return "\n".join(parts)
