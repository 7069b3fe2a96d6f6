from pathlib import Path

import numpy as np
import pytest

from aslstm.prediction.classifier import Classifier
from benchmarks import faithfulness
from benchmarks.faithfulness import KINDS, SHARES, Post, Reader, falls, kinds_of, read_posts

TEXTS = ["今天又加班[泪]", "太好吃了[太开心]下次还来👍🏽", "气死我了[怒]，快递又丢了！", "好"]


@pytest.fixture(scope="module")
def reader(model_folder: Path) -> Reader:
    return Reader(Classifier(model_folder, backend="torch"))


@pytest.fixture(scope="module")
def posts(reader: Reader) -> list[Post]:
    return read_posts(reader.classifier, TEXTS)


def test_every_kind_scores_every_word_and_emoji(reader: Reader, posts: list[Post]) -> None:
    assert [post.text for post in posts] == TEXTS[:3]
    kinds = kinds_of(reader.classifier.config)
    assert set(KINDS) - set(kinds) == {"bag of words"}  # The tiny model has none.
    for kind in kinds:
        assert [score.shape for score in KINDS[kind](reader, posts)] == [(len(post.entries),) for post in posts]


def test_what_the_kinds_share(reader: Reader, posts: list[Post]) -> None:
    whole = reader.log_odds(posts, [range(len(post.entries)) for post in posts])
    empty = reader.log_odds(posts, [[] for _ in posts])
    # Each order of removal tells the whole way from the empty text to the post.
    shares = [score.sum() / faithfulness.NUM_ORDERS for score in KINDS["Shapley values"](reader, posts)]
    assert shares == pytest.approx((whole - empty).tolist(), abs=1e-4)
    # The first entry of the greedy order is the one of the highest contribution.
    for greedy, out in zip(KINDS["greedy removal"](reader, posts), KINDS["leave-one-out"](reader, posts), strict=True):
        assert greedy.argmax() == out.argmax()
        assert sorted(greedy) == list(range(1, len(greedy) + 1))
    (alone,) = reader.log_odds(posts[:1], [[0]])
    assert KINDS["leave-one-in"](reader, posts)[0][0] == pytest.approx(alone - empty[0], abs=1e-4)


def test_comprehensiveness_and_sufficiency_by_hand(reader: Reader, posts: list[Post]) -> None:
    (post,) = posts[:1]
    scores = np.array([0.0, 1.0, 0.0, 2.0])  # 今天 又 加班 [泪]: the emoji comes first, then 又.
    assert len(post.entries) == len(scores)

    def probability(text: str) -> float:
        return float(reader.classifier.predict([text])[0, post.answer])

    whole = probability(TEXTS[0])
    comprehensiveness, sufficiency = falls(reader, [post], [scores])
    assert comprehensiveness[SHARES.index(0.2)] == pytest.approx(whole - probability("今天又加班"), abs=1e-6)
    assert comprehensiveness[SHARES.index(0.5)] == pytest.approx(whole - probability("今天 加班"), abs=1e-6)
    assert sufficiency[SHARES.index(0.2)] == pytest.approx(whole - probability("[泪]"), abs=1e-6)
    assert sufficiency[SHARES.index(0.5)] == pytest.approx(whole - probability("又[泪]"), abs=1e-6)


def test_the_table(model_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["faithfulness", "--model", str(model_folder), "--max_posts", "30"])
    faithfulness.main()
    first, *lines = capsys.readouterr().out.splitlines()
    assert first.startswith("30 emotional posts of validation, ")
    table = {line[:19].strip(): [float(value) for value in line[19:].split()] for line in lines[2:]}
    assert set(table) == set(KINDS) - {"bag of words"}
    assert table["leave-one-out"][0] > table["chance"][0]
