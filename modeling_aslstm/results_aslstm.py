"""What the pipelines share, with and without torch: checks, and the reasons of an answer as a user reads them."""

from collections.abc import Sequence
from typing import Any

FUSIONS_WITH_WEIGHTS = ("attention", "hierarchical")


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


def spans_of_ids(tokenizer: Any, text: str, num_ids: int) -> list[tuple[int, int]]:
    """The place in ``text`` of each of the ``num_ids`` tokens that truncation kept."""
    spans = tokenizer.tokenize_with_offsets(text)
    ids = tokenizer.convert_tokens_to_ids([span.token for span in spans])
    return [(spans[i].start, spans[i].end) for i in tokenizer.kept_positions(ids, num_ids)]


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
        is_emoji = config.emoji_token_offset <= token_id < config.emoji_token_offset + config.num_emoji_tokens
        if is_emoji and entries and end <= entries[-1]["end"]:
            continue  # a name piece: its characters stand inside the code that is already listed
        entries.append({"token": text[start:end], "start": start, "end": end, "weight": weight, "is_emoji": is_emoji})
    return entries
