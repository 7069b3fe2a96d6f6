"""The tokenizer for transformers: it takes the raw text of a post and gives the ids of its words and emoji in order.

It wraps a :class:`PostEncoder`, which does the work, and adds what transformers expects of a tokenizer: padding, added tokens,
decoding and saving. The ids are:

====================  ==================================================================================================
0, 1, 2               ``<pad>``, ``<unk>``, ``<mask>``
3 ...                 words by frequency, then every single character seen (an unknown word is spelled in characters)
the emoji range       ``<unk_emoji>``, weibo codes, Unicode emoji, then name pieces ``##泪`` that spell an unseen code
behind the range      words given to ``add_tokens``
====================  ==================================================================================================
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from transformers import AddedToken, BatchEncoding, PreTrainedTokenizer

from .dictionary_cutting import DictionaryCutter  # noqa: F401  transformers copies what this file itself imports
from .emoji_codes import read_slash_code  # noqa: F401
from .emoji_splitting import fold_emoji, is_emoji
from .encoded_posts import EncodedPost, TokenSpan, check_texts
from .kaomoji import read_face  # noqa: F401
from .post_encoding import PostEncoder
from .text_normalization import SWITCHES
from .vocabulary_files import (
    MASK_TOKEN,
    PAD_TOKEN,
    UNK_TOKEN,
    VOCABULARY_FILES,
    join_tokens,
    write_vocabulary_files,
)
from .word_segmentation import can_be_kept

CLAUSE_END_TOKENS = tuple("，。？！；～…,.?!;~")
# The arguments that a batch may have if it is encoded at once.
_BATCH_ARGUMENTS = {"padding_strategy", "truncation_strategy", "max_length", "pad_to_multiple_of", "padding_side", "verbose",
                    "return_tensors", "return_attention_mask", "add_special_tokens", "split_special_tokens"}  # fmt: skip


class ASLSTMTokenizer(PreTrainedTokenizer):
    """Turns a text into one sequence of ids, of jieba's words and of whole emoji.

    Args:
        vocab_file, emoji_vocab_file, user_dict_file, script_table_file, emoji_token_offset, num_emoji_tokens, max_emoji,
            use_hmm, segmenter, text_rules, to_simplified: The arguments of these names of :class:`PostEncoder`.
        pad_token: The token that pads short rows.
        unk_token: The token of unknown characters and of an empty text.
        mask_token: The token that hides words from the model.
        model_max_length: How many tokens of a post the model is meant to read.
        split_special_tokens: Whether a special token that a text spells out is read as ordinary characters.
        kwargs: The switches of :class:`TextNormalizer`, and the arguments of every tokenizer.

    Raises:
        ValueError: A vocabulary file is damaged, or its size is not that of the saved range.
    """

    vocab_files_names = VOCABULARY_FILES
    model_input_names = ["input_ids", "attention_mask"]  # noqa: RUF012

    def __init__(
        self,
        vocab_file: str,
        emoji_vocab_file: str,
        user_dict_file: str | None = None,
        script_table_file: str | None = None,
        emoji_token_offset: int | None = None,
        num_emoji_tokens: int | None = None,
        max_emoji: int = 64,
        use_hmm: bool = True,
        segmenter: str = "jieba",
        pad_token: str = PAD_TOKEN,
        unk_token: str = UNK_TOKEN,
        mask_token: str = MASK_TOKEN,
        model_max_length: int = 512,
        split_special_tokens: bool = True,
        text_rules: int = 1,
        to_simplified: bool = False,
        **kwargs: Any,
    ) -> None:
        self.post_encoder = PostEncoder(
            vocab_file,
            emoji_vocab_file,
            user_dict_file,
            script_table_file,
            emoji_token_offset=emoji_token_offset,
            num_emoji_tokens=num_emoji_tokens,
            max_emoji=max_emoji,
            use_hmm=use_hmm,
            segmenter=segmenter,
            model_max_length=model_max_length,
            text_rules=text_rules,
            to_simplified=to_simplified,
            **{name: kwargs.pop(name) for name in SWITCHES if name in kwargs},
        )
        self.emoji_token_offset = self.post_encoder.emoji_token_offset
        self.num_emoji_tokens = self.post_encoder.num_emoji_tokens
        self.user_words = self.post_encoder.user_words
        super().__init__(
            emoji_token_offset=self.emoji_token_offset,
            num_emoji_tokens=self.num_emoji_tokens,
            max_emoji=max_emoji,
            use_hmm=use_hmm,
            segmenter=segmenter,
            pad_token=pad_token,
            unk_token=unk_token,
            mask_token=mask_token,
            model_max_length=model_max_length,
            split_special_tokens=split_special_tokens,
            text_rules=text_rules,
            to_simplified=to_simplified,
            **self.post_encoder.normalizer.switches,
            **kwargs,
        )
        self._pass_on_added_tokens()

    # ---- vocabulary ----

    @property
    def vocab_size(self) -> int:
        """Return the number of tokens without those of ``add_tokens``."""
        return len(self.post_encoder.table.tokens)

    @property
    def max_emoji(self) -> int:
        """Return how many emoji truncation keeps at most."""
        return self.post_encoder.max_emoji

    @max_emoji.setter
    def max_emoji(self, number: int) -> None:
        self.post_encoder.max_emoji = number

    def get_vocab(self) -> dict[str, int]:
        """Return every token with its id, including added tokens."""
        return {**self.post_encoder.table.ids, **self._added_tokens_encoder}

    def _convert_token_to_id(self, token: str) -> int:
        ids = self.post_encoder.table.ids
        return ids.get(token, ids[UNK_TOKEN])

    def _convert_id_to_token(self, index: int) -> str:
        tokens = self.post_encoder.table.tokens
        if not 0 <= index < len(tokens):
            raise IndexError(
                f"token ids: expected 0 to {len(self) - 1}, found {index}; where it stands for an ignored label, as -100 does, "
                f"replace it by {self.pad_token_id}, the id of {self.pad_token}"
            )
        return tokens[index]

    @property
    def clause_end_token_ids(self) -> list[int]:
        """Return the ids of the punctuation that ends a clause, for the model's config."""
        ids = self.post_encoder.table.ids
        return sorted(ids[token] for token in CLAUSE_END_TOKENS if token in ids)

    def _add_tokens(self, new_tokens: list[str] | list[AddedToken], special_tokens: bool = False) -> int:
        """Add words or emoji codes, normalised as texts are, because no text could match them otherwise.

        Args:
            new_tokens: The tokens to add.
            special_tokens: Whether the tokens are special, so that no text contains them.

        Raises:
            ValueError: No text can contain one of the tokens as one word.
        """
        checked: list[Any] = []
        for token in new_tokens:
            content = str(token)
            if not special_tokens and not getattr(token, "special", False):
                content = self.normalize(content)
                if is_emoji(content) and fold_emoji(content) == content + "\ufe0f":
                    content += "\ufe0f"
                if not can_be_kept(content) and not (is_emoji(content) and content == fold_emoji(content)):
                    raise ValueError(f"expected one word or one emoji that text can yield, found {str(token)!r}")
                token = AddedToken(content, normalized=False) if isinstance(token, AddedToken) else content
            checked.append(token)
        added = super()._add_tokens(checked, special_tokens=special_tokens)
        self._pass_on_added_tokens()
        return added

    def _pass_on_added_tokens(self) -> None:
        words = [token.content for token in self._added_tokens_decoder.values() if not token.special]
        self.post_encoder.add_tokens(self._added_tokens_encoder, words)

    def spell_emoji(self, token: str) -> list[str]:
        """Return an emoji as tokens that are always known: ``<unk_emoji>``, then a name piece for every known character.

        A Unicode emoji has no name to spell, so it is ``<unk_emoji>`` alone.
        """
        return self.post_encoder.table.spell_emoji(token)

    # ---- text to tokens ----

    def normalize(self, text: str) -> str:
        """Return the text as the splitters see it."""
        return self.post_encoder.normalizer.normalize(text)

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        return self.post_encoder.tokenize(text)

    def tokenize(self, text: str, **kwargs: Any) -> list[str]:
        """Split a text into tokens; a text without tokens gives one ``<unk>``, so that no row is empty."""
        return super().tokenize(text, **kwargs) or [UNK_TOKEN]

    def tokenize_with_offsets(self, text: str) -> list[TokenSpan]:
        """Return the tokens of ``tokenize(text)`` with their places in ``text`` itself, before any normalisation.

        ``<unk_emoji>`` spans the whole code that it stands for, and each of its name pieces spans one character. The ``<unk>``
        of an empty text spans nothing.
        """
        return self.post_encoder.tokenize_with_offsets(text)

    def emoji_in(self, text: str) -> list[str]:
        """Return the emoji of a text as the user wrote them."""
        return self.post_encoder.emoji_in(text)

    def emoji_in_each(self, texts: Sequence[str]) -> list[list[str]]:
        """Return the emoji of each text as the user wrote them."""
        return self.post_encoder.emoji_in_each(texts)

    # ---- batches ----

    def encode_batch(self, texts: Sequence[str], *, max_length: int | None = None) -> list[list[int]]:
        """Return the ids of each text as ``tokenizer(text)["input_ids"]`` does, but many times as fast.

        Args:
            texts: The raw posts.
            max_length: How many tokens of each text truncation keeps. None keeps all of them.
        """
        return self.post_encoder.encode_batch(texts, max_length=max_length)

    def encode_with_offsets(self, texts: Sequence[str], *, max_length: int | None = None) -> list[EncodedPost]:
        """Return the ids of each text as :meth:`encode_batch` does, with their places and the emoji of the text.

        Args:
            texts: The raw posts.
            max_length: How many tokens of each text truncation keeps. None keeps all of them.
        """
        return self.post_encoder.encode_with_offsets(texts, max_length=max_length)

    def _encode_plus(self, text: Any, text_pair: Any = None, **kwargs: Any) -> BatchEncoding:
        """Encode a batch of plain texts at once; the base class encodes everything else, post by post."""
        if kwargs.pop("return_offsets_mapping", False):
            return self._encode_with_places(text, text_pair, **kwargs)
        asked = {name for name, value in kwargs.items() if value not in (None, False, 0)}
        is_batch = isinstance(text, (list, tuple)) and len(text) > 0 and all(isinstance(one, str) for one in text)
        # Texts are split at special tokens only if a user asks for it.
        if not is_batch or text_pair is not None or asked - _BATCH_ARGUMENTS or "split_special_tokens" not in asked:
            return super()._encode_plus(text, text_pair, **kwargs)
        max_length = kwargs.get("max_length")
        truncates = kwargs["truncation_strategy"].value != "do_not_truncate"
        rows = self.encode_batch(text, max_length=max_length if truncates else None)
        padding, tensors = kwargs["padding_strategy"].value, kwargs.get("return_tensors")
        side = kwargs.get("padding_side") or self.padding_side
        if tensors and padding == "longest" and not kwargs.get("pad_to_multiple_of") and side == "right":
            columns: Any = _pad_to_longest(rows, self.pad_token_id)
            if kwargs.get("return_attention_mask") is False:
                del columns["attention_mask"]
        else:
            names = ("max_length", "pad_to_multiple_of", "padding_side", "return_attention_mask")
            how: dict[str, Any] = {name: kwargs.get(name) for name in names}
            columns = self.pad({"input_ids": rows}, padding=padding, **how)
        return BatchEncoding(columns, tensor_type=tensors)

    def _encode_with_places(self, text: Any, text_pair: Any, **kwargs: Any) -> BatchEncoding:
        """Encode as without ``return_offsets_mapping`` and add the place of each token in its text; padding has (0, 0)."""
        is_one = isinstance(text, str)
        if text_pair is not None or kwargs.get("is_split_into_words") or not kwargs.get("split_special_tokens"):
            raise ValueError(
                "return_offsets_mapping: expected whole texts without pairs and split_special_tokens=True, found another call; "
                "leave out return_offsets_mapping or the other argument"
            )
        texts = check_texts([text] if is_one else text)
        tensors = kwargs.pop("return_tensors", None)
        columns: Any = self._encode_plus(texts, **kwargs)
        truncates = kwargs["truncation_strategy"].value != "do_not_truncate"
        posts = self.encode_with_offsets(texts, max_length=kwargs.get("max_length") if truncates else None)
        is_left = (kwargs.get("padding_side") or self.padding_side) == "left"
        columns["offset_mapping"] = []
        for ids, post in zip(columns["input_ids"], posts, strict=True):
            padding = [(0, 0)] * (len(ids) - len(post.spans))
            columns["offset_mapping"].append(padding + post.spans if is_left else post.spans + padding)
        if not is_one:
            return BatchEncoding(columns, tensor_type=tensors)
        return BatchEncoding({key: rows[0] for key, rows in columns.items()}, tensor_type=tensors, prepend_batch_axis=True)

    # ---- truncation ----

    def kept_positions(self, ids: Sequence[int], max_length: int) -> list[int]:
        """Return the positions of the tokens that truncation keeps, in order.

        Emoji are kept first, whole and at most ``max_emoji`` of them, then the first words. Most emoji are at the end of a
        post, where plain truncation would lose them.

        Args:
            ids: The ids of a post.
            max_length: How many tokens are kept.
        """
        return self.post_encoder.table.kept_positions(ids, max_length, self.max_emoji)

    def truncate_sequences(
        self,
        ids: list[int],
        pair_ids: list[int] | None = None,
        num_tokens_to_remove: int = 0,
        truncation_strategy: Any = "longest_first",
        stride: int = 0,
    ) -> tuple[list[int], Any, list[int]]:
        """Remove words before emoji; a pair of texts is truncated as the base class does it."""
        if pair_ids is not None or num_tokens_to_remove <= 0:
            return super().truncate_sequences(ids, pair_ids, num_tokens_to_remove, truncation_strategy, stride)
        kept = self.kept_positions(ids, len(ids) - num_tokens_to_remove)
        keep = set(kept)
        return [ids[i] for i in kept], None, [token_id for i, token_id in enumerate(ids) if i not in keep]

    # ---- tokens to text ----

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """Join tokens as :func:`join_tokens` does."""
        return join_tokens(tokens)

    # ---- saving ----

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, ...]:
        """Write the vocabulary, emoji vocabulary and user dictionary, and return their paths."""
        tokens = self.post_encoder.table.tokens
        words, emoji_tokens = tokens[: self.emoji_token_offset], tokens[self.emoji_token_offset :]
        characters = self.post_encoder.characters
        paths = write_vocabulary_files(
            save_directory, words, emoji_tokens, self.user_words, filename_prefix, characters=characters
        )
        return tuple(paths.values())


def _pad_to_longest(rows: list[list[int]], pad_token_id: int) -> dict[str, np.ndarray]:
    """Return ``input_ids`` and ``attention_mask``, both (num_rows, longest) int64; the base class pads number by number."""
    lengths = np.array([len(row) for row in rows])
    mask = np.arange(lengths.max()) < lengths[:, None]
    input_ids = np.full(mask.shape, pad_token_id, dtype=np.int64)
    input_ids[mask] = np.fromiter(chain.from_iterable(rows), dtype=np.int64, count=lengths.sum())
    return {"input_ids": input_ids, "attention_mask": mask.astype(np.int64)}
