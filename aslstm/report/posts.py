"""Takes posts with their answers, one at a time, and gives those that a page lists: all of them, or a sample of many."""

import base64
import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import NamedTuple

from aslstm.printing import printable

MAX_POSTS = 50_000
_MAX_PACKED = 3_900_000  # So many characters of a page hold posts; the rest of 5 MB is room for charts and pictures of words.
_DIGITS = 3


class Post(NamedTuple):
    """Holds a post, cut to what is shown, with its answer; ``day`` is None without a date and ``group`` "" without groups."""

    text: str
    label: str
    score: float
    day: date | None = None
    group: str = ""


@dataclass
class PostSample:
    """Keeps all posts while they are read, or a random sample if there are more than ``size``."""

    size: int = MAX_POSTS
    num_read: int = 0
    chance: Random = field(default_factory=lambda: Random(0))
    kept: list[tuple[int, Post]] = field(default_factory=list)

    def add(self, post: Post) -> None:
        """Read a post, and keep it if it is drawn (Vitter 1985, algorithm R)."""
        self.num_read += 1
        if len(self.kept) < self.size:
            self.kept.append((self.num_read, post))
        elif (place := self.chance.randrange(self.num_read)) < self.size:
            self.kept[place] = (self.num_read, post)

    def posts(self) -> list[Post]:
        """Return the kept posts in the order in which they were read."""
        return [post for _, post in sorted(self.kept, key=lambda one: one[0])]


def packed(posts: Sequence[Post], labels: Sequence[str], max_characters: int = _MAX_PACKED) -> tuple[str, int]:
    """Return posts as text for a page, and how many there are: fewer than all if all would be too large.

    The text is base64 of gzip of a JSON object of columns, which a browser can unpack by itself. Chinese posts take a third of
    the room that they take as they are.

    Args:
        posts: The posts.
        labels: The labels, whose places stand for them.
        max_characters: The longest text that may be returned.
    """
    content = _pack(posts, labels)
    if len(content) <= max_characters:
        return content, len(posts)
    # A little less than the share that would fit, because fewer posts compress less well.
    fewer = min(int(len(posts) * 0.95 * max_characters / len(content)), len(posts) - 1)
    chosen = sorted(Random(0).sample(range(len(posts)), fewer))
    return packed([posts[place] for place in chosen], labels, max_characters)


def _pack(posts: Sequence[Post], labels: Sequence[str]) -> str:
    places = {label: place for place, label in enumerate(labels)}
    groups = list(dict.fromkeys(post.group for post in posts))
    columns = {
        "texts": [printable(post.text) for post in posts],
        "labels": [places[post.label] for post in posts],
        "scores": [round(post.score, _DIGITS) for post in posts],
        "days": [post.day and post.day.isoformat() for post in posts],
        "groups": [groups.index(post.group) for post in posts],
        "names": [printable(group) for group in groups],
    }
    content = json.dumps(columns, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    return base64.b64encode(gzip.compress(content, mtime=0)).decode("ascii")
