"""What a fresh model starts from: another model's folder, vectors, and the names of emoji.

Every function fills weights in place and says how much it filled; what none of them reaches stays random.
"""

import argparse
import logging
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import torch
from gensim.models import KeyedVectors

from aslstm.errors import UserError
from aslstm.model_folder.layout import check_model_folder
from aslstm.words.word_vectors import read_vectors
from modeling_aslstm import ASLSTMConfig, ASLSTMForSequenceClassification
from modeling_aslstm.configuration_aslstm import ATTENTION_KEYS, CLASSIFIER_INPUTS, EMOJI_FUSIONS
from tokenization import ASLSTMTokenizer
from tokenization.emoji_splitting import chinese_emoji_name
from tokenization.vocabulary_files import PIECE_PREFIX, is_name_piece

logger = logging.getLogger(__name__)

# Of a model that starts from nothing.
DEFAULT_SIZES = {"embedding_size": 128, "hidden_size": 128, "num_hidden_layers": 1}
DEFAULT_CHOICES = {
    "emoji_fusion": "attention",
    "attention_key": "embedding",
    "classifier_input": "attention_and_query",
}


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags for the choices, sizes and starting weights of a model, for every script that trains a classifier."""
    group = parser.add_argument_group("model")
    same = "default: that of --init_from, or"
    group.add_argument("--emoji_fusion", choices=EMOJI_FUSIONS, help=f"{same} attention")
    group.add_argument("--attention_key", choices=ATTENTION_KEYS, help=f"{same} embedding")
    group.add_argument("--classifier_input", choices=CLASSIFIER_INPUTS, help=f"{same} attention_and_query")
    group.add_argument("--unidirectional", action="store_true", help="no LSTM reads backwards: half the work, a little worse")
    group.add_argument("--no_max_pooling", action="store_true", help="the classifier reads no maxima")
    group.add_argument("--vectors", type=Path, help="start from these word vectors (word2vec, GloVe, fastText)")
    group.add_argument("--init_from", type=Path, help="start from this model folder; its vocabulary is kept and extended")
    group.add_argument("--embedding_size", type=int, help="default: that of --init_from or --vectors, or 128")
    group.add_argument("--hidden_size", type=int, help="units of one LSTM direction; default: that of --init_from, or 128")
    group.add_argument("--num_hidden_layers", type=int, help="default: that of --init_from, or 1")
    group.add_argument("--hidden_dropout_prob", type=float, default=0.5)


class StartingModel:
    """A model folder to start from, verified.

    Args:
        folder: of ``aslstm train`` or ``aslstm pretrain``.

    Raises:
        UserError: a folder that is not whole.
    """

    def __init__(self, folder: Path) -> None:
        check_model_folder(folder)
        self.folder = folder
        self.tokenizer = ASLSTMTokenizer.from_pretrained(folder)
        self.config = ASLSTMConfig.from_pretrained(folder)

    @torch.no_grad()
    def fill(self, model: ASLSTMForSequenceClassification, tokenizer: ASLSTMTokenizer) -> set[int]:
        """Copy vectors by token, and layers by name where their shapes agree; the classifier only where the labels do.

        Args:
            model: a classifier of any kind, whose ``aslstm`` is filled.
            tokenizer: names the rows of its embedding.

        Returns:
            The ids whose vector was copied.
        """
        source = ASLSTMForSequenceClassification.from_pretrained(self.folder)
        old_ids = self.tokenizer.get_vocab()
        pairs = [(new, old_ids[token]) for token, new in tokenizer.get_vocab().items() if token in old_ids]
        new_rows, old_rows = (list(column) for column in zip(*pairs, strict=True))
        model.aslstm.word_embeddings.weight[new_rows] = source.aslstm.word_embeddings.weight[old_rows]
        labels_agree = list((self.config.id2label or {}).values()) == list((model.config.id2label or {}).values())
        given = source.state_dict()
        layers = {
            name: weights
            for name, weights in model.state_dict().items()
            if "word_embeddings" not in name and (labels_agree or not name.startswith("classifier."))
        }
        taken = [name for name, weights in layers.items() if name in given and given[name].shape == weights.shape]
        for name in taken:
            layers[name].copy_(given[name])
        logger.info(
            "started from %s: %d of %d tokens (it has %d), %d of %d other weights, %s classifier",
            self.folder, len(pairs), len(tokenizer), len(self.tokenizer), len(taken), len(layers),
            "and its" if "classifier.weight" in taken else "a new",
        )  # fmt: skip
        return set(new_rows)


@dataclass(frozen=True)
class StartingPoint:
    """What ``--init_from`` and ``--vectors`` name, read; None for what is not named."""

    model: StartingModel | None
    vectors: KeyedVectors | None


def read_starting_point(arguments: argparse.Namespace) -> StartingPoint:
    """Read what to start from, and fill in the choices and sizes that the command line leaves open.

    Raises:
        UserError: a folder or file that is not whole, or a size that is impossible or differs from it.
    """
    start = StartingPoint(
        StartingModel(arguments.init_from) if arguments.init_from else None,
        read_vectors(arguments.vectors) if arguments.vectors else None,
    )
    if start.model is not None and start.vectors is not None:
        wanted, given = start.model.config.embedding_size, start.vectors.vector_size
        if wanted != given:
            raise UserError(
                f"--vectors: expected vectors of size {wanted} as in --init_from, found {given}; leave out one of them"
            )
    for name, choice in DEFAULT_CHOICES.items():
        if getattr(arguments, name) is None:
            setattr(arguments, name, choice if start.model is None else getattr(start.model.config, name))
    if start.model is not None:
        arguments.no_max_pooling |= not start.model.config.use_max_pooling
        arguments.unidirectional |= not start.model.config.bidirectional
    for name, default in DEFAULT_SIZES.items():
        size, expected = getattr(arguments, name), None
        if start.model is not None:
            expected = getattr(start.model.config, name)
        elif start.vectors is not None and name == "embedding_size":
            expected = start.vectors.vector_size
        if size is None:
            setattr(arguments, name, expected or default)
        elif size < 1:
            raise UserError(f"--{name}: expected 1 or more, found {size}")
        elif expected is not None and size != expected:
            raise UserError(
                f"--{name}: expected {expected} as in what --init_from or --vectors names, found {size}; leave it out"
            )
    if not 0.0 <= arguments.hidden_dropout_prob < 1.0:
        raise UserError(f"--hidden_dropout_prob: expected 0 or more and less than 1, found {arguments.hidden_dropout_prob}")
    return start


@torch.no_grad()
def start_emoji_vectors(vectors: torch.Tensor, tokenizer: ASLSTMTokenizer, have_own: Collection[int] = ()) -> None:
    """Give emoji a start that means something, in place.

    A name piece ``##泪`` starts as the word 泪; a Unicode emoji as the mean of its Chinese name (``emoji`` package). One that
    training shows moves on from there, one that it does not keeps the meaning of its name.

    Args:
        vectors: (vocab_size, embedding_size) float, the embedding.
        tokenizer: gives token and name of each row.
        have_own: ids that already have a vector that means something.
    """
    vocabulary = tokenizer.get_vocab()
    start = tokenizer.emoji_token_offset
    for token_id in range(start, start + tokenizer.num_emoji_tokens):
        if token_id in have_own:
            continue
        token = tokenizer.convert_ids_to_tokens(token_id)
        if is_name_piece(token):
            names = [token.removeprefix(PIECE_PREFIX)]
        else:
            name = chinese_emoji_name(token)
            names = tokenizer.tokenize(name) if name else []
        rows = [vocabulary[name] for name in names if vocabulary.get(name, start) < start]
        if rows:
            vectors[token_id] = vectors[rows].mean(0)
