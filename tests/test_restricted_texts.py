"""No text file of the project holds a run of 12 characters of a corpus that has no open licence."""

import csv
import gzip
import json
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

import pytest

from tests.support.commands import ROOT, SHARED_DATA

RUN = 12
PIECE = 6
# Of the places where a piece can begin in a run, one is a multiple of this: it is enough to look at every seventh place.
STEP = RUN - PIECE + 1
# Rows that repeat a word ("气死我了气死我了") are nobody's sentence.
DISTINCT = 6

# The entries of these are words, not sentences.
WORD_LISTS = {"vocab.txt", "user_dict.txt"}
# Runs that many people write, each with what it is.
SET_PHRASES = {
    "饭可以乱吃，话不能乱说，": "a proverb",
    "来自微博weibo.co": "what weibo writes behind a post",
    "自微博weibo.com": "the same",
}

_LEFT_OUT = re.compile(r"\s+|\[[^\[\]\s]{1,8}\]|https?:[!-~]*")
_CHINESE = re.compile(r"[\u3400-\u9fff]")


def plain(text: str) -> str:
    """A text without white space, bracketed codes and addresses, which anybody may have written."""
    return _LEFT_OUT.sub("", text)


def runs_of(texts: Iterable[str]) -> set[str]:
    """Each run of 12 characters that holds Chinese and does not merely repeat a word."""
    found = set()
    for text in filter(_CHINESE.search, texts):
        short = plain(text)
        found.update(short[i : i + RUN] for i in range(len(short) - RUN + 1))
    return {run for run in found if _CHINESE.search(run) and len(set(run)) >= DISTINCT}


class Runs:
    """Runs of 12 characters that are searched for in texts."""

    def __init__(self, runs: set[str]) -> None:
        self.runs = runs
        self.pieces = {run[i : i + PIECE] for run in runs for i in range(STEP)}

    def found_in(self, texts: Iterable[str]) -> Iterator[str]:
        """Yield each of the runs as often as it stands in the texts."""
        for text in map(plain, texts):
            for place in range(0, len(text) - PIECE + 1, STEP):
                if text[place : place + PIECE] in self.pieces:
                    starts = range(max(0, place - STEP + 1), min(place, len(text) - RUN) + 1)
                    yield from (text[i : i + RUN] for i in starts if text[i : i + RUN] in self.runs)


def own_texts() -> Iterator[tuple[str, list[str]]]:
    """Yield the path and the lines of each text file that is committed, the strings of JSON as they are read."""
    listed = subprocess.run(["git", "ls-files", "-z"], capture_output=True, text=True, cwd=ROOT, check=True).stdout
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if path.name in WORD_LISTS or not path.is_file():
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        yield name, re.sub(r"\\u[0-9a-fA-F]{4}", lambda match: chr(int(match[0][2:], 16)), text).splitlines()


def strings_of_xml(file: IO[str]) -> Iterator[str]:
    for sentence in ElementTree.parse(file).getroot().iterfind("./weibo/sentence"):
        yield sentence.text or ""


def strings_of_json_lines(file: IO[str]) -> Iterator[str]:
    yield from (json.loads(line)["text"] for line in file)


def strings_of_json(file: IO[str]) -> Iterator[str]:
    yield from (row["content"] for row in json.load(file))


def strings_of_csv(file: IO[str]) -> Iterator[str]:
    yield from (row["review"] for row in csv.DictReader(file))


CORPORA: dict[str, Callable[[IO[str]], Iterable[str]]] = {
    "nlpcc2014/EmotionClassficationTest.xml.gz": strings_of_xml,
    "nlpcc2014/SmallClassTrain.xml": strings_of_xml,
    "nlpcc2014/train.jsonl.gz": strings_of_json_lines,
    **{f"weibo_senti_100k/{split}.csv.gz": strings_of_csv for split in ("train", "validation", "test")},
    **{
        f"smp2020_ewect/{name}.txt.gz": strings_of_json
        for name in ("usual_train_labeled", "usual_eval_labeled", "virus_train", "virus_eval_labeled")
    },
    "weibo_reposts/texts.txt.gz": iter,
}


@cache
def own_runs() -> Runs:
    return Runs(runs_of(line for _, lines in own_texts() for line in lines))


def strings_of(path: Path, read: Callable[[IO[str]], Iterable[str]]) -> Iterator[str]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        yield from read(file)


def test_runs_are_found_wherever_they_begin() -> None:
    sentence = "那天下午我们三个人在河边坐了很久谁也没说话"
    run = sentence[3:15]
    own = Runs(runs_of([f"一二三四五{run}六七八九十", "哈哈哈哈哈哈哈哈哈哈哈哈哈", "no Chinese in this line of text"]))
    assert run in own.runs and "哈" * 12 not in own.runs and len(own.runs) == 11
    for start in range(STEP + 2):
        assert list(own.found_in(["零" * start + sentence])) == [run]
        assert list(own.found_in(["零" * start + run])) == [run]
    assert list(own.found_in([f"{sentence[:9]} [泪]\n{sentence[9:]}"])) == [run]
    assert list(own.found_in([run[1:], run[:-1], ""])) == []


@pytest.mark.parametrize("name", CORPORA)
def test_no_file_holds_a_run_of_a_restricted_corpus(name: str) -> None:
    if not (SHARED_DATA / name).exists():
        pytest.skip("needs the research corpora beside the project")
    found = set(own_runs().found_in(strings_of(SHARED_DATA / name, CORPORA[name]))) - SET_PHRASES.keys()
    holders = [(file, run) for run in found for file, lines in own_texts() if any(run in plain(line) for line in lines)]
    assert holders == []
