"""Takes another model's folder, vectors and the names of emoji and gives the weights that a new model starts from.

The weights are filled in place; those that nothing fills stay random.
"""

import logging
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from gensim.models import KeyedVectors

from aslstm.errors import UserError
from aslstm.model_folder.choosing import BUILT_IN, has_default_model, model_path
from aslstm.model_folder.layout import check_model_folder
from aslstm.model_folder.loading import load_model
from aslstm.words.word_vectors import read_vectors
from modeling_aslstm import ASLSTMConfig, ASLSTMForSequenceClassification
from tokenization import ASLSTMTokenizer
from tokenization.emoji_splitting import chinese_emoji_name
from tokenization.vocabulary_files import PIECE_PREFIX, is_name_piece

from .settings import NO_START, ModelSettings

logger = logging.getLogger(__name__)

# The sizes and choices of a model that starts from nothing.
DEFAULT_SIZES = {"embedding_size": 128, "hidden_size": 128, "num_hidden_layers": 1}
DEFAULT_CHOICES = {
    "emoji_fusion": "attention",
    "attention_key": "embedding",
    "classifier_input": "attention_and_query",
}


class StartingModel:
    """Holds the tokenizer and the config of a model folder to start from, whose files have been checked.

    Args:
        folder: A folder that ``aslstm train`` or ``aslstm pretrain`` wrote.

    Raises:
        UserError: A file of the folder is missing or damaged.
    """

    def __init__(self, folder: Path) -> None:
        check_model_folder(folder)
        self.folder = folder
        self.tokenizer = ASLSTMTokenizer.from_pretrained(folder)
        self.config = ASLSTMConfig.from_pretrained(folder)

    @torch.no_grad()
    def fill(self, model: ASLSTMForSequenceClassification, tokenizer: ASLSTMTokenizer) -> set[int]:
        """Copy the vectors of equal tokens and the layers of equal name and shape; the classifier only if the labels agree.

        Args:
            model: The new model, of any class with a classifier, whose weights are filled in place.
            tokenizer: The tokenizer of the new model.

        Returns:
            The ids whose vectors were copied.
        """
        source = load_model(self.folder)
        old_ids = self.tokenizer.get_vocab()
        pairs = [(new, old_ids[token]) for token, new in tokenizer.get_vocab().items() if token in old_ids]
        new_rows, old_rows = (list(column) for column in zip(*pairs, strict=True))
        # Weights of half precision become those of the new model.
        vectors = model.aslstm.word_embeddings.weight
        vectors[new_rows] = source.aslstm.word_embeddings.weight[old_rows].to(vectors)
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
    """Holds the model and the vectors that ``init_from`` and ``vectors`` name; either is None where the setting is."""

    model: StartingModel | None
    vectors: KeyedVectors | None


def read_starting_point(settings: ModelSettings, *, is_own: bool = False) -> tuple[StartingPoint, ModelSettings]:
    """Read the model and the vectors that a new model starts from.

    Args:
        settings: The settings of the new model; a value of None is open.
        is_own: Whether the rows are the user's own, so that the built-in model is where a model starts if nothing else is said.

    Returns:
        What was read, and the settings with values for all that were open.

    Raises:
        UserError: A folder or a file cannot be read, or the settings name a size other than theirs.
    """
    if settings.init_from is None and is_own:
        settings = replace(settings, init_from=_default_start(settings))
    start = StartingPoint(_starting_model(settings.init_from), read_vectors(settings.vectors) if settings.vectors else None)
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


def _starting_model(init_from: Path | None) -> StartingModel | None:
    if init_from is None or str(init_from) == NO_START:
        return None
    return StartingModel(model_path() if str(init_from) == BUILT_IN else init_from)


def _default_start(settings: ModelSettings) -> Path:
    """Return ``init_from`` for rows of the user's own: the built-in model, unless there is none or other settings forbid it."""
    if settings.vectors is not None:
        reason = "vectors are given"
    elif not has_default_model():
        reason = "this version has no built-in model"
    else:
        config = StartingModel(model_path()).config
        sizes = ((name, getattr(settings, name), getattr(config, name)) for name in DEFAULT_SIZES)
        others = [
            f"`{name}` is {given}, not {own} as in the built-in model" for name, given, own in sizes if given not in (None, own)
        ]
        if not others:
            logger.info("starting from the model %s; with `init_from` none, from random weights", model_path())
            return Path(BUILT_IN)
        reason = ", ".join(others)
    logger.info("starting from random weights: %s", reason)
    return Path(NO_START)


def _size_of(name: str, settings: ModelSettings, start: StartingPoint) -> int:
    """Return the size that is given, or else that of the model or vectors to start from, or else the default."""
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
    """Give emoji vectors that mean something to start from, in place.

    A name piece ``##泪`` starts as the vector of the word 泪, a Unicode emoji as the mean of the words of its Chinese name
    (from the package ``emoji``). Training moves the vectors of the emoji that it shows; the others keep the meaning of their
    names.

    Args:
        vectors: The embedding, (vocab_size, embedding_size) float.
        tokenizer: The tokenizer, which says what token each row belongs to.
        have_own: The ids whose vectors already mean something; they are left as they are.
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
