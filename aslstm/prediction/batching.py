"""Takes the ids of posts and gives batches of posts of similar length and the arrays that a model reads.

What is known of the posts while their batches run is also kept here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import InitVar, dataclass, field
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from tokenization.encoded_posts import EncodedPost

# A batch is as wide as its longest post. It ends before it is full where more than this share of it would be padding, but not
# before it has so many posts, below which a batch costs as much as a larger one.
_MOST_PADDING = 0.04
_FEWEST_POSTS = 16


@dataclass
class Collected:
    """Collects what the batches of one list of texts give.

    Attributes:
        texts: The raw posts.
        num_labels: The number of logits of each post.
        asked: The names of the reasons that are asked for.
        logits: The logits (num_texts, num_labels) float32; zeros where a batch has not been run.
        num_missing: How many posts have not been answered.
        ids: The ids of each post, in order, those that have been encoded.
        emoji: The emoji of the posts by their place, those that are known.
        reasons: Each reason that is asked for, with its value for each post.
    """

    texts: list[str]
    num_labels: InitVar[int]
    asked: InitVar[list[str]]
    logits: np.ndarray = field(init=False)
    num_missing: int = field(init=False)
    ids: list[list[int]] = field(init=False, default_factory=list)
    emoji: dict[int, list[str]] = field(init=False, default_factory=dict)
    reasons: dict[str, list[Any]] = field(init=False)

    def __post_init__(self, num_labels: int, asked: list[str]) -> None:
        self.num_missing = len(self.texts)
        self.logits = np.zeros((len(self.texts), num_labels), dtype=np.float32)
        self.reasons = {name: [None] * len(self.texts) for name in asked}


class Batch(NamedTuple):
    """Holds posts that the model reads at once.

    Attributes:
        of: What is collected of the list of texts that the posts are from.
        places: The place of each post in that list.
        ids: The ids of each post.
        posts: The encoded posts, where the places of the tokens are needed; otherwise an empty list.
    """

    of: Collected
    places: list[int]
    ids: list[list[int]]
    posts: list[EncodedPost]


class FlatIds(NamedTuple):
    """Holds the ids of several posts in a row, (num_ids,) int64, and how many each post has, (num_posts,) int64."""

    ids: np.ndarray
    lengths: np.ndarray

    def starts(self) -> np.ndarray:
        """Return where the ids of each post begin, (num_posts,) int64."""
        starts: np.ndarray = self.lengths.cumsum() - self.lengths
        return starts


def flat_ids(rows: Sequence[Sequence[int]]) -> FlatIds:
    """Return the ids of posts in a row; no post is without ids.

    Args:
        rows: The ids of each post.
    """
    lengths = np.fromiter(map(len, rows), np.int64, len(rows))
    return FlatIds(np.fromiter(chain.from_iterable(rows), np.int64, int(lengths.sum())), lengths)


def padded(rows: Sequence[Sequence[int]], pad_token_id: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the ids of a batch and the mask that is 0 on padding, both (batch, seq_len) int64.

    >>> [array.tolist() for array in padded([[5, 6], [7]], 0)]
    [[[5, 6], [7, 0]], [[1, 1], [1, 0]]]
    """
    if len(rows) == 1:
        # A server answers one post at a time. Right after other work, which fills the caches, each call of numpy takes .01 ms.
        input_ids = np.array(rows, dtype=np.int64)
        return input_ids, np.ones_like(input_ids)
    ids, lengths = flat_ids(rows)
    is_token = np.arange(lengths.max()) < lengths[:, None]
    input_ids = np.full(is_token.shape, pad_token_id, dtype=np.int64)
    input_ids[is_token] = ids
    return input_ids, is_token.astype(np.int64)


def similar_lengths(lengths: Sequence[int], batch_size: int) -> Iterator[list[int]]:
    """Yield the places of the posts of each batch, the longest posts first; the same lengths always give the same batches.

    >>> list(similar_lengths([3, 9, 3], 2))
    [[1, 0], [2]]

    Args:
        lengths: How many ids each post has.
        batch_size: The posts of a batch at most.
    """
    order = sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True)
    start = num_ids = width = 0
    for place, length in enumerate([lengths[i] for i in order]):
        size = place - start
        # The longest post of the batch gives the width of all.
        is_wide = size >= _FEWEST_POSTS and (num_ids + length) < (1 - _MOST_PADDING) * width * (size + 1)
        if size == batch_size or is_wide:
            yield order[start:place]
            start, num_ids = place, 0
        if place == start:
            width = length
        num_ids += length
    if order:
        yield order[start:]
