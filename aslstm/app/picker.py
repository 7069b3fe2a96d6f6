"""Takes what a visitor searches for, and gives those emoji that the model knows and whose name holds it."""

from collections.abc import Iterable
from typing import NamedTuple

import emoji

from tokenization.post_encoding import PostEncoder
from tokenization.vocabulary_files import is_name_piece

# These stand there before anything is searched for.
FIRST = (
    *("[泪]", "[太开心]", "[怒]", "[赞]", "[心]", "[哈哈]", "[抓狂]", "[可怜]", "[吃惊]", "[偷笑]", "[鼓掌]", "[doge]"),
    *("😂", "😭", "😰", "😱", "😡", "😳", "😍", "🥳", "🎉", "💔", "👍", "🙂"),
)
MAX_SHOWN = 60
_NOT_FOUND = 3


class NamedEmoji(NamedTuple):
    """Holds an emoji as it is written in a post, and its name in each language."""

    written: str
    zh: str
    en: str


def named(written: str) -> NamedEmoji:
    """Return an emoji with its names; the name of a weibo code is the code.

    >>> named("[泪]").zh, named("😂").zh, named("😂").en
    ('[泪]', '笑哭了', 'face with tears of joy')
    """
    emoji.config.load_language("zh")
    names = emoji.EMOJI_DATA.get(written, {})
    english = names.get("en", written).strip(":").replace("_", " ")
    return NamedEmoji(written, names.get("zh", english).strip(":").replace("_", " "), english)


def known_emoji(encoder: PostEncoder) -> list[NamedEmoji]:
    """Return the emoji of a model's vocabulary, the most frequent of the corpus first."""
    table = encoder.table
    first = table.emoji_token_offset + 1  # The one before stands for emoji that are not known.
    return [named(token) for token in table.tokens[first:] if not is_name_piece(token)]


def search(query: str, emoji_of_model: Iterable[NamedEmoji]) -> list[NamedEmoji]:
    """Return the emoji whose name holds what is searched for; those whose name is or begins with it come first.

    >>> found = search("泪", map(named, ["😂", "[流泪]", "[泪流]", "[泪]"]))
    >>> [one.written for one in found]
    ['[泪]', '[泪流]', '[流泪]']
    """
    wanted = query.strip().strip("[]").casefold()
    ranked = [(_rank(wanted, one), one) for one in emoji_of_model]
    return [one for rank, one in sorted(ranked, key=lambda pair: pair[0]) if rank < _NOT_FOUND]


def _rank(wanted: str, one: NamedEmoji) -> int:
    """Return how well an emoji fits: a smaller number is better."""
    names = [name.strip("[]").casefold() for name in one]
    if wanted in names:
        return 0
    if any(name.startswith(wanted) for name in names):
        return 1
    return 2 if any(wanted in name for name in names) else _NOT_FOUND
