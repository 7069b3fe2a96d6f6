"""Takes the flags of ``aslstm nearest`` and prints the nearest neighbours of words and emoji, or draws a map of emoji.

aslstm nearest '[泪]' 😂 给力 --vectors vectors.bin
aslstm nearest '[泪]' --model outputs/nlpcc2014
aslstm nearest --model outputs/nlpcc2014 --emoji_map emoji_map.png

The vectors are those of a file, or those of a model folder, which training has changed.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gensim.models import KeyedVectors

from aslstm.errors import UserError, check_packages
from aslstm.files import check_output_file, claimed, replacing
from aslstm.model_folder.choosing import BUILT_IN, folder_of
from aslstm.model_folder.layout import check_model_folder
from aslstm.settings import check_settings, setting
from aslstm.words.neighbours import nearest, place_emoji
from aslstm.words.word_vectors import read_vectors
from tokenization.vocabulary_files import is_name_piece

from .flags import CommandParser, add_settings, make_settings, say


@dataclass(frozen=True)
class NearestSettings:
    """Says where the vectors come from and what is shown of them.

    Raises:
        UserError: The settings name no vectors or two sources of them, or the map cannot be written.
    """

    vectors: Path | None = setting(None, "file of vectors")
    model: Path | None = setting(None, f"model folder, or {BUILT_IN}")
    num_neighbours: int = setting(10, "neighbours that are printed of each word", at_least=1)
    emoji_map: Path | None = setting(None, "draw the most frequent emoji by their likeness into this PNG")
    num_emoji: int = setting(60, "emoji on the map", at_least=3)
    overwrite: bool = setting(False, "replace a map that exists")

    def __post_init__(self) -> None:
        check_settings(self)
        if (self.vectors is None) == (self.model is None):
            raise UserError("expected `vectors` or `model`, found both or neither; name one of them")
        if self.emoji_map is not None:
            if self.emoji_map.suffix.lower() != ".png":
                raise UserError(f"`emoji_map` {self.emoji_map}: expected a name ending in .png, found another")
            check_output_file(self.emoji_map, name="emoji_map", overwrite=self.overwrite)
            check_packages("report", "altair", "mplfonts", "vl_convert")


def vectors_of_model(folder: Path) -> KeyedVectors:
    """Read the vectors of the words and emoji of a model, without special tokens and name pieces."""
    # Imported here, because a file of vectors does not need torch, which takes seconds to import.
    import transformers

    from aslstm.model_folder.loading import load_model
    from tokenization import ASLSTMTokenizer

    transformers.utils.logging.disable_progress_bar()
    check_model_folder(folder)
    tokenizer = ASLSTMTokenizer.from_pretrained(folder)
    model = load_model(folder)
    matrix = model.aslstm.word_embeddings.weight.detach().numpy()
    special = set(tokenizer.all_special_tokens)
    ids = {t: i for t, i in tokenizer.get_vocab().items() if t not in special and not is_name_piece(t)}
    vectors = KeyedVectors(matrix.shape[1])
    vectors.add_vectors(list(ids), matrix[list(ids.values())])
    return vectors


def main(given: Sequence[str] | None = None) -> None:
    """Print the neighbours of the words, and draw the map if it is asked for."""
    parser = CommandParser("nearest", "Show the nearest neighbours of words and emoji.")
    parser.add_argument("words", nargs="*", default=argparse.SUPPRESS, help="words or emoji")
    add_settings(parser, NearestSettings)
    arguments = parser.parse_args(given)
    settings = make_settings(NearestSettings, arguments)
    words = getattr(arguments, "words", [])
    if not words and settings.emoji_map is None:
        raise UserError("expected words or `emoji_map`, found neither; name a word")
    vectors = (
        vectors_of_model(folder_of(settings.model)) if settings.model is not None else read_vectors(Path(str(settings.vectors)))
    )
    for word in words:
        say(f"{word}: " + "  ".join(f"{t} {cosine:.2f}" for t, cosine in nearest(vectors, word, settings.num_neighbours)))
    if settings.emoji_map is not None:
        # Imported here, because only the map needs the extra "report".
        from aslstm.charts import plot_emoji_map

        inputs = [settings.vectors] if settings.vectors else []
        claim = claimed({"emoji_map": settings.emoji_map}, overwrite=settings.overwrite, inputs=inputs)
        with claim, replacing(settings.emoji_map) as partial:
            plot_emoji_map(partial, place_emoji(vectors, settings.num_emoji))
        print(f"saved {settings.emoji_map}")
