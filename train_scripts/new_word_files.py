"""Files of new words as users give them: read, with every complaint in one line."""

from pathlib import Path

from tokenization import NewWord
from tokenization.new_words import read_new_words
from tokenization.word_segmentation import can_be_kept
from user_errors import UserError


def load_new_words(path: Path) -> list[NewWord]:
    """The words of a table that ``discover_words.py`` wrote.

    Raises:
        UserError: an unreadable or malformed file, or a word that jieba cannot keep whole, with its line.
    """
    try:
        words = read_new_words(path)
    except OSError as error:
        raise UserError(f"--new_words {path}: expected a readable file, found: {error.strerror}; check the path") from error
    except ValueError as error:
        raise UserError(f"--new_words {error}") from error
    for number, word in enumerate(words, start=2):
        if not can_be_kept(word.word):
            raise UserError(
                f"--new_words {path}, line {number}: expected Chinese characters, Latin letters or digits, found "
                f"{word.word!r}; take the word out"
            )
    return words
