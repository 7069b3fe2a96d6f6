"""The tokenizer: raw text of a post in, ids of words and emoji out, in the order of the text.

Joins normalisation, emoji splitting and word segmentation; owns the vocabulary, truncation and saving. Its ids:

====================  ==================================================================================================
0, 1, 2               ``<pad>``, ``<unk>``, ``<mask>``
3 ...                 words by frequency, then every single character seen (an unknown word is spelled in characters)
the emoji range       ``<unk_emoji>``, weibo codes, Unicode emoji, then name pieces ``##泪`` that spell an unseen code
behind the range      words given to ``add_tokens``
====================  ==================================================================================================
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from transformers import AddedToken, BatchEncoding, PreTrainedTokenizer

from .emoji_splitting import EmojiPiece, fold_emoji, split_emoji
from .text_normalization import SEPARATOR, SWITCHES, TextNormalizer
from .vocabulary_files import (
    MASK_TOKEN,
    PAD_TOKEN,
    PIECE_PREFIX,
    UNK_EMOJI_TOKEN,
    UNK_TOKEN,
    VOCABULARY_FILES,
    is_name_piece,
    read_vocabulary_file,
    write_vocabulary_files,
)
from .word_segmentation import UserWord, WordSegmenter, can_be_kept, read_user_dict

CLAUSE_END_TOKENS = tuple("，。？！；～…,.?!;~")
# Parts of emoji that stand alone; they show nothing.
_BARE_JOINERS = frozenset("\u200d\ufe0e\ufe0f")
# Words and emoji whose ids are remembered; a vocabulary is smaller, and hostile text must not fill the memory.
_MAX_REMEMBERED = 500_000
# Enough for the cost of starting a step not to count; a longer list is not joined to one text as a whole.
_TEXTS_AT_ONCE = 1000
# Stands between the posts of a joined text; no token has it.
_SEPARATOR_ID = -1
# What may be asked of a batch that is encoded as one.
_BATCH_ARGUMENTS = {"padding_strategy", "truncation_strategy", "max_length", "pad_to_multiple_of", "padding_side", "verbose",
                    "return_tensors", "return_attention_mask", "add_special_tokens", "split_special_tokens"}  # fmt: skip


class _Remembered(dict[str, tuple[int, ...]]):
    """The ids of words, or of emoji, worked out once each."""

    def __init__(self, ids_of: Callable[[str], tuple[int, ...]]) -> None:
        self.ids_of = ids_of

    def __missing__(self, word: str) -> tuple[int, ...]:
        if len(self) >= _MAX_REMEMBERED:
            self.clear()
        ids = self[word] = self.ids_of(word)
        return ids

    def __reduce__(self) -> tuple[Any, ...]:
        # Empty: a used tokenizer has the fingerprint of a new one.
        return _Remembered, (self.ids_of,)


class TokenSpan(NamedTuple):
    """A token and its place in the user's own text, ``text[start:end]``."""

    token: str
    start: int
    end: int


class ASLSTMTokenizer(PreTrainedTokenizer):
    """jieba words and whole emoji as one id sequence.

    Args:
        vocab_file: ``vocab.txt``, the special tokens, words and characters.
        emoji_vocab_file: ``emoji_vocab.txt``, the emoji range.
        user_dict_file: ``user_dict.txt``, words that jieba keeps whole (jieba's format), or None.
        emoji_token_offset, num_emoji_tokens: the emoji range; where given, the files must agree with it.
        max_emoji: truncation keeps this many emoji.
        use_hmm: whether jieba guesses at words that its dictionary lacks; discovered words make better guesses.
        segmenter: ``jieba``, or ``rjieba``, which cuts the same words many times as fast where it is installed.
        kwargs: the switches of :class:`TextNormalizer`, and what every tokenizer takes.

    Raises:
        ValueError: a damaged vocabulary file, or one of another size than the saved range.
    """

    vocab_files_names = VOCABULARY_FILES
    model_input_names = ["input_ids", "attention_mask"]  # noqa: RUF012

    def __init__(
        self,
        vocab_file: str,
        emoji_vocab_file: str,
        user_dict_file: str | None = None,
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
        **kwargs: Any,
    ) -> None:
        words = read_vocabulary_file(vocab_file, (PAD_TOKEN, UNK_TOKEN, MASK_TOKEN))
        emoji_tokens = read_vocabulary_file(emoji_vocab_file, (UNK_EMOJI_TOKEN,))
        for name, path, expected, found in (
            ("emoji_token_offset", vocab_file, emoji_token_offset, len(words)),
            ("num_emoji_tokens", emoji_vocab_file, num_emoji_tokens, len(emoji_tokens)),
        ):
            if expected is not None and expected != found:
                raise ValueError(f"{path}: expected {expected} lines ({name}), found {found}; fetch the file again")
        self._tokens = words + emoji_tokens
        self._ids = {token: i for i, token in enumerate(self._tokens)}
        if len(self._ids) < len(self._tokens):
            shared = sorted(set(words) & set(emoji_tokens))[:5]
            raise ValueError(f"{emoji_vocab_file}: expected emoji only, found tokens of {vocab_file}: {shared}")
        self.emoji_token_offset = len(words)
        self.num_emoji_tokens = len(emoji_tokens)
        self.max_emoji = max_emoji
        num_pieces = sum(is_name_piece(token) for token in emoji_tokens)
        self._first_piece_id = len(self._tokens) - num_pieces
        if any(is_name_piece(token) for token in emoji_tokens[: len(emoji_tokens) - num_pieces]):
            raise ValueError(f"{emoji_vocab_file}: expected the name pieces in the last lines; fetch the file again")
        self._normalizer = TextNormalizer(**{name: kwargs.pop(name) for name in SWITCHES if name in kwargs})
        user_words = read_user_dict(user_dict_file) if user_dict_file else []
        # The segmenter sees normalised text, so its words must be normalised too ("PK掉" is looked up as "pk掉").
        self.user_words = [word._replace(word=self._normalizer.normalize(word.word)) for word in user_words]
        self._segmenter = WordSegmenter(self.user_words, use_hmm=use_hmm, segmenter=segmenter)
        self._forget()
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
            **self._normalizer.switches,
            **kwargs,
        )
        self._segment_added_words()

    # ---- vocabulary ----

    @property
    def vocab_size(self) -> int:
        """Number of tokens without those of ``add_tokens``."""
        return len(self._tokens)

    def get_vocab(self) -> dict[str, int]:
        """Every token with its id, added tokens among them."""
        return {**self._ids, **self._added_tokens_encoder}

    def _convert_token_to_id(self, token: str) -> int:
        return self._ids.get(token, self._ids[UNK_TOKEN])

    def _convert_id_to_token(self, index: int) -> str:
        return self._tokens[index]

    @property
    def clause_end_token_ids(self) -> list[int]:
        """Ids of the punctuation that ends a clause, for the model's config."""
        return sorted(self._ids[token] for token in CLAUSE_END_TOKENS if token in self._ids)

    def _add_tokens(self, new_tokens: list[str] | list[AddedToken], special_tokens: bool = False) -> int:
        """Add words (or emoji codes); they are normalised as text is, else no text could ever match them.

        Raises:
            ValueError: a token that no text can yield as one word.
        """
        checked: list[Any] = []
        for token in new_tokens:
            content = str(token)
            if not special_tokens and not getattr(token, "special", False):
                content = self._normalizer.normalize(content)
                is_emoji = [(piece.text, piece.is_emoji) for piece in split_emoji(content)] == [(content, True)]
                if not can_be_kept(content) and not (is_emoji and content == fold_emoji(content)):
                    raise ValueError(f"expected one word or one emoji that text can yield, found {str(token)!r}")
                token = AddedToken(content, normalized=False) if isinstance(token, AddedToken) else content
            checked.append(token)
        added = super()._add_tokens(checked, special_tokens=special_tokens)
        self._segment_added_words()
        self._forget()
        return added

    def _segment_added_words(self) -> None:
        known = {word.word for word in self._segmenter.user_words}
        for token in self._added_tokens_decoder.values():
            if not token.special and token.content not in known and can_be_kept(token.content):
                self._segmenter.add_word(UserWord(token.content))

    # ---- text to tokens ----

    def normalize(self, text: str) -> str:
        """The text as the splitters see it."""
        return self._normalizer.normalize(text)

    def _is_known(self, token: str) -> bool:
        return token in self._ids or token in self._added_tokens_encoder

    def _emoji_tokens(self, surface: str) -> list[str]:
        token = surface if surface.startswith("[") else fold_emoji(surface)
        return [token] if self._is_known(token) else self.spell_emoji(token)

    def spell_emoji(self, token: str) -> list[str]:
        """An emoji in tokens that are always known: ``<unk_emoji>``, then a name piece for every known character.

        A Unicode emoji has no name to spell.
        """
        name = token[1:-1] if token.startswith("[") else ""
        return [UNK_EMOJI_TOKEN, *(PIECE_PREFIX + c for c in name if PIECE_PREFIX + c in self._ids)]

    def _word_tokens(self, word: str) -> list[str]:
        if self._is_known(word):
            return [word]
        return [] if word.isspace() else [c for c in word if c not in _BARE_JOINERS]

    def _piece_tokens(self, piece: EmojiPiece) -> list[str]:
        if piece.is_emoji:
            return self._emoji_tokens(piece.text)
        return [token for word in self._segmenter.cut(piece.text) for token in self._word_tokens(word)]

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        return [token for piece in split_emoji(self._normalizer.normalize(text)) for token in self._piece_tokens(piece)]

    def tokenize(self, text: str, **kwargs: Any) -> list[str]:
        """Split a text into tokens; a text without any gives one ``<unk>``, so that no row is ever empty."""
        return super().tokenize(text, **kwargs) or [UNK_TOKEN]

    def tokenize_with_offsets(self, text: str) -> list[TokenSpan]:
        """The tokens of ``tokenize(text)`` with their places in ``text`` itself, before any normalisation.

        ``<unk_emoji>`` spans the whole code it stands for, its name pieces one character each; the ``<unk>`` of an empty
        text spans nothing.
        """
        aligned = self._normalizer.normalize_with_offsets(text)
        spans: list[TokenSpan] = []
        for piece in split_emoji(aligned.text):
            position = piece.start
            for token in self._piece_tokens(piece):
                if not piece.is_emoji:
                    start = aligned.text.index(token, position)
                    end = position = start + len(token)
                elif is_name_piece(token):
                    start = aligned.text.index(token.removeprefix(PIECE_PREFIX), position)
                    end = position = start + 1
                else:
                    start, end = piece.start, piece.start + len(piece.text)
                spans.append(TokenSpan(token, aligned.starts[start], aligned.ends[end - 1]))
        return spans or [TokenSpan(UNK_TOKEN, 0, 0)]

    def emoji_in(self, text: str) -> list[str]:
        """The emoji of a text, each as it stands in ``text`` itself; truncation takes none."""
        aligned = self._normalizer.normalize_with_offsets(text)
        found = [(piece.start, piece.start + len(piece.text)) for piece in split_emoji(aligned.text) if piece.is_emoji]
        return [text[aligned.starts[start] : aligned.ends[end - 1]] for start, end in found]

    # ---- batches ----

    def encode_batch(self, texts: Sequence[str], *, max_length: int | None = None) -> list[list[int]]:
        """The ids of each text, as ``tokenizer(text)["input_ids"]`` gives them, without its cost for every token.

        Args:
            texts: raw posts.
            max_length: tokens that truncation keeps of each; None keeps all.
        """
        unknown = self._ids[UNK_TOKEN]
        rows: list[list[int]] = []
        for first in range(0, len(texts), _TEXTS_AT_ONCE):
            rows += self._encode_joined(self._normalizer.normalize_joined(texts[first : first + _TEXTS_AT_ONCE]))
        rows = [row or [unknown] for row in rows]
        if max_length is None:
            return rows
        return [row if len(row) <= max_length else [row[i] for i in self.kept_positions(row, max_length)] for row in rows]

    def _encode_joined(self, joined: str) -> Iterator[list[int]]:
        ids: list[int] = []
        for piece in split_emoji(joined):
            if piece.is_emoji:
                ids += self._emoji_ids[piece.text]
            else:
                ids += chain.from_iterable(map(self._word_ids.__getitem__, self._segmenter.cut_roughly(piece.text)))
        start = 0
        for _ in range(joined.count(SEPARATOR)):
            end = ids.index(_SEPARATOR_ID, start)
            yield ids[start:end]
            start = end + 1
        yield ids[start:]

    def _forget(self) -> None:
        """Start with no remembered ids: the vocabulary has changed."""
        self._word_ids = _Remembered(self._ids_of_word)
        self._emoji_ids = _Remembered(self._ids_of_emoji)

    def _ids_of_word(self, word: str) -> tuple[int, ...]:
        if word == SEPARATOR:
            return (_SEPARATOR_ID,)
        tokens = [token for part in self._segmenter.parts(word) for token in self._word_tokens(part)]
        return tuple(map(self._convert_token_to_id_with_added_voc, tokens))

    def _ids_of_emoji(self, surface: str) -> tuple[int, ...]:
        return tuple(map(self._convert_token_to_id_with_added_voc, self._emoji_tokens(surface)))

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
        if len(ids) <= max_length:
            return list(range(len(ids)))
        last = self.emoji_token_offset + self.num_emoji_tokens
        words: list[int] = []
        groups: list[list[int]] = []
        for position, token_id in enumerate(ids):
            if not self.emoji_token_offset <= token_id < last:
                words.append(position)
            elif token_id >= self._first_piece_id and groups:
                groups[-1].append(position)
            else:
                groups.append([position])
        kept: list[int] = []
        for group in groups[: self.max_emoji]:
            if len(kept) + len(group) > max_length:
                break
            kept += group
        # A single spelled emoji that is longer than the limit is cut rather than lost.
        return sorted(kept + words[: max_length - len(kept)]) or list(range(max_length))

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
        """Write the vocabulary, emoji vocabulary and user dictionary; returns their paths."""
        words, emoji_tokens = self._tokens[: self.emoji_token_offset], self._tokens[self.emoji_token_offset :]
        return tuple(write_vocabulary_files(save_directory, words, emoji_tokens, self.user_words, filename_prefix).values())


def _pad_to_longest(rows: list[list[int]], pad_token_id: int) -> dict[str, np.ndarray]:
    """``input_ids`` and ``attention_mask``, (num_rows, longest) int64; the base class pads number by number."""
    lengths = np.array([len(row) for row in rows])
    mask = np.arange(lengths.max()) < lengths[:, None]
    input_ids = np.full(mask.shape, pad_token_id, dtype=np.int64)
    input_ids[mask] = np.fromiter(chain.from_iterable(rows), dtype=np.int64, count=lengths.sum())
    return {"input_ids": input_ids, "attention_mask": mask.astype(np.int64)}


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalnum()
