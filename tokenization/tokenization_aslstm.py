"""The tokenizer: raw text of a post in, ids of words and emoji out, in the order of the text.

Joins normalisation, emoji splitting and word segmentation; owns the vocabulary, truncation and saving. Its ids:

====================  ==================================================================================================
0, 1, 2               ``<pad>``, ``<unk>``, ``<mask>``
3 ...                 words by frequency, then every single character seen (an unknown word is spelled in characters)
the emoji range       ``<unk_emoji>``, weibo codes, Unicode emoji, then name pieces ``##泪`` that spell an unseen code
behind the range      words given to ``add_tokens``
====================  ==================================================================================================
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from transformers import AddedToken, PreTrainedTokenizer

from .emoji_splitting import fold_emoji, split_emoji
from .text_normalization import SWITCHES, TextNormalizer
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
        self._segmenter = WordSegmenter(self.user_words, use_hmm=use_hmm)
        super().__init__(
            emoji_token_offset=self.emoji_token_offset,
            num_emoji_tokens=self.num_emoji_tokens,
            max_emoji=max_emoji,
            use_hmm=use_hmm,
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

    def _word_tokens(self, text: str) -> list[str]:
        tokens: list[str] = []
        for word in self._segmenter.cut(text):
            if self._is_known(word):
                tokens.append(word)
            elif not word.isspace():
                tokens += [c for c in word if c not in _BARE_JOINERS]
        return tokens

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        tokens: list[str] = []
        for piece in split_emoji(self._normalizer.normalize(text)):
            tokens += self._emoji_tokens(piece.text) if piece.is_emoji else self._word_tokens(piece.text)
        return tokens

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
            for token in self._emoji_tokens(piece.text) if piece.is_emoji else self._word_tokens(piece.text):
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


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalnum()
