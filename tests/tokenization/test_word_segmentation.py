"""The private jieba: start-up, user dictionary, pickling. What happens at first use is seen in a process of its own."""

import copy
import json
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jieba
import pytest
from datasets.fingerprint import Hasher
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.commands import ROOT
from tokenization import UserWord, read_user_dict
from tokenization.word_segmentation import WordSegmenter, cache_folder, can_be_kept, format_user_dict, keep_whole

FIRST_USE = """
import json, logging
import jieba
from tokenization.word_segmentation import UserWord, WordSegmenter
level = jieba.default_logger.level
words = WordSegmenter([UserWord("我真的会谢")]).cut("听完我真的会谢")
print(json.dumps([words, jieba.dt.initialized, jieba.default_logger.level == level]))
"""
SOMEBODY_ELSES_CACHE = b"left here by another user"


def first_use(cache: Path, temporary: Path) -> subprocess.CompletedProcess[str]:
    root = ROOT
    temporary.mkdir()
    (temporary / "jieba.cache").write_bytes(SOMEBODY_ELSES_CACHE)
    places = {"XDG_CACHE_HOME": str(cache), "TMPDIR": str(temporary), "TEMP": str(temporary), "TMP": str(temporary)}
    return subprocess.run(
        [sys.executable, "-c", FIRST_USE],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=root,
        env={**os.environ, **places, "PYTHONIOENCODING": "utf-8"},
        check=True,
    )


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("first_use")
    cache, temporary = folder / "cache", folder / "temporary"
    return cache, temporary, first_use(cache, temporary)


def test_first_use_is_silent(places):
    *_, process = places
    words, _, level_is_restored = json.loads(process.stdout)
    assert process.stderr == ""
    assert words == ["听", "完", "我真的会谢"]
    assert level_is_restored


def test_the_global_jieba_stays_untouched(places):
    *_, process = places
    _, global_is_initialized, _ = json.loads(process.stdout)
    assert not global_is_initialized


def test_the_cache_lies_with_the_user_and_not_in_the_shared_temporary_folder(places):
    cache, temporary, _ = places
    assert (cache / "aslstm" / "jieba.cache").stat().st_size > 1_000_000
    assert (cache / "aslstm").stat().st_mode & 0o077 == 0
    assert [(path.name, path.read_bytes()) for path in temporary.iterdir()] == [("jieba.cache", SOMEBODY_ELSES_CACHE)]


def test_cache_folder_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine" / "aslstm"
    assert cache_folder().is_dir()
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder() == tmp_path / "home" / ".cache" / "aslstm"


def test_a_segmenter_works_without_a_cache_folder(tmp_path, monkeypatch, caplog):
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert WordSegmenter().cut("今天又加班") == ["今天", "又", "加班"]
    assert "no cache folder" in caplog.text
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.fixture(scope="module")
def segmenter() -> WordSegmenter:
    return WordSegmenter()


def test_words_are_those_of_a_jieba_of_its_own(segmenter):
    text = "这家店的面太好吃了，下次还来，love this song。"
    reference = jieba.Tokenizer()
    reference.tmp_dir = os.devnull
    assert segmenter.cut(text) == reference.lcut(text)


@settings(deadline=None, max_examples=150)
@given(text=st.text(st.characters() | st.sampled_from("今天又加班真的好累 ,。a1"), max_size=60))
def test_words_make_up_the_text_again(segmenter, text):
    assert "".join(segmenter.cut(text)) == text


def test_a_long_text_is_cut_like_a_short_one(segmenter):
    sentence = "今天又加班，真的好累。"
    assert "".join(segmenter.cut(sentence * 500)) == sentence * 500
    assert set(segmenter.cut(sentence * 500)) >= set(segmenter.cut(sentence))


def test_user_words_are_kept_whole(segmenter):
    text = "听完我真的会谢"
    assert "我真的会谢" not in segmenter.cut(text)
    assert "我真的会谢" in WordSegmenter([UserWord("我真的会谢")]).cut(text)
    used = copy.deepcopy(segmenter)
    used.cut(text)
    used.add_word(UserWord("我真的会谢"))
    assert "我真的会谢" in used.cut(text)
    assert "我真的会谢" not in segmenter.cut(text)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda used: pickle.loads(pickle.dumps(used))])
def test_a_used_segmenter_is_copied_with_its_words(duplicate):
    used = WordSegmenter([UserWord("我真的会谢", 50, "n")])
    used.cut("我真的会谢")
    used.add_word(UserWord("芭比Q了"))
    assert duplicate(used).cut("我真的会谢，芭比Q了") == used.cut("我真的会谢，芭比Q了") == ["我真的会谢", "，", "芭比Q了"]


def test_use_does_not_change_the_fingerprint():
    used = WordSegmenter([UserWord("绝绝子")])
    before = Hasher.hash(used), len(pickle.dumps(used))
    used.cut("真是绝绝子")
    assert (Hasher.hash(used), len(pickle.dumps(used))) == before


@pytest.mark.parametrize(
    "content",
    [
        "绝绝子 50 n\n破防\nyyds 3\n".encode(),
        "\ufeff绝绝子 50 n\n破防\nyyds 3\n".encode(),
        "绝绝子 50 n\r\n破防\r\nyyds 3\r\n".encode(),
        "\n绝绝子 50 n \n\n  破防\n\t\nyyds 3".encode(),
    ],
    ids=["plain", "BOM", "CRLF", "blank lines"],
)
def test_user_dictionaries_are_read_in_every_usual_form(tmp_path, content):
    (tmp_path / "user_dict.txt").write_bytes(content)
    words = read_user_dict(tmp_path / "user_dict.txt")
    assert words == [UserWord("绝绝子", 50, "n"), UserWord("破防"), UserWord("yyds", 3)]


def test_a_word_may_have_a_tag_and_no_frequency(tmp_path):
    (tmp_path / "user_dict.txt").write_text("破防 v\n", encoding="utf-8")
    assert read_user_dict(tmp_path / "user_dict.txt") == [UserWord("破防", None, "v")]


BAD_LINES = ["绝绝子 五十", "绝绝子 50 n 多", "绝绝子\t50", "绝绝子 -5", "绝绝子 5.5", "绝绝子  50", "绝\x85子 5"]


@pytest.mark.parametrize("line", BAD_LINES)
def test_a_bad_line_is_named(tmp_path, line):
    (tmp_path / "user_dict.txt").write_text(f"破防 3\n{line}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"user_dict\.txt, line 2: expected"):
        read_user_dict(tmp_path / "user_dict.txt")


@pytest.mark.parametrize("line", ["哈" * 65, "a" * 30_000 + " 5 n"])
def test_a_word_that_is_too_long_is_named_in_one_short_line(tmp_path, line):
    (tmp_path / "user_dict.txt").write_text(f"{'哈' * 64} 3\n{line}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"user_dict\.txt, line 2: expected a word of at most 64 characters, found") as caught:
        read_user_dict(tmp_path / "user_dict.txt")
    assert len(str(caught.value).replace(str(tmp_path), "")) < 150


def test_a_frequency_that_no_segmenter_can_hold_is_named(tmp_path):
    (tmp_path / "user_dict.txt").write_text(f"破防 {'9' * 5000}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"user_dict\.txt, line 1: expected 'word"):
        read_user_dict(tmp_path / "user_dict.txt")


def test_no_way_leads_a_long_word_into_the_segmenter(tokenizer):
    assert can_be_kept("哈" * 64) and not can_be_kept("哈" * 65)
    with pytest.raises(ValueError, match=r"user word '哈{64}': expected at most 64 Chinese characters"):
        WordSegmenter([UserWord("哈" * 65)])
    with pytest.raises(ValueError, match="expected one word or one emoji"):
        copy.deepcopy(tokenizer).add_tokens(["新词" * 40])


@pytest.mark.parametrize("name", ["jieba", "rjieba"])
def test_words_are_added_while_other_threads_cut(name):
    segmenter = WordSegmenter(segmenter=name)
    text = "听完我真的会谢，今天又加班。" * 50
    expected = segmenter.cut(text)
    with ThreadPoolExecutor(4) as pool:
        cuts = [pool.submit(lambda: [segmenter.cut(text) for _ in range(20)]) for _ in range(3)]
        for word in ("甲乙丙丁", "子丑寅卯", "天地玄黄"):
            segmenter.add_word(UserWord(word))
            assert word in segmenter.cut(f"我{word}你")
        assert all(words == expected for cut in cuts for words in cut.result())
    assert {"甲乙丙丁", "子丑寅卯", "天地玄黄"} <= set(segmenter.cut("甲乙丙丁，子丑寅卯，天地玄黄"))


def test_a_dictionary_in_another_encoding_is_named(tmp_path):
    (tmp_path / "user_dict.txt").write_bytes("绝绝子 50\n".encode("gbk"))
    with pytest.raises(ValueError, match=r"user_dict\.txt.*UTF-8"):
        read_user_dict(tmp_path / "user_dict.txt")


def test_format_and_read_are_inverse(tmp_path):
    words = [UserWord("绝绝子", 50, "n"), UserWord("破防"), UserWord("yyds", 3), UserWord("上头", None, "v")]
    (tmp_path / "user_dict.txt").write_text(format_user_dict(words), encoding="utf-8")
    assert read_user_dict(tmp_path / "user_dict.txt") == words


@pytest.mark.parametrize("word", ["绝绝子", "给力", "不明觉厉", "中国人民好", "hold住", "pk掉", "3q"])
def test_an_entry_of_keep_whole_keeps_the_word_in_plain_jieba(word: str, tmp_path: Path) -> None:
    entry = keep_whole([word])[0]
    (tmp_path / "user_dict.txt").write_text(format_user_dict([entry]), encoding="utf-8")
    plain = jieba.Tokenizer()
    plain.load_userdict(str(tmp_path / "user_dict.txt"))
    assert plain.lcut(f"我，{word}，你", HMM=False) == ["我", "，", word, "，", "你"]


def test_keep_whole_lets_a_long_word_win_against_its_parts() -> None:
    entries = keep_whole(["绝绝子", "绝绝", "绝绝子啊"])
    assert WordSegmenter(entries, use_hmm=False).cut("绝绝子啊") == ["绝绝子啊"]
    assert [entry.word for entry in entries] == ["绝绝", "绝绝子", "绝绝子啊"]


def test_without_its_hidden_markov_model_jieba_does_not_guess() -> None:
    assert "绝绝子" in WordSegmenter().cut("今天绝绝子啊")
    assert "绝绝子" not in WordSegmenter(use_hmm=False).cut("今天绝绝子啊")
