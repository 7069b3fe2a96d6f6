"""Takes new words and gives a table in a file (TSV, UTF-8), or takes such a file and gives the words.

Each line holds a word, its measures and an example, and the best word comes first. ``aslstm find-words`` and ``aslstm train``
write these tables; people delete lines from them and pass them on to later commands.
"""

from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

from aslstm.errors import UserError
from tokenization.word_segmentation import can_be_kept

from .new_words import NewWord

_COLUMNS = [field.name for field in fields(NewWord)]


def write_new_words(path: Path, words: Iterable[NewWord]) -> None:
    """Write a table of new words.

    Args:
        path: The file to write.
        words: The words, best first.
    """
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write("\t".join(_COLUMNS) + "\n")
        for word in words:
            cells = (getattr(word, name) for name in _COLUMNS)
            file.write("\t".join(f"{cell:.4f}" if isinstance(cell, float) else str(cell) for cell in cells) + "\n")


def read_new_words(path: Path) -> list[NewWord]:
    """Read a table of new words.

    Raises:
        UserError: The file cannot be read, has another header or a malformed line, or has a word that jieba cannot keep whole.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise UserError(f"{path}: expected a readable file, found: {error.strerror}; check the path") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: expected UTF-8, found {error}; convert the file") from error
    if lines[0].rstrip("\r").split("\t") != _COLUMNS:
        raise UserError(f"{path}, line 1: expected the columns {', '.join(_COLUMNS)}, found {lines[0][:60]!r}")
    words = []
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        try:
            word, count, *measures, example = line.rstrip("\r").split("\t")
            cohesion, left_entropy, right_entropy, score = map(float, measures)
            words.append(NewWord(word, int(count), cohesion, left_entropy, right_entropy, score, example))
        except ValueError as error:
            raise UserError(f"{path}, line {number}: expected {len(_COLUMNS)} columns, found {line[:60]!r}") from error
        if not can_be_kept(word):
            raise UserError(
                f"{path}, line {number}: expected Chinese characters, Latin letters or digits, found {word!r}; take it out"
            )
    return words
