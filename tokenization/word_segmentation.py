"""Cut text into words with a private jieba, which has its own dictionary, user words and cache folder; or with rjieba.

Takes text without emoji and gives its words. The segmenter can be pickled and deep-copied; jieba's own class cannot, because it
holds a lock.
"""

import functools
import importlib.machinery
import importlib.util
import logging
import os
import re
import threading
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from .dictionary_cutting import LETTERS_OR_NUMBER, DictionaryCutter, HiddenMarkovModel
from .text_normalization import SEPARATOR

logger = logging.getLogger(__name__)

# Longer texts are cut into stretches of this many characters, far more than a sentence has: a caller may stop before the
# end, and what a hidden Markov model keeps of its way stays small.
_MAX_STRETCH = 1000
_LONGEST_STRETCH = re.compile(f"{SEPARATOR}|[^{SEPARATOR}]{{1,{_MAX_STRETCH}}}")
# jieba keeps every beginning of a word and tries all of them at every character: a word of 1,000 characters makes encoding 56
# times as slow, and one of 30,000 takes a gigabyte. The longest word of its own dictionary has 16 characters.
MAX_WORD_LENGTH = 64
_KEEPABLE = re.compile(rf"[\u4e00-\u9fd5a-zA-Z0-9+#&._%\-]{{1,{MAX_WORD_LENGTH}}}")
# A frequency of more digits would be larger than what rjieba can add up.
_USER_DICT_LINE = re.compile(r"(?P<word>\S+)(?: (?P<frequency>\d{1,12}))?(?: (?P<tag>[a-z]+))?")
# While one thread loads an engine or adds a word, another one waits. A lock of a segmenter's own could not be pickled.
_CHANGING = threading.Lock()


class UserWord(NamedTuple):
    """One line of a jieba user dictionary.

    Attributes:
        word: The word that is kept whole.
        frequency: Its frequency. If it is None, jieba takes the smallest frequency that keeps the word whole.
        tag: Its part of speech, or None.
    """

    word: str
    frequency: int | None = None
    tag: str | None = None


def read_user_dict(path: str | os.PathLike[str]) -> list[UserWord]:
    """Read a user dictionary in jieba's format, which has ``word [frequency] [tag]`` in each line.

    Args:
        path: The file to read, in UTF-8 with or without a BOM.

    Raises:
        ValueError: The file is not UTF-8, or a line has another form. The message names the number of the line.
    """
    try:
        content = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: expected UTF-8, found {error}; convert the file") from error
    words = []
    # Split at "\n" only, because str.splitlines would also split at U+2028 and other characters.
    for number, line in enumerate(content.split("\n"), start=1):
        line = line.strip()
        if not line:
            continue
        match = _USER_DICT_LINE.fullmatch(line)
        if match is None:
            raise ValueError(f"{path}, line {number}: expected 'word [frequency] [tag]', found {line[:60]!r}; correct it")
        if len(match["word"]) > MAX_WORD_LENGTH:
            raise ValueError(
                f"{path}, line {number}: expected a word of at most {MAX_WORD_LENGTH} characters, found one of "
                f"{len(match['word'])}; shorten it or take the line out"
            )
        frequency = match["frequency"]
        words.append(UserWord(match["word"], int(frequency) if frequency else None, match["tag"]))
    return words


def can_be_kept(word: str) -> bool:
    """Return whether jieba can keep the word whole.

    It cuts at all other characters, whatever its dictionary says. A word longer than ``MAX_WORD_LENGTH`` is refused.

    >>> can_be_kept("hold住"), can_be_kept("新 词"), can_be_kept("(╯□╰)")
    (True, False, False)
    """
    return _KEEPABLE.fullmatch(word) is not None


def format_user_dict(words: Iterable[UserWord]) -> str:
    """Return the text of a user dictionary file.

    >>> format_user_dict([UserWord("绝绝子", 50, "n"), UserWord("破防")]).splitlines()
    ['绝绝子 50 n', '破防']
    """
    return "".join(" ".join(str(field) for field in word if field is not None) + "\n" for word in words)


def keep_whole(words: Iterable[str]) -> list[UserWord]:
    """Return user dictionary entries for words, each with the smallest frequency at which jieba keeps it whole.

    Without a frequency in the file, jieba would have to find it again at every start, and other readers of the file do not
    look for it.
    """
    segmenter = WordSegmenter(use_hmm=False)
    # Short words come first, because a long word needs a frequency that is high enough against its parts.
    return [UserWord(word, segmenter.keeping_frequency(word), "n") for word in sorted(set(words), key=lambda w: (len(w), w))]


def cache_folder() -> Path:
    """Return the user's own folder for jieba's parsed dictionary, which is created at the first use.

    jieba itself uses the shared temporary folder, where it would load a file that another user has written.
    """
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "aslstm"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


class _Jieba:
    """jieba's dictionary and model, in Python: about 2 MB of text are cut in a second, twice as much as jieba cuts itself."""

    def __init__(self) -> None:
        # Imported here and not above: where rjieba cuts, it would take time and memory and do nothing.
        with warnings.catch_warnings():
            # jieba imports pkg_resources, which warns that it is deprecated. Users of this package can do nothing about it.
            warnings.simplefilter("ignore")
            import jieba

        self.tokenizer = jieba.Tokenizer()
        try:
            self.tokenizer.tmp_dir = str(cache_folder())
        except (OSError, RuntimeError) as error:  # the folder cannot be written, or there is no home folder
            # The null device is no folder, so jieba finds no cache there and writes none.
            logger.warning("no cache folder, jieba's dictionary is parsed at every start: %s", error)
            self.tokenizer.tmp_dir = os.devnull
        level = jieba.default_logger.level
        jieba.setLogLevel(logging.CRITICAL)
        try:
            self.tokenizer.initialize()
        finally:
            jieba.setLogLevel(level)
        tables = jieba.finalseg
        self._model = HiddenMarkovModel(tables.start_P, tables.trans_P, tables.emit_P)
        self._never_words: set[str] = set()
        self._renew_cutter()

    def _renew_cutter(self) -> None:
        # The shares of all words change with their sum.
        self._cutter = DictionaryCutter(self.tokenizer.FREQ, self.tokenizer.total, self._model, self._never_words)

    def add_word(self, word: UserWord) -> None:
        if word.frequency == 0:
            self._never_make(word.word)
        else:
            self.tokenizer.add_word(*word)
        self._renew_cutter()

    def _never_make(self, word: str) -> None:
        # jieba's own add_word would also put the word into a set of its module, which changes what others in the process cut.
        self._never_words.add(word)
        frequencies = self.tokenizer.FREQ
        frequencies[word] = 0
        for end in range(1, len(word)):
            frequencies.setdefault(word[:end], 0)

    def keep(self, word: str) -> int:
        frequency = int(self.tokenizer.suggest_freq(word, tune=True))
        self._renew_cutter()
        return frequency

    def cut(self, text: str, use_hmm: bool) -> list[str]:
        return self._cutter.cut(text, use_hmm)

    def parts(self, word: str) -> list[str]:
        return [word]


class _RustJieba:
    """``rjieba``, in Rust: the same dictionary and algorithm, about 7 times as fast."""

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
        return [part for part in LETTERS_OR_NUMBER.split(word) if part]


SEGMENTERS = ("jieba", "rjieba")
# Places where letters or digits are next to a sign that may be inside a word.
_SIGN_IN_WORD = re.compile(r"[a-zA-Z0-9][+#&._%\-]|[+#&._%\-][a-zA-Z0-9]")


@functools.cache
def _rust_module() -> Any:
    """Return the compiled module of ``rjieba``, or None if it is not installed, with one warning."""
    # This is no import statement, because transformers refuses a folder whose files import what is not installed.
    package = importlib.util.find_spec("rjieba")
    # The package makes a segmenter when it is imported, whose dictionary takes .1 s and 30 MB. Only its class is needed here.
    spec = package and importlib.machinery.PathFinder.find_spec("rjieba", package.submodule_search_locations)
    if spec is None or spec.loader is None:
        logger.warning("segmenter rjieba is not installed, so jieba cuts the same words, slower; pip install rjieba")
        return None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class WordSegmenter:
    """Cuts text with jieba in its accurate mode, in Python or in Rust.

    The dictionary is read at the first use (about half a second from the cache), not when the object is made.

    Args:
        user_words: Words that are kept whole.
        use_hmm: Whether a hidden Markov model guesses words that the dictionary lacks.
        segmenter: ``jieba``, or ``rjieba``, which must be installed. Both cut the same words, except where two ways of cutting
            are equally likely.

    Raises:
        ValueError: jieba cannot keep one of the words, or there is no such segmenter.
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
                    f"user word {word.word[:MAX_WORD_LENGTH]!r}: expected at most {MAX_WORD_LENGTH} Chinese characters, Latin "
                    "letters, digits or +#&._%- after normalisation, found others or more; take it out of the user dictionary"
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
        """Return jieba or rjieba with the user words; its dictionary is read at the first call."""
        engine = self._engine
        if engine is None:
            with _CHANGING:
                engine = self._engine = self._engine or self._load()
        return engine

    def add_word(self, word: UserWord) -> None:
        """Add a word that is kept whole from now on."""
        with _CHANGING:
            self.user_words.append(word)
            if isinstance(self._engine, _Jieba):
                self._engine.add_word(word)
            else:
                # rjieba cannot be changed while another thread cuts with it, so the next use loads a new one.
                self._engine = None

    def keeping_frequency(self, word: str) -> int:
        """Return the smallest frequency at which the word is kept whole, and keep it whole from now on."""
        return self.engine.keep(word)

    def cut(self, text: str) -> list[str]:
        """Return the words of a text in order, including white space; joined, they are the text again."""
        return [part for word in self.cut_roughly(text) for part in self.parts(word)]

    def parts(self, word: str) -> list[str]:
        """Return the words in a word of :meth:`cut_roughly`.

        The hidden Markov model of rjieba leaves "3-3" and "sina.com" in one piece, which that of jieba cuts.
        """
        return self.engine.parts(word) if self.use_hmm else [word]

    def cut_roughly(self, text: str) -> list[str]:
        """Return the words of a text without dividing them by :meth:`parts`, which a caller can do once for each word.

        Texts that are joined with ``SEPARATOR`` are cut as each would be alone, and the separator is a word of its own.
        """
        if len(text) <= _MAX_STRETCH or max(map(len, text.split(SEPARATOR))) <= _MAX_STRETCH:
            return self.engine.cut(text, self.use_hmm)
        return [word for words in self.cut_stretches(text) for word in words]

    def cut_stretches(self, text: str) -> Iterator[list[str]]:
        """Yield the words of :meth:`cut_roughly` stretch by stretch, so that a caller may stop before a long text ends."""
        for stretch in _LONGEST_STRETCH.findall(text):
            yield self.engine.cut(stretch, self.use_hmm)

    def __getstate__(self) -> dict[str, Any]:
        # The engine is left out: its lock cannot be pickled, and a used segmenter must have the fingerprint of a new one.
        return {**self.__dict__, "_engine": None}
