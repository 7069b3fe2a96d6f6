"""Takes the raw texts of a corpus and gives a vocabulary, and the tokenizer that has it.

This is done before training; the file does not travel with a model.
"""

import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tokenization import ASLSTMTokenizer
from tokenization.emoji_splitting import known_unicode_emoji
from tokenization.text_normalization import TEXT_RULES
from tokenization.tokenization_aslstm import CLAUSE_END_TOKENS
from tokenization.vocabulary_files import (
    MASK_TOKEN,
    PAD_TOKEN,
    PIECE_PREFIX,
    UNK_EMOJI_TOKEN,
    UNK_TOKEN,
    is_name_piece,
    is_storable_token,
    write_vocabulary_files,
)
from tokenization.word_segmentation import UserWord

from .script_table import simplified_characters
from .text_splitting import is_emoji_code, split_texts


@dataclass(frozen=True)
class Vocabulary:
    """Holds what a tokenizer knows, in the order of its ids."""

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
    segmenter: str = "jieba",
    num_workers: int = 1,
    **switches: bool,
) -> Vocabulary:
    """Count the words, characters and emoji of a corpus.

    Args:
        texts: The raw posts.
        min_count: How often a word must occur to be one token; rarer ones are spelled in characters.
        min_emoji_count: How often a weibo code must occur to be one token; rarer ones are spelled in name pieces.
        max_words: How many of the most frequent words are kept, or None for all; characters are always kept.
        user_words: The words that jieba keeps whole.
        use_hmm: Whether jieba guesses words that its dictionary lacks; the tokenizer must get the same value.
        segmenter: ``jieba`` or ``rjieba``.
        num_workers: The number of processes that split the texts.
        switches: The switches of :class:`TextSplitter`; the tokenizer must get the same values.

    Returns:
        The vocabulary, which does not depend on the order of the texts.
    """
    counts: Counter[str] = Counter()
    options = {"user_words": user_words, "use_hmm": use_hmm, "segmenter": segmenter, "num_workers": num_workers}
    for tokens in split_texts(texts, **options, **switches):  # type: ignore[arg-type]
        counts.update(tokens)
    return choose_tokens(
        counts, min_count=min_count, min_emoji_count=min_emoji_count, max_words=max_words, user_words=user_words
    )


def choose_tokens(
    counts: Mapping[str, int],
    *,
    min_count: int = 2,
    min_emoji_count: int = 2,
    max_words: int | None = None,
    user_words: Sequence[UserWord] = (),
) -> Vocabulary:
    """Return the vocabulary of a corpus whose tokens are counted.

    Args:
        counts: How often each token occurs in the split texts.
        min_count: The limit of that name of :func:`build_vocabulary`.
        min_emoji_count: Likewise.
        max_words: Likewise.
        user_words: The words that jieba kept whole when the texts were split.
    """
    unicode_emoji = known_unicode_emoji()
    code_counts = {token: n for token, n in counts.items() if is_emoji_code(token)}
    are_emoji = code_counts.keys() | set(unicode_emoji)
    word_counts = {token: n for token, n in counts.items() if token not in are_emoji}
    # By count and then by spelling, so that the order of the texts does not show.
    ranked = [w for w, n in sorted(word_counts.items(), key=lambda item: (-item[1], item[0])) if n >= min_count]
    words = [word for word in ranked if is_storable_token(word)][:max_words]
    characters = {c for word in word_counts for c in word if is_storable_token(c)} | set(CLAUSE_END_TOKENS)
    known_codes = sorted((c for c, n in code_counts.items() if n >= min_emoji_count), key=lambda c: (-code_counts[c], c))
    name_characters = {c for code in code_counts for c in code[1:-1]}
    pieces = {c for c in characters | name_characters if c.isalnum()}
    special = [PAD_TOKEN, UNK_TOKEN, MASK_TOKEN]
    return Vocabulary(
        words=special + list(dict.fromkeys(words + sorted(characters - set(unicode_emoji)))),
        emoji=[UNK_EMOJI_TOKEN, *known_codes, *unicode_emoji, *(PIECE_PREFIX + c for c in sorted(pieces))],
        user_words=list(user_words),
    )


def extend_vocabulary(tokenizer: ASLSTMTokenizer, more: Vocabulary) -> Vocabulary:
    """Return every token of a tokenizer, each kind in its order, followed by the tokens that only ``more`` has."""
    tokens = tokenizer.convert_ids_to_tokens(list(range(tokenizer.vocab_size)))
    added = list(tokenizer.get_added_vocab())
    start = tokenizer.emoji_token_offset
    emoji = list(dict.fromkeys(tokens[start:] + [token for token in added if is_emoji_code(token)] + more.emoji))
    pieces = [token for token in emoji if is_name_piece(token)]
    # The name pieces stay last: the tokenizer tells them by their place.
    whole = [token for token in emoji if not is_name_piece(token)]
    user_words = {word.word: word for word in [*more.user_words, *tokenizer.user_words]}
    words = dict.fromkeys(tokens[:start] + [token for token in added if not is_emoji_code(token)] + more.words)
    return Vocabulary(list(words), whole + pieces, list(user_words.values()))


def build_tokenizer(vocabulary: Vocabulary, *, to_simplified: bool = True, **options: object) -> ASLSTMTokenizer:
    """Make a tokenizer with the given vocabulary that follows the newest text rules, as the counting of words does.

    Args:
        vocabulary: The tokens.
        to_simplified: Whether traditional characters are read as simplified ones, as they must be when words are counted.
        options: Further arguments of :class:`ASLSTMTokenizer`.
    """
    characters = simplified_characters() if to_simplified else {}
    words, emoji, user_words = vocabulary.words, vocabulary.emoji, vocabulary.user_words
    with tempfile.TemporaryDirectory() as folder:
        files = write_vocabulary_files(folder, words, emoji, user_words, characters=characters)
        settings = {"text_rules": TEXT_RULES, "to_simplified": to_simplified} | options
        return ASLSTMTokenizer(**files, **settings)  # type: ignore[arg-type]
