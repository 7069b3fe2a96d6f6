"""What holds of any text whatever, as assertions; the fuzz targets and the property tests of the suite share them.

Takes the thing under test and texts, and raises AssertionError where something does not hold.
"""

import html
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import emoji

from aslstm.prediction.attention_view import pieces_of
from aslstm.words.script_table import simplified_characters
from modeling_aslstm.contributions_aslstm import entries_of_post
from modeling_aslstm.results_aslstm import attention_entries
from tokenization import ASLSTMTokenizer, split_emoji
from tokenization.emoji_splitting import EmojiPiece, fold_emoji, is_emoji
from tokenization.text_normalization import SEPARATOR, TextNormalizer

_FULLY_QUALIFIED = emoji.STATUS["fully_qualified"]
_FIRST_FLAG_LETTER, _LAST_FLAG_LETTER = "\U0001f1e6", "\U0001f1ff"
_JOINERS = "\u200d\ufe0e\ufe0f"
_TO_TRADITIONAL = str.maketrans({simplified: old for old, simplified in simplified_characters().items()})
# URLs, and what may follow one without being a part of it.
URLS = ("http://t.cn/A6abc", "HTTPS://weibo.com/a?b=c,d#e", "www.baidu.com", "https://a.com/b/")
URL_ENDS = (
    "，", "？？", "。", "…", "好", "[泪]", "😂", "❤", "1️⃣", "//@小明：", "//@a:", "//，", "!！", "\u200b", "(", "～", "", "\n", "http://",
)  # fmt: skip
# Half a URL, which would take the next one with it.
_BEGUN_URL = re.compile(r"(?:https?://|www\.)[^\w\s]*$", re.IGNORECASE)


def check_splitting(text: str) -> None:
    """The pieces make up the text; an emoji alone is one piece; what the ``emoji`` package knows is never divided."""
    pieces = split_emoji(text)
    assert "".join(piece.text for piece in pieces) == text
    assert all(piece.text and text.startswith(piece.text, piece.start) for piece in pieces)
    assert all(a.is_emoji or b.is_emoji for a, b in pairwise(pieces))
    for piece in pieces:
        if piece.is_emoji:
            assert split_emoji(piece.text) == [EmojiPiece(piece.text, 0, is_emoji=True)]
            folded = piece.text if piece.text.startswith("[") else fold_emoji(piece.text)
            assert split_emoji(folded) == [EmojiPiece(folded, 0, is_emoji=True)]
            assert folded == piece.text or fold_emoji(folded) == folded
    _check_known_emoji_are_whole(text, pieces)


def _check_known_emoji_are_whole(text: str, pieces: Sequence[EmojiPiece]) -> None:
    # A hostile chain is cut after seven joiners on purpose.
    if text.count("\u200d") > 7:
        return
    owner = [i for i, piece in enumerate(pieces) for _ in piece.text]
    for found in emoji.emoji_list(text):
        start, end, known = found["match_start"], found["match_end"], found["emoji"]
        # Letters of flags are taken in pairs from the left; the package looks for a country in any two.
        is_flag = _FIRST_FLAG_LETTER <= known[0] <= _LAST_FLAG_LETTER
        if emoji.EMOJI_DATA[known]["status"] == _FULLY_QUALIFIED and not is_flag:
            assert pieces[owner[start]].is_emoji
            assert owner[start] == owner[end - 1]


def check_normalization(normalizer: TextNormalizer, texts: Sequence[str]) -> None:
    """With and without offsets, alone and joined, the same text; offsets rise and lie in the original."""
    alone = [normalizer.normalize(text) for text in texts]
    assert normalizer.normalize_joined(texts).split(SEPARATOR) == alone
    for text, normalized in zip(texts, alone, strict=True):
        assert not any("\ud800" <= c <= "\udfff" or c == SEPARATOR for c in normalized)
        aligned = normalizer.normalize_with_offsets(text)
        assert aligned.text == normalized
        assert len(normalized) == len(aligned.starts) == len(aligned.ends)
        assert aligned.starts == sorted(aligned.starts)
        assert aligned.ends == sorted(aligned.ends)
        assert all(0 <= start < end <= len(text) for start, end in zip(aligned.starts, aligned.ends, strict=True))


def check_spellings(tokenizer: ASLSTMTokenizer, text: str) -> None:
    """An emoji with and without U+FE0F is one and the same token."""
    for piece in split_emoji(tokenizer.normalize(text)):
        bare = piece.text.replace("\ufe0f", "")
        if piece.is_emoji and bare != piece.text and is_emoji(bare):
            assert tokenizer.tokenize(bare) == tokenizer.tokenize(piece.text)
            assert len(tokenizer.encode_batch([bare])[0]) == 1


def check_view(tokenizer: ASLSTMTokenizer, text: str, max_length: int | None = None) -> None:
    """The pieces of a view, joined, are the text, each character once, and no weight is lost."""
    (post,) = tokenizer.encode_with_offsets([text], max_length=max_length)
    entries = attention_entries(text, post.spans, post.ids, [1.0] * len(post.ids), tokenizer)
    pieces = pieces_of(entries, text)
    assert "".join(piece.text for piece in pieces) == text
    assert all(piece.text and 0 <= piece.shade <= 1 for piece in pieces)
    assert not text or sum(piece.weight for piece in pieces) == sum(entry["weight"] for entry in entries if entry["end"])
    own = entries_of_post(post.spans, post.ids, tokenizer)
    assert all(one.end <= other.start for one, other in pairwise(own))
    assert [i for entry in own for i in entry.positions] == [i for i, (start, end) in enumerate(post.spans) if start < end]
    if max_length is None:
        assert [text[entry.start : entry.end] for entry in own if entry.is_emoji] == post.emoji


def check_spaces_beside_urls(tokenizer: ASLSTMTokenizer, before: str, url: str, after: str) -> None:
    """The ids of a text do not depend on spaces beside a URL; ``after`` must not begin with what continues the URL."""
    if not _BEGUN_URL.search(html.unescape(before.replace(SEPARATOR, ""))):
        close, apart = tokenizer.encode_batch([f"{before}{url}{after}", f"{before} {url} {after}"])
        assert close == apart


def _is_emoji(tokenizer: ASLSTMTokenizer, token: str) -> bool:
    token_id = tokenizer.convert_tokens_to_ids(token)
    assert isinstance(token_id, int)
    return 0 <= token_id - tokenizer.emoji_token_offset < tokenizer.num_emoji_tokens


def _is_known(tokenizer: ASLSTMTokenizer, token: str) -> bool:
    return tokenizer.convert_tokens_to_ids(token) != tokenizer.unk_token_id


def _expected_parts(tokenizer: ASLSTMTokenizer, text: str) -> list[tuple[str, bool]]:
    """What the tokens of a text must spell, worked out from its pieces: (spelling, whether it is an emoji)."""
    parts = []
    for piece in split_emoji(tokenizer.normalize(text)):
        if piece.is_emoji:
            parts.append((piece.text if piece.text.startswith("[") else fold_emoji(piece.text), True))
        elif words := "".join(c for c in piece.text if not c.isspace() and c not in _JOINERS):
            parts.append((words, False))
    return parts


def _take(tokens: list[str], num_characters: int) -> list[str]:
    """Take so many characters, in whole tokens, off the end of a reversed list."""
    taken = []
    while num_characters > 0 and tokens:
        taken.append(tokens.pop())
        num_characters -= len(taken[-1])
    return taken


def _check_tokens(tokenizer: ASLSTMTokenizer, text: str, tokens: list[str]) -> str:
    """Every emoji is whole and no character of a word is lost; returns what decoding must give, without white space."""
    parts = _expected_parts(tokenizer, text)
    assert tokens == [tokenizer.unk_token] or parts
    decoded = ""
    rest = tokens[::-1] if parts else []
    for spelling, is_emoji_part in parts:
        if not is_emoji_part:
            words = _take(rest, len(spelling))
            assert "".join(words) == spelling
            assert not any(_is_emoji(tokenizer, word) for word in words)
            decoded += "".join(word for word in words if _is_known(tokenizer, word))
        elif _is_known(tokenizer, spelling):
            assert rest.pop() == spelling
            decoded += spelling
        else:
            name = [c for c in spelling[1:-1] if spelling.startswith("[") and _is_known(tokenizer, f"##{c}")]
            assert _take(rest, len("<unk_emoji>") + 3 * len(name)) == ["<unk_emoji>", *(f"##{c}" for c in name)]
            decoded += f"[{''.join(name)}]" if name else "<unk_emoji>"
    assert rest == []
    return decoded


def _check_offsets(tokenizer: ASLSTMTokenizer, text: str, tokens: list[str]) -> None:
    """Every span holds its token: read alone, that stretch of the user's own text has it."""
    spans = tokenizer.tokenize_with_offsets(text)
    assert [span.token for span in spans] == tokens
    assert [span.start for span in spans] == sorted(span.start for span in spans)
    seen: set[tuple[str, str]] = set()
    places = []
    for token, start, end in spans:
        assert 0 <= start <= end <= len(text)
        if start == end:
            assert spans == [(tokenizer.unk_token, 0, 0)]
            continue
        is_piece = token.startswith("##") and _is_emoji(tokenizer, token)
        if _is_emoji(tokenizer, token) and not is_piece:
            places.append(text[start:end])
        if (token, text[start:end]) not in seen:
            seen.add((token, text[start:end]))
            if _is_emoji(tokenizer, token) and not is_piece:
                assert token in tokenizer.tokenize(text[start:end])
            else:
                assert token.removeprefix("##" if is_piece else "") in tokenizer.normalize(text[start:end])
    assert tokenizer.emoji_in(text) == places


def check_post(tokenizer: ASLSTMTokenizer, text: str) -> None:
    """Ids in range, emoji whole, offsets at the token, and decoding gives back all that the vocabulary knows."""
    tokens = tokenizer.tokenize(text)
    ids = tokenizer(text)["input_ids"]
    assert ids == tokenizer.convert_tokens_to_ids(tokens)
    assert ids
    assert all(0 < i < len(tokenizer) and i != tokenizer.mask_token_id for i in ids)
    expected = _check_tokens(tokenizer, text, tokens)
    decoded = tokenizer.decode(ids, skip_special_tokens=True)
    assert "".join(str(decoded).split()) == expected
    _check_offsets(tokenizer, text, tokens)
    # The answer does not depend on the script.
    assert tokenizer(text.translate(_TO_TRADITIONAL))["input_ids"] == ids


def check_batch(tokenizer: ASLSTMTokenizer, reloaded: ASLSTMTokenizer, texts: list[str], max_length: int) -> None:
    """A batch has the ids of its posts, cut or not; a saved and loaded tokenizer has them too."""
    alone = [tokenizer(text)["input_ids"] for text in texts]
    assert tokenizer.encode_batch(texts) == alone
    assert reloaded.encode_batch(texts) == alone
    cut = [tokenizer(text, truncation=True, max_length=max_length)["input_ids"] for text in texts]
    padded = tokenizer(texts, truncation=True, max_length=max_length, padding=True, return_tensors="np")
    rows = zip(padded["input_ids"], padded["attention_mask"], strict=True)
    assert [row[mask == 1].tolist() for row, mask in rows] == cut
    for whole, kept in zip(alone, cut, strict=True):
        assert 1 <= len(kept) <= max_length
        if len(whole) <= max_length:
            assert kept == whole
        _check_is_cut(tokenizer, whole, kept)


def _check_is_cut(tokenizer: ASLSTMTokenizer, whole: list[int], kept: list[int]) -> None:
    """The order stays, and an emoji is there with all its name pieces or not at all."""
    rest = iter(whole)
    assert all(any(i == other for other in rest) for i in kept)
    groups, kept_groups = (_emoji_groups(tokenizer, ids) for ids in (whole, kept))
    # An emoji that is longer than the limit is cut rather than lost, where it is all there is.
    assert kept_groups == groups[: len(kept_groups)] or kept == whole[: len(kept)]


def _emoji_groups(tokenizer: ASLSTMTokenizer, ids: list[int]) -> list[list[int]]:
    groups: list[list[int]] = []
    for token_id, token in zip(ids, tokenizer.convert_ids_to_tokens(ids), strict=True):
        if token.startswith("##") and _is_emoji(tokenizer, token):
            groups[-1].append(token_id)
        elif _is_emoji(tokenizer, token):
            groups.append([token_id])
    return groups


def check_padding_side(model: Any, tokenizer: ASLSTMTokenizer, texts: Sequence[str]) -> None:
    """The answer to a post is the same alone, and in a batch that is padded on either side."""
    alone = [model(**tokenizer(text, return_tensors="pt")).logits[0] for text in texts]
    for side in ("left", "right"):
        batch = tokenizer(list(texts), padding=True, padding_side=side, return_tensors="pt", return_offsets_mapping=True)
        places = batch.pop("offset_mapping")
        for logits, expected in zip(model(**batch).logits, alone, strict=True):
            assert (logits - expected).abs().max() < 1e-4
        for text, spans, mask in zip(texts, places.tolist(), batch["attention_mask"].bool().tolist(), strict=True):
            assert [span for span, kept in zip(spans, mask, strict=True) if not kept] == [[0, 0]] * mask.count(False)
            found = [tuple(span) for span, kept in zip(spans, mask, strict=True) if kept]
            assert found == [(start, end) for _, start, end in tokenizer.tokenize_with_offsets(text)]
