"""``aslstm push``: publish a model folder on the Hugging Face Hub, as one commit and, where asked, a tag."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from aslstm.model_folder.hub import check_repo, check_tag, check_token, push
from aslstm.model_folder.staging import Prepared, prepare

from .flags import CommandParser


def show(prepared: Prepared, repo: str) -> None:
    """Print what the model answers and the files that are going to be sent."""
    for post, (label, score) in prepared.answers.items():
        print(f"{post}: {label} {score:.2f}")
    for name, size in prepared.sizes.items():
        print(f"{name:<32}{size:>12,} bytes")
    print(f"{len(prepared.sizes)} files, {sum(prepared.sizes.values()) / 1e6:.1f} MB for {repo}")


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
    if arguments.tag is not None:
        check_tag(arguments.tag)
    if not arguments.dry_run:
        check_token()
    with prepare(arguments.model, arguments.repo) as prepared:
        show(prepared, arguments.repo)
        if arguments.dry_run:
            print("dry run: nothing was sent")
        else:
            print(f"pushed {push(prepared.folder, arguments.repo, private=arguments.private, tag=arguments.tag)}")
