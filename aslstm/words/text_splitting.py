"""Takes raw posts and gives the words and emoji of each, before there is a vocabulary: to count words or train vectors.

Several processes may share the posts.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice

from tokenization.emoji_splitting import fold_emoji, split_emoji
from tokenization.text_normalization import TextNormalizer
from tokenization.vocabulary_files import is_storable_token
from tokenization.word_segmentation import UserWord, WordSegmenter

from .script_table import simplified_characters

TEXTS_AT_ONCE = 2000


class TextSplitter:
    """Splits texts as the tokenizer does, but without a vocabulary: words stay whole and every emoji is one token.

    It can be pickled.

    Args:
        user_words: Words that jieba keeps whole.
        use_hmm: Whether jieba guesses words that its dictionary lacks.
        segmenter: ``jieba`` or ``rjieba``.
        to_simplified: Whether traditional characters are read as the simplified ones.
        switches: The switches of :class:`TextNormalizer`.
    """

    def __init__(
        self,
        user_words: Iterable[UserWord] = (),
        *,
        use_hmm: bool = True,
        segmenter: str = "jieba",
        to_simplified: bool = True,
        **switches: bool,
    ) -> None:
        self.normalizer = TextNormalizer(simplified_characters() if to_simplified else {}, **switches)
        normalized = (word._replace(word=self.normalizer.normalize(word.word)) for word in user_words)
        self.segmenter = WordSegmenter(normalized, use_hmm=use_hmm, segmenter=segmenter)

    def split(self, texts: Iterable[str]) -> list[list[str]]:
        """Return the tokens of each text; white space and tokens that no vocabulary can hold are left out."""
        return [self._split_one(text) for text in texts]

    def _split_one(self, text: str) -> list[str]:
        tokens: list[str] = []
        for piece in split_emoji(self.normalizer.normalize(text)):
            if not piece.is_emoji:
                tokens += self.segmenter.cut(piece.text)
            else:
                tokens.append(piece.text if is_emoji_code(piece.text) else fold_emoji(piece.text))
        return [token for token in tokens if is_storable_token(token)]


def split_texts(
    texts: Iterable[str],
    *,
    user_words: Iterable[UserWord] = (),
    use_hmm: bool = True,
    segmenter: str = "jieba",
    num_workers: int = 1,
    **switches: bool,
) -> Iterator[list[str]]:
    """Yield the tokens of each text, in order; with several workers the texts are held in memory.

    Args:
        texts: The raw posts.
        user_words: Words that jieba keeps whole.
        use_hmm: Whether jieba guesses words that its dictionary lacks.
        segmenter: ``jieba`` or ``rjieba``.
        num_workers: The number of processes. With 1 the texts are split in this process.
        switches: The switches of :class:`TextSplitter`.
    """
    splitter = TextSplitter(user_words, use_hmm=use_hmm, segmenter=segmenter, **switches)
    remaining = iter(texts)
    chunks = iter(lambda: list(islice(remaining, TEXTS_AT_ONCE)), [])
    if num_workers == 1:
        for chunk in chunks:
            yield from splitter.split(chunk)
        return
    with ProcessPoolExecutor(num_workers, initializer=_set_splitter, initargs=(splitter,)) as pool:
        for split in pool.map(_split_chunk, chunks):
            yield from split


# Each worker process has one splitter, so that it reads jieba's dictionary once.
_splitter: TextSplitter


def _set_splitter(splitter: TextSplitter) -> None:
    global _splitter
    _splitter = splitter


def _split_chunk(texts: list[str]) -> list[list[str]]:
    return _splitter.split(texts)


def is_emoji_code(token: str) -> bool:
    """Return whether a token of a split text is a weibo code; no word begins with a bracket, because jieba cuts behind it.

    >>> is_emoji_code("[泪]"), is_emoji_code("["), is_emoji_code("泪")
    (True, False, False)
    """
    return len(token) > 1 and token.startswith("[")
