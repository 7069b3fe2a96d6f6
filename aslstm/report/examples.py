"""Takes the posts of a label, one at a time, and gives the few that a report shows.

Some of them have the highest scores and some are drawn at random.
"""

import heapq
from dataclasses import dataclass, field
from random import Random
from typing import Any

MAX_CHARACTERS = 400  # A longer post is cut where it is shown.
_NUM_EXAMPLES = 3  # So many examples of each kind are kept.


@dataclass(frozen=True)
class Example:
    """Holds a post to show, cut to MAX_CHARACTERS; ``num_characters`` is the length of the whole post."""

    text: str
    score: float
    num_characters: int
    attention: list[dict[str, Any]]


@dataclass
class ExamplesOfLabel:
    """Keeps a few posts of one label while all of them are read."""

    num_posts: int = 0
    chance: Random = field(default_factory=lambda: Random(0))
    best: list[tuple[float, int, Example]] = field(
        default_factory=list
    )  # A heap; of posts with equal scores the first is kept.
    sample: list[Example] = field(default_factory=list)

    def add(self, text: str, score: float, attention: list[dict[str, Any]]) -> None:
        """Read a post, and keep it if it is among the best or is drawn."""
        self.num_posts += 1
        # Reservoir sampling (Vitter 1985, algorithm R).
        place = self.chance.randrange(self.num_posts) if len(self.sample) == _NUM_EXAMPLES else len(self.sample)
        is_sampled = place < _NUM_EXAMPLES
        is_best = len(self.best) < _NUM_EXAMPLES or score > self.best[0][0]
        if not is_sampled and not is_best:
            return
        kept = [entry for entry in attention if entry["end"] <= MAX_CHARACTERS]
        example = Example(text[:MAX_CHARACTERS], score, len(text), kept)
        if is_sampled:
            self.sample[place : place + 1] = [example]
        if is_best and all(example.text != other.text for *_, other in self.best):
            heapq.heappush(self.best, (score, -self.num_posts, example))
            if len(self.best) > _NUM_EXAMPLES:
                heapq.heappop(self.best)

    def chosen(self) -> dict[str, list[Example]]:
        """Return ``best``, the highest score first, and ``sample``, without posts that are in ``best``."""
        best = [example for *_, example in sorted(self.best, reverse=True)]
        shown = {example.text for example in best}
        return {"best": best, "sample": [example for example in self.sample if example.text not in shown]}
