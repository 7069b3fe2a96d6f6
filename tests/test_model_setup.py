from collections import Counter

import emoji
import pytest
import torch
from conftest import TEXTS

from model_setup import ModelSettings, make_model, make_tokenizer, start_emoji_vectors
from modeling_aslstm import ASLSTMForSequenceClassification
from tokenization import ASLSTMTokenizer

SETTINGS = ModelSettings(
    emoji_fusion="attention",
    attention_key="hidden",
    classifier_input="attention",
    embedding_size=12,
    hidden_size=6,
    num_hidden_layers=2,
    hidden_dropout_prob=0.25,
)
LABELS = ["sadness", "like", "none", "none", "sadness", "none", "none", "like"]
NAMES = ["like", "none", "sadness"]


@pytest.fixture(scope="module")
def tokenizer() -> ASLSTMTokenizer:
    texts = [*TEXTS, "眼泪流下来", "泪", "笑哭了的脸", "大笑", "哭"]
    return make_tokenizer(texts, new_words=(), min_count=1, min_emoji_count=2, model_max_length=64)


@pytest.fixture(scope="module")
def model(tokenizer: ASLSTMTokenizer) -> ASLSTMForSequenceClassification:
    torch.manual_seed(0)
    return make_model(tokenizer, SETTINGS, NAMES, LABELS)


def vector(model: ASLSTMForSequenceClassification, tokenizer: ASLSTMTokenizer, token: str) -> torch.Tensor:
    return model.aslstm.word_embeddings.weight[tokenizer.get_vocab()[token]].detach()


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
    assert {name: getattr(model.config, name) for name in vars(SETTINGS)} == vars(SETTINGS)
    assert model.config.id2label == {0: "like", 1: "none", 2: "sadness"}
    assert model.config.label2id == {"like": 0, "none": 1, "sadness": 2}
    assert model.classifier.out_features == 3


def test_the_label_prior_is_the_share_of_each_label_in_training(model: ASLSTMForSequenceClassification) -> None:
    assert model.config.label_prior == [2 / 8, 4 / 8, 2 / 8]
    assert sum(model.config.label_prior) == pytest.approx(1.0)
    assert model.config.decision_prior_weight == 0.0 and model.config.temperature == 1.0


def test_the_label_prior_sums_to_one_for_uneven_counts(tokenizer: ASLSTMTokenizer) -> None:
    labels = [name for i, name in enumerate("abcdefg") for _ in range(3**i)]
    prior = make_model(tokenizer, SETTINGS, list("gfedcba"), labels).config.label_prior
    assert sum(prior) == pytest.approx(1.0)
    assert prior == pytest.approx([Counter(labels)[name] / len(labels) for name in "gfedcba"])


def test_a_name_piece_starts_as_its_character(model: ASLSTMForSequenceClassification, tokenizer: ASLSTMTokenizer) -> None:
    pieces = [token for token in tokenizer.get_vocab() if token.startswith("##") and len(token) == 3]
    with_word = [piece for piece in pieces if tokenizer.get_vocab().get(piece[2:], 10**9) < tokenizer.emoji_token_offset]
    assert "##泪" in with_word
    for piece in with_word:
        torch.testing.assert_close(vector(model, tokenizer, piece), vector(model, tokenizer, piece[2:]), rtol=0, atol=0)


def test_a_unicode_emoji_starts_as_the_mean_of_its_chinese_name(
    model: ASLSTMForSequenceClassification, tokenizer: ASLSTMTokenizer
) -> None:
    vocabulary, start = tokenizer.get_vocab(), tokenizer.emoji_token_offset
    checked = 0
    for token in vocabulary:
        name = emoji.demojize(token, language="zh", delimiters=("", "")).replace("_", " ")
        if name == token or not emoji.is_emoji(token):
            continue
        known = [word for word in tokenizer.tokenize(name) if vocabulary.get(word, start) < start]
        if known:
            total = sum(vector(model, tokenizer, word) for word in known)
            torch.testing.assert_close(vector(model, tokenizer, token), total / len(known))
            checked += 1
    assert checked > 100


def test_the_face_with_tears_of_joy_starts_between_the_words_of_its_name(
    model: ASLSTMForSequenceClassification, tokenizer: ASLSTMTokenizer
) -> None:
    words = tokenizer.tokenize("笑哭了")
    assert "".join(words) == "笑哭了"
    mean = torch.stack([vector(model, tokenizer, word) for word in words]).mean(0)
    torch.testing.assert_close(vector(model, tokenizer, "😂"), mean)


def test_words_and_codes_and_padding_keep_their_own_start(tokenizer: ASLSTMTokenizer) -> None:
    vectors = torch.randn(len(tokenizer), 4)
    vectors[0] = 0.0
    before = vectors.clone()
    start_emoji_vectors(vectors, tokenizer)
    start = tokenizer.emoji_token_offset
    torch.testing.assert_close(vectors[:start], before[:start], rtol=0, atol=0)
    for code in ("<unk_emoji>", "[泪]", "[太开心]"):
        row = tokenizer.get_vocab()[code]
        torch.testing.assert_close(vectors[row], before[row], rtol=0, atol=0)


def test_a_fresh_padding_vector_is_zero(model: ASLSTMForSequenceClassification) -> None:
    assert model.aslstm.word_embeddings.weight[0].abs().max() == 0.0
