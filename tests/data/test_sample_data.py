import itertools
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pytest
from scipy.sparse import csr_array

from tests.support.commands import ROOT
from tokenization import split_emoji, strip_emoji
from tokenization.emoji_splitting import fold_emoji

LABELS = {"none", "like", "happiness", "sadness", "anger", "disgust", "fear", "surprise"}
SPLITS = ("train", "validation", "test")
NEAR = 0.7


class Post(NamedTuple):
    text: str
    label: str
    split: str


def read_posts() -> Iterator[Post]:
    for split in SPLITS:
        path = ROOT / "aslstm" / "data" / "sample" / f"{split}.jsonl"
        for line in path.read_text(encoding="utf-8").splitlines():
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
    assert len(POSTS) >= 1_500


@pytest.mark.parametrize("split", SPLITS)
def test_every_split_has_the_eight_labels(split: str) -> None:
    assert {post.label for post in POSTS if post.split == split} == LABELS


def test_posts_have_5_to_80_characters() -> None:
    assert [post.text for post in POSTS if not 5 <= len(post.text) <= 80] == []


def test_no_post_stands_there_twice() -> None:
    counts = Counter("".join(post.text.split()) for post in POSTS)
    assert [text for text, count in counts.items() if count > 1] == []


def test_at_least_60_percent_carry_emoji() -> None:
    assert sum(bool(emoji_in(post.text)) for post in POSTS) >= 0.6 * len(POSTS)


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


def jaccard(texts: list[str]) -> np.ndarray:
    """(num_texts, num_texts): the shared character 3-grams of two texts, divided by all of theirs."""
    columns = {gram: i for i, gram in enumerate(sorted(set().union(*map(trigrams, texts))))}
    places = [(row, columns[gram]) for row, text in enumerate(texts) for gram in trigrams(text)]
    rows, cols = zip(*places, strict=True)
    matrix = csr_array((np.ones(len(places), dtype=np.int32), (rows, cols)), shape=(len(texts), len(columns)))
    shared = (matrix @ matrix.T).toarray()
    sizes = shared.diagonal()
    return shared / np.maximum(sizes[:, None] + sizes[None, :] - shared, 1)


def test_the_similarity_by_hand() -> None:
    # abcd has abc, bcd; abcde has cde beside them; bcdx has bcd, cdx.
    assert jaccard(["abcd", "abcde", "bcdx"])[0] == pytest.approx([1, 2 / 3, 1 / 3])


@pytest.mark.parametrize("view", [str, words])
def test_near_duplicates_stay_in_one_split(view: Callable[[str], str]) -> None:
    similarity = jaccard([view(post.text) for post in POSTS])
    splits = np.array([post.split for post in POSTS])
    straddling = np.argwhere(np.triu(similarity >= NEAR) & (splits[:, None] != splits[None, :]))
    assert [(POSTS[i], POSTS[j]) for i, j in straddling] == []


def test_the_readme_gives_the_counts() -> None:
    text = (ROOT / "aslstm" / "data" / "sample" / "README.md").read_text(encoding="utf-8")
    counts = Counter(post.split for post in POSTS)
    assert f"{len(POSTS):,} short posts" in text
    assert f"`train.jsonl` {counts['train']:,}" in text
    assert f"`validation.jsonl` {counts['validation']}" in text
    assert f"`test.jsonl` {counts['test']}" in text
    assert "free to use" in text
