import csv
import itertools
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.metrics import cohen_kappa_score

from tests.support.commands import SAMPLE
from tokenization import split_emoji, strip_emoji
from tokenization.emoji_splitting import fold_emoji

LABELS = {"none", "like", "happiness", "sadness", "anger", "disgust", "fear", "surprise"}
SPLITS = ("train", "validation", "test")
NEAR = 0.7
BLOCK = 500
README = SAMPLE / "README.md"
SECOND_READING = SAMPLE / "second_reading.csv"


class Post(NamedTuple):
    text: str
    label: str
    split: str


def read_posts() -> Iterator[Post]:
    for split in SPLITS:
        for line in (SAMPLE / f"{split}.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            assert set(row) == {"text", "label"}
            yield Post(row["text"], row["label"], split)


POSTS = list(read_posts())


def words(text: str) -> str:
    return "".join(strip_emoji(text).split())


def emoji_in(text: str) -> list[str]:
    return [piece.text for piece in split_emoji(text) if piece.is_emoji]


def groups_of_same_words() -> dict[str, list[Post]]:
    groups = defaultdict(list)
    for post in POSTS:
        if words(post.text):
            groups[words(post.text)].append(post)
    return {key: posts for key, posts in groups.items() if len(posts) > 1}


def test_there_are_enough_posts() -> None:
    assert len(POSTS) >= 12_000


@pytest.mark.parametrize("split", SPLITS)
def test_every_split_has_the_eight_labels(split: str) -> None:
    assert {post.label for post in POSTS if post.split == split} == LABELS


def test_posts_have_5_to_500_characters_and_many_are_long() -> None:
    assert [post.text for post in POSTS if not 5 <= len(post.text) <= 500] == []
    assert sum(len(post.text) >= 100 for post in POSTS) >= 1_000


def test_no_post_stands_there_twice() -> None:
    counts = Counter("".join(post.text.split()) for post in POSTS)
    assert [text for text, count in counts.items() if count > 1] == []


def test_half_of_the_posts_and_more_carry_emoji_and_thousands_have_none() -> None:
    assert 0.5 * len(POSTS) <= sum(bool(emoji_in(post.text)) for post in POSTS) <= 0.75 * len(POSTS)


def test_both_kinds_of_emoji_occur_with_joined_ones_and_skin_tones() -> None:
    found = Counter(emoji for post in POSTS for emoji in emoji_in(post.text))
    codes = sum(count for emoji, count in found.items() if emoji.startswith("["))
    assert codes >= 300
    assert found.total() - codes >= 300
    assert sum("\u200d" in emoji for emoji in found) >= 3
    assert sum(any("\U0001f3fb" <= c <= "\U0001f3ff" for c in emoji) for emoji in found) >= 3


def test_at_least_100_groups_have_the_same_words_and_another_label_with_another_emoji() -> None:
    pairs = 0
    for posts in groups_of_same_words().values():
        pairs += any(
            one.label != other.label and emoji_in(one.text) != emoji_in(other.text)
            for one, other in itertools.combinations(posts, 2)
        )
    assert pairs >= 100


def test_every_one_of_the_20_commonest_emoji_has_two_labels_or_more() -> None:
    labels = defaultdict(Counter)
    for post in POSTS:
        for emoji in emoji_in(post.text):
            labels[emoji if emoji.startswith("[") else fold_emoji(emoji)][post.label] += 1
    commonest = sorted(labels, key=lambda emoji: -labels[emoji].total())[:20]
    assert {emoji: dict(labels[emoji]) for emoji in commonest if len(labels[emoji]) < 2} == {}


def test_posts_of_the_same_words_stay_in_one_split() -> None:
    straddling = [key for key, posts in groups_of_same_words().items() if len({post.split for post in posts}) > 1]
    assert straddling == []


def trigrams(text: str) -> set[str]:
    return {text[i : i + 3] for i in range(len(text) - 2)}


def near_pairs(texts: list[str]) -> Iterator[tuple[int, int]]:
    """Yield each pair of texts whose shared character 3-grams, divided by all of theirs, are ``NEAR`` or more.

    The pairs are counted for a block of texts at a time: a matrix of all pairs would take gigabytes.
    """
    columns = {gram: i for i, gram in enumerate(sorted(set().union(*map(trigrams, texts))))}
    places = [(row, columns[gram]) for row, text in enumerate(texts) for gram in trigrams(text)]
    rows, cols = zip(*places, strict=True)
    matrix = csr_array((np.ones(len(places), dtype=np.int32), (rows, cols)), shape=(len(texts), len(columns)))
    transposed, sizes = csr_array(matrix.T), np.bincount(rows, minlength=len(texts))
    for start in range(0, len(texts), BLOCK):
        shared = (matrix[start : start + BLOCK] @ transposed).tocoo()
        one, other = shared.coords[0] + start, shared.coords[1]
        is_near = (one < other) & (shared.data >= NEAR * (sizes[one] + sizes[other] - shared.data))
        yield from zip(one[is_near].tolist(), other[is_near].tolist(), strict=True)


def test_near_pairs_by_hand() -> None:
    # abcd has abc, bcd; abcde has cde beside them (2 of 3 shared); abcdef has def too (3 of 4 shared with abcde).
    assert list(near_pairs(["abcd", "abcde", "bcdx", "abcdef", "abcd"])) == [(0, 4), (1, 3)]


@pytest.mark.parametrize("view", [str, words])
def test_near_duplicates_stay_in_one_split(view: Callable[[str], str]) -> None:
    pairs = near_pairs([view(post.text) for post in POSTS])
    assert [(POSTS[i], POSTS[j]) for i, j in pairs if POSTS[i].split != POSTS[j].split] == []


def test_readers_agree_on_the_labels() -> None:
    """Cohen's kappa of the labels that the writers meant and those of a second reader who saw the texts alone."""
    with SECOND_READING.open(encoding="utf-8", newline="") as file:
        header, *lines = csv.reader(file)
    assert set(header[1:]) == LABELS and header[1:] == [line[0] for line in lines]
    counts = np.array([[int(count) for count in line[1:]] for line in lines])
    total = counts.sum()
    agreed, by_chance = counts.trace() / total, (counts.sum(0) * counts.sum(1)).sum() / total**2
    kappa = (agreed - by_chance) / (1 - by_chance)
    pairs = [(i, j, int(counts[i, j])) for i, j in itertools.product(range(len(LABELS)), repeat=2)]
    meant, read, weights = zip(*pairs, strict=True)
    assert kappa == pytest.approx(cohen_kappa_score(meant, read, sample_weight=weights))
    print(f"Cohen's kappa of {total:,} posts read a second time: {kappa:.4f} ({agreed:.2%} agree)")
    assert kappa > 0.9
    text = README.read_text(encoding="utf-8")
    assert f"{total:,} posts" in text and f"κ = {kappa:.4f}" in text and f"The {total - counts.trace()} posts" in text


def test_the_readme_gives_the_counts() -> None:
    text = README.read_text(encoding="utf-8")
    counts = Counter(post.split for post in POSTS)
    assert f"{len(POSTS):,} posts" in text
    for split in SPLITS:
        assert f"`{split}.jsonl` {counts[split]:,}" in text
    for label, count in Counter(post.label for post in POSTS).items():
        assert f"| {label} | {count:,} |" in text
    emoji_share = sum(bool(emoji_in(post.text)) for post in POSTS) / len(POSTS)
    assert f"{emoji_share:.0%} of the posts carry emoji".replace("%", " %") in text
    assert f"{len(groups_of_same_words())} groups of posts" in text
    assert f"{sum(len(post.text) >= 100 for post in POSTS):,} posts have 100 characters or more" in text
    assert "free to use" in text
