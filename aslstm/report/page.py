"""Takes the tables and charts of a report and gives its page: one HTML file that needs no other file and no network.

Whatever comes from posts is escaped, and the page's content security policy forbids every script except its own two and
everything that would be loaded from elsewhere.
"""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import vl_convert
from markupsafe import Markup

from aslstm.prediction.attention_view import attention_html
from aslstm.printing import printable_chart

from .naming import named_in
from .tables import NAMES, ReportTables
from .templates import environment
from .texts import LANGUAGES, Texts

_PAGE = environment(Path(__file__).parent).get_template("page.html.j2")
_DRAW = """
const charts = %s;
for (const [name, chart] of Object.entries(charts)) {
  vegaEmbed("#chart-" + name, chart, {actions: false, renderer: "svg"});
}
"""


def render(
    tables: ReportTables, charts: dict[str, dict[str, Any]], *, title: str, language: str = "en", has_files: bool = True
) -> str:
    """Return the page as HTML.

    Args:
        tables: The tables that the page shows.
        charts: The Vega-Lite specification of each chart, as ``chart.to_dict()`` gives it, under the name of its table.
        title: The title at the top of the page.
        language: The language of the page and of the names of known labels, a key of ``LANGUAGES``.
        has_files: Whether each chart is beside the page as a CSV file and a PNG file.
    """
    texts = LANGUAGES[language]
    tables = named_in(language, tables)
    # In JSON "<" occurs only inside texts. Written as an escape, it cannot end the script.
    scripts = [
        vl_convert.javascript_bundle(),  # type: ignore[call-arg]  # its stub forgets the default
        _DRAW % json.dumps(printable_chart(charts)).replace("<", "\\u003c"),
    ]
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    return _PAGE.render(
        tables=tables.tables,
        names=NAMES,
        examples=tables.examples,
        summary=_summary(tables, texts),
        texts=texts,
        title=title,
        language=language,
        has_files=has_files,
        # The hashes are base64, which needs no escaping, and the policy must have "+" and "=" as they are.
        hashes=Markup(" ".join(f"'sha256-{digest}'" for digest in digests)),
        scripts=[Markup(script) for script in scripts],
        figure=_figure,
        heat_map=lambda attention, text: Markup(attention_html(attention, text)),
    )


def _summary(tables: ReportTables, texts: Texts) -> list[str]:
    parts = [texts.summary.format(posts=tables.num_posts)]
    if tables.first_day:
        parts.append(texts.days.format(first=tables.first_day, last=tables.last_day))
    lines = [" · ".join(parts), texts.caution]
    if tables.num_unlabelled:
        lines.append(texts.unlabelled.format(posts=tables.num_unlabelled))
    if tables.num_undated:
        lines.append(texts.undated.format(posts=tables.num_undated))
    if tables.unread_column:
        lines.append(texts.unread.format(column=tables.unread_column))
    return lines


def _figure(column: str, value: float) -> str:
    return f"{value:.1%}" if column == "share" else f"{value:.2f}" if isinstance(value, float) else f"{value:,}"
