from pathlib import Path
from typing import Any

import pytest
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, pipeline

POSTS = ["今天又加班[泪]", "今天又加班[太开心]", "", "😂😂", "！！！", "Nice 一天👍🏽", "今天" * 2000 + "[怒]"]


@pytest.fixture(scope="module")
def classify(model_folder: Path) -> Any:
    return pipeline("text-classification", model=str(model_folder), trust_remote_code=True)


def test_one_string_and_a_list_give_what_the_stock_pipeline_gives(classify: Any) -> None:
    one = classify(POSTS[0])
    assert [set(entry) for entry in one] == [{"label", "score"}]
    many = classify(POSTS)
    assert len(many) == len(POSTS)
    assert many[0] == one[0]


def test_top_k_gives_all_labels_in_falling_order_with_scores_that_sum_to_one(classify: Any) -> None:
    entries = classify(POSTS[0], top_k=None)
    assert {entry["label"] for entry in entries} == set(classify.model.config.label2id)
    assert [entry["score"] for entry in entries] == sorted((entry["score"] for entry in entries), reverse=True)
    assert sum(entry["score"] for entry in entries) == pytest.approx(1.0)
    assert len(classify(POSTS, top_k=2)[1]) == 2


@pytest.mark.parametrize("return_attention", [False, True])
def test_batches_answer_as_single_posts_do(classify: Any, return_attention: bool) -> None:
    alone = [classify([post], return_attention=return_attention)[0] for post in POSTS]
    together = classify(POSTS, batch_size=4, return_attention=return_attention)
    for one, other in zip(alone, together, strict=True):
        assert one["label"] == other["label"]
        assert one["score"] == pytest.approx(other["score"], abs=1e-5)
        if return_attention:
            assert [e["token"] for e in one["attention"]] == [e["token"] for e in other["attention"]]
            for a, b in zip(one["attention"], other["attention"], strict=True):
                assert a["weight"] == pytest.approx(b["weight"], abs=1e-5)


def test_attention_points_at_the_users_own_text_and_sums_to_one_over_the_words(classify: Any) -> None:
    text = "今天 ＡＢＣ加班！！！！！！[泪流满面流]👍🏽"
    entries = classify(text, return_attention=True)[0]["attention"]
    assert all(set(entry) == {"token", "start", "end", "weight", "is_emoji"} for entry in entries)
    assert all(text[entry["start"] : entry["end"]] == entry["token"] for entry in entries)
    assert [entry["token"] for entry in entries if entry["is_emoji"]] == ["[泪流满面流]", "👍🏽"]
    assert sum(entry["weight"] for entry in entries) == pytest.approx(1.0, abs=1e-5)
    assert all(entry["weight"] == 0.0 for entry in entries if entry["is_emoji"])


def test_a_long_post_is_truncated_and_keeps_its_emoji(classify: Any) -> None:
    entries = classify(POSTS[-1], return_attention=True)[0]["attention"]
    assert len(entries) == 512
    assert entries[-1]["token"] == "[怒]"
    assert entries[-1]["start"] == 4000


def test_the_stock_pipeline_answers_the_same(classify: Any, model_folder: Path) -> None:
    stock = pipeline("sentiment-analysis", model=str(model_folder), trust_remote_code=True)
    for ours, theirs in zip(classify(POSTS[:-1]), stock(POSTS[:-1]), strict=True):
        assert ours["label"] == theirs["label"]
        assert ours["score"] == pytest.approx(theirs["score"], abs=1e-6)


def test_attention_of_a_fusion_without_weights_is_a_clear_error(classify: Any, model_folder: Path) -> None:
    config = AutoConfig.from_pretrained(model_folder, trust_remote_code=True, emoji_fusion="none")
    model = AutoModelForSequenceClassification.from_config(config, trust_remote_code=True)
    text_only = type(classify)(model=model, tokenizer=classify.tokenizer, task="text-classification")
    with pytest.raises(ValueError, match=r"return_attention: expected .* found 'none'"):
        text_only(POSTS[0], return_attention=True)


def test_a_tokenizer_of_another_model_is_refused(classify: Any, tokenizer: Any) -> None:
    with pytest.raises(ValueError, match=r"expected a tokenizer with .* load both from the same folder"):
        type(classify)(model=classify.model, tokenizer=tokenizer, task="text-classification")


def test_words_added_to_the_tokenizer_fit_a_resized_model(classify: Any, model_folder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(model_folder, trust_remote_code=True)
    tokenizer.add_tokens(["绝绝孑"])
    model = AutoModelForSequenceClassification.from_pretrained(model_folder, trust_remote_code=True)
    model.resize_token_embeddings(len(tokenizer))
    grown = type(classify)(model=model, tokenizer=tokenizer, task="text-classification")
    tokens = [entry["token"] for entry in grown("真是绝绝孑[泪]", return_attention=True)[0]["attention"]]
    assert "绝绝孑" in tokens
    assert tokens[-1] == "[泪]"
