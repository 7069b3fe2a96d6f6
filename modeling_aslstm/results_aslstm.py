"""What the pipelines share, with and without torch: checks of a folder, and the reasons of an answer as a user reads them."""

from collections.abc import Mapping, Sequence
from typing import Any

# Labels of posts without feeling, in the known corpora and in sets of the Hub: beside them nothing disagrees.
NEUTRAL_LABELS = frozenset(("none", "neutral", "无", "中性"))
FUSIONS_WITH_WEIGHTS = ("attention", "hierarchical")
# Of a model folder, as "folder_format" in its config.json. A change that older code would read wrongly makes it one more.
FOLDER_FORMAT = 2


def check_format(config: Mapping[str, Any]) -> None:
    """Check that this code knows the format of a model folder.

    Args:
        config: what its ``config.json`` holds; a folder without a number has format 1.

    Raises:
        ValueError: it does not.
    """
    found = config.get("folder_format", 1)
    if found not in range(1, FOLDER_FORMAT + 1):
        raise ValueError(
            f"folder_format: expected {FOLDER_FORMAT} or older, found {found!r}, of a newer version; update AS-LSTM or fetch "
            "another revision of the model"
        )


def check_tokenizer(tokenizer: Any, config: Any) -> None:
    """Check that a tokenizer has the vocabulary of a model.

    Args:
        tokenizer: an ``ASLSTMTokenizer``, whose class lies in the other package.
        config: anything with the attributes of an ``ASLSTMConfig``.

    Raises:
        ValueError: it has another.
    """
    found = (tokenizer.emoji_token_offset, tokenizer.num_emoji_tokens)
    expected = (config.emoji_token_offset, config.num_emoji_tokens)
    if found != expected or len(tokenizer) > config.vocab_size:
        raise ValueError(
            f"expected a tokenizer with {config.vocab_size} tokens and the emoji range {expected} (offset, length) of the "
            f"model's config, found {len(tokenizer)} tokens and {found}; load both from the same folder"
        )


def check_has_weights(config: Any) -> None:
    """Check that a model can give the weights of its words.

    Raises:
        ValueError: its fusion has none.
    """
    if config.emoji_fusion not in FUSIONS_WITH_WEIGHTS:
        raise ValueError(
            "return_attention: expected a model with emoji_fusion 'attention' or 'hierarchical', found "
            f"{config.emoji_fusion!r}, which gives no weights; call it without return_attention"
        )


def is_emoji_id(token_id: int, config: Any) -> bool:
    """Whether an id lies in the emoji range of a model's config."""
    return config.emoji_token_offset <= token_id < config.emoji_token_offset + config.num_emoji_tokens


def attention_entries(
    text: str, spans: Sequence[tuple[int, int]], ids: Sequence[int], weights: Sequence[float], config: Any
) -> list[dict[str, Any]]:
    """One ``{"token", "start", "end", "weight", "is_emoji"}`` for each word or emoji of a post.

    Args:
        text: the post.
        spans: its places of the tokens; ``ids`` and ``weights`` may be longer, by padding.
        ids: ids of the tokens.
        weights: weights of the tokens.
        config: anything with the attributes of an ``ASLSTMConfig``.
    """
    entries: list[dict[str, Any]] = []
    for (start, end), token_id, weight in zip(spans, ids, weights, strict=False):
        is_emoji = is_emoji_id(token_id, config)
        if is_emoji and entries and end <= entries[-1]["end"]:
            continue  # a name piece: its characters stand inside the code that is already listed
        entries.append({"token": text[start:end], "start": start, "end": end, "weight": weight, "is_emoji": is_emoji})
    return entries


def parts_of_posts(rows: Sequence[Sequence[int]], config: Any, unk_token_id: int) -> tuple[list[int], list[list[int]]]:
    """The posts that have emoji, taken apart.

    Args:
        rows: ids of each post.
        config: anything with the attributes of an ``ASLSTMConfig``.
        unk_token_id: stands for an empty text where a post has no words.

    Returns:
        The places of those posts among the rows; for each its ids without emoji, then its ids without words.
    """
    places: list[int] = []
    parts: list[list[int]] = []
    for place, ids in enumerate(rows):
        emoji = [token_id for token_id in ids if is_emoji_id(token_id, config)]
        if emoji:
            places.append(place)
            parts += [[token_id for token_id in ids if not is_emoji_id(token_id, config)] or [unk_token_id], emoji]
    return places, parts


def emoji_effect_entry(
    entries: Sequence[dict[str, Any]],
    whole: dict[str, float],
    without_emoji: dict[str, float],
    without_words: dict[str, float],
) -> dict[str, Any] | None:
    """What the emoji did to an answer; None for a post without emoji.

    Args:
        entries: of :func:`attention_entries`.
        whole: label -> score of the post.
        without_emoji: the same of its words alone.
        without_words: the same of its emoji alone.

    Returns:
        ``emoji``, as they stand in the text; ``without_emoji`` and ``without_words``, a ``{"label", "score"}`` each;
        ``difference``, label -> score of the post less that of its words; ``disagree``, whether words and emoji, each alone,
        get different labels, neither of them in ``NEUTRAL_LABELS``. Of a post that is all emoji, ``without_emoji`` is the
        answer to an empty text, ``without_words`` is None, and nothing disagrees.
    """
    emoji = [entry["token"] for entry in entries if entry["is_emoji"]]
    if not emoji:
        return None
    has_words = len(emoji) < len(entries)
    words, alone = _best(without_emoji), _best(without_words)
    return {
        "emoji": emoji,
        "without_emoji": words,
        "without_words": alone if has_words else None,
        "difference": {label: score - without_emoji[label] for label, score in whole.items()},
        "disagree": has_words and len({words["label"], alone["label"]} - NEUTRAL_LABELS) == 2,
    }


def _best(scores: dict[str, float]) -> dict[str, Any]:
    label = max(scores, key=lambda name: scores[name])
    return {"label": label, "score": scores[label]}
