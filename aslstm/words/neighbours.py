"""Takes vectors and gives the nearest neighbours of a word or emoji with their cosines, or places of emoji on a map."""

import numpy as np
from gensim.models import KeyedVectors
from sklearn.decomposition import PCA

from aslstm.errors import UserError
from tokenization.emoji_splitting import fold_emoji, known_unicode_emoji, split_emoji
from tokenization.text_normalization import TextNormalizer

from .script_table import simplified_characters
from .text_splitting import is_emoji_code


def nearest(vectors: KeyedVectors, word: str, count: int) -> list[tuple[str, float]]:
    """Return the tokens that are nearest to a word or emoji, with their cosines.

    Args:
        vectors: The vectors to search.
        word: The word or emoji.
        count: How many tokens are returned.

    Raises:
        UserError: The vectors neither have the word nor compose it.
    """
    token = TextNormalizer(simplified_characters()).normalize(word)
    pieces = split_emoji(token)
    if len(pieces) == 1 and pieces[0].is_emoji and not is_emoji_code(token):
        token = fold_emoji(token)
    # A vector of zeros has no direction: with a length of 1 its cosines are 0, and not 0 / 0.
    vectors.fill_norms()
    vectors.norms[vectors.norms == 0] = 1.0
    try:
        return vectors.most_similar(token, topn=count)
    except KeyError as error:
        raise UserError(f"{word}: expected a word that the vectors have, found none of this name; try another") from error


def place_emoji(vectors: KeyedVectors, count: int) -> dict[str, tuple[float, float]]:
    """Place the most frequent emoji in the plane of their two main directions (PCA).

    Args:
        vectors: The vectors of tokens, which are ordered by frequency.
        count: How many emoji are placed.

    Raises:
        UserError: The vectors have fewer than three emoji.
    """
    unicode_emoji = set(known_unicode_emoji())
    codes = [token for token in vectors.index_to_key if is_emoji_code(token)]
    emoji = (codes if len(codes) >= 3 else codes + [t for t in vectors.index_to_key if t in unicode_emoji])[:count]
    if len(emoji) < 3:
        raise UserError(f"`emoji_map`: expected vectors of three emoji or more, found {len(emoji)}; train on posts with emoji")
    matrix = np.stack([vectors.get_vector(token, norm=True) for token in emoji])
    places = PCA(n_components=2, random_state=0).fit_transform(matrix)
    return {token: (float(x), float(y)) for token, (x, y) in zip(emoji, places, strict=True)}
