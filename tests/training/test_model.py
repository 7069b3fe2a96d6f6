from collections import Counter

import pytest
import torch

from aslstm.training.model import make_model, make_tokenizer
from aslstm.training.settings import ModelSettings
from modeling_aslstm import ASLSTMForSequenceClassification
from tests.support.commands import TEXTS
from tokenization import ASLSTMTokenizer

SETTINGS = ModelSettings(
    emoji_fusion="attention",
    attention_key="hidden",
    classifier_input="attention",
    embedding_size=12,
    hidden_size=6,
    num_hidden_layers=2,
    unidirectional=True,
    hidden_dropout_prob=0.25,
)
LABELS = Counter(["sadness", "like", "none", "none", "sadness", "none", "none", "like"])
NAMES = ["like", "none", "sadness"]


@pytest.fixture(scope="module")
def tokenizer() -> ASLSTMTokenizer:
    texts = [*TEXTS, "眼泪流下来", "泪", "笑哭了的脸", "大笑", "哭"]
    return make_tokenizer(texts, new_words=(), min_count=1, min_emoji_count=2, model_max_length=64)


@pytest.fixture(scope="module")
def model(tokenizer: ASLSTMTokenizer) -> ASLSTMForSequenceClassification:
    torch.manual_seed(0)
    return make_model(tokenizer, SETTINGS, NAMES, LABELS)


def test_the_tokenizer_knows_what_occurs_often_enough() -> None:
    texts = ["加班[泪]", "加班[泪]", "开心[哈哈]"]
    tokenizer = make_tokenizer(texts, new_words=(), min_count=2, min_emoji_count=2, model_max_length=9)
    assert tokenizer.tokenize("加班[泪]") == ["加班", "[泪]"]
    assert tokenizer.tokenize("开心[哈哈]") == ["开", "心", "<unk_emoji>", "##哈", "##哈"]
    assert tokenizer.model_max_length == 9


def test_the_config_agrees_with_the_tokenizer(model: ASLSTMForSequenceClassification, tokenizer: ASLSTMTokenizer) -> None:
    config = model.config
    assert config.vocab_size == len(tokenizer) == len(tokenizer.get_vocab()) == len(model.aslstm.word_embeddings.weight)
    assert config.pad_token_id == tokenizer.get_vocab()["<pad>"]
    first, last = config.emoji_token_offset, config.emoji_token_offset + config.num_emoji_tokens - 1
    assert tokenizer.convert_ids_to_tokens(first) == "<unk_emoji>"
    assert last == config.vocab_size - 1
    for token in ("[泪]", "😂", "##泪"):
        assert first < tokenizer.get_vocab()[token] <= last
    assert tokenizer.get_vocab()["泪"] < first
    assert set(tokenizer.convert_ids_to_tokens(config.clause_end_token_ids)) >= set(",.!?;~。…")


def test_the_config_has_the_settings_and_the_labels(model: ASLSTMForSequenceClassification) -> None:
    config = model.config
    expected = {name: value for name, value in vars(SETTINGS).items() if name in config.to_dict()}
    assert {name: getattr(config, name) for name in expected} == expected and len(expected) == 7
    assert (config.bidirectional, config.use_max_pooling) == (not SETTINGS.unidirectional, not SETTINGS.no_max_pooling)
    assert model.config.id2label == {0: "like", 1: "none", 2: "sadness"}
    assert model.config.label2id == {"like": 0, "none": 1, "sadness": 2}
    assert model.classifier.out_features == 3


def test_the_label_prior_is_the_share_of_each_label_in_training(model: ASLSTMForSequenceClassification) -> None:
    assert model.config.label_prior == [2 / 8, 4 / 8, 2 / 8]
    assert sum(model.config.label_prior) == pytest.approx(1.0)
    assert model.config.decision_prior_weight == 0.0 and model.config.temperature == 1.0


def test_the_label_prior_sums_to_one_for_uneven_counts(tokenizer: ASLSTMTokenizer) -> None:
    labels = Counter({name: 3**i for i, name in enumerate("abcdefg")})
    prior = make_model(tokenizer, SETTINGS, list("gfedcba"), labels).config.label_prior
    assert sum(prior) == pytest.approx(1.0)
    assert prior == pytest.approx([labels[name] / labels.total() for name in "gfedcba"])


def test_a_fresh_padding_vector_is_zero(model: ASLSTMForSequenceClassification) -> None:
    assert model.aslstm.word_embeddings.weight[0].abs().max() == 0.0
