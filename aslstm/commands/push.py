"""``aslstm push``: publish a model folder on the Hugging Face Hub, as one commit and, where asked, a tag."""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

from aslstm.errors import UserError
from aslstm.model_folder.hub import check_repo, check_token, prepare, push

from .flags import CommandParser


def main(given: Sequence[str] | None = None) -> None:
    """Read the command line, prepare and push."""
    parser = CommandParser("push", "Publish a model folder on the Hugging Face Hub.")
    parser.add_argument("--model", type=Path, required=True, help="a model folder")
    parser.add_argument("--repo", required=True, help="owner/name; made where there is none")
    parser.add_argument("--private", action="store_true", help="make it private")
    parser.add_argument("--tag", help="name this version, e.g. v1.0")
    parser.add_argument("--dry_run", action="store_true", help="check and show, send nothing")
    arguments: argparse.Namespace = parser.parse_args(given)
    check_repo(arguments.repo)
    if arguments.tag is not None and not re.fullmatch(r"\w[\w.-]*", arguments.tag):
        raise UserError(f"--tag {arguments.tag!r}: expected letters, digits, dots and hyphens, found others, e.g. v1.0")
    if not arguments.dry_run:
        check_token()
    files = prepare(arguments.model, arguments.repo)
    if arguments.dry_run:
        print("dry run: nothing was sent")
    else:
        push(files, arguments.repo, is_private=arguments.private, tag=arguments.tag)
