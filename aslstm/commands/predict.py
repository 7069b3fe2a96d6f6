"""Takes the flags of ``aslstm predict`` and writes the rows of a file with the model's answers.

aslstm predict 国庆.xlsx
aslstm predict --model DIR --input posts.jsonl --output answers.jsonl
aslstm predict --model DIR --input posts.csv --output answers.xlsx --language zh

Without ``--model`` it asks the model that the variable ``ASLSTM_MODEL`` names, or the built-in one.

It prints what was found out about each file (its encoding, its columns of posts and of dates), how many posts have each label,
how many have no words and therefore no label, how many were cleaned of what a crawler left by which rule, and which file it
wrote. Memory does not grow with the size of the input. ``--resume`` continues a run that was killed, and gives the same file.
The processes of ``torchrun`` or ``accelerate launch`` share the rows.
"""

import argparse
import sys
from collections.abc import Sequence

from aslstm.data.text_sources import FILES_HELP
from aslstm.prediction.predict_settings import PredictSettings
from aslstm.prediction.running import predict_file
from aslstm.prediction.settings import InferenceSettings
from aslstm.workbooks import MAX_CHARACTERS

from .flags import CommandParser, add_model_flag, add_settings, chosen_model, make_settings, say, show_flags


def main(given: Sequence[str] | None = None) -> None:
    """Answer the posts and print a summary on standard error, because standard output may hold rows."""
    parser = CommandParser("predict", "Label the posts of a file.")
    add_model_flag(parser)
    parser.add_argument("files", nargs="*", default=argparse.SUPPRESS, help=f"{FILES_HELP}; the same as --input")
    add_settings(parser, PredictSettings, InferenceSettings, leave_out=("model", "input"))
    parser.add_argument("--input", nargs="+", default=argparse.SUPPRESS, help=FILES_HELP)
    arguments = parser.parse_args(given)
    arguments.input = [*getattr(arguments, "files", []), *getattr(arguments, "input", [])]
    if not arguments.input:
        parser.error("expected a file of posts, found none; name one, e.g. aslstm predict posts.xlsx")
    arguments.model = chosen_model(arguments)
    inference = make_settings(InferenceSettings, arguments)
    settings = make_settings(PredictSettings, arguments, inference=inference)
    summary = predict_file(settings, tell=lambda line: say(line, sys.stderr))
    if summary is None:
        return
    if cleaned := summary.cleaning.line():
        say(show_flags(cleaned), sys.stderr)
    if summary.num_cut:
        say(f"{summary.num_cut} cells were cut: Excel holds at most {MAX_CHARACTERS:,} characters", sys.stderr)
    counts = ", ".join(f"{label} {count}" for label, count in summary.labels.items() if label)
    empty = f"; {summary.labels['']} without words or label" if summary.labels[""] else ""
    skipped = f"; {summary.num_errors} rows passed over" if summary.num_errors else ""
    say(f"{summary.labels.total()} posts: {counts}{empty}{skipped}", sys.stderr)
    if summary.output is not None:
        say(f"saved {summary.output}", sys.stderr)
