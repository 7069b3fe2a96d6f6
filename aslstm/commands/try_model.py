"""Show what a model folder says of a few posts: label, score and the words that its emoji weigh most.

Run as ``aslstm try MODEL_DIR [POST ...]``. Loads the folder as anybody would, through ``pipeline``.
"""

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transformers import pipeline

from aslstm.model_folder.layout import check_model_folder

from .flags import CommandParser

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


def show_width(text: str) -> int:
    """Columns that a text takes in a terminal, where Chinese characters and emoji are two wide."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text if c not in "\u200d\ufe0f")


def pad(text: str, width: int) -> str:
    """Fill a text with spaces up to a width in the terminal."""
    return text + " " * (width - show_width(text))


def most_attended(result: dict[str, Any]) -> str:
    """The words of highest weight, with their weights."""
    words = sorted((entry for entry in result["attention"] if not entry["is_emoji"]), key=lambda entry: -entry["weight"])
    return "  ".join(f"{entry['token']} {entry['weight']:.2f}" for entry in words[:NUM_WORDS])


def main(given: Sequence[str] | None = None) -> None:
    """Load, classify and print."""
    parser = CommandParser("try", "Show what a model says of a few posts.")
    parser.add_argument("model", type=Path, help="a model folder")
    parser.add_argument("posts", nargs="*", default=list(POSTS))
    arguments = parser.parse_args(given)
    check_model_folder(arguments.model)
    classify = pipeline("text-classification", model=str(arguments.model), trust_remote_code=True)
    has_weights = classify.model.config.emoji_fusion in ("attention", "hierarchical")
    results = classify(arguments.posts, return_attention=has_weights)
    width = max(show_width(text) for text in arguments.posts) + 2
    print(f"{pad('post', width)}{pad('label', 12)}score  most attended words")
    for text, result in zip(arguments.posts, results, strict=True):
        words = most_attended(result) if has_weights else "-"
        print(f"{pad(text, width)}{pad(result['label'], 12)}{result['score']:.2f}   {words}")
