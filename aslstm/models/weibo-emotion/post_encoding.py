"""Turn posts into ids: each text is normalised, split at its emoji, cut into words, looked up and truncated.

Takes raw texts and gives the ids of each, and on request the place of every id in the text. ``PostEncoder`` needs jieba (or
rjieba) and emoji, but neither torch nor transformers. A model folder is enough to make one, and ``ASLSTMTokenizer`` wraps one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from .emoji_splitting import EmojiPiece, fold_emoji, is_emoji, split_emoji
from .encoded_posts import SEPARATOR_ID, EncodedPost, Remembered, TokenSpan, batches_of, check_texts, posts_in
from .text_normalization import SEPARATOR, SWITCHES, TextNormalizer
from .vocabulary_files import PAD_TOKEN, PIECE_PREFIX, UNK_TOKEN, TokenTable, read_saved_tokenizer, read_script_table
from .word_segmentation import UserWord, WordSegmenter, can_be_kept, read_user_dict

# Parts of emoji that show nothing when they stand alone.
_BARE_JOINERS = frozenset("\u200d\ufe0e\ufe0f")
# So many texts are joined and encoded at once: enough that the fixed cost of each step does not count, and few enough that a
# long list of texts is not held in memory a second time.
_TEXTS_AT_ONCE = 1000
# Fewer with offsets, because two numbers for every character take ten times the memory of the text.
_TEXTS_AT_ONCE_WITH_OFFSETS = 100
# A token, the place of its first character in a normalised word or text, and the place behind its last character.
_Token = tuple[str, int, int]
# For each token of a word or an emoji: its id, and the places of its first and its last character in that word or emoji.
_Parts = tuple[tuple[int, int, int], ...]
# The arguments of an encoder that a tokenizer_config.json holds.
_SAVED_ARGUMENTS = {
    "emoji_token_offset", "num_emoji_tokens", "max_emoji", "use_hmm", "segmenter", "model_max_length", "text_rules",
    "to_simplified", *SWITCHES,
}  # fmt: skip


class PostEncoder:
    """Turns texts into ids with the vocabulary of a model.

    Args:
        vocab_file: The path of ``vocab.txt``, which holds the special tokens, words and characters.
        emoji_vocab_file: The path of ``emoji_vocab.txt``, which holds the tokens of the emoji range.
        user_dict_file: The path of ``user_dict.txt``, words that jieba keeps whole (in jieba's format), or None.
        script_table_file: The path of ``script_table.txt``, traditional characters with the simplified ones, or None.
        emoji_token_offset: The first id of the emoji range. If it is given, ``vocab_file`` must agree with it.
        num_emoji_tokens: The size of the emoji range. If it is given, ``emoji_vocab_file`` must agree with it.
        max_emoji: How many emoji truncation keeps at most.
        use_hmm: Whether jieba guesses words that its dictionary lacks. Discovered words make better guesses.
        segmenter: ``jieba``, or ``rjieba``, which cuts the same words many times as fast and must be installed.
        model_max_length: How many tokens of a post the model is meant to read. It is for the caller: nothing here cuts by it.
        text_rules: The number of the text rules that the model was trained with; a configuration without one means 1.
        to_simplified: Whether traditional characters are read as the simplified ones of the table.
        switches: The switches of :class:`TextNormalizer`.

    Raises:
        ValueError: A vocabulary file is damaged, or its size is not that of the saved range.
    """

    def __init__(
        self,
        vocab_file: str | Path,
        emoji_vocab_file: str | Path,
        user_dict_file: str | Path | None = None,
        script_table_file: str | Path | None = None,
        *,
        emoji_token_offset: int | None = None,
        num_emoji_tokens: int | None = None,
        max_emoji: int = 64,
        use_hmm: bool = True,
        segmenter: str = "jieba",
        model_max_length: int = 512,
        text_rules: int = 1,
        to_simplified: bool = False,
        **switches: bool,
    ) -> None:
        self.table = TokenTable(vocab_file, emoji_vocab_file, emoji_token_offset, num_emoji_tokens)
        self.emoji_token_offset, self.num_emoji_tokens = self.table.emoji_token_offset, self.table.num_emoji_tokens
        self.pad_token_id, self.unk_token_id = self.table.ids[PAD_TOKEN], self.table.ids[UNK_TOKEN]
        for name, number, least in (("max_emoji", max_emoji, 0), ("model_max_length", model_max_length, 1)):
            if not isinstance(number, int) or isinstance(number, bool) or number < least:
                raise ValueError(f"{name}: expected a whole number of {least} or more, found {number!r:.100}")
        self.max_emoji, self.model_max_length = max_emoji, model_max_length
        self.characters = read_script_table(script_table_file) if to_simplified else {}
        self.normalizer = TextNormalizer(self.characters, text_rules=text_rules, **switches)
        user_words = read_user_dict(user_dict_file) if user_dict_file else []
        # The segmenter sees normalised text, so its words must be normalised too ("PK掉" is looked up as "pk掉").
        self.user_words = [word._replace(word=self.normalizer.normalize(word.word)) for word in user_words]
        self.segmenter = WordSegmenter(self.user_words, use_hmm=use_hmm, segmenter=segmenter)
        self._forget()

    @classmethod
    def from_folder(cls, folder: str | Path) -> "PostEncoder":
        """Return the encoder of a saved tokenizer or model folder, with the tokens that were added to it.

        Args:
            folder: The folder that holds the saved tokenizer.

        Raises:
            ValueError: A file is missing or damaged.
        """
        saved = read_saved_tokenizer(Path(folder))
        arguments: dict[str, Any] = {name: saved.config[name] for name in _SAVED_ARGUMENTS & saved.config.keys()}
        encoder = cls(**arguments | saved.files)
        encoder.add_tokens(saved.added_ids, saved.added_words)
        return encoder

    # ---- vocabulary ----

    def __len__(self) -> int:
        return len(self.table)

    def add_tokens(self, ids: Mapping[str, int], words: Iterable[str]) -> None:
        """Add tokens to the vocabulary.

        Args:
            ids: The id of each token. New tokens have ids behind the emoji range, known tokens the id that they have.
            words: The tokens among them that a text may contain. The segmenter keeps words whole, and truncation keeps emoji.
        """
        self.table.added_ids.update(ids)
        known = {word.word for word in self.segmenter.user_words}
        for word in words:
            if is_emoji(word):
                self.table.added_emoji_ids.add(ids[word])
            elif word not in known and can_be_kept(word):
                self.segmenter.add_word(UserWord(word))
        self._forget()

    def _forget(self) -> None:
        """Forget all remembered ids, because the vocabulary has changed."""
        self._word_ids = Remembered(self._ids_of_word)
        self._emoji_ids = Remembered(self._ids_of_emoji)
        self._word_parts = Remembered(self._parts_of_word)
        self._emoji_parts = Remembered(self._parts_of_emoji)

    # ---- one text, token by token ----

    def _tokens_of_emoji(self, surface: str, start: int = 0) -> list[_Token]:
        """Return the tokens of an emoji that begins at ``start``."""
        token = surface if surface.startswith("[") else fold_emoji(surface)
        first, *pieces = [token] if token in self.table else self.table.spell_emoji(token)
        tokens = [(first, start, start + len(surface))]
        place = 0
        for piece in pieces:
            place = surface.index(piece.removeprefix(PIECE_PREFIX), place + 1)
            tokens.append((piece, start + place, start + place + 1))
        return tokens

    def _tokens_of_word(self, word: str, start: int = 0) -> list[_Token]:
        """Return the tokens of a word that begins at ``start``."""
        tokens: list[_Token] = []
        for part in self.segmenter.parts(word):
            if part in self.table:
                tokens.append((part, start, start + len(part)))
            elif not part.isspace():
                tokens += [(c, i, i + 1) for i, c in enumerate(part, start) if c not in _BARE_JOINERS]
            start += len(part)
        return tokens

    def _tokens_of(self, normalized: str) -> list[_Token]:
        """Return the tokens of a normalised text with their places in it."""
        tokens: list[_Token] = []
        for piece in split_emoji(normalized):
            if piece.is_emoji:
                tokens += self._tokens_of_emoji(piece.text, piece.start)
                continue
            start = piece.start
            for word in self.segmenter.cut_roughly(piece.text):
                tokens += self._tokens_of_word(word, start)
                start += len(word)
        return tokens

    def tokenize(self, text: str) -> list[str]:
        """Return the tokens of a text; the list is empty if the text has none."""
        return [token for token, _, _ in self._tokens_of(self.normalizer.normalize(text))]

    def tokenize_with_offsets(self, text: str) -> list[TokenSpan]:
        """Return the tokens of a text with their places in ``text`` itself, before any normalisation.

        ``<unk_emoji>`` spans the whole code that it stands for, and each of its name pieces spans one character. A text
        without tokens gives one ``<unk>`` that spans nothing.
        """
        aligned = self.normalizer.normalize_with_offsets(text)
        found = self._tokens_of(aligned.text)
        spans = [TokenSpan(token, aligned.starts[start], aligned.ends[end - 1]) for token, start, end in found]
        return spans or [TokenSpan(UNK_TOKEN, 0, 0)]

    def emoji_in(self, text: str) -> list[str]:
        """Return the emoji of a text as the user wrote them."""
        return self.emoji_in_each([text])[0]

    def emoji_in_each(self, texts: Sequence[str]) -> list[list[str]]:
        """Return the emoji of each text as the user wrote them."""
        found: list[list[str]] = [[] for _ in texts]
        for first in range(0, len(texts), _TEXTS_AT_ONCE_WITH_OFFSETS):
            batch = texts[first : first + _TEXTS_AT_ONCE_WITH_OFFSETS]
            joined, starts, ends = self.normalizer.normalize_joined_with_offsets(batch)
            place, behind = first, joined.find(SEPARATOR)
            for piece in split_emoji(joined):
                if not piece.is_emoji:
                    continue
                while 0 <= behind < piece.start:
                    place, behind = place + 1, joined.find(SEPARATOR, behind + 1)
                found[place].append(texts[place][starts[piece.start] : ends[piece.start + len(piece.text) - 1]])
        return found

    # ---- many texts at once ----

    def _parts_of_word(self, word: str) -> _Parts:
        if word == SEPARATOR:
            return ((SEPARATOR_ID, 0, 0),)
        id_of = self.table.id_of
        return tuple([(id_of(token), start, end - 1) for token, start, end in self._tokens_of_word(word)])

    def _parts_of_emoji(self, surface: str) -> _Parts:
        return tuple((self.table.id_of(token), start, end - 1) for token, start, end in self._tokens_of_emoji(surface))

    def _ids_of_word(self, word: str) -> tuple[int, ...]:
        if word == SEPARATOR:
            return (SEPARATOR_ID,)
        id_of = self.table.id_of
        # Nearly every word is one of the vocabulary. Only words of ASCII characters may have parts.
        if not word.isascii() and word in self.table:
            return (id_of(word),)
        return tuple([id_of(token) for token, _, _ in self._tokens_of_word(word)])

    def _ids_of_emoji(self, surface: str) -> tuple[int, ...]:
        return tuple(token_id for token_id, _, _ in self._parts_of_emoji(surface))

    def encode_batch(self, texts: Sequence[str], *, max_length: int | None = None) -> list[list[int]]:
        """Return the ids of each text; a text without tokens has one ``<unk>``, so that no row is empty.

        Args:
            texts: The raw posts.
            max_length: How many tokens of each text truncation keeps. None keeps all of them.
        """
        texts = check_texts(texts)
        rows: list[list[int]] = []
        for batch, max_words in batches_of(texts, _TEXTS_AT_ONCE, max_length):
            rows += self._encode_joined(self.normalizer.normalize_joined(batch), max_words)
        if max_length is None:
            return rows
        kept = self.table.kept_positions
        return [row if len(row) <= max_length else [row[i] for i in kept(row, max_length, self.max_emoji)] for row in rows]

    def _cut_pieces(self, joined: str, max_words: int | None) -> Iterator[tuple[EmojiPiece, list[str]]]:
        """Yield the pieces of a joined text with their words, or of a text alone the first words and every emoji."""
        num_words = 0
        for piece in split_emoji(joined):
            if piece.is_emoji:
                yield piece, [piece.text]
            elif max_words is None:
                yield piece, self.segmenter.cut_roughly(piece.text)
            elif num_words < max_words:
                words: list[str] = []
                for stretch in self.segmenter.cut_stretches(piece.text):
                    words += stretch
                    num_words += sum(len(self._word_ids[word]) for word in stretch)
                    if num_words >= max_words:
                        break
                yield piece, words

    def _encode_joined(self, joined: str, max_words: int | None) -> Iterator[list[int]]:
        ids: list[int] = []
        for piece, words in self._cut_pieces(joined, max_words):
            if piece.is_emoji:
                ids += self._emoji_ids[piece.text]
            else:
                ids += chain.from_iterable(map(self._word_ids.__getitem__, words))
        for start, end in posts_in(ids, joined.count(SEPARATOR)):
            yield ids[start:end] or [self.unk_token_id]

    def encode_with_offsets(self, texts: Sequence[str], *, max_length: int | None = None) -> list[EncodedPost]:
        """Return the ids of each text as :meth:`encode_batch` does, with their places and the emoji of the text.

        Args:
            texts: The raw posts.
            max_length: How many tokens of each text truncation keeps. None keeps all of them.
        """
        texts = check_texts(texts)
        posts: list[EncodedPost] = []
        for batch, max_words in batches_of(texts, _TEXTS_AT_ONCE_WITH_OFFSETS, max_length):
            posts += self._encode_joined_with_offsets(batch, max_words)
        return posts if max_length is None else [self._truncate(post, max_length) for post in posts]

    def _encode_joined_with_offsets(self, texts: Sequence[str], max_words: int | None) -> Iterator[EncodedPost]:
        joined, starts, ends = self.normalizer.normalize_joined_with_offsets(texts)
        ids: list[int] = []
        spans: list[tuple[int, int]] = []
        # Looked up once: the inner loop runs for every token.
        add_id, add_span = ids.append, spans.append
        emoji: list[int] = []  # the position of the first token of each emoji, which spans the whole emoji
        for piece, words in self._cut_pieces(joined, max_words):
            position = piece.start
            parts = self._word_parts
            if piece.is_emoji:
                emoji.append(len(ids))
                parts = self._emoji_parts
            for word in words:
                for token_id, first, last in parts[word]:
                    add_id(token_id)
                    add_span((starts[position + first], ends[position + last]))
                position += len(word)
        next_emoji = iter([*emoji, len(ids)])
        place = next(next_emoji)
        for text, (start, end) in zip(texts, posts_in(ids, len(texts) - 1), strict=True):
            surfaces: list[str] = []
            while place < end:
                surfaces.append(text[slice(*spans[place])])
                place = next(next_emoji)
            yield EncodedPost(ids[start:end] or [self.unk_token_id], spans[start:end] or [(0, 0)], surfaces)

    def _truncate(self, post: EncodedPost, max_length: int) -> EncodedPost:
        if len(post.ids) <= max_length:
            return post
        kept = self.table.kept_positions(post.ids, max_length, self.max_emoji)
        return EncodedPost([post.ids[i] for i in kept], [post.spans[i] for i in kept], post.emoji)
