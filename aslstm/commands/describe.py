"""Takes the flags of ``aslstm describe`` and prints what a corpus contains, before anybody trains on it.

aslstm describe --dataset nlpcc2014 --data_dir DIR --output report/

With ``--output`` it also writes the report as ``report.md``, with two or three charts as PNG.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from datasets import Dataset

from aslstm.data.corpora import CorpusSource, read_splits
from aslstm.data.descriptions import count_labels, describe, emoji_labels
from aslstm.disk import locked
from aslstm.errors import UserError, check_packages
from aslstm.printing import printable
from aslstm.settings import setting

from .flags import CommandParser, add_settings, make_settings


@dataclass(frozen=True)
class DescribeSettings:
    """Says where the report is written."""

    output: Path | None = setting(None, "folder for report.md and the charts; default: print alone")


def main(given: Sequence[str] | None = None) -> None:
    """Read the corpus, print the report, and write it with its charts if that is asked for."""
    parser = CommandParser("describe", "Describe a corpus.")
    add_settings(parser, CorpusSource, DescribeSettings)
    arguments = parser.parse_args(given)
    source, output = make_settings(CorpusSource, arguments), make_settings(DescribeSettings, arguments).output
    if output is not None:
        check_packages("report", "altair", "mplfonts", "vl_convert")
    source.check_has_train()
    splits = read_splits(source)
    report = printable(describe(splits, source.known.title))
    print(report)
    if output is None:
        return
    with locked(output):
        _write(report, splits, output)


def _write(report: str, splits: dict[str, Dataset], output: Path) -> None:
    """Write the report and its charts into a folder."""
    # Imported here, because only the charts need the extra "report".
    from aslstm.charts import plot_emoji_labels, plot_label_bars, plot_lengths

    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"`output` {output}: expected a place for a folder, found: {error.strerror}") from error
    plot_label_bars(output / "labels.png", count_labels(splits))
    plot_lengths(output / "lengths.png", {split: [len(t) for t in data["text"]] for split, data in splits.items()})
    charts = ["labels.png", "lengths.png"]
    if emoji := emoji_labels(splits["train"]):
        plot_emoji_labels(output / "emoji.png", emoji)
        charts.append("emoji.png")
    images = "\n".join(f"![{name}]({name})" for name in charts)
    (output / "report.md").write_text(f"{report}\n## Charts\n\n{images}\n", encoding="utf-8")
    print(f"wrote {output / 'report.md'}")
