"""Takes raw texts with emoji and gives as many texts without their emoji, with another post's emoji, or without their words.

What a model loses on the changed texts shows what emoji, the right emoji, and words are worth to it.
"""

import random
from collections.abc import Sequence

from tokenization import split_emoji, strip_emoji


def remove_emoji(texts: Sequence[str]) -> list[str]:
    """Return the texts with their words alone."""
    return [strip_emoji(text) for text in texts]


def remove_words(texts: Sequence[str]) -> list[str]:
    """Return the texts with their emoji alone.

    >>> remove_words(["好想哭[泪]😭真的"])
    ['[泪]😭']
    """
    return ["".join(emoji_of(text)) for text in texts]


def emoji_of(text: str) -> list[str]:
    """Return the emoji of a text, in order."""
    return [piece.text for piece in split_emoji(text) if piece.is_emoji]


def shuffle_emoji(texts: Sequence[str], *, seed: int = 0) -> list[str]:
    """Give every post the emoji of another one, all of them at the place of its own first emoji.

    The posts are ordered at random and each takes the emoji of the next one, so no post keeps its own emoji unless another
    post has the same.

    Args:
        texts: The posts. Nothing changes if there are fewer than two.
        seed: The random seed that decides the order.
    """
    order = list(range(len(texts)))
    random.Random(seed).shuffle(order)
    donors = dict(zip(order, order[1:] + order[:1], strict=True))
    return [_with_emoji(text, emoji_of(texts[donors[i]])) for i, text in enumerate(texts)]


def _with_emoji(text: str, emoji: list[str]) -> str:
    pieces = split_emoji(text)
    first = next((i for i, piece in enumerate(pieces) if piece.is_emoji), len(pieces))
    before = "".join(piece.text for piece in pieces[:first])
    return before + "".join(emoji) + "".join(piece.text for piece in pieces[first:] if not piece.is_emoji)
