"""Batches of similar length, and lists of texts that are answered one after the other."""

from pathlib import Path

import numpy as np
import pytest

from aslstm.prediction.batching import padded, similar_lengths
from aslstm.prediction.classifier import Classifier

POSTS = ["今天又加班[泪]", "", "好耶🎉😂", "明天下午三点开会", "[怒]", "T_T 累"]


@pytest.fixture(scope="module")
def classifier(onnx_folder: Path) -> Classifier:
    return Classifier(onnx_folder, backend="onnx", batch_size=2, num_threads=2)


def test_less_than_a_twentieth_of_what_is_read_is_padding() -> None:
    # Most posts have about 17 words and emoji, and a few have hundreds, as on NLPCC 2014.
    lengths = np.random.default_rng(0).lognormal(2.7, 0.6, 4096).astype(np.int64).clip(1, 512).tolist()
    batches = list(similar_lengths(lengths, 256))
    assert sorted(place for places in batches for place in places) == list(range(4096))
    assert max(map(len, batches)) <= 256
    assert sum(max(lengths[place] for place in places) * len(places) for places in batches) < 1.05 * sum(lengths)


def test_no_posts_give_no_batch() -> None:
    assert list(similar_lengths([], 4)) == []


def test_padding_fills_the_ends_of_rows() -> None:
    ids, mask = padded([[4, 5, 6], [7], [8, 9]], 1)
    assert ids.tolist() == [[4, 5, 6], [7, 1, 1], [8, 9, 1]]
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0], [1, 1, 0]]


def test_lists_are_answered_as_each_would_be_alone(classifier: Classifier) -> None:
    lists = [POSTS, [], POSTS[:1], POSTS * 20, []]
    found = list(classifier.answers_of_each(lists))
    assert [len(answers) for answers in found] == [len(texts) for texts in lists]
    for texts, answers in zip(lists, found, strict=True):
        alone = classifier.answers(texts)
        assert np.array_equal(answers.probabilities, alone.probabilities)
        assert answers.emoji == alone.emoji
        assert answers.polarity == alone.polarity


def test_answers_are_those_of_each_post(classifier: Classifier) -> None:
    answers = classifier.answers(POSTS, attention=True)
    assert np.array_equal(answers.probabilities, classifier.predict(POSTS))
    assert [answer.emoji for answer in answers] == answers.emoji == [["[泪]"], [], ["🎉", "😂"], [], ["[怒]"], ["T_T"]]
    assert [answer.attention for answer in answers[1:3]] == answers.reasons["attention"][1:3]
    assert answers[-1].polarity_score == pytest.approx(answers.polarity_score[-1])
    with pytest.raises(IndexError):
        answers[len(POSTS)]


def test_emoji_of_many_posts_are_those_of_each(classifier: Classifier) -> None:
    encoder = classifier.encoder
    texts = [f"{text}{number}" for number in range(60) for text in POSTS]
    assert encoder.emoji_in_each(texts) == [encoder.emoji_in(text) for text in texts]
    assert encoder.emoji_in_each([]) == []
