"""What a fresh model starts from: another model's folder, vectors, and the names of emoji.

Every function fills weights in place and says how much it filled; what none of them reaches stays random.
"""

import logging
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from gensim.models import KeyedVectors

from aslstm.errors import UserError
from aslstm.model_folder.layout import check_model_folder
from aslstm.words.word_vectors import read_vectors
from modeling_aslstm import ASLSTMConfig, ASLSTMForSequenceClassification
from tokenization import ASLSTMTokenizer
from tokenization.emoji_splitting import chinese_emoji_name
from tokenization.vocabulary_files import PIECE_PREFIX, is_name_piece

from .settings import ModelSettings

logger = logging.getLogger(__name__)

# The sizes and choices of a model that starts from nothing.
DEFAULT_SIZES = {"embedding_size": 128, "hidden_size": 128, "num_hidden_layers": 1}
DEFAULT_CHOICES = {
    "emoji_fusion": "attention",
    "attention_key": "embedding",
    "classifier_input": "attention_and_query",
}


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
    """What ``init_from`` and ``vectors`` of :class:`ModelSettings` name, read; None for what they do not name."""

    model: StartingModel | None
    vectors: KeyedVectors | None


def read_starting_point(settings: ModelSettings) -> tuple[StartingPoint, ModelSettings]:
    """Read what a model starts from.

    Returns:
        What was read, and the settings with the choices and sizes that were left open.

    Raises:
        UserError: A folder or file that is not whole, or a size that differs from it.
    """
    start = StartingPoint(
        StartingModel(settings.init_from) if settings.init_from else None,
        read_vectors(settings.vectors) if settings.vectors else None,
    )
    if start.model is not None and start.vectors is not None:
        wanted, given = start.model.config.embedding_size, start.vectors.vector_size
        if wanted != given:
            raise UserError(
                f"`vectors`: expected vectors of size {wanted} as in `init_from`, found {given}; leave out one of them"
            )
    found: dict[str, Any] = {name: _size_of(name, settings, start) for name in DEFAULT_SIZES}
    for name, choice in DEFAULT_CHOICES.items():
        of_start = choice if start.model is None else getattr(start.model.config, name)
        found[name] = getattr(settings, name) or of_start
    if start.model is not None:
        found["no_max_pooling"] = settings.no_max_pooling or not start.model.config.use_max_pooling
        found["unidirectional"] = settings.unidirectional or not start.model.config.bidirectional
    return start, replace(settings, **found)


def _size_of(name: str, settings: ModelSettings, start: StartingPoint) -> int:
    """A size as it is given, as what the model starts from has it, or the default."""
    size, expected = getattr(settings, name), None
    if start.model is not None:
        expected = getattr(start.model.config, name)
    elif start.vectors is not None and name == "embedding_size":
        expected = start.vectors.vector_size
    if size is not None and expected is not None and size != expected:
        raise UserError(f"`{name}`: expected {expected} as in what `init_from` or `vectors` names, found {size}; leave it out")
    return size or expected or DEFAULT_SIZES[name]


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
