"""Takes the flags of ``aslstm train-vectors`` and trains vectors of words and emoji, in one space, on raw posts.

aslstm train-vectors --input posts.txt --output vectors.bin
aslstm train-vectors --input a.jsonl.gz b.csv --text_column text review --output vectors.bin
aslstm train-vectors --input posts.txt --method word2vec --output vectors.vec

The posts may be in any number of files. The file of vectors is read by ``aslstm train --vectors``,
``aslstm pretrain --vectors`` and ``aslstm nearest``.
"""

import logging
from collections.abc import Sequence

from aslstm.data.text_sources import TextSource
from aslstm.files import claimed
from aslstm.words.vector_training import VectorSettings, train_vectors

from .flags import CommandParser, add_settings, make_settings, set_up_log


def main(given: Sequence[str] | None = None) -> None:
    """Train the vectors and write them."""
    parser = CommandParser("train-vectors", "Train vectors of words and emoji.")
    add_settings(parser, TextSource, VectorSettings)
    arguments = parser.parse_args(given)
    source, settings = make_settings(TextSource, arguments), make_settings(VectorSettings, arguments)
    set_up_log(logging.INFO)
    inputs = [*source.paths(), *([settings.new_words] if settings.new_words else [])]
    with claimed({"output": settings.output}, overwrite=settings.overwrite, inputs=inputs):
        train_vectors(source.texts(), settings)
