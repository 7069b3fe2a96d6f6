from pathlib import Path

import pytest

from modeling_aslstm import ASLSTMConfig, ASLSTMForSequenceClassification


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"emoji_fusion": "nonsense"}, "emoji_fusion: expected one of none, concat, .* found 'nonsense'"),
        ({"attention_key": "x"}, "attention_key: expected one of embedding, hidden, found 'x'"),
        ({"classifier_input": "x"}, "classifier_input: expected one of .* found 'x'"),
        ({"hidden_size": 0}, "hidden_size: expected a whole number of 1 or more, found 0"),
        ({"embedding_size": 2.5}, "embedding_size: expected a whole number .* found 2.5"),
        ({"vocab_size": 3}, "emoji range: expected .* vocab_size 3"),
        ({"emoji_token_offset": 0}, "emoji range"),
        ({"clause_end_token_ids": [3]}, "clause_end_token_ids: expected ids of words, found \\[3\\]"),
        ({"hidden_dropout_prob": 1.0}, "hidden_dropout_prob: expected 0 or more and less than 1, found 1.0"),
        ({"temperature": 0.0}, "temperature: expected a number above 0, found 0.0"),
        ({"label_prior": [0.5, 0.2, 0.3]}, "label_prior: expected 2 shares above 0"),
        ({"label_prior": [1.0, 0.0]}, "label_prior: expected 2 shares above 0"),
        ({"decision_prior_weight": 0.5}, "decision_prior_weight: expected 0 without a label_prior"),
        ({"dtype": "int8"}, "dtype: expected one of float64, .*, found 'int8'"),
        ({"dtype": "nonsense"}, "dtype: expected one of float64, .*, found 'nonsense'"),
        ({"problem_type": "x"}, "problem_type: expected one of None, single_label_classification, .* found 'x'"),
        ({"num_hidden_layers": 10**6}, "num_hidden_layers: expected 100 or less, found 1000000"),
        ({"vocab_size": 10**9}, "vocab_size: expected 10000000 or less, found 1000000000"),
        ({"num_labels": 10**9}, "num_labels: expected 100000 or less"),
        ({"num_labels": 0}, "num_labels: expected a whole number of 1 or more, found 0"),
        ({"num_hidden_layers": 100, "hidden_size": 16384}, "sizes: expected a model of .* weights or less, found"),
        ({"id2label": dict.fromkeys(range(8), "sad")}, "id2label: expected labels that differ, found .*'sad', 'sad'"),
        ({"id2label": ["sad", "glad"]}, "id2label: expected a label for each number from 0 on, found .'sad', 'glad'."),
        ({"id2label": {"1": "sad", "2": "glad"}}, "id2label: expected a label for each number from 0 on"),
        ({"id2label": {"sad": "sad"}}, "id2label: expected a label for each number from 0 on"),
        ({"bidirectional": "no"}, "bidirectional: expected true or false, found 'no'"),
        ({"emoji_fusion": []}, "emoji_fusion: expected one of .* found \\[\\]"),
        ({"hidden_dropout_prob": "x"}, "hidden_dropout_prob: expected 0 or more and less than 1, found 'x'"),
        ({"initializer_range": float("nan")}, "initializer_range: expected a number of 0 or more, found nan"),
        ({"temperature": None}, "temperature: expected a number above 0, found None"),
        ({"clause_end_token_ids": 5}, "clause_end_token_ids: expected ids of words, found 5"),
        ({"label_prior": "ab"}, "label_prior: expected 2 shares above 0"),
        ({"pad_token_id": None}, "emoji range: expected .* pad_token_id None"),
        ({"polarity_threshold": 1.5}, "polarity_threshold: expected a number from 0 to 1, found 1.5"),
        ({"polarity_threshold": float("nan")}, "polarity_threshold: expected a number from 0 to 1, found nan"),
        ({"polarity_threshold": None}, "polarity_threshold: expected a number from 0 to 1, found None"),
        ({"polarity_of_labels": {"LABEL_0": "positive"}}, "polarity_of_labels: expected one of negative, .* LABEL_0, LABEL_1"),
        ({"polarity_of_labels": {"LABEL_0": "positive", "LABEL_1": "glad"}}, "polarity_of_labels: expected one of .*'glad'"),
        ({"polarity_of_labels": ["positive", "negative"]}, "polarity_of_labels: expected one of .*'negative'.$"),
        (
            {"id2label": {0: "like"}, "polarity_of_labels": {"like": "positive"}},
            "polarity_of_labels: expected none without one label among several",
        ),
        (
            {"problem_type": "regression", "polarity_of_labels": {"LABEL_0": "positive", "LABEL_1": "negative"}},
            "polarity_of_labels: expected none without one label among several",
        ),
    ],
)
def test_wrong_values_say_what_was_expected_and_found(changes: dict[str, object], expected: str) -> None:
    with pytest.raises(ValueError, match=expected) as raised:
        ASLSTMConfig(**changes)
    assert "\n" not in str(raised.value)


def test_values_that_were_set_after_loading_are_checked_when_the_model_is_made(tmp_path: Path) -> None:
    ASLSTMConfig().save_pretrained(tmp_path)
    config = ASLSTMConfig.from_pretrained(tmp_path, num_hidden_layers=10**6)
    with pytest.raises(ValueError, match="num_hidden_layers: expected 100 or less, found 1000000"):
        ASLSTMForSequenceClassification(config)


def test_labels_stand_in_the_order_of_their_ids() -> None:
    config = ASLSTMConfig(id2label={"1": "glad", "0": "sad"}, label_prior=[0.25, 0.75])
    assert list(config.id2label.items()) == [(0, "sad"), (1, "glad")]
    assert config.label_prior == [0.25, 0.75]


def fitted_config() -> ASLSTMConfig:
    return ASLSTMConfig(
        id2label={0: "sad", 1: "glad"}, label_prior=[0.25, 0.75], decision_prior_weight=0.4, temperature=1.3,
        polarity_of_labels={"sad": "negative", "glad": "positive"}, polarity_threshold=0.25,
    )  # fmt: skip


def test_saving_keeps_every_value(tmp_path: Path) -> None:
    config = fitted_config()
    config.save_pretrained(tmp_path)
    loaded = ASLSTMConfig.from_pretrained(tmp_path)
    assert loaded.to_dict() == config.to_dict()
    assert (loaded.polarity_of_labels, loaded.polarity_threshold) == ({"sad": "negative", "glad": "positive"}, 0.25)


@pytest.mark.parametrize("changes", [{"num_labels": 5}, {"id2label": {0: "no", 1: "yes"}}])
def test_other_labels_end_the_fitted_decision_rule(tmp_path: Path, changes: dict[str, object]) -> None:
    fitted_config().save_pretrained(tmp_path)
    config = ASLSTMConfig.from_pretrained(tmp_path, **changes)
    assert (config.label_prior, config.decision_prior_weight, config.temperature) == (None, 0.0, 1.0)
    assert (config.polarity_of_labels, config.polarity_threshold) == (None, 0.5)


def test_a_folder_names_every_auto_class_and_its_pipeline() -> None:
    config = ASLSTMConfig()
    assert set(config.auto_map) == {"AutoConfig", "AutoModel", "AutoModelForSequenceClassification"}
    assert list(config.custom_pipelines) == ["text-classification"]
    assert "logits" not in config.keys_to_ignore_at_inference
