"""Traditional script: read as simplified script by a table that travels with a tokenizer."""

import json
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from opencc import OpenCC

from aslstm.words.script_table import simplified_characters
from aslstm.words.vocabulary import build_tokenizer, build_vocabulary
from tests.support.commands import ROOT, TEXTS
from tokenization import ASLSTMTokenizer, PostEncoder
from tokenization.text_normalization import TextNormalizer
from tokenization.vocabulary_files import read_script_table

PAIRS = [
    ("今天又加班，好難過[淚]", "今天又加班，好难过[泪]"),
    ("氣死我了[發怒]/流淚", "气死我了[发怒]/流泪"),
    ("看[視頻]好開心", "看[视频]好开心"),
    ("這個週末打遊戲😂", "这个周末打游戏😂"),
]


@pytest.fixture(scope="module")
def folder(tokenizer: ASLSTMTokenizer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("saved")
    tokenizer.save_pretrained(path)
    return path


@pytest.mark.parametrize(("traditional", "simplified"), PAIRS)
def test_a_post_has_the_ids_of_its_simplified_form(tokenizer, folder, traditional, simplified):
    for one in (tokenizer, ASLSTMTokenizer.from_pretrained(folder), PostEncoder.from_folder(folder)):
        assert one.encode_batch([traditional]) == one.encode_batch([simplified])
        spans = [[(start, end) for _, start, end in one.tokenize_with_offsets(text)] for text in (traditional, simplified)]
        assert spans[0] == spans[1]
    assert tokenizer.tokenize(traditional) == tokenizer.tokenize(simplified)


def test_codes_in_traditional_script_are_those_of_the_simplified_one(tokenizer):
    assert tokenizer.tokenize("[淚]") == ["[泪]"]
    assert tokenizer.emoji_in("好難過[淚]") == ["[淚]"]


def test_the_vocabulary_is_counted_in_simplified_script():
    traditional = [OpenCC("s2t").convert(text) for text in TEXTS]
    assert traditional != TEXTS
    normalizer = TextNormalizer(simplified_characters())
    assert build_vocabulary(traditional) == build_vocabulary([normalizer.normalize(t) for t in traditional])
    assert "難過" in build_vocabulary(["好難過"] * 2, to_simplified=False).words
    assert "难过" in build_vocabulary(["好難過"] * 2).words


def test_the_switch_is_saved_and_without_it_nothing_changes(tmp_path):
    own = build_tokenizer(build_vocabulary([*TEXTS, "好難過[淚]"] * 2, to_simplified=False), to_simplified=False)
    own.save_pretrained(tmp_path)
    assert not (tmp_path / "script_table.txt").exists()
    assert json.loads((tmp_path / "tokenizer_config.json").read_text(encoding="utf-8"))["to_simplified"] is False
    assert ASLSTMTokenizer.from_pretrained(tmp_path).tokenize("好難過[淚]") == ["好", "難過", "[淚]"]


def test_a_folder_that_says_nothing_of_script_answers_as_before(folder, tmp_path):
    for path in folder.iterdir():
        if path.name != "script_table.txt":
            (tmp_path / path.name).write_bytes(path.read_bytes())
    config = json.loads((tmp_path / "tokenizer_config.json").read_text(encoding="utf-8"))
    assert config.pop("to_simplified") is True
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    for one in (ASLSTMTokenizer.from_pretrained(tmp_path), PostEncoder.from_folder(tmp_path)):
        assert one.tokenize("[淚]") != ["[泪]"]


def test_a_tokenizer_whose_table_is_lost_is_refused(folder, tmp_path):
    for path in folder.iterdir():
        if path.name != "script_table.txt":
            (tmp_path / path.name).write_bytes(path.read_bytes())
    with pytest.raises(ValueError, match=r"expected script_table.txt beside vocab.txt, found none"):
        ASLSTMTokenizer.from_pretrained(tmp_path)


def test_the_table_is_that_of_the_converter_and_a_second_reading_changes_nothing(folder):
    table = read_script_table(folder / "script_table.txt")
    assert table == simplified_characters()
    assert len(table) > 3500
    assert not table.keys() & set(table.values())
    convert = OpenCC("t2s").convert
    assert {old: new for old, new in table.items() if convert(convert(unicodedata.normalize("NFKC", old))) != new} == {}
    # "著", "瞭" and "妳" are simplified characters too.
    assert not set("著瞭妳") & table.keys()


def test_common_simplified_characters_stay():
    changed = []
    for character in simplified_characters():
        try:
            character.encode("gb2312")
            changed.append(character)
        except UnicodeEncodeError:
            continue
    assert len(changed) < 20


ANSWER = """
import sys
sys.modules["opencc"] = None
from tokenization.post_encoding import PostEncoder
encoder = PostEncoder.from_folder(sys.argv[1])
assert encoder.encode_batch(["好難過[淚]"]) == encoder.encode_batch(["好难过[泪]"])
"""


def test_answering_needs_no_converter(folder):
    subprocess.run([sys.executable, "-c", ANSWER, str(folder)], check=True, cwd=ROOT)
