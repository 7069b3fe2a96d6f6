"""From a corpus to a vocabulary and a tokenizer (offline; this file does not travel with a model).

Takes raw texts, gives the files that :class:`ASLSTMTokenizer` reads.
"""

import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .emoji_splitting import known_unicode_emoji, split_emoji
from .text_normalization import TextNormalizer
from .tokenization_aslstm import CLAUSE_END_TOKENS, ASLSTMTokenizer
from .vocabulary_files import (
    MASK_TOKEN,
    PAD_TOKEN,
    PIECE_PREFIX,
    UNK_EMOJI_TOKEN,
    UNK_TOKEN,
    is_storable_token,
    write_vocabulary_files,
)
from .word_segmentation import UserWord, WordSegmenter

# Registration fills "auto_map" when a tokenizer is saved. It belongs in a file that never travels with a model.
ASLSTMTokenizer.register_for_auto_class("AutoTokenizer")


@dataclass(frozen=True)
class Vocabulary:
    """What a tokenizer knows, in the order of its ids."""

    words: list[str]
    emoji: list[str]
    user_words: list[UserWord]


def build_vocabulary(
    texts: Iterable[str],
    *,
    min_count: int = 2,
    min_emoji_count: int = 2,
    max_words: int | None = None,
    user_words: Sequence[UserWord] = (),
    use_hmm: bool = True,
    **switches: bool,
) -> Vocabulary:
    """Count the words, characters and emoji of a corpus.

    Args:
        texts: raw posts.
        min_count: a word seen less often is spelled in characters.
        min_emoji_count: a weibo code seen less often is spelled in name pieces.
        max_words: keep only so many of the most frequent words; characters are always kept.
        user_words: words that jieba keeps whole.
        use_hmm: whether jieba guesses at words that its dictionary lacks.
        switches: of :class:`TextNormalizer`; with ``use_hmm``, the tokenizer must get the same.

    Returns:
        The vocabulary; the same texts in another order give the same one.
    """
    normalizer = TextNormalizer(**switches)
    segmenter = WordSegmenter((w._replace(word=normalizer.normalize(w.word)) for w in user_words), use_hmm=use_hmm)
    word_counts: Counter[str] = Counter()
    code_counts: Counter[str] = Counter()
    for text in texts:
        for piece in split_emoji(normalizer.normalize(text)):
            if not piece.is_emoji:
                word_counts.update(segmenter.cut(piece.text))
            elif piece.text.startswith("["):
                code_counts[piece.text] += 1
    # By count and then by spelling, so that the order of the texts does not show.
    ranked = [w for w, n in sorted(word_counts.items(), key=lambda item: (-item[1], item[0])) if n >= min_count]
    words = [word for word in ranked if is_storable_token(word)][:max_words]
    characters = {c for word in word_counts for c in word if is_storable_token(c)} | set(CLAUSE_END_TOKENS)
    known_codes = sorted((c for c, n in code_counts.items() if n >= min_emoji_count), key=lambda c: (-code_counts[c], c))
    name_characters = {c for code in code_counts for c in code[1:-1]}
    pieces = {c for c in characters | name_characters if c.isalnum()}
    unicode_emoji = known_unicode_emoji()
    special = [PAD_TOKEN, UNK_TOKEN, MASK_TOKEN]
    return Vocabulary(
        words=special + list(dict.fromkeys(words + sorted(characters - set(unicode_emoji)))),
        emoji=[UNK_EMOJI_TOKEN, *known_codes, *unicode_emoji, *(PIECE_PREFIX + c for c in sorted(pieces))],
        user_words=list(user_words),
    )


def build_tokenizer(vocabulary: Vocabulary, **options: object) -> ASLSTMTokenizer:
    """A tokenizer with the given vocabulary; ``options`` are arguments of :class:`ASLSTMTokenizer`."""
    with tempfile.TemporaryDirectory() as folder:
        files = write_vocabulary_files(folder, vocabulary.words, vocabulary.emoji, vocabulary.user_words)
        return ASLSTMTokenizer(**files, **options)  # type: ignore[arg-type]
