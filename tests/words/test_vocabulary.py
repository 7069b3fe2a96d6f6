"""From a corpus to a vocabulary and its files: a hand-counted one, what holds for any corpus, damage."""

import random
import unicodedata

import emoji
import pytest

from aslstm.words.vocabulary import Vocabulary, build_tokenizer, build_vocabulary, extend_vocabulary
from tests.support.commands import TEXTS
from tokenization import ASLSTMTokenizer, UserWord
from tokenization.emoji_splitting import known_unicode_emoji
from tokenization.text_normalization import SWITCHES
from tokenization.vocabulary_files import is_name_piece

# Segmented as 好吃 | 好吃 的 | 好看, so that the counts can be made by hand.
COUNTED = ["好吃[泪]", "好吃[泪]", "好看[怒]"]
SPECIAL = ["<pad>", "<unk>", "<mask>"]


def codes(vocabulary: Vocabulary) -> list[str]:
    return [token for token in vocabulary.emoji if token.startswith("[")]


def pieces(vocabulary: Vocabulary) -> list[str]:
    return [token for token in vocabulary.emoji if is_name_piece(token)]


def test_a_hand_counted_corpus():
    vocabulary = build_vocabulary(COUNTED)
    punctuation = sorted("，。？！；～…,.?!;~")
    assert vocabulary.words[:4] == [*SPECIAL, "好吃"]
    assert sorted(vocabulary.words[4:]) == sorted([*"好吃看", *punctuation])
    assert codes(vocabulary) == ["[泪]"]
    assert pieces(vocabulary) == [f"##{c}" for c in sorted("好吃看泪怒")]


@pytest.mark.parametrize(
    ("options", "words", "expected_codes"),
    [
        ({"min_count": 1}, {"好吃", "好看"}, ["[泪]"]),
        ({"min_count": 3}, set(), ["[泪]"]),
        ({"min_emoji_count": 1}, {"好吃"}, ["[泪]", "[怒]"]),
        ({"min_emoji_count": 3}, {"好吃"}, []),
        ({"min_count": 1, "max_words": 1}, {"好吃"}, ["[泪]"]),
        ({"max_words": 0}, set(), ["[泪]"]),
    ],
)
def test_rare_words_and_codes_are_left_out(options, words, expected_codes):
    vocabulary = build_vocabulary(COUNTED, **options)
    assert {word for word in vocabulary.words if len(word) == 2} == words
    assert codes(vocabulary) == expected_codes
    assert set("好吃看") <= set(vocabulary.words)


def test_words_stand_by_frequency_and_then_by_spelling():
    words = build_vocabulary(["好看", "好吃", "好看", "好吃", "好看", "电影", "电影"]).words
    assert words[3:6] == ["好看", *sorted(["好吃", "电影"])]


def test_the_order_of_the_texts_does_not_show():
    shuffled = TEXTS[:]
    random.Random(0).shuffle(shuffled)
    assert build_vocabulary(shuffled) == build_vocabulary(TEXTS) == build_vocabulary(iter(TEXTS))


def test_every_unicode_emoji_is_known_whatever_the_corpus():
    tokens = set(build_vocabulary([]).emoji)
    assert set(known_unicode_emoji()) <= tokens
    toneless = [e for e, data in emoji.EMOJI_DATA.items() if data["status"] == 2 and "skin_tone" not in data["en"]]
    assert set(toneless) <= tokens


def test_the_emoji_part_is_unk_codes_unicode_pieces():
    vocabulary = build_vocabulary(TEXTS)
    kinds = [
        0 if t == "<unk_emoji>" else 1 if t.startswith("[") else 3 if is_name_piece(t) else 2 for t in vocabulary.emoji
    ]  # fmt: skip
    assert kinds == sorted(kinds)
    assert set(kinds) == {0, 1, 2, 3}
    assert kinds.count(0) == 1


def test_a_tokenizer_gives_the_ids_of_the_design():
    vocabulary = build_vocabulary(TEXTS)
    tokenizer = build_tokenizer(vocabulary)
    assert tokenizer.convert_ids_to_tokens([0, 1, 2]) == SPECIAL
    assert (tokenizer.pad_token_id, tokenizer.unk_token_id, tokenizer.mask_token_id) == (0, 1, 2)
    assert tokenizer.emoji_token_offset == len(vocabulary.words)
    emoji_ids = [tokenizer.convert_tokens_to_ids(token) for token in vocabulary.emoji]
    assert emoji_ids == list(range(tokenizer.emoji_token_offset, tokenizer.emoji_token_offset + tokenizer.num_emoji_tokens))
    assert len(tokenizer) == tokenizer.vocab_size == len(vocabulary.words) + len(vocabulary.emoji)
    assert sorted(tokenizer.get_vocab().values()) == list(range(len(tokenizer)))


def test_clause_ends_are_words_in_any_vocabulary():
    tokenizer = build_tokenizer(build_vocabulary([]))
    assert tokenizer.convert_ids_to_tokens(tokenizer.clause_end_token_ids) == sorted("，。？！；～…,.?!;~")


def test_switches_reach_the_counting():
    assert "love" in build_vocabulary(["LOVE you", "love me"]).words
    assert "love" not in build_vocabulary(["LOVE you", "love me"], lower_case=False).words
    with pytest.raises(ValueError, match="lowercase"):
        build_vocabulary(TEXTS, lowercase=False)


def test_user_words_are_counted_as_words_also_where_normalisation_changes_them():
    user_words = [UserWord("我真的会谢"), UserWord("PK掉", 5, "v")]
    vocabulary = build_vocabulary(["听完我真的会谢", "我真的会谢了", "PK掉他", "ｐｋ掉她"], user_words=user_words)
    assert {"我真的会谢", "pk掉"} <= set(vocabulary.words)
    assert vocabulary.user_words == user_words
    assert build_tokenizer(vocabulary).tokenize("我真的会谢PK掉") == ["我真的会谢", "pk掉"]


def test_hostile_characters_never_become_tokens():
    hostile = "\x85\u2028\x1c\ud83d\x00\u3000\u2029\t\n\ufeff\x7f"
    text = "".join(f"好{c}累" for c in hostile)
    vocabulary = build_vocabulary([text] * 3, remove_cjk_white_space=False, normalize_unicode=False)
    assert {"好", "累"} <= set(vocabulary.words)
    assert not set(hostile) & set("".join(vocabulary.words + vocabulary.emoji))


@pytest.mark.parametrize("switch", [True, False])
def test_a_corpus_of_every_character_gives_a_vocabulary_that_loads(switch):
    plane = [chr(code) for code in range(0x10000)]
    switches = dict.fromkeys(SWITCHES, switch)
    texts = ["".join(plane[i : i + 64]) for i in range(0, len(plane), 64)] + [f"[{c}泪]{c}a{c}好{c}" for c in plane[:0x300]]
    vocabulary = build_vocabulary(texts, min_count=1, min_emoji_count=1, **switches)
    tokens = vocabulary.words + vocabulary.emoji
    assert len(set(tokens)) == len(tokens)
    assert [t for t in tokens if not t or any(c.isspace() or unicodedata.category(c) in ("Cc", "Cs") for c in t)] == []
    tokenizer = build_tokenizer(vocabulary, **switches)
    used = {token for text in texts for token in tokenizer.tokenize(text) if token != "<unk>"}
    assert used <= set(tokens)


@pytest.mark.parametrize("word", ["www.baidu.com", "(´・ω・`)"])
def test_a_user_word_that_no_text_can_yield_is_refused(word):
    with pytest.raises(ValueError, match=r"user word .* take it out of the user dictionary"):
        build_vocabulary([], user_words=[UserWord(word)])


@pytest.mark.parametrize("word", ["我真的会谢", "PK掉"])
def test_user_words_survive_saving_twice(tmp_path, word):
    own = build_tokenizer(build_vocabulary([], user_words=[UserWord("破防"), UserWord(word, 50, "n")]))
    own.save_pretrained(tmp_path / "first")
    loaded = ASLSTMTokenizer.from_pretrained(tmp_path / "first")
    loaded.save_pretrained(tmp_path / "second")
    assert ASLSTMTokenizer.from_pretrained(tmp_path / "second").user_words == loaded.user_words == own.user_words


def test_user_words_are_whole_after_saving(tmp_path):
    user_words = [UserWord("我真的会谢"), UserWord("PK掉", 50, "n")]
    build_tokenizer(build_vocabulary(["我真的会谢，PK掉"] * 2, user_words=user_words)).save_pretrained(tmp_path)
    assert ASLSTMTokenizer.from_pretrained(tmp_path).tokenize("我真的会谢PK掉") == ["我真的会谢", "pk掉"]


@pytest.mark.parametrize("name", ["vocab.txt", "emoji_vocab.txt"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: content[: content.rstrip().rfind(b"\n")],
        lambda content: content + content.splitlines()[-2] + b"\n",
        lambda content: content.replace(b"\n", b"\n\n", 5),
        lambda content: content.decode().encode("gb18030"),
        lambda content: b"",
    ],
    ids=["half", "a line short", "duplicate", "blank", "not UTF-8", "empty"],
)
def test_a_damaged_vocabulary_file_is_named(tokenizer, tmp_path, name, damage):
    tokenizer.save_pretrained(tmp_path)
    path = tmp_path / name
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=rf"{name.replace('.', '[.]')}.*expected"):
        ASLSTMTokenizer.from_pretrained(tmp_path)


def test_an_extended_vocabulary_loses_no_token() -> None:
    tokenizer = build_tokenizer(build_vocabulary(["好累[泪]"], min_count=1, min_emoji_count=1))
    tokenizer.add_tokens(["绝绝子", "[新码]"])
    more = build_vocabulary(["开心[太开心]绝绝子"], min_count=1, min_emoji_count=1)
    extended = extend_vocabulary(tokenizer, more)
    known = build_tokenizer(extended).get_vocab()
    assert set(tokenizer.get_vocab()) | set(more.words) | set(more.emoji) == set(known)
    assert "绝绝子" in extended.words and "[新码]" in extended.emoji
