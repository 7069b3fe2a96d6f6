import gzip
import json
import re
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from gensim.models.fasttext import FastTextKeyedVectors

from aslstm.data.cleaning import clean
from aslstm.words.text_splitting import split_texts
from aslstm.words.word_vectors import read_vectors
from tests.support.commands import ROOT, run_command
from tests.words.test_new_word_files import HEADER

TINY = ("--vector_size", "8", "--epochs", "1", "--num_buckets", "200", "--num_workers", "1")
SUFFIXES = {"fasttext": ".bin", "word2vec": ".vec"}
SAMPLE = ROOT / "aslstm" / "data" / "sample" / "train.jsonl"
POSTS = [json.loads(line)["text"] for line in SAMPLE.read_text(encoding="utf-8").splitlines()][:600]
CLEANED = [clean(post).text for post in POSTS]  # as posts of files are read
MIN_COUNT = 3


@pytest.fixture(scope="module")
def posts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The posts in two files of two formats whose columns have two names."""
    folder = tmp_path_factory.mktemp("posts")
    jsonl, plain = folder / "a.jsonl.gz", folder / "b.txt"
    with gzip.open(jsonl, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps({"content": post}, ensure_ascii=False) + "\n" for post in POSTS[:300])
    plain.write_text("".join(post + "\n" for post in POSTS[300:]), encoding="utf-8")
    return jsonl, plain


@pytest.fixture(scope="module", params=["fasttext", "word2vec"])
def trained(request, posts: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The file of one method and what the script said."""
    path = tmp_path_factory.mktemp("vectors") / f"vectors{SUFFIXES[request.param]}"
    flags = ("--input", *posts, "--text_column", "text", "content", "--method", request.param, "--min_count", str(MIN_COUNT))
    result = run_command("train-vectors", *flags, "--output", path, *TINY)
    return path, result.stderr


def frequent(counts: Counter[str]) -> set[str]:
    return {token for token, count in counts.items() if count >= MIN_COUNT}


@pytest.fixture(scope="module")
def counts() -> Counter[str]:
    return Counter(token for tokens in split_texts(CLEANED) for token in tokens)


def test_frequent_words_and_emoji_have_vectors_of_the_given_size(trained: tuple[Path, str], counts: Counter[str]) -> None:
    vectors = read_vectors(trained[0])
    assert vectors.vector_size == 8
    # fastText knows a sentence end, which gensim writes where it was seen.
    assert set(vectors.key_to_index) - {"</s>"} == frequent(counts)
    assert {"[泪]", "[怒]", "😂"} <= set(vectors.key_to_index)
    assert np.isfinite(vectors.vectors).all() and np.abs(vectors.vectors).max(1).min() > 0


def test_the_log_says_which_share_of_the_tokens_has_a_vector(trained: tuple[Path, str], counts: Counter[str]) -> None:
    share = 100 * sum(counts[token] for token in frequent(counts)) / counts.total()
    assert 10 < share < 99
    assert f"{counts.total()} tokens in " in trained[1]
    assert re.search(rf"^{len(frequent(counts))} vectors in \d+ s; {share:.2f} % of the tokens", trained[1], re.MULTILINE)
    assert f"saved {trained[0]}" in trained[1]


def test_fasttext_alone_composes_vectors(trained: tuple[Path, str]) -> None:
    vectors = read_vectors(trained[0])
    unseen = "[泪流满面]"
    assert unseen not in vectors.key_to_index
    if trained[0].suffix == ".bin":
        assert isinstance(vectors, FastTextKeyedVectors)
        assert np.abs(vectors[unseen]).max() > 0
    else:
        with pytest.raises(KeyError):
            vectors[unseen]


def test_nothing_but_the_output_is_left(trained: tuple[Path, str]) -> None:
    assert [path.name for path in trained[0].parent.iterdir()] == [trained[0].name]


def test_the_same_seed_gives_the_same_file(posts: tuple[Path, Path], tmp_path: Path) -> None:
    flags = ("--input", posts[1], "--method", "word2vec", *TINY)
    with ThreadPoolExecutor(2) as pool:
        runs = [("a", "0"), ("b", "0"), ("c", "1")]
        list(pool.map(
            lambda run: run_command(
                "train-vectors", *flags, "--output", tmp_path / f"{run[0]}.vec", "--seed", run[1], PYTHONHASHSEED="0"
            ),
            runs,
        ))  # fmt: skip
    a, b, c = ((tmp_path / f"{name}.vec").read_bytes() for name in "abc")
    assert a == b != c


def test_new_words_are_kept_whole_and_an_output_is_replaced_where_asked(tmp_path: Path) -> None:
    (tmp_path / "posts.txt").write_text("今天绝绝子啊[泪]\n昨天绝绝子吗[泪]\n" * 20, encoding="utf-8")
    (tmp_path / "words.tsv").write_text(f"{HEADER}\n绝绝子\t144\t5\t2\t2\t10\t今天绝绝子啊\n", encoding="utf-8")
    (tmp_path / "vectors.vec").write_text("old", encoding="utf-8")
    flags = ("--input", tmp_path / "posts.txt", "--new_words", tmp_path / "words.tsv", "--method", "word2vec", "--overwrite")
    run_command("train-vectors", *flags, "--output", tmp_path / "vectors.vec", *TINY)
    found = read_vectors(tmp_path / "vectors.vec").key_to_index
    assert "绝绝子" in found and "[泪]" in found


BAD: list[tuple[tuple[str, ...], str]] = [
    (("--output", "vectors.vec"), "--output vectors.vec: expected a name ending in .bin with --method fasttext, found '.vec'"),
    (("--output", "v.bin", "--method", "word2vec"), "expected a name ending in .vec with --method word2vec, found '.bin'"),
    (("--output", "vectors"), "found 'no ending'"),
    (("--output", "there.bin"), "--output there.bin: expected a new file, found one; choose another or add --overwrite"),
    (("--output", "folder.bin"), "--output folder.bin: expected the name of a file, found a folder"),
    (("--output", "no/folder.bin"), "expected an existing folder, found none"),
    (("--output", "v.bin", "--input", "one.txt"), "--input: expected words that occur 2 times, found none in "),
    (("--output", "v.bin", "--input", "empty.txt"), "found none in 0 tokens; give more text or lower --min_count"),
    (("--output", "v.vec", "--input", "empty.txt", "--method", "word2vec"), "found none in 0 tokens"),
    (("--output", "v.bin", "--input", "nowhere.txt"), "--input nowhere.txt: expected a file, found none"),
    (
        ("--output", "v.bin", "--input", "posts.csv", "--text_column", "text"),
        "expected a text in column 'text', found id, content",
    ),
    (("--output", "v.bin", "--vector_size", "0"), "--vector_size: expected 1 or more, found 0"),
    (("--output", "v.bin", "--min_count", "-1"), "--min_count: expected 1 or more, found -1"),
    (("--output", "v.bin", "--encoding", "nonsense"), "--encoding: expected the name of an encoding"),
    (("--output", "v.bin", "--method", "glove"), "--method"),
]


@pytest.fixture(scope="module")
def bad_runs(tmp_path_factory: pytest.TempPathFactory) -> list[subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("bad")
    (folder / "posts.txt").write_text("今天又加班[泪]\n" * 9, encoding="utf-8")
    (folder / "one.txt").write_text("今天又加班[泪]\n", encoding="utf-8")
    (folder / "empty.txt").write_text("", encoding="utf-8")
    (folder / "posts.csv").write_text("id,content\n1,好\n", encoding="utf-8")
    (folder / "there.bin").write_text("mine", encoding="utf-8")
    (folder / "folder.bin").mkdir()
    before = sorted(folder.iterdir())

    def run(flags: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        given = flags if "--input" in flags else ("--input", "posts.txt", *flags)
        return run_command("train-vectors", *TINY, *given, check=False, cwd=folder)

    # One after the other: two runs on one output are refused for that.
    results = [run(flags) for flags, _ in BAD]
    assert sorted(folder.iterdir()) == before
    assert (folder / "there.bin").read_text(encoding="utf-8") == "mine"
    return results


@pytest.mark.parametrize("case", range(len(BAD)))
def test_bad_input_is_one_line_and_leaves_nothing(bad_runs: list[subprocess.CompletedProcess[str]], case: int) -> None:
    result = bad_runs[case]
    assert result.returncode == 2, result.stderr
    error = result.stderr.splitlines()[-1]
    assert error.startswith("error: ") and BAD[case][1] in error
    assert "Traceback" not in result.stderr
