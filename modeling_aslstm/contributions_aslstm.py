"""Takes the tokens of a post and what a model answers without each of them; gives how much each word or emoji contributes.

The pipelines with and without torch share it.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .results_aslstm import is_emoji_id


class Entry(NamedTuple):
    """Holds a word or an emoji of a post, which is left out as one.

    Attributes:
        start: The place of its first character in the text.
        end: The place behind its last character.
        is_emoji: Whether it is an emoji.
        positions: The positions of its tokens among the tokens of the post.
    """

    start: int
    end: int
    is_emoji: bool
    positions: tuple[int, ...]


def entries_of_post(spans: Sequence[tuple[int, int]], ids: Sequence[int], config: Any) -> list[Entry]:
    """Return the words and emoji of a post in order; their stretches of the text do not overlap.

    Tokens from the same stretch are one entry: an emoji with the pieces of its name, the two letters of "㎏". A post without
    tokens has no entries.

    Args:
        spans: The place of each token in the post.
        ids: The id of each token.
        config: Any object with the attributes of an ``ASLSTMConfig``.
    """
    entries: list[Entry] = []
    for position, ((start, end), token_id) in enumerate(zip(spans, ids, strict=True)):
        if start == end:
            continue  # This is the <unk> that stands for an empty text.
        is_emoji = is_emoji_id(token_id, config)
        if entries and start < entries[-1].end:
            last = entries.pop()
            entries.append(Entry(last.start, max(last.end, end), last.is_emoji or is_emoji, (*last.positions, position)))
        else:
            entries.append(Entry(start, end, is_emoji, (position,)))
    return entries


def rows_without_entries(ids: Sequence[int], entries: Sequence[Entry], unk_token_id: int) -> Iterator[list[int]]:
    """Yield the ids of a post without its first entry, without its second and so on.

    Args:
        ids: The id of each token of the post.
        entries: The entries of the post.
        unk_token_id: The id that stands for an empty text, which a post of one entry leaves.
    """
    for entry in entries:
        yield [token_id for i, token_id in enumerate(ids) if i not in entry.positions] or [unk_token_id]
