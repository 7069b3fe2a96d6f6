"""``return_offsets_mapping``: the place of each token in the user's own text, whatever else is asked for."""

from typing import Any

import pytest

from tokenization import ASLSTMTokenizer
from tokenization.post_encoding import PostEncoder

TEXTS = ["今天 ＡＢＣ又加班！！！！！[泪流满面流]👍🏽", "好", "", "\u3000", "气死我了[怒]。再也不买了[泪]" * 5]


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_has_the_places_of_its_tokens(tokenizer: ASLSTMTokenizer, text: str) -> None:
    encoded = tokenizer(text, return_offsets_mapping=True)
    spans = tokenizer.tokenize_with_offsets(text)
    assert encoded["offset_mapping"] == [(start, end) for _, start, end in spans]
    plain = tokenizer(text)
    assert {name: encoded[name] for name in plain} == dict(plain)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("tensors", [None, "pt", "np"])
@pytest.mark.parametrize("max_length", [None, 7, 40])
def test_padding_has_no_place_and_truncation_takes_places_with_tokens(
    tokenizer: ASLSTMTokenizer, side: str, tensors: str | None, max_length: int | None
) -> None:
    options: dict[str, Any] = {"padding": True, "padding_side": side, "return_tensors": tensors}
    if max_length:
        options |= {"truncation": True, "max_length": max_length, "padding": "max_length"}
    encoded = tokenizer(TEXTS, return_offsets_mapping=True, **options)
    plain = tokenizer(TEXTS, **options)
    posts = tokenizer.encode_with_offsets(TEXTS, max_length=max_length)
    for i, post in enumerate(posts):
        assert list(encoded["input_ids"][i]) == list(plain["input_ids"][i])
        found = [tuple(int(place) for place in span) for span in encoded["offset_mapping"][i]]
        padding = [(0, 0)] * (len(found) - len(post.spans))
        assert found == (padding + post.spans if side == "left" else post.spans + padding)


def test_what_has_no_places_is_refused_by_name(tokenizer: ASLSTMTokenizer) -> None:
    for arguments, options in (
        (("今天", "好"), {}),
        ((["今天", "好"],), {"is_split_into_words": True}),
        (("今天",), {"split_special_tokens": False}),
    ):
        with pytest.raises(ValueError, match=r"^return_offsets_mapping: expected whole texts .*, found .*; leave out"):
            tokenizer(*arguments, return_offsets_mapping=True, **options)


@pytest.mark.parametrize("method", ["encode_batch", "encode_with_offsets"])
@pytest.mark.parametrize("texts", ["今天", b"text", None, {"text": "今天"}, float("nan"), 5], ids=repr)
def test_a_single_text_is_not_read_as_a_list_of_characters(tokenizer: ASLSTMTokenizer, method: str, texts: Any) -> None:
    for encoder in (tokenizer, tokenizer.post_encoder):
        with pytest.raises(ValueError, match=r"^texts: expected a list of texts, found .*; put a single text into a list"):
            getattr(encoder, method)(texts)


@pytest.mark.parametrize("value", [None, float("nan"), 5, b"text", ["今天"], {"text": "今天"}], ids=repr)
def test_an_entry_that_is_no_text_is_named_by_its_place(tokenizer: ASLSTMTokenizer, value: Any) -> None:
    with pytest.raises(ValueError, match=r"^text 2: expected a text, found .*; give \"\" for an empty post"):
        tokenizer.encode_batch(["今天", value])


@pytest.mark.parametrize("change", [{"model_max_length": 0}, {"model_max_length": "x"}, {"max_emoji": -1}], ids=str)
def test_a_length_that_leaves_nothing_is_refused(tokenizer: ASLSTMTokenizer, tmp_path: Any, change: dict[str, Any]) -> None:
    tokenizer.save_pretrained(tmp_path)
    (name,) = change
    with pytest.raises(ValueError, match=f"^{name}: expected a whole number of [01] or more, found "):
        ASLSTMTokenizer.from_pretrained(tmp_path, **change)
    files = {"vocab_file": tmp_path / "vocab.txt", "emoji_vocab_file": tmp_path / "emoji_vocab.txt"}
    with pytest.raises(ValueError, match=f"^{name}: expected"):
        PostEncoder(**files, **change)
