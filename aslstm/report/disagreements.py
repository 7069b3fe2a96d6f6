"""Takes answers to the words and to the emoji of posts, and gives the posts where the two have opposite feelings.

Such posts are often irony, but a model may also misread the words or the emoji. So both sides must be clear: each has the
probability ``FLOOR`` or more, and one label is positive and the other negative. That two labels differ is not enough: joy and
liking differ in most posts with emoji.
"""

import heapq
from dataclasses import dataclass, field
from typing import NamedTuple

from aslstm.data.known_corpora import polarity_of_labels
from modeling_aslstm.results_aslstm import labels_disagree

from .answers import RowAnswer, Side
from .examples import MAX_CHARACTERS

FLOOR = 0.5
_NUM_SHOWN = 30


class Disagreement(NamedTuple):
    """Holds a post with the answers to its words alone and to its emoji alone; ``clarity`` is the smaller of their scores."""

    clarity: float
    text: str
    label: str
    words: Side
    emoji: Side


@dataclass
class Disagreements:
    """Counts posts with words and emoji, and keeps the clearest of those where the two disagree.

    Attributes:
        is_told: Whether any row has the column of the two answers, which may be empty.
        num_compared: The number of posts with both answers.
        num_known: The number of these where the polarities of both labels are known.
        num_found: The number of these where both sides are clear and opposite.
        kept: The clearest of these.
    """

    is_told: bool = False
    num_compared: int = 0
    num_known: int = 0
    num_found: int = 0
    kept: list[tuple[float, int, Disagreement]] = field(default_factory=list)  # a heap

    def add(self, text: str, answer: RowAnswer) -> None:
        """Read a post; one that does not have both answers counts for nothing."""
        words, emoji = answer.words_alone, answer.emoji_alone
        if words is None or emoji is None:
            return
        self.num_compared += 1
        clarity = min(words.score, emoji.score)
        polarities = polarity_of_labels((words.label, emoji.label))
        self.num_known += polarities is not None
        if clarity < FLOOR or not labels_disagree(words.label, emoji.label, polarities or {}):
            return
        self.num_found += 1
        found = Disagreement(clarity, text[:MAX_CHARACTERS], answer.label, words, emoji)
        heapq.heappush(self.kept, (clarity, -self.num_found, found))
        if len(self.kept) > _NUM_SHOWN:
            heapq.heappop(self.kept)

    def reason_for_none(self) -> str:
        """Return why no post was found, a key of the notes of a report, or "" if one was."""
        if self.num_found:
            return ""
        if not self.is_told:
            return "effect_unknown"
        if not self.num_compared:
            return "none_with_both"
        return "none_opposite" if self.num_known else "polarities_unknown"

    def chosen(self) -> list[Disagreement]:
        """Return the kept posts, the clearest first."""
        return [found for *_, found in sorted(self.kept, reverse=True)]
