"""Takes the arguments of ``aslstm try`` and prints what a model folder answers to a few posts.

Run as ``aslstm try [--model DIR] [POST ...]``; the folder may also stand before the posts. Without a folder the default model
answers, without posts a few examples. It prints the label, its score, and the words and emoji that speak most for the answer
and most against it, with their contributions. The folder is loaded through ``transformers.pipeline``, as users do it.
"""

import argparse
from collections.abc import Sequence
from inspect import signature
from pathlib import Path
from typing import Any

from transformers import pipeline

from aslstm.errors import UserError
from aslstm.model_folder.layout import check_code, check_model_folder
from aslstm.prediction.attention_view import contribution_pieces, pieces_for_and_against, signed_words
from aslstm.printing import table_text

from .flags import CommandParser, add_model_flag, chosen_model

POSTS = (
    "今天又加班[泪]",
    "今天又加班[太开心]",
    "明天轮到我上台讲😰",
    "明天轮到我上台讲🥳",
    "这家店的服务员翻了个白眼，再也不来了[怒]",
    "居然真的中奖了！！😳",
    "下午三点在二楼会议室开会",
)
NUM_WORDS = 3


def words_for_and_against(result: dict[str, Any]) -> list[str]:
    """Return the words and emoji that speak most for the answer, and those that speak most against it."""
    pieces = contribution_pieces(result["contributions"], result["label"])
    return [signed_words(own) for own in pieces_for_and_against(pieces, NUM_WORDS)]


def is_post(argument: str) -> bool:
    """Return whether the first argument is a post and no folder, which most people give a name without Chinese letters.

    >>> is_post("今天又加班[泪]"), is_post("outputs/smaple")
    (True, False)
    """
    return not argument.isascii() and not Path(argument).exists()


def main(given: Sequence[str] | None = None) -> None:
    """Classify the posts and print a table."""
    parser = CommandParser("try", "Show what a model says of a few posts.")
    add_model_flag(parser)
    parser.add_argument(
        "posts", nargs="*", default=argparse.SUPPRESS,
        help="posts; default: a few examples; without --model the first may be a model folder",
    )  # fmt: skip
    parser.add_argument(
        "--trust_code", action="store_true", help="run the code of the folder, which is not that of this version; read it first"
    )
    arguments = parser.parse_args(given)
    posts = getattr(arguments, "posts", [])
    if posts and not hasattr(arguments, "model") and not is_post(posts[0]):
        if not posts[0].strip():
            raise UserError("expected a model folder or a post, found an empty text; write a post in quotes")
        arguments.model, posts = Path(posts[0]), posts[1:]
    folder = chosen_model(arguments)
    check_model_folder(folder)
    check_code(folder, trust_code=arguments.trust_code)
    posts = posts or list(POSTS)
    try:
        classify = pipeline("text-classification", model=str(folder), trust_remote_code=True)
        # Code of an older folder, which the user trusts, may not know the contributions.
        has_contributions = "return_contributions" in signature(classify.preprocess).parameters
        results = classify(posts, **{"return_contributions": True} if has_contributions else {})
    except ValueError as error:  # Weights are missing, or scores are no finite numbers.
        raise UserError(f"{folder}: expected a model that answers, found: {' '.join(str(error).split())}") from error
    rows = [
        [text, result["label"], f"{result['score']:.2f}", *(words_for_and_against(result) if has_contributions else "--")]
        for text, result in zip(posts, results, strict=True)
    ]
    print(table_text(["post", "label", "score", "words for it", "words against it"], rows, left=(0, 1, 3, 4)))
