"""Takes one row of what ``aslstm predict`` writes and gives its answer, checked (:class:`RowAnswer`)."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from aslstm.errors import UserError
from modeling_aslstm.config_values import POLARITIES
from tokenization import split_emoji
from tokenization.emoji_splitting import fold_emoji

# The columns of an answer, in which no date is looked for.
_LABELS = ("label", "score", "scores", "labels", "polarity", "polarity_score")
COLUMNS = (*_LABELS, "emoji", "attention", "contributions", "emoji_effect")


class Side(NamedTuple):
    """Holds the answer to one side of a post: to its words alone, or to its emoji alone."""

    label: str
    score: float


class RowAnswer(NamedTuple):
    """Holds the answer to one post.

    Attributes:
        label: The label.
        score: The probability of the label, 0 if the row has none.
        polarity: ``negative``, ``neutral`` or ``positive``, or None if the model gives none.
        emoji: The emoji of the post, each once and without skin tones.
        attention: The words and emoji with their weights; empty if the row has none.
        words_alone: The answer to the words without the emoji, or None if the row does not say.
        emoji_alone: The answer to the emoji without the words, or None.
    """

    label: str
    score: float
    polarity: str | None
    emoji: set[str]
    attention: list[dict[str, Any]]
    words_alone: Side | None
    emoji_alone: Side | None


def read_answer(row: Mapping[str, Any], text: str, *, prefix: str, place: str) -> RowAnswer | None:
    """Return the answer of a row, or None if the row has no label.

    Args:
        row: The row; nested values may be JSON text, as in a CSV file.
        text: The post, from which the emoji are taken if the row does not list them.
        prefix: What stands before the names of the columns.
        place: The file and the row, for error messages.

    Raises:
        UserError: A value is not as ``aslstm predict`` writes it.
    """
    answer = {name: row.get(prefix + name) for name in COLUMNS}
    if answer["label"] in (None, ""):
        return None
    try:
        given = answer["emoji"]
        found = [piece.text for piece in split_emoji(text) if piece.is_emoji] if given is None else _nested(given)
        effect = _nested(answer["emoji_effect"]) or {}
        return RowAnswer(
            label=clean(answer["label"]),
            score=_share(answer["score"] or 0),
            # Without a score beside it, a column of this name is not the model's.
            polarity=None if answer["polarity_score"] in (None, "") else _polarity(answer["polarity"]),
            emoji={fold_emoji(clean(one)) for one in found},
            attention=[
                {"token": clean(e["token"]), "weight": _share(e["weight"]), "is_emoji": bool(e["is_emoji"])}
                | {"start": int(e["start"]), "end": int(e["end"])}
                for e in _nested(answer["attention"])
            ],
            words_alone=_side(effect.get("without_emoji")),
            emoji_alone=_side(effect.get("without_words")),
        )
    except (TypeError, KeyError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        raise UserError(
            f"{place}: expected score, emoji and attention as aslstm predict writes them, found {error!r:.80}"
        ) from error


def clean(value: Any) -> str:
    """Return a value as text. Lone surrogates cannot be written to a file and become "?", which keeps all positions."""
    return str(value).encode("utf-8", "replace").decode("utf-8")


def _side(value: Any) -> Side | None:
    return None if value is None else Side(clean(value["label"]), _share(value["score"]))


def _share(value: Any) -> float:
    """Return a score or a weight as a number; it may be a little above 1 because of rounding."""
    number = float(value)
    if not 0 <= number < 1.01:
        raise ValueError(f"{number}, not from 0 to 1")
    return number


def _polarity(value: Any) -> str:
    if value not in POLARITIES:
        raise ValueError(f"{value!r}, not one of {', '.join(POLARITIES)}")
    return str(value)


def _nested(value: Any) -> Any:
    """Return a list or an object, which may be given as JSON text, as in a CSV file."""
    return json.loads(value) if isinstance(value, str) and value else value or []
