"""Takes what a model gives and gives the reasons of an answer as a user reads them; it also checks that parts fit together.

The pipelines with and without torch share it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

# These labels mark posts without feeling, in the known corpora and in data sets of the Hub; nothing disagrees with them.
NEUTRAL_LABELS = frozenset(("none", "neutral", "无", "中性"))
SCORES_NOT_FINITE = (
    "scores: expected finite numbers, found NaN or infinity; the weights are damaged or too large for the number format, so "
    "fetch or train the model again"
)
FUSIONS_WITH_WEIGHTS = ("attention", "hierarchical")
# The format of a model folder, "folder_format" in its config.json. A change that older code would read wrongly adds one to it.
FOLDER_FORMAT = 2


def check_format(config: Mapping[str, Any]) -> None:
    """Check that this code knows the format of a model folder.

    Args:
        config: The content of its ``config.json``; a folder without a number has format 1.

    Raises:
        ValueError: The format is newer, or it is no number.
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
        tokenizer: An ``ASLSTMTokenizer``, whose class is in the other package.
        config: Any object with the attributes of an ``ASLSTMConfig``.

    Raises:
        ValueError: The tokenizer has another vocabulary.
    """
    found = (tokenizer.emoji_token_offset, tokenizer.num_emoji_tokens)
    expected = (config.emoji_token_offset, config.num_emoji_tokens)
    if found != expected or len(tokenizer) > config.vocab_size:
        raise ValueError(
            f"expected a tokenizer with {config.vocab_size} tokens and the emoji range {expected} (offset, length) of the "
            f"model's config, found {len(tokenizer)} tokens and {found}; load both from the same folder"
        )


def check_weights(fresh: Sequence[str]) -> None:
    """Check that every weight of a model was loaded or trained.

    Args:
        fresh: The names of the weights that were neither.

    Raises:
        ValueError: There are such weights.
    """
    if fresh:
        raise ValueError(
            f"expected every weight in the model folder, found none of this size for {', '.join(fresh)[:200]}; train the model "
            "first, or fetch the folder again"
        )


def text_of(value: Any, place: str = "") -> str:
    """Return the text of one input of a pipeline, which is a text or ``{"text": text}``.

    >>> text_of({"text": "今天"})
    '今天'

    Args:
        value: The input.
        place: What the message of an error begins with.

    Raises:
        ValueError: The input is no text, or a pair of texts.
    """
    is_plain = isinstance(value, Mapping) and value.keys() <= {"text", "text_pair"} and not value.get("text_pair")
    text = value.get("text") if is_plain else value
    if not isinstance(text, str):
        raise ValueError(f"{place}expected one text, found {value!r:.100}; give a text alone, or several in a list")
    return text


def polarity_entry(probabilities: Sequence[float], config: Any) -> dict[str, Any]:
    """Return the polarity of an answer and its score, which are sums over the labels, or ``{}`` if the model gives none.

    ``polarity_score`` is the probability of all positive labels minus that of all negative ones, from -1 to 1. ``polarity`` is
    ``neutral`` if all neutral labels have more probability than ``polarity_threshold``. Otherwise it is ``positive`` for a
    score of 0 or more, and ``negative`` for one below 0.

    >>> from types import SimpleNamespace
    >>> labels = {0: "like", 1: "fear", 2: "none"}
    >>> polarities = {"like": "positive", "fear": "negative", "none": "neutral"}
    >>> config = SimpleNamespace(id2label=labels, polarity_of_labels=polarities, polarity_threshold=0.5)
    >>> polarity_entry([0.25, 0.5, 0.25], config), polarity_entry([0.25, 0.0, 0.75], config)
    ({'polarity': 'negative', 'polarity_score': -0.25}, {'polarity': 'neutral', 'polarity_score': 0.25})

    Args:
        probabilities: The probability of each label, in the order of their ids.
        config: Any object with the attributes of an ``ASLSTMConfig``.
    """
    if config.polarity_of_labels is None:
        return {}
    shares = {"negative": 0.0, "neutral": 0.0, "positive": 0.0}
    for label, probability in zip(config.id2label.values(), probabilities, strict=True):
        shares[config.polarity_of_labels[label]] += probability
    score = shares["positive"] - shares["negative"]
    is_neutral = shares["neutral"] > config.polarity_threshold
    return {"polarity": "neutral" if is_neutral else "positive" if score >= 0 else "negative", "polarity_score": score}


def check_has_polarity(config: Any) -> None:
    """Check that a model can give the polarity of an answer.

    Raises:
        ValueError: The polarity of its labels is not known.
    """
    if config.polarity_of_labels is None:
        raise ValueError(
            "polarity: expected a model with polarity_of_labels in its config, found none; call it without polarity"
        )


def check_has_weights(config: Any) -> None:
    """Check that a model can give the weights of its words.

    Raises:
        ValueError: The fusion of the model gives no weights.
    """
    if config.emoji_fusion not in FUSIONS_WITH_WEIGHTS:
        raise ValueError(
            "return_attention: expected a model with emoji_fusion 'attention' or 'hierarchical', found "
            f"{config.emoji_fusion!r}, which gives no weights; call it without return_attention"
        )


def is_emoji_id(token_id: int, config: Any) -> bool:
    """Return whether an id lies in the emoji range of a model's config."""
    return config.emoji_token_offset <= token_id < config.emoji_token_offset + config.num_emoji_tokens


def attention_entries(
    text: str, spans: Sequence[tuple[int, int]], ids: Sequence[int], weights: Sequence[float], config: Any
) -> list[dict[str, Any]]:
    """Return one ``{"token", "start", "end", "weight", "is_emoji"}`` for each word or emoji of a post.

    Args:
        text: The post.
        spans: The place of each token in the post; ``ids`` and ``weights`` may be longer, by padding.
        ids: The id of each token.
        weights: The weight of each token.
        config: Any object with the attributes of an ``ASLSTMConfig``.
    """
    entries: list[dict[str, Any]] = []
    for (start, end), token_id, weight in zip(spans, ids, weights, strict=False):
        is_emoji = is_emoji_id(token_id, config)
        if is_emoji and entries and end <= entries[-1]["end"]:
            continue  # This is a name piece: its character is part of the code that is already listed.
        entries.append({"token": text[start:end], "start": start, "end": end, "weight": weight, "is_emoji": is_emoji})
    return entries


def parts_of_posts(rows: Sequence[Sequence[int]], config: Any, unk_token_id: int) -> tuple[list[int], list[list[int]]]:
    """Split the posts that have emoji into their words and their emoji.

    Args:
        rows: The ids of each post.
        config: Any object with the attributes of an ``ASLSTMConfig``.
        unk_token_id: The id that stands for an empty text where a post has no words.

    Returns:
        The places of those posts among the rows, and for each of them two rows: its ids without emoji, its ids without words.
    """
    places: list[int] = []
    parts: list[list[int]] = []
    for place, ids in enumerate(rows):
        emoji = [token_id for token_id in ids if is_emoji_id(token_id, config)]
        if emoji:
            places.append(place)
            parts += [[token_id for token_id in ids if not is_emoji_id(token_id, config)] or [unk_token_id], emoji]
    return places, parts


def labels_disagree(words: str, emoji: str, polarities: Mapping[str, str] | None) -> bool:
    """Return whether the labels of words alone and of emoji alone disagree: one is positive, and the other negative.

    Without polarities, labels disagree if they differ and neither is in ``NEUTRAL_LABELS``.

    >>> polarities = {"like": "positive", "happiness": "positive", "anger": "negative"}
    >>> labels_disagree("happiness", "like", polarities), labels_disagree("happiness", "anger", polarities)
    (False, True)
    >>> labels_disagree("glee", "woe", None), labels_disagree("glee", "neutral", None)
    (True, False)

    Args:
        words: The label of the words alone.
        emoji: The label of the emoji alone.
        polarities: The polarity of each label, or None if the model has none.
    """
    if polarities is None:
        return len({words, emoji} - NEUTRAL_LABELS) == 2
    return {polarities.get(words), polarities.get(emoji)} == {"positive", "negative"}


def emoji_effect_entry(
    entries: Sequence[dict[str, Any]],
    whole: dict[str, float],
    without_emoji: dict[str, float],
    without_words: dict[str, float],
    *,
    polarities: Mapping[str, str] | None,
) -> dict[str, Any] | None:
    """Return what the emoji did to an answer, or None for a post without emoji.

    Args:
        entries: The entries of :func:`attention_entries` for the post.
        whole: The score of each label for the post.
        without_emoji: The score of each label for its words alone.
        without_words: The score of each label for its emoji alone.
        polarities: The polarity of each label, or None if the model has none.

    Returns:
        A dictionary. ``emoji`` lists the emoji as they are in the text. ``without_emoji`` and ``without_words`` are each a
        ``{"label", "score"}``. ``difference`` has for each label the score of the post minus that of its words. ``disagree``
        is what :func:`labels_disagree` says of the labels of words and emoji, each alone. For a post that is all emoji,
        ``without_emoji`` is the answer to an empty text, ``without_words`` is None, and nothing disagrees.
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
        "disagree": has_words and labels_disagree(words["label"], alone["label"], polarities),
    }


def _best(scores: dict[str, float]) -> dict[str, Any]:
    label = max(scores, key=lambda name: scores[name])
    return {"label": label, "score": scores[label]}
