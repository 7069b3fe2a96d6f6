"""Takes the flags of ``aslstm adapt``: fits the decision rule of a model to posts without labels, and writes its folder.

aslstm adapt --input posts.csv --output_dir outputs/adapted
aslstm adapt --model outputs/mine --input posts.txt.gz --output_dir outputs/adapted

A model answers by how frequent each label was in its corpus. In posts of another kind the labels are spread otherwise; how, it
can tell from the posts themselves, without labels. The new folder is a model like any other.
"""

import logging
from collections.abc import Sequence
from dataclasses import MISSING, dataclass
from pathlib import Path

from aslstm.data.text_sources import TextSource
from aslstm.printing import table_text
from aslstm.settings import setting

from .flags import CommandParser, add_model_flag, add_settings, chosen_model, make_settings, say


@dataclass(frozen=True)
class AdaptSettings:
    """Names the folder that is written."""

    output_dir: Path = setting(MISSING, "folder of the adapted model")
    overwrite: bool = setting(False, "replace a model that stands there")


def main(given: Sequence[str] | None = None) -> None:
    """Fit the rule, write the folder, and print the shares of the labels before and after."""
    parser = CommandParser("adapt", "Fit the decision rule of a model to posts without labels.")
    add_model_flag(parser)
    add_settings(parser, TextSource, AdaptSettings)
    arguments = parser.parse_args(given)
    source, settings = make_settings(TextSource, arguments), make_settings(AdaptSettings, arguments)
    logging.basicConfig(format="%(message)s")
    logging.getLogger("aslstm").setLevel(logging.INFO)
    # Imported here, because the help of the command does not need torch, which takes seconds to import.
    from aslstm.training.adapting import adapt_folder
    from aslstm.training.publishing import OutputFolder

    output = OutputFolder(settings.output_dir, replaces=settings.overwrite)
    with output.alone(is_writer=True):
        adapted = adapt_folder(chosen_model(arguments), source.texts(), output)
    rows = zip(adapted.labels, adapted.expected, adapted.found, strict=True)
    say(table_text(["label", "expected", "in the posts"], [(name, f"{a:.3f}", f"{b:.3f}") for name, a, b in rows]))
    say(f"{adapted.num_posts:,} posts: {output.path}; aslstm export-onnx adds graphs for answers without torch")
