import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from aslstm.prediction.classifier import Classifier
from aslstm.training.bag_of_words import INVERSE_REGULARIZATION, add_bag_of_words, fit_token_weights, token_features
from aslstm.training.model import make_model, make_tokenizer
from aslstm.training.publishing import OutputFolder, TrainingRecord
from aslstm.training.starting_weights import StartingModel
from modeling_aslstm import ASLSTMForSequenceClassification
from tests.support.commands import ROOT, SAMPLE
from tests.training.test_model import SETTINGS
from tokenization import ASLSTMTokenizer

NAMES = ["happy", "none", "sad"]
ROWS = [
    ("今天又加班[泪]", "sad"), ("[泪][泪]好累", "sad"), ("真的好累[流泪]", "sad"), ("加班好累", "sad"),
    ("奖金到手[哈哈]", "happy"), ("太好吃了[哈哈]下次还来", "happy"), ("好开心", "happy"), ("太开心了😂", "happy"),
    ("明天下午三点开会", "none"), ("地点不变", "none"), ("明天三点", "none"), ("下午开会", "none"),
]  # fmt: skip


@pytest.fixture(scope="module")
def tokenizer() -> ASLSTMTokenizer:
    return make_tokenizer([text for text, _ in ROWS * 2], new_words=(), min_count=1, min_emoji_count=1, model_max_length=64)


@pytest.fixture(scope="module")
def ids(tokenizer: ASLSTMTokenizer) -> list[list[int]]:
    return tokenizer([text for text, _ in ROWS])["input_ids"]


LABELS = np.array([NAMES.index(label) for _, label in ROWS])


def scores_of(post: list[int], tokenizer: ASLSTMTokenizer, ids: list[list[int]], labels: np.ndarray) -> np.ndarray:
    """Probabilities of a post by the formulas, one feature at a time."""
    rows = [[f for token in tokenizer.convert_ids_to_tokens(row) for f in token_features(token)] for row in [*ids, post]]
    known = sorted({f for row in rows[:-1] for f in row})
    num_rows = {f: sum(f in row for row in rows[:-1]) for f in known}
    idf = {f: np.log((1 + len(ids)) / (1 + n)) + 1 for f, n in num_rows.items() if n > 1}
    vectors = np.array([[row.count(f) * idf[f] for f in idf] for row in rows])
    norms = [max(1.0, sum(idf.get(f, 0.0) ** 2 for f in row)) ** 0.5 for row in rows]
    vectors /= np.array(norms)[:, None]
    regression = LogisticRegression(C=INVERSE_REGULARIZATION, max_iter=1000, tol=1e-8).fit(vectors[:-1], labels)
    return regression.predict_proba(vectors[-1:])[0]


@pytest.mark.parametrize("num_labels", [2, 3])
@pytest.mark.parametrize("post", ["今天好开心[泪]", "好累好累", "", "从未见过", "[大哭泪]"])
def test_looked_up_scores_are_those_of_a_regression_over_the_features(
    post: str, num_labels: int, tokenizer: ASLSTMTokenizer, ids: list[list[int]]
) -> None:
    labels = LABELS % num_labels
    fitted = fit_token_weights(tokenizer, ids, labels)
    own = tokenizer(post)["input_ids"]
    norm = max(1.0, fitted.squared_norms[own].sum()) ** 0.5
    logits = torch.from_numpy(fitted.scores[own].sum(0) / norm + fitted.bias)
    np.testing.assert_allclose(logits.softmax(0), scores_of(own, tokenizer, ids, labels), atol=2e-3)


def trained(tokenizer: ASLSTMTokenizer, **changes: object) -> ASLSTMForSequenceClassification:
    torch.manual_seed(0)
    settings = type(SETTINGS)(**(vars(SETTINGS) | changes))  # type: ignore[arg-type]
    return make_model(tokenizer, settings, NAMES, dict.fromkeys(NAMES, 4)).eval()


@torch.no_grad()
def test_the_logits_of_both_add_up_by_their_weights(tokenizer: ASLSTMTokenizer, ids: list[list[int]]) -> None:
    model = trained(tokenizer)
    both = trained(tokenizer)
    add_bag_of_words(both, tokenizer, ids, LABELS, weight=0.3, logit_adjustment=0.5)
    fitted = fit_token_weights(tokenizer, ids, LABELS)
    for post in ids:
        before = model(torch.tensor([post])).logits[0]
        norm = fitted.squared_norms[post].sum() ** 0.5
        # Every label has a third of the rows.
        words = fitted.scores[post].sum(0) / norm + fitted.bias - 0.5 * np.log(1 / 3)
        expected = 0.7 * before + 0.3 * torch.from_numpy(words)
        torch.testing.assert_close(both(torch.tensor([post])).logits[0], expected.float(), atol=1e-5, rtol=0)


@torch.no_grad()
def test_an_unseen_emoji_counts_as_those_that_share_its_name(tokenizer: ASLSTMTokenizer, ids: list[list[int]]) -> None:
    model = trained(tokenizer)
    add_bag_of_words(model, tokenizer, ids, LABELS, weight=0.9, logit_adjustment=1.0)
    assert "[泪流满面]" not in tokenizer.get_vocab()
    texts = ["明天", "明天[泪流满面]", "明天[泪]", "明天[哈哈笑]"]
    plain, unseen, seen, laughing = (
        model(torch.tensor(tokenizer([text])["input_ids"])).logits[0].softmax(-1)[NAMES.index("sad")] for text in texts
    )
    assert plain + 0.1 < unseen < seen
    assert laughing < plain


@torch.no_grad()
def test_a_model_that_reads_no_emoji_still_reads_none(tokenizer: ASLSTMTokenizer, ids: list[list[int]]) -> None:
    model = trained(tokenizer, emoji_fusion="none")
    add_bag_of_words(model, tokenizer, ids, LABELS, weight=0.5, logit_adjustment=1.0)
    one, other, plain = (
        model(torch.tensor(tokenizer([text])["input_ids"])).logits for text in ("好累[泪]", "好累[哈哈]", "好累")
    )
    assert torch.equal(one, other) and torch.equal(one, plain)


def test_a_saved_folder_answers_alike_and_starts_a_model_without_a_bag(
    tokenizer: ASLSTMTokenizer, ids: list[list[int]], tmp_path: Path
) -> None:
    model = trained(tokenizer)
    add_bag_of_words(model, tokenizer, ids, LABELS, weight=0.5, logit_adjustment=1.0)
    record = TrainingRecord("files")
    OutputFolder(tmp_path / "model").publish(model, tokenizer, record)
    texts = [text for text, _ in ROWS]
    with torch.no_grad():
        batch = tokenizer(texts, padding=True, return_tensors="pt")
        expected = model(**batch).logits.softmax(-1).numpy()
    np.testing.assert_allclose(Classifier(tmp_path / "model", backend="torch").predict(texts), expected, atol=1e-6)
    fresh = trained(tokenizer)
    StartingModel(tmp_path / "model").fill(fresh, tokenizer)
    assert torch.equal(fresh.aslstm.word_embeddings.weight, model.aslstm.word_embeddings.weight)
    assert fresh.bag_of_words is None


FIT = """
import hashlib, json, sys
import numpy as np
from aslstm.training.bag_of_words import fit_token_weights
from aslstm.words.vocabulary import build_tokenizer, build_vocabulary
rows = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8").readlines()[:300]]
texts, names = [row["text"] for row in rows], sorted({row["label"] for row in rows})
tokenizer = build_tokenizer(build_vocabulary(texts))
labels = np.array([names.index(row["label"]) for row in rows])
scores = fit_token_weights(tokenizer, tokenizer(texts)["input_ids"], labels).scores
print(hashlib.sha256(scores.tobytes()).hexdigest())
"""


def test_every_process_fits_the_same_regression() -> None:
    # The order of a set of texts is that of their hashes, which Python draws anew for every process.
    found = [
        subprocess.run(
            [sys.executable, "-c", FIT, str(SAMPLE / "train.jsonl")],
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert found[0] == found[1]
