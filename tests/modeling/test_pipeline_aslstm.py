from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasets import Dataset
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, pipeline
from transformers.pipelines.pt_utils import KeyDataset

from aslstm.data.known_corpora import KNOWN_LABELS
from tokenization import split_emoji, strip_emoji

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


@pytest.mark.parametrize("emoji_effect", [False, True])
@pytest.mark.parametrize("return_attention", [False, True])
def test_batches_answer_as_single_posts_do(classify: Any, return_attention: bool, emoji_effect: bool) -> None:
    reasons = {"return_attention": return_attention, "emoji_effect": emoji_effect}
    alone = [classify([post], **reasons)[0] for post in POSTS]
    together = classify(POSTS, batch_size=4, **reasons)
    for one, other in zip(alone, together, strict=True):
        assert one["label"] == other["label"]
        assert one["score"] == pytest.approx(other["score"], abs=1e-5)
        if return_attention:
            assert [e["token"] for e in one["attention"]] == [e["token"] for e in other["attention"]]
            for a, b in zip(one["attention"], other["attention"], strict=True):
                assert a["weight"] == pytest.approx(b["weight"], abs=1e-5)
        assert ("emoji_effect" in one, "emoji_effect" in other) == (emoji_effect, emoji_effect)
        if emoji_effect and one["emoji_effect"] is not None:
            assert one["emoji_effect"]["emoji"] == other["emoji_effect"]["emoji"]
            assert one["emoji_effect"]["difference"] == pytest.approx(other["emoji_effect"]["difference"], abs=1e-5)


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


@pytest.mark.parametrize(
    "options",
    [{"max_length": 3}, {"padding": "max_length", "max_length": 20}, {"padding": "max_length", "max_length": 3}],
    ids=str,
)
def test_what_else_the_tokenizer_is_asked_for_changes_no_place(classify: Any, options: dict[str, Any]) -> None:
    text = "今天又加班[太开心]，奖金到手😂"
    reasons = classify(text, return_attention=True, emoji_effect=True, **options)[0]
    assert all(text[entry["start"] : entry["end"]] == entry["token"] for entry in reasons["attention"])
    assert reasons["emoji_effect"]["emoji"] == ["[太开心]", "😂"]
    plain = classify(text, **options)[0]
    assert (reasons["label"], reasons["score"]) == (plain["label"], pytest.approx(plain["score"], abs=1e-6))
    if options["max_length"] == 3:
        assert [entry["token"] for entry in reasons["attention"]] == ["今天", "[太开心]", "😂"]


def test_a_dictionary_of_one_text_has_reasons_and_a_pair_is_refused(classify: Any) -> None:
    alone = classify({"text": POSTS[0]}, return_attention=True)
    assert alone["attention"] == classify(POSTS[0], return_attention=True)[0]["attention"]
    with pytest.raises(ValueError, match=r"return_attention, emoji_effect: expected one text, found .*; give a text alone"):
        classify({"text": POSTS[0], "text_pair": POSTS[1]}, return_attention=True)


@pytest.mark.parametrize(
    "value",
    [None, float("nan"), 5, b"text", ["a", "b"], {}, {"text": None}, {"text": "a", "text_pair": "b"}, {"post": "a"}],
    ids=str,
)
@pytest.mark.parametrize("options", [{}, {"return_attention": True}, {"emoji_effect": True}], ids=str)
def test_what_is_no_text_is_refused_in_one_line(classify: Any, value: Any, options: dict[str, Any]) -> None:
    for inputs in (value, [POSTS[0], value]):
        if inputs == ["a", "b"]:
            continue  # a list of texts
        with pytest.raises(ValueError, match=r"expected one text, found .*; give a text alone, or several in a list") as raised:
            classify(inputs, **options)
        assert "\n" not in str(raised.value)


def test_dictionaries_tuples_and_empty_lists_of_texts(classify: Any) -> None:
    alone = classify(POSTS[:2])
    assert classify([{"text": post} for post in POSTS[:2]]) == alone
    assert classify(tuple(POSTS[:2])) == alone
    assert classify([]) == []


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("padding", [{"batch_size": 4}, {"padding": "max_length", "max_length": 20}], ids=str)
def test_reasons_do_not_depend_on_the_padding_side(classify: Any, side: str, padding: dict[str, Any]) -> None:
    posts, reasons = POSTS[:-1], {"return_attention": True, "emoji_effect": True}
    expected = classify(posts, **reasons)
    classify.tokenizer.padding_side = side
    try:
        found = classify(posts, **reasons, **padding)
    finally:
        classify.tokenizer.padding_side = "right"
    for one, other in zip(expected, found, strict=True):
        assert one["score"] == pytest.approx(other["score"], abs=1e-5)
        assert [e["token"] for e in one["attention"]] == [e["token"] for e in other["attention"]]
        assert [e["is_emoji"] for e in one["attention"]] == [e["is_emoji"] for e in other["attention"]]
        weights = [[e["weight"] for e in result["attention"]] for result in (one, other)]
        assert weights[0] == pytest.approx(weights[1], abs=1e-5)
        assert (one["emoji_effect"] is None) == (other["emoji_effect"] is None)


def test_the_stock_pipeline_answers_the_same(classify: Any, model_folder: Path) -> None:
    stock = pipeline("sentiment-analysis", model=str(model_folder), trust_remote_code=True)
    for ours, theirs in zip(classify(POSTS[:-1]), stock(POSTS[:-1]), strict=True):
        assert ours["label"] == theirs["label"]
        assert ours["score"] == pytest.approx(theirs["score"], abs=1e-6)


def scores_of(classify: Any, text: str) -> dict[str, float]:
    return {entry["label"]: entry["score"] for entry in classify(text, top_k=None)}


# No word of theirs stands on both sides of an emoji, where cutting it out would join what it had parted.
@pytest.mark.parametrize("text", ["今天又加班[泪]", "[太开心]，真的！😂好耶🎉", "Nice 一天👍🏽", "今天加班[泪流满面流][怒]"])
def test_the_emoji_effect_is_that_of_cutting_the_emoji_out_of_the_text(classify: Any, text: str) -> None:
    effect = classify(text, emoji_effect=True)[0]["emoji_effect"]
    emoji = [piece.text for piece in split_emoji(text) if piece.is_emoji]
    whole, words, alone = (scores_of(classify, part) for part in (text, strip_emoji(text), "".join(emoji)))
    assert effect["emoji"] == emoji
    assert effect["difference"] == pytest.approx({label: whole[label] - words[label] for label in whole}, abs=1e-5)
    for part, scores in (("without_emoji", words), ("without_words", alone)):
        label = max(scores, key=lambda name: scores[name])
        assert effect[part] == {"label": label, "score": pytest.approx(scores[label], abs=1e-5)}


def test_words_and_emoji_disagree_where_one_is_positive_and_the_other_negative(classify: Any, model_folder: Path) -> None:
    other = pipeline("text-classification", model=str(model_folder), trust_remote_code=True)
    names = other.model.config.id2label
    # Other labels reset the decision rule, without which the tiny model has a feeling for every word.
    other.model.config.id2label = {i: "calm" if name == "none" else name for i, name in names.items()}
    posts = [f"{words}{emoji}" for words in ("今天又加班", "气死我了", "太好吃了") for emoji in ("[泪]", "[太开心]", "[怒]")]
    effects, without_polarity = (
        [result["emoji_effect"] for result in pipe(posts, emoji_effect=True)] for pipe in (classify, other)
    )
    # Another prior makes all parts neutral, or, with the right weight, some.
    neutral = pipeline("text-classification", model=str(model_folder), trust_remote_code=True)
    neutral.model.config.label_prior = [1.0 if name == "none" else 1e-9 for name in names.values()]
    for weight in (*np.linspace(-0.05, 0.1, 31), 1.0):
        neutral.model.config.decision_prior_weight = float(weight)
        effects += [result["emoji_effect"] for result in neutral(posts, emoji_effect=True)]
    labels = [{effect["without_emoji"]["label"], effect["without_words"]["label"]} for effect in effects]
    assert {("none" in pair, len(pair)) for pair in labels} >= {(True, 2), (False, 2), (True, 1)}
    polarities = [{KNOWN_LABELS[label].polarity for label in pair} for pair in labels]
    # Two labels of one polarity are among them, which do not disagree.
    assert {"negative"} in [one for one, pair in zip(polarities, labels, strict=True) if len(pair) == 2]
    assert [effect["disagree"] for effect in effects] == [pair == {"positive", "negative"} for pair in polarities]
    # A model without polarities has nothing but its labels.
    labels = [{effect["without_emoji"]["label"], effect["without_words"]["label"]} for effect in without_polarity]
    assert [effect["disagree"] for effect in without_polarity] == [len(pair) == 2 for pair in labels]


def test_a_post_without_emoji_has_no_effect_and_one_of_emoji_alone_nothing_to_disagree_with(classify: Any) -> None:
    plain, empty, alone = (result["emoji_effect"] for result in classify(["今天又加班", "", "😂😂"], emoji_effect=True))
    assert plain is None and empty is None
    nothing = scores_of(classify, "")
    assert alone["without_emoji"]["score"] == pytest.approx(max(nothing.values()), abs=1e-5)
    assert (alone["emoji"], alone["without_words"], alone["disagree"]) == (["😂", "😂"], None, False)
    whole = scores_of(classify, "😂😂")
    assert alone["difference"] == pytest.approx({label: whole[label] - nothing[label] for label in whole}, abs=1e-5)


def test_every_entry_of_top_k_and_every_source_of_posts_has_the_effect(classify: Any) -> None:
    expected = [result["emoji_effect"] for result in classify(POSTS, emoji_effect=True)]
    for entries, effect in zip(classify(POSTS, emoji_effect=True, top_k=2), expected, strict=True):
        assert [entry["emoji_effect"] for entry in entries] == [effect, effect]
    streamed = classify(KeyDataset(Dataset.from_dict({"text": POSTS}), "text"), emoji_effect=True, batch_size=3)
    for result, effect in zip(streamed, expected, strict=True):
        found = result["emoji_effect"]
        assert (found is None) == (effect is None)
        assert effect is None or found["difference"] == pytest.approx(effect["difference"], abs=1e-5)


def test_the_effect_needs_no_weights(classify: Any, model_folder: Path) -> None:
    config = AutoConfig.from_pretrained(model_folder, trust_remote_code=True, emoji_fusion="concat")
    model = AutoModelForSequenceClassification.from_config(config, trust_remote_code=True).eval()
    other = type(classify)(model=model, tokenizer=classify.tokenizer, task="text-classification")
    assert other(POSTS[0], emoji_effect=True)[0]["emoji_effect"]["emoji"] == ["[泪]"]


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
