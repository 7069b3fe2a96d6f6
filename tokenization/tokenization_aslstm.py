"""The tokenizer of transformers: raw text of a post in, ids of words and emoji out, in the order of the text.

Wraps a :class:`PostEncoder`, which does the work, and adds what transformers asks for: padding, adding tokens, decoding,
saving. The ids:

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

from .emoji_codes import read_slash_code  # noqa: F401  transformers copies what this file itself imports
from .emoji_splitting import fold_emoji, split_emoji
from .kaomoji import read_face  # noqa: F401
from .post_encoding import EncodedPost, PostEncoder, TokenSpan
from .text_normalization import SWITCHES
from .vocabulary_files import (
    MASK_TOKEN,
    PAD_TOKEN,
    PIECE_PREFIX,
    UNK_EMOJI_TOKEN,
    UNK_TOKEN,
    VOCABULARY_FILES,
    is_name_piece,
    write_vocabulary_files,
)
from .word_segmentation import can_be_kept

CLAUSE_END_TOKENS = tuple("，。？！；～…,.?!;~")
# What may be asked of a batch that is encoded as one.
_BATCH_ARGUMENTS = {"padding_strategy", "truncation_strategy", "max_length", "pad_to_multiple_of", "padding_side", "verbose",
                    "return_tensors", "return_attention_mask", "add_special_tokens", "split_special_tokens"}  # fmt: skip


class ASLSTMTokenizer(PreTrainedTokenizer):
    """jieba words and whole emoji as one id sequence.

    Args:
        vocab_file: ``vocab.txt``, the special tokens, words and characters.
        emoji_vocab_file: ``emoji_vocab.txt``, the emoji range.
        user_dict_file: ``user_dict.txt``, words that jieba keeps whole (jieba's format), or None.
        script_table_file: ``script_table.txt``, traditional characters with the simplified ones, or None.
        emoji_token_offset, num_emoji_tokens: the emoji range; where given, the files must agree with it.
        max_emoji: truncation keeps this many emoji.
        use_hmm: whether jieba guesses at words that its dictionary lacks; discovered words make better guesses.
        segmenter: ``jieba``, or ``rjieba``, which cuts the same words many times as fast where it is installed.
        text_rules: the number of the rules of text that the model was trained with; a configuration without one means 1.
        to_simplified: whether traditional characters are read as the simplified ones of the table.
        kwargs: the switches of :class:`TextNormalizer`, and what every tokenizer takes.

    Raises:
        ValueError: a damaged vocabulary file, one of another size than the saved range, or no table where it is needed.
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
        """Number of tokens without those of ``add_tokens``."""
        return len(self.post_encoder.table.tokens)

    @property
    def max_emoji(self) -> int:
        """How many emoji truncation keeps."""
        return self.post_encoder.max_emoji

    @max_emoji.setter
    def max_emoji(self, number: int) -> None:
        self.post_encoder.max_emoji = number

    def get_vocab(self) -> dict[str, int]:
        """Every token with its id, added tokens among them."""
        return {**self.post_encoder.table.ids, **self._added_tokens_encoder}

    def _convert_token_to_id(self, token: str) -> int:
        ids = self.post_encoder.table.ids
        return ids.get(token, ids[UNK_TOKEN])

    def _convert_id_to_token(self, index: int) -> str:
        return self.post_encoder.table.tokens[index]

    @property
    def clause_end_token_ids(self) -> list[int]:
        """Ids of the punctuation that ends a clause, for the model's config."""
        ids = self.post_encoder.table.ids
        return sorted(ids[token] for token in CLAUSE_END_TOKENS if token in ids)

    def _add_tokens(self, new_tokens: list[str] | list[AddedToken], special_tokens: bool = False) -> int:
        """Add words (or emoji codes); they are normalised as text is, else no text could ever match them.

        Raises:
            ValueError: a token that no text can yield as one word.
        """
        checked: list[Any] = []
        for token in new_tokens:
            content = str(token)
            if not special_tokens and not getattr(token, "special", False):
                content = self.normalize(content)
                is_emoji = [(piece.text, piece.is_emoji) for piece in split_emoji(content)] == [(content, True)]
                if not can_be_kept(content) and not (is_emoji and content == fold_emoji(content)):
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
        """An emoji in tokens that are always known: ``<unk_emoji>``, then a name piece for every known character.

        A Unicode emoji has no name to spell.
        """
        return self.post_encoder.table.spell_emoji(token)

    # ---- text to tokens ----

    def normalize(self, text: str) -> str:
        """The text as the splitters see it."""
        return self.post_encoder.normalizer.normalize(text)

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        return self.post_encoder.tokenize(text)

    def tokenize(self, text: str, **kwargs: Any) -> list[str]:
        """Split a text into tokens; a text without any gives one ``<unk>``, so that no row is ever empty."""
        return super().tokenize(text, **kwargs) or [UNK_TOKEN]

    def tokenize_with_offsets(self, text: str) -> list[TokenSpan]:
        """The tokens of ``tokenize(text)`` with their places in ``text`` itself, before any normalisation.

        ``<unk_emoji>`` spans the whole code it stands for, its name pieces one character each; the ``<unk>`` of an empty
        text spans nothing.
        """
        return self.post_encoder.tokenize_with_offsets(text)

    def emoji_in(self, text: str) -> list[str]:
        """The emoji of a text, each as it stands in ``text`` itself; truncation takes none."""
        return self.post_encoder.emoji_in(text)

    # ---- batches ----

    def encode_batch(self, texts: Sequence[str], *, max_length: int | None = None) -> list[list[int]]:
        """The ids of each text, as ``tokenizer(text)["input_ids"]`` gives them, without its cost for every token.

        Args:
            texts: raw posts.
            max_length: tokens that truncation keeps of each; None keeps all.
        """
        return self.post_encoder.encode_batch(texts, max_length=max_length)

    def encode_with_offsets(self, texts: Sequence[str], *, max_length: int | None = None) -> list[EncodedPost]:
        """The ids of each text as :meth:`encode_batch` gives them, their places in it, and its emoji.

        Args:
            texts: raw posts.
            max_length: tokens that truncation keeps of each; None keeps all.
        """
        return self.post_encoder.encode_with_offsets(texts, max_length=max_length)

    def _encode_plus(self, text: Any, text_pair: Any = None, **kwargs: Any) -> BatchEncoding:
        """A batch of plain texts as one; whatever else the base class takes goes its way, post by post."""
        asked = {name for name, value in kwargs.items() if value not in (None, False, 0)}
        is_batch = isinstance(text, (list, tuple)) and len(text) > 0 and all(isinstance(one, str) for one in text)
        # Texts are split at special tokens only where a user asks for it.
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

    # ---- truncation ----

    def kept_positions(self, ids: Sequence[int], max_length: int) -> list[int]:
        """Which tokens truncation keeps, in order: emoji first (whole, ``max_emoji`` at most), then the first words.

        Most emoji stand at the end of a post, where plain truncation would lose them.
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
        """Drop words before emoji; a pair of texts is truncated as the base class does."""
        if pair_ids is not None or num_tokens_to_remove <= 0:
            return super().truncate_sequences(ids, pair_ids, num_tokens_to_remove, truncation_strategy, stride)
        kept = self.kept_positions(ids, len(ids) - num_tokens_to_remove)
        keep = set(kept)
        return [ids[i] for i in kept], None, [token_id for i, token_id in enumerate(ids) if i not in keep]

    # ---- tokens to text ----

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """Join tokens: a space between Latin words, and the name pieces of an emoji back into its code.

        >>> ASLSTMTokenizer.convert_tokens_to_string(None, ["我", "love", "you", "<unk_emoji>", "##泪", "##流"])
        '我love you[泪流]'
        """
        text = ""
        for i, token in enumerate(tokens):
            if is_name_piece(token) and text:
                text = text[:-1] if text.endswith("]") else text.removesuffix(UNK_EMOJI_TOKEN) + "["
                text += token.removeprefix(PIECE_PREFIX) + "]"
                continue
            latin = i > 0 and _is_latin(tokens[i - 1][-1:]) and _is_latin(token[:1])
            text += " " + token if latin else token
        return text

    # ---- saving ----

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, ...]:
        """Write the vocabulary, emoji vocabulary, user dictionary and table of characters; returns their paths."""
        tokens = self.post_encoder.table.tokens
        words, emoji_tokens = tokens[: self.emoji_token_offset], tokens[self.emoji_token_offset :]
        characters = self.post_encoder.characters
        paths = write_vocabulary_files(
            save_directory, words, emoji_tokens, self.user_words, filename_prefix, characters=characters
        )
        return tuple(paths.values())


def _pad_to_longest(rows: list[list[int]], pad_token_id: int) -> dict[str, np.ndarray]:
    """``input_ids`` and ``attention_mask``, (num_rows, longest) int64; the base class pads number by number."""
    lengths = np.array([len(row) for row in rows])
    mask = np.arange(lengths.max()) < lengths[:, None]
    input_ids = np.full(mask.shape, pad_token_id, dtype=np.int64)
    input_ids[mask] = np.fromiter(chain.from_iterable(rows), dtype=np.int64, count=lengths.sum())
    return {"input_ids": input_ids, "attention_mask": mask.astype(np.int64)}


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalnum()
