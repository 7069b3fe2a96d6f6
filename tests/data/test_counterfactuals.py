from collections import Counter

from aslstm.data.counterfactuals import emoji_of, remove_emoji, remove_words, shuffle_emoji
from tokenization import strip_emoji

TEXTS = ["好累[泪]", "真好😂走吧[太开心]", "[怒]气死我了", "加油👍🏽"]


def test_words_and_emoji_part_without_loss() -> None:
    assert remove_emoji(TEXTS) == ["好累", "真好走吧", "气死我了", "加油"]
    assert remove_words(TEXTS) == ["[泪]", "😂[太开心]", "[怒]", "👍🏽"]


def test_shuffling_keeps_the_words_and_deals_every_emoji_to_another_post() -> None:
    shuffled = shuffle_emoji(TEXTS)
    assert [strip_emoji(text) for text in shuffled] == remove_emoji(TEXTS)
    assert all(emoji_of(new) != emoji_of(old) for new, old in zip(shuffled, TEXTS, strict=True))
    assert Counter(map(tuple, map(emoji_of, shuffled))) == Counter(map(tuple, map(emoji_of, TEXTS)))
    assert shuffle_emoji(TEXTS) == shuffled


def test_the_other_posts_emoji_stand_where_the_own_ones_began() -> None:
    assert shuffle_emoji(["好[泪]累", "[怒]气"]) == ["好[怒]累", "[泪]气"]


def test_one_post_keeps_its_emoji() -> None:
    assert shuffle_emoji(["好[泪]"]) == ["好[泪]"]
