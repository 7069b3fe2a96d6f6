"""Takes the flags of ``aslstm find-words`` and writes the new words of raw posts as a table, the best word first.

aslstm find-words --input posts.txt --output new_words.tsv
aslstm find-words --input 'corpus/*.jsonl.gz' more.csv --text_column content --output new_words.tsv
zcat posts.gz | aslstm find-words --input - --output new_words.tsv
aslstm find-words --input posts.txt --method tagger --output new_words.tsv

The table (word, count, cohesion, left_entropy, right_entropy, score, example) is read by ``aslstm train --new_words``;
delete the lines of words that you do not want.
"""

import logging
import os
import time
from collections.abc import Sequence
from dataclasses import MISSING, dataclass
from pathlib import Path

from aslstm.data.text_sources import TextSource
from aslstm.disk import is_stream
from aslstm.errors import UserError, check_packages
from aslstm.files import check_output_file, claimed, replacing
from aslstm.settings import check_settings, setting
from aslstm.spreadsheets import RAW_CELLS_HELP
from aslstm.words.new_word_files import write_new_words
from aslstm.words.new_words import METHODS, Thresholds, discover_words

from .flags import CommandParser, add_settings, make_settings, set_up_log

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FindWordsSettings:
    """Says which words are kept, and where the table is written.

    Raises:
        UserError: A value is not possible, or the output exists already.
    """

    output: Path = setting(MISSING, "table of words (TSV)")
    overwrite: bool = setting(False, "replace an output that exists")
    method: str = setting(
        "words",
        "how words are found: as runs of characters, of words, or of words and by a tagger",
        choices=(*METHODS, "tagger"),
    )
    max_word_length: int = setting(6, "longest word in characters; a run of letters or digits counts as one", at_least=2)
    min_count: int | None = setting(
        None, "how often a word occurs; default: 5 up to a million characters, then with their root", at_least=1
    )
    min_cohesion: float = setting(Thresholds().min_cohesion, "nats between the parts of a word")
    min_entropy: float = setting(Thresholds().min_entropy, "nats of its surroundings, on either side")
    min_score: float = setting(Thresholds().min_score, "cohesion times the geometric mean of the entropies")
    include_known: bool = setting(False, "keep words that jieba's dictionary has")
    raw_cells: bool = setting(False, RAW_CELLS_HELP)
    num_workers: int = setting(min(2, os.cpu_count() or 1), "processes", at_least=1)

    def __post_init__(self) -> None:
        check_settings(self)
        check_output_file(self.output, overwrite=self.overwrite)


def main(given: Sequence[str] | None = None) -> None:
    """Find the new words, write the table and log the best of them."""
    parser = CommandParser("find-words", "Find the new words of raw posts.")
    add_settings(parser, TextSource, FindWordsSettings)
    arguments = parser.parse_args(given)
    source, settings = make_settings(TextSource, arguments), make_settings(FindWordsSettings, arguments)
    if settings.method == "tagger":
        if streams := [str(path) for path in source.paths() if is_stream(path)]:
            found = "standard input" if streams[0] == "-" else f"the pipe or device {streams[0]}"
            raise UserError(f"`method` tagger: expected files, which it reads twice, found {found}; save the posts first")
        check_packages("tagger", "torch", "transformers", "torchcrf")
    set_up_log(logging.INFO)
    with claimed({"output": settings.output}, overwrite=settings.overwrite, inputs=source.paths()):
        _find(source, settings)


def _find(source: TextSource, settings: FindWordsSettings) -> None:
    """Find words and write the table."""
    has_tagger = settings.method == "tagger"
    started = time.perf_counter()
    words = discover_words(
        source.texts(),
        method="words" if has_tagger else settings.method,
        thresholds=Thresholds(settings.min_count, settings.min_cohesion, settings.min_entropy, settings.min_score),
        max_word_length=settings.max_word_length,
        known=() if settings.include_known else None,
        num_workers=settings.num_workers,
    )
    if has_tagger:
        # Imported here, because the other methods do not need torch, which takes seconds to import.
        from aslstm.training.rare_words import add_rare_words

        words = add_rare_words(words, list(source.texts()), max_word_length=settings.max_word_length)
    with replacing(settings.output) as partial:
        write_new_words(partial, words, raw_cells=settings.raw_cells)
    logger.info("%d words in %.1f s: %s", len(words), time.perf_counter() - started, settings.output)
    logger.info("%s", " ".join(word.word for word in words[:20]))
