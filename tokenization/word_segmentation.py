"""Word segmentation with a private jieba: its own dictionary, user words and cache folder; in Rust where asked.

Takes emoji-free text, gives words. The segmenter pickles and deep-copies, which jieba's own class (it holds a lock)
does not.
"""

import functools
import importlib
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

from .text_normalization import SEPARATOR

logger = logging.getLogger(__name__)

# jieba's hidden Markov model copies its path at every character: one block of n characters costs n². Longer texts are
# cut in stretches of this many characters, far more than a sentence has.
_MAX_STRETCH = 1000
_LONGEST_STRETCH = re.compile(f"{SEPARATOR}|[^{SEPARATOR}]{{1,{_MAX_STRETCH}}}")
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


class _Jieba:
    """jieba itself: pure Python, about 1 MB of text a second."""

    def __init__(self) -> None:
        self.tokenizer = jieba.Tokenizer()
        try:
            self.tokenizer.tmp_dir = str(cache_folder())
        except (OSError, RuntimeError) as error:  # no place to write, or no home at all
            # The null device is no folder: jieba finds no cache there and writes none.
            logger.warning("no cache folder, jieba's dictionary is parsed at every start: %s", error)
            self.tokenizer.tmp_dir = os.devnull
        level = jieba.default_logger.level
        jieba.setLogLevel(logging.CRITICAL)
        try:
            self.tokenizer.initialize()
        finally:
            jieba.setLogLevel(level)

    def add_word(self, word: UserWord) -> None:
        self.tokenizer.add_word(*word)

    def keep(self, word: str) -> int:
        return int(self.tokenizer.suggest_freq(word, tune=True))

    def cut(self, text: str, use_hmm: bool) -> list[str]:
        words: list[str] = self.tokenizer.lcut(text, HMM=use_hmm)
        return words

    def parts(self, word: str) -> list[str]:
        return [word]


class _RustJieba:
    """``rjieba`` (Rust): the same dictionary and algorithm, about 15 times as fast."""

    def __init__(self, module: Any) -> None:
        self._tokenizer = module.Jieba()

    def add_word(self, word: UserWord) -> None:
        frequency = self._tokenizer.suggest_freq(word.word) if word.frequency is None else word.frequency
        self._tokenizer.add_word(word.word, frequency, word.tag or "n")

    def keep(self, word: str) -> int:
        frequency = int(self._tokenizer.suggest_freq(word))
        self._tokenizer.add_word(word, frequency, "n")
        return frequency

    def cut(self, text: str, use_hmm: bool) -> list[str]:
        words: list[str] = self._tokenizer.cut(text, use_hmm)
        return words

    def parts(self, word: str) -> list[str]:
        if not word.isascii() or not _SIGN_IN_WORD.search(word) or self._tokenizer.has_word(word):
            return [word]
        return [part for part in _LETTERS_OR_NUMBER.split(word) if part]


SEGMENTERS = ("jieba", "rjieba")
# Where letters or digits touch a sign that may stand inside a word.
_SIGN_IN_WORD = re.compile(r"[a-zA-Z0-9][+#&._%\-]|[+#&._%\-][a-zA-Z0-9]")
_LETTERS_OR_NUMBER = re.compile(r"([a-zA-Z0-9]+(?:\.\d+)?%?)")


@functools.cache
def _rust_module() -> Any:
    """The module ``rjieba``, or None where it is not installed, which is said once."""
    try:
        # Not an import statement: transformers refuses to load a folder whose files import what is not installed.
        return importlib.import_module("rjieba")
    except ImportError:
        logger.warning("segmenter rjieba is not installed, so jieba cuts the same words, slower; pip install rjieba")
        return None


class WordSegmenter:
    """jieba in its accurate mode, in Python or in Rust.

    The dictionary is read at first use (about half a second from the cache), not when the object is made.

    Args:
        user_words: words that are kept whole.
        use_hmm: whether a hidden Markov model guesses at words that the dictionary lacks.
        segmenter: ``jieba``, or ``rjieba`` where it is installed; they cut the same words but where two ways of cutting are
            equally likely.

    Raises:
        ValueError: a word that jieba cannot keep, or a segmenter that is neither.
    """

    def __init__(self, user_words: Iterable[UserWord] = (), *, use_hmm: bool = True, segmenter: str = "jieba") -> None:
        if segmenter not in SEGMENTERS:
            raise ValueError(f"segmenter: expected one of {', '.join(SEGMENTERS)}, found {segmenter!r}")
        self.user_words = list(user_words)
        self.use_hmm = use_hmm
        self.segmenter = segmenter
        for word in self.user_words:
            if not can_be_kept(word.word):
                raise ValueError(
                    f"user word {word.word!r}: expected Chinese characters, Latin letters, digits or +#&._%- after "
                    "normalisation, found others; take it out of the user dictionary"
                )
        self._engine: _Jieba | _RustJieba | None = None

    def _load(self) -> _Jieba | _RustJieba:
        module = _rust_module() if self.segmenter == "rjieba" else None
        engine = _Jieba() if module is None else _RustJieba(module)
        for word in self.user_words:
            engine.add_word(word)
        return engine

    @property
    def engine(self) -> _Jieba | _RustJieba:
        """What cuts, with the user words; its dictionary is read at the first call."""
        if self._engine is None:
            self._engine = self._load()
        return self._engine

    def add_word(self, word: UserWord) -> None:
        """Keep one more word whole from now on."""
        self.user_words.append(word)
        if self._engine is not None:
            self._engine.add_word(word)

    def keeping_frequency(self, word: str) -> int:
        """The smallest frequency at which the word is kept whole; it is kept whole from now on."""
        return self.engine.keep(word)

    def cut(self, text: str) -> list[str]:
        """The words of a text in order, white space among them; joined they make up the text again."""
        return [part for word in self.cut_roughly(text) for part in self.parts(word)]

    def parts(self, word: str) -> list[str]:
        """The words in a word of :meth:`cut_roughly`.

        The hidden Markov model of rjieba leaves "3-3" and "sina.com" in one piece, where jieba's cuts them.
        """
        return self.engine.parts(word) if self.use_hmm else [word]

    def cut_roughly(self, text: str) -> list[str]:
        """As :meth:`cut`, but for the words that :meth:`parts` divides: who remembers words needs to ask once for each.

        Of texts that are joined with ``SEPARATOR`` each is cut as it is alone; the separator is a word.
        """
        if len(text) <= _MAX_STRETCH or max(map(len, text.split(SEPARATOR))) <= _MAX_STRETCH:
            return self.engine.cut(text, self.use_hmm)
        return [word for stretch in _LONGEST_STRETCH.findall(text) for word in self.engine.cut(stretch, self.use_hmm)]

    def __getstate__(self) -> dict[str, Any]:
        # Without the engine's lock (it does not pickle) and tables: a used segmenter has the fingerprint of a new one.
        return {**self.__dict__, "_engine": None}
