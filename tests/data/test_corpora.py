import gzip
import json
import logging
import os
import re
import shutil
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import pytest

from aslstm.data.corpora import CorpusSource, has_emoji, load_corpus, load_split, read_splits
from aslstm.data.row_readers import read_rows
from aslstm.errors import UserError
from tests.support.commands import SHARED_DATA

NLPCC = SHARED_DATA / "nlpcc2014"
needs_nlpcc = pytest.mark.skipif(not NLPCC.is_dir(), reason="the NLPCC 2014 files are not in ../shared/data/nlpcc2014")


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path_factory.mktemp("cache"))
        yield


def write(path: Path, posts: list[tuple[str, str]]) -> Path:
    path.write_text("".join(json.dumps({"text": t, "label": label}) + "\n" for t, label in posts), encoding="utf-8")
    return path


def numbered(name: str, count: int) -> list[tuple[str, str]]:
    return [(f"{name} {i}", "ab"[i % 2]) for i in range(count)]


def load(folder: Path, train: list[tuple[str, str]], **splits: list[tuple[str, str]]) -> datasets.DatasetDict:
    files = {f"{name}_file": write(folder / f"{name}.jsonl", posts) for name, posts in {"train": train, **splits}.items()}
    return load_corpus(CorpusSource("files", **files))


def load_error(folder: Path, train: list[tuple[str, str]], **splits: list[tuple[str, str]]) -> str:
    with pytest.raises(UserError) as caught:
        load(folder, train, **splits)
    return str(caught.value)


def test_the_sample_is_what_loads_without_arguments() -> None:
    corpus = load_corpus(CorpusSource())
    assert {split: rows.column_names for split, rows in corpus.items()} == {
        split: ["text", "label"] for split in ("train", "validation", "test")
    }
    assert {split: len(rows) for split, rows in corpus.items()} == {"train": 14118, "validation": 2266, "test": 2933}


def test_files_are_taken_as_they_are_given(tmp_path: Path) -> None:
    splits = {split: numbered(split, 6) for split in ("train", "validation", "test")}
    corpus = load(tmp_path, **splits)
    assert {split: list(zip(rows["text"], rows["label"], strict=True)) for split, rows in corpus.items()} == splits


def test_a_post_that_only_passes_on_keeps_what_it_passes_on(tmp_path: Path) -> None:
    posts = [*numbered("train", 40), ("//@某人: 太好看了", "a"), ("真的//@某人: 太好看了", "b")]
    validation = numbered("validation", 2)
    assert load(tmp_path, posts, validation=validation)["train"]["text"][-2:] == ["//@某人: 太好看了", "真的"]


def test_without_a_test_file_there_is_no_test_split(tmp_path: Path) -> None:
    assert set(load(tmp_path, numbered("train", 40))) == {"train", "validation"}


def test_column_names_of_files_can_be_set(tmp_path: Path) -> None:
    path = tmp_path / "posts.csv"
    path.write_text("review,stars\n" + "".join(f"post {i},{i % 2}\n" for i in range(40)), encoding="utf-8")
    corpus = load_corpus(CorpusSource("files", train_file=path, text_column="review", label_column="stars"))
    assert set(corpus["train"]["label"]) == {"0", "1"}


def posts_of(rows: datasets.Dataset) -> set[str]:
    return {text.split()[1] for text in rows["text"]}


def test_validation_is_a_tenth_of_the_posts_and_shares_none_with_train(tmp_path: Path) -> None:
    path = tmp_path / "sentences.jsonl"
    lines = [
        json.dumps({"weibo_id": post, "text": f"post {post} sentence {i}", "label": "ab"[i % 2]})
        for post in range(200)
        for i in range(1 + post % 5)
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    first = load_corpus(CorpusSource("files", train_file=path))
    assert not posts_of(first["train"]) & posts_of(first["validation"])
    assert len(posts_of(first["validation"])) == 20
    assert len(first["train"]) + len(first["validation"]) == len(lines)
    copy = tmp_path / "copy.jsonl"
    shutil.copy(path, copy)
    second = load_corpus(CorpusSource("files", train_file=copy))
    assert second["validation"]["text"][:] == first["validation"]["text"][:]


def test_overlaps_are_removed_and_counted_with_white_space_ignored(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    test = [("今天　好 累", "a"), ("test", "b")]
    validation = [("今天好累", "a"), ("明天\t见", "b"), ("only here", "a")]
    train = [("今 天好累\n", "a"), ("明天见", "b"), ("train", "a"), ("今天好累了", "b")]
    with caplog.at_level(logging.INFO):
        corpus = load(tmp_path, train, validation=validation, test=test)
    assert corpus["train"]["text"][:] == ["明天见", "train", "今天好累了"]
    assert corpus["validation"]["text"][:] == ["only here"]
    assert corpus["test"]["text"][:] == [text for text, _ in test]
    assert caplog.text.count("removed 1 rows") == 3


@pytest.mark.parametrize("split", ["validation", "test"])
def test_a_label_that_train_lacks_is_an_error_with_its_row(tmp_path: Path, split: str) -> None:
    posts = [*numbered("new", 4), ("odd", "c")]
    message = load_error(tmp_path, numbered("train", 40), **{split: posts})
    assert f"{split}.jsonl, row 5:" in message and "'c'" in message and "(a, b)" in message


def test_the_row_of_an_unknown_label_is_that_of_the_file_although_overlaps_went(tmp_path: Path) -> None:
    train = numbered("train", 10)
    message = load_error(tmp_path, train, validation=[train[0], train[1], ("odd", "c")])
    assert "validation.jsonl, row 3:" in message


def test_train_keeps_a_label_that_the_cut_would_have_taken_whole(tmp_path: Path) -> None:
    posts = numbered("train", 40)
    held_out = load(tmp_path, posts)["validation"]["text"][:]
    row = max(i for i, (text, _) in enumerate(posts) if text in held_out)
    posts[row] = (posts[row][0], "c")
    corpus = load(tmp_path, posts)
    assert "c" in corpus["train"]["label"][:]
    assert "c" not in corpus["validation"]["label"][:]


def test_one_label_only_is_an_error(tmp_path: Path) -> None:
    message = load_error(tmp_path, [(f"post {i}", "same") for i in range(40)])
    assert "train.jsonl" in message and "two labels" in message and "same" in message and "`label_column`" in message


def test_a_split_that_is_left_without_rows_is_an_error(tmp_path: Path) -> None:
    train = numbered("train", 10)
    message = load_error(tmp_path, train, validation=train[:3])
    assert "validation.jsonl" in message and "expected rows" in message


def test_a_lone_surrogate_in_a_file_is_read_or_refused_with_its_row(tmp_path: Path) -> None:
    train = [*numbered("train", 10), ("half an emoji \ud83d", "a")]
    try:
        corpus = load(tmp_path, train, validation=numbered("validation", 4))
    except UserError as error:
        assert "train.jsonl, row 11" in str(error)
    else:
        assert len(corpus["train"]) == 11


def test_a_second_call_reads_from_the_cache_and_a_changed_file_is_read_anew(tmp_path: Path) -> None:
    path = write(tmp_path / "train.jsonl", [(f"post {i}", "ab"[i % 2]) for i in range(10, 50)])
    source = CorpusSource("files", train_file=path)
    before = path.stat()
    first = read_splits(source)["train"]
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    # The same contents at another time: the file of the cache is that of the first call.
    assert read_splits(source)["train"].cache_files == first.cache_files
    path.write_text(path.read_text(encoding="utf-8").replace("post", "news"), encoding="utf-8")
    # Other contents of the same size and time.
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert all(text.startswith("news") for text in load_corpus(source)["train"]["text"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("累[泪]", True), ("累[ 泪 ]", True), ("累😂", True), ("👨‍👩‍👧", True), ("看[视频]", False), ("看[视频][泪]", True),
        ("没有", False), ("[九个字以上的长名字啊]", False), ("©™", False), ("", False),
    ],
)  # fmt: skip
def test_has_emoji_takes_bracketed_names_and_unicode_emoji(text: str, expected: bool) -> None:
    assert has_emoji(text) == expected


def nlpcc_xml(name: str, posts: int) -> bytes:
    sentences = "".join(
        f'<weibo id="{i}"><sentence id="1" opinionated="N">{name} {i}</sentence>'
        f'<sentence id="2" opinionated="Y" emotion-1-type="like">love {name} {i}</sentence></weibo>'
        for i in range(posts)
    )
    return f"<?xml version='1.0' encoding='UTF-8'?><Data>{sentences}</Data>".encode()


TRAIN_XML, TEST_XML = "Training data for Emotion Classification.xml", "EmotionClassficationTest.xml"


def test_the_small_class_file_is_never_the_training_set(tmp_path: Path) -> None:
    (tmp_path / "SmallClassTrain.xml").write_bytes(nlpcc_xml("small", 16))
    (tmp_path / TEST_XML).write_bytes(nlpcc_xml("test", 4))
    with pytest.raises(UserError, match=r"expected one of .*train\.jsonl") as caught:
        load_corpus(CorpusSource("nlpcc2014", data_dir=tmp_path))
    assert str(tmp_path) in str(caught.value)


def test_the_original_xml_goes_before_the_rebuilt_json_lines(tmp_path: Path) -> None:
    write(tmp_path / "train.jsonl", numbered("rebuilt", 40))
    (tmp_path / f"{TEST_XML}.gz").write_bytes(gzip.compress(nlpcc_xml("test", 4)))
    (tmp_path / f"{TRAIN_XML}.gz").write_bytes(gzip.compress(nlpcc_xml("original", 20)))
    corpus = load_corpus(CorpusSource("nlpcc2014", data_dir=tmp_path))
    assert all("original" in text for text in corpus["train"]["text"])
    assert {split: len(rows) for split, rows in corpus.items()} == {"train": 36, "validation": 4, "test": 8}


def test_a_known_corpus_without_its_folder_says_so() -> None:
    with pytest.raises(UserError, match="`data_dir`"):
        load_corpus(CorpusSource("nlpcc2014"))


@pytest.fixture(scope="module")
def nlpcc2014() -> datasets.DatasetDict:
    return load_corpus(CorpusSource("nlpcc2014", data_dir=NLPCC))


@needs_nlpcc
def test_the_nlpcc_test_split_has_the_published_sentences_and_labels(nlpcc2014: datasets.DatasetDict) -> None:
    assert len(nlpcc2014["test"]) == 15_693
    assert Counter(nlpcc2014["test"]["label"]) == {
        "none": 11_871, "like": 1_630, "disgust": 679, "happiness": 641,
        "sadness": 302, "surprise": 259, "anger": 244, "fear": 67,
    }  # fmt: skip


@needs_nlpcc
def test_the_gate_rows_are_counted_alike_by_an_independent_rule(nlpcc2014: datasets.DatasetDict) -> None:
    texts = nlpcc2014["test"]["text"][:]
    by_rule = [set(re.findall(r"\[[^\[\]\s]{1,8}\]", re.sub(r"\s", "", text))) - {"[视频]"} != set() for text in texts]
    assert [has_emoji(text) for text in texts] == by_rule
    assert sum(by_rule) == 2_212


@needs_nlpcc
def test_no_nlpcc_text_stands_in_two_splits(nlpcc2014: datasets.DatasetDict) -> None:
    train, validation, test = ({"".join(text.split()) for text in nlpcc2014[s]["text"]} for s in nlpcc2014)
    assert not train & validation and not train & test and not validation & test
    assert 0.08 < len(nlpcc2014["validation"]) / (len(nlpcc2014["train"]) + len(nlpcc2014["validation"])) < 0.11


@needs_nlpcc
def test_nlpcc_posts_are_not_split_between_train_and_validation(nlpcc2014: datasets.DatasetDict) -> None:
    posts: dict[str, set[int]] = {}
    with gzip.open(NLPCC / "train.jsonl.gz", "rt", encoding="utf-8") as file:
        for row in map(json.loads, file):
            posts.setdefault(row["text"], set()).add(row["weibo_id"])
    found = [{next(iter(posts[t])) for t in nlpcc2014[s]["text"] if len(posts[t]) == 1} for s in ("train", "validation")]
    assert not found[0] & found[1]


@needs_nlpcc
def test_plain_and_gzipped_nlpcc_xml_give_what_a_whole_parse_gives(tmp_path: Path) -> None:
    plain = tmp_path / TEST_XML
    plain.write_bytes(gzip.decompress((NLPCC / f"{TEST_XML}.gz").read_bytes()))
    rows = [list(read_rows(p, text_column="text", label_column="label")) for p in (plain, NLPCC / f"{TEST_XML}.gz")]
    sentences = ElementTree.parse(plain).getroot().findall("./weibo/sentence")
    assert rows[0] == rows[1]
    assert [row["text"] for row in rows[0]] == [sentence.text or "" for sentence in sentences]
    assert len({row["post"] for row in rows[0]}) == 6_000


@needs_nlpcc
def test_the_nlpcc_training_format_is_read() -> None:
    rows = list(read_rows(NLPCC / "SmallClassTrain.xml", text_column="text", label_column="label"))
    assert len({row["post"] for row in rows}) == 16
    assert {row["label"] for row in rows} > {"none", "like"}


def test_the_name_of_a_corpus_follows_from_what_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASLSTM_DATA", str(tmp_path / "corpora"))
    assert CorpusSource().dataset == "sample"
    assert CorpusSource(train_file=tmp_path / "a.csv").dataset == "files"
    assert CorpusSource("nlpcc2014").data_dir == tmp_path / "corpora"
    assert CorpusSource("nlpcc2014", data_dir=tmp_path).data_dir == tmp_path
    monkeypatch.delenv("ASLSTM_DATA")
    assert CorpusSource("nlpcc2014").data_dir is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"dataset": "sample", "test_file": Path("t.csv")},
            r"expected `dataset` or `train_file`, found both \(sample, `test_file`\)",
        ),
        (
            {"train_file": Path("t.csv"), "problem_type": "regression"},
            "`problem_type`: expected single_label_classification or multi_label_classification, found regression",
        ),
        ({"dataset": "files"}, "expected `train_file` beside `dataset` files, found none"),
        ({"encoding": "klingon"}, "`encoding`: expected the name of an encoding, e.g. GB18030, found 'klingon'"),
    ],
)
def test_sources_that_contradict_themselves_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=f"^{message}"):
        CorpusSource(**given)


def test_a_test_file_alone_is_read_for_evaluation_and_refused_for_training(tmp_path: Path) -> None:
    source = CorpusSource(test_file=write(tmp_path / "mine.jsonl", numbered("test", 4)))
    assert load_split(source, "test")["label"][:] == ["a", "b", "a", "b"]
    with pytest.raises(UserError, match=r"^expected `train_file` beside `test_file`, found none; name the training rows"):
        load_corpus(source)
    with pytest.raises(UserError, match=r"^`split` validation: expected one of test, found no such split"):
        load_split(source, "validation")


# ---- faulty rows ----

FAULTY = """text,label
好看,1.0
难看,
,
太慢[怒],2
一般般,nan
x,1,too many
还行,1.0
"""


def test_rows_without_a_label_are_counted_and_left_out_on_request(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "stars.csv"
    path.write_text(FAULTY, encoding="utf-8")
    for _ in range(2):  # The second time, the rows come from the cache.
        with pytest.raises(UserError) as raised:
            read_splits(CorpusSource(train_file=path))
        assert str(raised.value) == (
            f"{path}, row 2: expected a text and a label (text or number), found '难看' and ''; correct the row, or leave out "
            "such rows with `on_error` skip (3 of 7 rows have no label)"
        )
        caplog.clear()
        rows = read_splits(CorpusSource(train_file=path, on_error="skip"))["train"]
        assert list(zip(rows["text"], rows["label"], strict=True)) == [("好看", "1"), ("太慢[怒]", "2"), ("还行", "1")]
        assert f"{path}: passed over 3 rows without a label and 1 that cannot be read; the first: " in caplog.text


def test_a_file_without_any_label_is_refused_also_if_rows_may_be_left_out(tmp_path: Path) -> None:
    path = tmp_path / "posts.csv"
    path.write_text("text,label\n好看,\n难看,\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"row 1: expected a text and a label .* correct the row \(2 of 2 rows have no label\)"):
        read_splits(CorpusSource(train_file=path, on_error="skip"))


# ---- labels of a map, several labels of a post, folders of save_to_disk ----


def test_labels_get_the_names_of_a_small_file(tmp_path: Path) -> None:
    path = tmp_path / "stars.csv"
    path.write_text("text,label\n" + "".join(f"post {i},{i % 5 + 1}.0\n" for i in range(40)), encoding="utf-8")
    for name, content in (
        ("map.txt", "1,差评\n2\t差评\n3=中评\n4，好评\n5,好评\n"),
        ("map.json", '{"1": "差评", "2": "差评", "3": "中评", "4": "好评", "5": "好评"}'),
    ):
        (tmp_path / name).write_text(content, encoding="utf-8")
        corpus = load_corpus(CorpusSource(train_file=path, map_labels=str(tmp_path / name)))
        assert Counter(corpus["train"]["label"]) + Counter(corpus["validation"]["label"]) == {"差评": 16, "中评": 8, "好评": 16}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"^`map_labels`: expected nlpcc2014_to_polarity, .*, or a file with a line for each label such as 1,negative"),
        ("1,bad\n2\n", r"map.txt, line 2: expected two labels such as 1,negative, found '2'"),
        ("1,bad\n1,good\n", r"map.txt, line 2: expected each label once, found '1' twice"),
        ("", r"map.txt: expected a line for each label"),
        ("a,bad\n", r"train.jsonl: `map_labels` .*map.txt: expected labels among a, found b; add it to the map"),
    ],
)
def test_a_map_that_cannot_be_used_is_one_line(tmp_path: Path, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / "map.txt").write_text(content, encoding="utf-8")
    source = CorpusSource(train_file=write(tmp_path / "train.jsonl", numbered("x", 20)), map_labels=str(tmp_path / "map.txt"))
    with pytest.raises(UserError, match=message):
        load_corpus(source)


def multi(tmp_path: Path, name: str, content: str, **settings: Any) -> list[str]:
    (tmp_path / name).write_text(content, encoding="utf-8")
    source = CorpusSource(train_file=tmp_path / name, problem_type="multi_label_classification", **settings)
    return read_splits(source)["train"]["label"][:]


def test_several_labels_of_a_post_are_read_from_lists_texts_and_columns(tmp_path: Path) -> None:
    expected = ["joy|surprise", "", "anger"]
    lists = [["surprise", "joy"], [], ["anger", "anger"]]
    lines = "".join(json.dumps({"text": f"post {i}", "label": one}) + "\n" for i, one in enumerate(lists))
    assert multi(tmp_path, "a.jsonl", lines) == expected
    assert multi(tmp_path, "a.csv", 'text,label\na,joy|surprise\nb,\nc,"[""anger""]"\n') == expected
    columns = "text,anger,joy,surprise\na,0,1,2\nb,0,0,0\nc,1,0,0\n"
    assert multi(tmp_path, "b.csv", columns, label_column="anger,joy,surprise") == expected


def test_a_list_of_labels_where_one_is_expected_says_what_to_add(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [("a", ["x"])])  # type: ignore[list-item]
    with pytest.raises(
        UserError, match=r"found 'a' and \['x'\]; correct the row; for several labels of a post add `problem_type`"
    ):
        read_splits(CorpusSource(train_file=path))


def test_folders_of_save_to_disk_are_read_with_the_names_of_their_classes(tmp_path: Path) -> None:
    names = datasets.ClassLabel(names=["差", "好"])
    rows = {"text": [f"post {i}" for i in range(40)], "label": [i % 2 for i in range(40)]}
    one = datasets.Dataset.from_dict(rows, features=datasets.Features(text=datasets.Value("string"), label=names))
    one.save_to_disk(tmp_path / "one")
    datasets.DatasetDict(train=one, dev=one.select(range(3))).save_to_disk(tmp_path / "two")
    assert set(load_corpus(CorpusSource(str(tmp_path / "one")))["train"]["label"]) == {"差", "好"}
    assert read_splits(CorpusSource(str(tmp_path / "two")))["validation"]["label"][:] == ["差", "好", "差"]
    many = datasets.Features(text=datasets.Value("string"), label=datasets.List(names))
    lists = {"text": ["a", "b", "c"], "label": [[0, 1], [], [1]]}
    datasets.Dataset.from_dict(lists, features=many).save_to_disk(tmp_path / "many")
    datasets.Dataset.from_dict(lists, features=many).to_parquet(tmp_path / "many.parquet")
    for given in ({"dataset": str(tmp_path / "many")}, {"train_file": tmp_path / "many.parquet"}):
        source = CorpusSource(problem_type="multi_label_classification", **given)
        assert read_splits(source)["train"]["label"][:] == ["好|差", "", "好"]
