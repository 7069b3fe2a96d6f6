"""Takes posts and a function that reads ids with a model, and gives how much each word or emoji contributes to each label.

A contribution is found by leave-one-out: the log-odds of a label for the whole post minus its log-odds for the post without the
word or emoji. The pipelines with and without torch share this module.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from .results_aslstm import SCORES_NOT_FINITE, is_emoji_id


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

    Tokens from the same stretch are one entry: an emoji with the pieces of its name, or the two letters of "㎏". A post without
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
    """Yield the ids of a post without its first entry, then without its second, and so on.

    Args:
        ids: The id of each token of the post.
        entries: The entries of the post.
        unk_token_id: The id that stands for an empty text, which a post of one entry leaves.
    """
    for entry in entries:
        yield [token_id for i, token_id in enumerate(ids) if i not in entry.positions] or [unk_token_id]


def log_odds(logits: Sequence[float], problem_type: str | None) -> list[float]:
    """Return the logarithm of p / (1 - p) of each label; for a regression the values themselves.

    >>> [round(value, 6) for value in log_odds([0.0, math.log(3), 0.0], None)]
    [-1.386294, 0.405465, -1.386294]
    >>> log_odds([1000.0, 0.0], None)
    [1000.0, -1000.0]

    Args:
        logits: The logit of each label.
        problem_type: The ``problem_type`` of the model's config.

    Raises:
        ValueError: A logit is no finite number.
    """
    if not all(map(math.isfinite, logits)):
        raise ValueError(SCORES_NOT_FINITE)
    if problem_type in ("regression", "multi_label_classification") or len(logits) == 1:
        return list(logits)  # The score of each label is the sigmoid of its logit alone.
    best = max(range(len(logits)), key=logits.__getitem__)
    largest, others = logits[best], [logit for i, logit in enumerate(logits) if i != best]
    # No sum is a difference of numbers that are nearly equal, so the log-odds are exact also where p rounds to 1.
    second = max(others)
    odds = [largest - second - math.log(sum(math.exp(logit - second) for logit in others))]
    total = sum(math.exp(logit - largest) for logit in others)
    of_others = (logit - largest - math.log1p(max(total - math.exp(logit - largest), 0.0)) for logit in others)
    odds += of_others
    return [*odds[1 : best + 1], odds[0], *odds[best + 1 :]]


def contributions_of_posts(
    texts: Sequence[str],
    posts: Sequence[tuple[Sequence[int], Sequence[tuple[int, int]]]],
    logits: Sequence[Sequence[float]],
    read: Callable[[list[list[int]]], Sequence[Sequence[float]]],
    config: Any,
    *,
    unk_token_id: int,
    batch_size: int,
) -> list[list[dict[str, Any]]]:
    """Return for each post one ``{"token", "start", "end", "is_emoji", "contributions"}`` for each word or emoji.

    ``contributions`` has for each label a number: positive if the entry speaks for the label, negative if it speaks against it.
    A post is read once for each of its entries, and no more than ``batch_size`` rows are held at once.

    Args:
        texts: The posts.
        posts: The ids of the tokens of each post, and their places in it.
        logits: The logits of each whole post.
        read: A function that returns the logits of a batch of ids.
        config: Any object with the attributes of an ``ASLSTMConfig``.
        unk_token_id: The id that stands for an empty text.
        batch_size: How many rows are read at once.

    Raises:
        ValueError: A logit is no finite number.
    """
    entries = [entries_of_post(spans, ids, config) for ids, spans in posts]
    rows = (row for (ids, _), own in zip(posts, entries, strict=True) for row in rows_without_entries(ids, own, unk_token_id))
    without = (logits for batch in iter(lambda: list(islice(rows, batch_size)), []) for logits in read(batch))
    labels = list(config.id2label.values())
    results = []
    for text, own, of_post in zip(texts, entries, logits, strict=True):
        whole = log_odds(of_post, config.problem_type)
        result = []
        for start, end, is_emoji, _ in own:
            rest = log_odds(next(without), config.problem_type)
            differences = {label: a - b for label, a, b in zip(labels, whole, rest, strict=True)}
            entry = {"token": text[start:end], "start": start, "end": end, "is_emoji": is_emoji}
            result.append(entry | {"contributions": differences})
        results.append(result)
    return results
