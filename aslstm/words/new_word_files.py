"""Takes new words and gives a table in a file (TSV, UTF-8), or takes such a file and gives the words.

Each line holds a word, its measures and an example, and the best word comes first. ``aslstm find-words`` and ``aslstm train``
write these tables; people delete lines from them and pass them on to later commands.
"""

from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

from aslstm.errors import UserError
from aslstm.spreadsheets import guarded, unguarded
from aslstm.text_files import read_lines
from tokenization.word_segmentation import MAX_WORD_LENGTH, can_be_kept

from .new_words import NewWord

_COLUMNS = [field.name for field in fields(NewWord)]
# A table that travels with a model has no examples, which are posts of other people.
_TRAVELLING_COLUMNS = _COLUMNS[:-1]


def write_new_words(path: Path, words: Iterable[NewWord], *, raw_cells: bool = False, with_examples: bool = True) -> None:
    """Write a table of new words.

    Args:
        path: The file to write.
        words: The words, best first.
        raw_cells: Whether words and examples are written as they are, although a spreadsheet may run them as formulas.
        with_examples: Whether each line ends with a post that holds the word.
    """
    columns = _COLUMNS if with_examples else _TRAVELLING_COLUMNS
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write("\t".join(columns) + "\n")
        for word in words:
            file.write("\t".join(_cell(getattr(word, name), raw_cells) for name in columns) + "\n")


def _cell(value: str | int | float, raw_cells: bool) -> str:
    if isinstance(value, str):
        return value if raw_cells else guarded(value)
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def read_new_words(path: Path) -> list[NewWord]:
    """Read a table of new words.

    Raises:
        UserError: The file cannot be read, has another header or a malformed line, or has a word that jieba cannot keep whole.
    """
    words: list[NewWord] = []
    header = _COLUMNS
    number = 0
    for number, line in enumerate(read_lines(path), start=1):
        if not isinstance(line, str):
            raise line
        line = line.rstrip("\r\n")
        if number == 1:
            header = line.split("\t")
            if header not in (_COLUMNS, _TRAVELLING_COLUMNS):
                raise UserError(f"{path}, line 1: expected the columns {', '.join(_COLUMNS)}, found {line[:60]!r}")
            continue
        if not line.strip():
            continue
        try:
            word, count, *measures, example = [*line.split("\t"), *[""] * (len(_COLUMNS) - len(header))]
            cohesion, left_entropy, right_entropy, score = map(float, measures)
            word = unguarded(word)
            words.append(NewWord(word, int(count), cohesion, left_entropy, right_entropy, score, unguarded(example)))
        except ValueError as error:
            raise UserError(f"{path}, line {number}: expected {len(header)} columns, found {line[:60]!r}") from error
        if len(word) > MAX_WORD_LENGTH:
            raise UserError(
                f"{path}, line {number}: expected a word of at most {MAX_WORD_LENGTH} characters, found {len(word):,}; "
                "take it out"
            )
        if not can_be_kept(word):
            raise UserError(
                f"{path}, line {number}: expected Chinese characters, Latin letters or digits, found {word!r}; take it out"
            )
    if number == 0:
        raise UserError(f"{path}, line 1: expected the columns {', '.join(_COLUMNS)}, found nothing")
    return words
