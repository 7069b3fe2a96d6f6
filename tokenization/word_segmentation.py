"""Word segmentation with a private jieba: its own dictionary, user words and cache folder.

Takes emoji-free text, gives words. The segmenter pickles and deep-copies, which jieba's own class (it holds a lock)
does not.
"""

import logging
import os
import re
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

with warnings.catch_warnings():
    # jieba imports pkg_resources, which warns of its own end; nothing a user of ours could act on.
    warnings.simplefilter("ignore")
    import jieba

# jieba's hidden Markov model copies its path at every character: one block of n characters costs n². Longer texts are
# cut in stretches of this many characters, far more than a sentence has.
_MAX_STRETCH = 1000
_KEEPABLE = re.compile(r"[\u4e00-\u9fd5a-zA-Z0-9+#&._%\-]+")
_USER_DICT_LINE = re.compile(r"(?P<word>\S+)(?: (?P<frequency>\d+))?(?: (?P<tag>[a-z]+))?")


class UserWord(NamedTuple):
    """One line of a jieba user dictionary; without a frequency jieba takes the smallest that keeps the word whole."""

    word: str
    frequency: int | None = None
    tag: str | None = None


def read_user_dict(path: str | os.PathLike[str]) -> list[UserWord]:
    """Read a user dictionary in jieba's format, ``word [frequency] [tag]`` a line, UTF-8 with or without a BOM.

    Raises:
        ValueError: not UTF-8, or a line of another shape, with its number.
    """
    try:
        content = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: expected UTF-8, found {error}; convert the file") from error
    words = []
    # Split on "\n" only: str.splitlines would also break at U+2028 and its like.
    for number, line in enumerate(content.split("\n"), start=1):
        line = line.strip()
        if not line:
            continue
        match = _USER_DICT_LINE.fullmatch(line)
        if match is None:
            raise ValueError(f"{path}, line {number}: expected 'word [frequency] [tag]', found {line[:60]!r}; mend the line")
        frequency = match["frequency"]
        words.append(UserWord(match["word"], int(frequency) if frequency else None, match["tag"]))
    return words


def can_be_kept(word: str) -> bool:
    """Whether jieba can keep the word whole: it cuts at all other characters, whatever its dictionary says.

    >>> can_be_kept("hold住"), can_be_kept("新 词"), can_be_kept("(╯□╰)")
    (True, False, False)
    """
    return _KEEPABLE.fullmatch(word) is not None


def format_user_dict(words: Iterable[UserWord]) -> str:
    """The text of a user dictionary file.

    >>> format_user_dict([UserWord("绝绝子", 50, "n"), UserWord("破防")]).splitlines()
    ['绝绝子 50 n', '破防']
    """
    return "".join(" ".join(str(field) for field in word if field is not None) + "\n" for word in words)


def keep_whole(words: Iterable[str]) -> list[UserWord]:
    """Entries of a user dictionary for words, each with the smallest frequency at which jieba keeps it whole, alone.

    Without one jieba finds that frequency too, but anew at every start, and other readers of the file do not.
    """
    segmenter = WordSegmenter(use_hmm=False)
    # The parts of a long word come first: it must win against them.
    return [UserWord(word, segmenter.keeping_frequency(word), "n") for word in sorted(set(words), key=lambda w: (len(w), w))]


def cache_folder() -> Path:
    """The folder of this user where jieba keeps its parsed dictionary, made on first use.

    jieba's own place is the shared temporary folder, where the file of another user would be loaded.
    """
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "aslstm"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


class WordSegmenter:
    """jieba in its accurate mode.

    The dictionary is read at first use (about half a second from the cache), not when the object is made.

    Args:
        user_words: words that are kept whole.
        use_hmm: whether a hidden Markov model guesses at words that the dictionary lacks.

    Raises:
        ValueError: a word that jieba cannot keep.
    """

    def __init__(self, user_words: Iterable[UserWord] = (), *, use_hmm: bool = True) -> None:
        self.user_words = list(user_words)
        self.use_hmm = use_hmm
        for word in self.user_words:
            if not can_be_kept(word.word):
                raise ValueError(
                    f"user word {word.word!r}: expected Chinese characters, Latin letters, digits or +#&._%- after "
                    "normalisation, found others; take it out of the user dictionary"
                )
        self._jieba: jieba.Tokenizer | None = None

    def _load(self) -> jieba.Tokenizer:
        tokenizer = jieba.Tokenizer()
        try:
            tokenizer.tmp_dir = str(cache_folder())
        except (OSError, RuntimeError) as error:  # no place to write, or no home at all
            # The null device is no folder: jieba finds no cache there and writes none.
            logging.getLogger(__name__).warning("no cache folder, jieba's dictionary is parsed at every start: %s", error)
            tokenizer.tmp_dir = os.devnull
        level = jieba.default_logger.level
        jieba.setLogLevel(logging.CRITICAL)
        try:
            tokenizer.initialize()
        finally:
            jieba.setLogLevel(level)
        for word in self.user_words:
            tokenizer.add_word(*word)
        return tokenizer

    def add_word(self, word: UserWord) -> None:
        """Keep one more word whole from now on."""
        self.user_words.append(word)
        if self._jieba is not None:
            self._jieba.add_word(*word)

    def keeping_frequency(self, word: str) -> int:
        """The smallest frequency at which the word is kept whole; it is kept whole from now on."""
        if self._jieba is None:
            self._jieba = self._load()
        return int(self._jieba.suggest_freq(word, tune=True))

    def cut(self, text: str) -> list[str]:
        """The words of a text in order, white space among them; joined they make up the text again."""
        if self._jieba is None:
            self._jieba = self._load()
        if len(text) <= _MAX_STRETCH:
            return self._jieba.lcut(text, HMM=self.use_hmm)
        stretches = (text[i : i + _MAX_STRETCH] for i in range(0, len(text), _MAX_STRETCH))
        return [word for stretch in stretches for word in self._jieba.lcut(stretch, HMM=self.use_hmm)]

    def __getstate__(self) -> dict[str, Any]:
        # Without jieba's lock (it does not pickle) and its tables: a used segmenter has the fingerprint of a new one.
        return {**self.__dict__, "_jieba": None}
