"""The nearest neighbours of words and emoji, and a map of the emoji.

aslstm nearest '[泪]' 😂 给力 --vectors vectors.bin
aslstm nearest '[泪]' --model outputs/nlpcc2014
aslstm nearest --model outputs/nlpcc2014 --emoji_map emoji_map.png

Takes a file of vectors, or a model folder, whose vectors training has moved on.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import transformers
from gensim.models import KeyedVectors
from sklearn.decomposition import PCA

from aslstm.errors import UserError, check_packages
from aslstm.files import check_output_file, replacing
from aslstm.training.starting_weights import StartingModel
from aslstm.words.text_splitting import is_emoji_code
from aslstm.words.word_vectors import read_vectors
from modeling_aslstm import ASLSTMForSequenceClassification
from tokenization.emoji_splitting import fold_emoji, known_unicode_emoji, split_emoji
from tokenization.text_normalization import TextNormalizer
from tokenization.vocabulary_files import is_name_piece

from .flags import CommandParser


def parse_arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Read and check the command line.

    Raises:
        UserError: flags that name nothing to do.
    """
    parser = CommandParser("nearest", "Nearest neighbours of words and emoji.")
    parser.add_argument("words", nargs="*", help="words or emoji")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--vectors", type=Path, help="a file of vectors")
    source.add_argument("--model", type=Path, help="a model folder")
    parser.add_argument("--num_neighbours", type=int, default=10)
    parser.add_argument("--emoji_map", type=Path, help="draw the most frequent emoji by their likeness (PNG)")
    parser.add_argument("--num_emoji", type=int, default=60, help="on the map")
    parser.add_argument("--overwrite", action="store_true", help="replace a map that exists")
    arguments = parser.parse_args(given)
    if not arguments.words and not arguments.emoji_map:
        raise UserError("expected words or --emoji_map, found neither; name a word")
    if arguments.num_neighbours < 1 or arguments.num_emoji < 3:
        raise UserError(
            f"expected --num_neighbours 1 or more and --num_emoji 3 or more, found {arguments.num_neighbours} and "
            f"{arguments.num_emoji}"
        )
    if arguments.emoji_map:
        if arguments.emoji_map.suffix != ".png":
            raise UserError(f"--emoji_map {arguments.emoji_map}: expected a name ending in .png, found another")
        check_output_file(arguments.emoji_map, flag="--emoji_map", overwrite=arguments.overwrite)
        check_packages("report", "altair", "mplfonts", "vl_convert")
    return arguments


def vectors_of_model(folder: Path) -> KeyedVectors:
    """The vectors of a model's words and emoji, without special tokens and name pieces."""
    start = StartingModel(folder)
    model = ASLSTMForSequenceClassification.from_pretrained(folder)
    matrix = model.aslstm.word_embeddings.weight.detach().numpy()
    special = set(start.tokenizer.all_special_tokens)
    ids = {t: i for t, i in start.tokenizer.get_vocab().items() if t not in special and not is_name_piece(t)}
    vectors = KeyedVectors(matrix.shape[1])
    vectors.add_vectors(list(ids), matrix[list(ids.values())])
    return vectors


def nearest(vectors: KeyedVectors, word: str, count: int) -> list[tuple[str, float]]:
    """The nearest tokens of a word or emoji, with their cosine.

    Raises:
        UserError: the vectors neither have the word nor compose it.
    """
    token = TextNormalizer().normalize(word)
    pieces = split_emoji(token)
    if len(pieces) == 1 and pieces[0].is_emoji and not is_emoji_code(token):
        token = fold_emoji(token)
    try:
        return vectors.most_similar(token, topn=count)
    except KeyError as error:
        raise UserError(f"{word}: expected a word that the vectors have, found none of this name; try another") from error


def place_emoji(vectors: KeyedVectors, count: int) -> dict[str, tuple[float, float]]:
    """The first ``count`` emoji of the vectors, which stand by frequency, in the plane of their two main directions (PCA)."""
    unicode_emoji = set(known_unicode_emoji())
    codes = [token for token in vectors.index_to_key if is_emoji_code(token)]
    emoji = (codes if len(codes) >= 3 else codes + [t for t in vectors.index_to_key if t in unicode_emoji])[:count]
    if len(emoji) < 3:
        raise UserError(f"--emoji_map: expected vectors of three emoji or more, found {len(emoji)}; train on posts with emoji")
    matrix = np.stack([vectors.get_vector(token, norm=True) for token in emoji])
    places = PCA(n_components=2, random_state=0).fit_transform(matrix)
    return {token: (float(x), float(y)) for token, (x, y) in zip(emoji, places, strict=True)}


def main(given: Sequence[str] | None = None) -> None:
    """Read, print and draw."""
    arguments = parse_arguments(given)
    transformers.utils.logging.disable_progress_bar()
    vectors = read_vectors(arguments.vectors) if arguments.vectors else vectors_of_model(arguments.model)
    for word in arguments.words:
        print(f"{word}: " + "  ".join(f"{t} {cosine:.2f}" for t, cosine in nearest(vectors, word, arguments.num_neighbours)))
    if arguments.emoji_map:
        # Imported here: only the map needs the extra "report".
        from aslstm.charts import plot_emoji_map

        with replacing(arguments.emoji_map) as partial:
            plot_emoji_map(partial, place_emoji(vectors, arguments.num_emoji))
        print(f"saved {arguments.emoji_map}")
