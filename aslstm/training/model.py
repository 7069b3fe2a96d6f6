"""Takes training texts and gives a tokenizer, and takes that and gives a model with its starting weights."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from datasets import Dataset

from aslstm.data.labels import MULTI_LABEL, SINGLE_LABEL
from aslstm.words.vocabulary import build_tokenizer, build_vocabulary, choose_tokens, extend_vocabulary
from aslstm.words.word_vectors import start_from_vectors
from modeling_aslstm import ASLSTMConfig, ASLSTMForSequenceClassification
from tokenization import ASLSTMTokenizer
from tokenization.word_segmentation import keep_whole

from .batches import count_tokens
from .settings import ModelSettings
from .starting_weights import StartingModel, StartingPoint, start_emoji_vectors

logger = logging.getLogger(__name__)


# The config has these settings of a model under the same names.
_CONFIG_NAMES = (
    "emoji_fusion", "attention_key", "classifier_input", "embedding_size", "hidden_size", "num_hidden_layers",
    "hidden_dropout_prob",
)  # fmt: skip


def make_tokenizer(
    texts: Dataset | Iterable[str],
    *,
    new_words: Iterable[str],
    start: StartingModel | None = None,
    min_count: int,
    min_emoji_count: int,
    model_max_length: int,
    segmenter: str | None = None,
    num_workers: int = 1,
) -> ASLSTMTokenizer:
    """Make a tokenizer whose words and emoji are those of the training texts and of the model to start from.

    Where there are new words, jieba's hidden Markov model does not guess further ones: on gold-segmented weibo posts its
    guesses do more harm than good (benchmarks/new_words.py).

    Args:
        texts: The training texts, plain or as a ``Dataset`` with a column ``text``. The words of a ``Dataset`` are counted
            once; a second run reads the counts from the cache of ``datasets``.
        new_words: The words that are kept whole beside those of jieba's dictionary.
        start: The model to start from, or None.
        min_count: How often a word must occur to be one token; rarer ones are spelled in characters.
        min_emoji_count: How often an emoji code must occur to be one token; rarer ones are spelled in name pieces.
        model_max_length: The number of tokens after which a post is cut.
        segmenter: The segmenter; None for that of the model to start from, or jieba.
        num_workers: The number of processes that count the words of plain texts.
    """
    user_words = keep_whole(new_words)
    use_hmm = not user_words
    if start is not None:
        user_words = [*user_words, *start.tokenizer.user_words]
        had_hmm = start.tokenizer.init_kwargs.get("use_hmm", True)
        if had_hmm and not use_hmm:
            logger.warning("with new words jieba does not guess at others, as it did for %s", start.folder)
        use_hmm = use_hmm and had_hmm
        segmenter = segmenter or start.tokenizer.init_kwargs.get("segmenter")
    segmenter = segmenter or "jieba"
    if isinstance(texts, Dataset):
        counts = count_tokens(texts, user_words=user_words, use_hmm=use_hmm, segmenter=segmenter)
        vocabulary = choose_tokens(counts, min_count=min_count, min_emoji_count=min_emoji_count, user_words=user_words)
    else:
        vocabulary = build_vocabulary(
            texts,
            min_count=min_count,
            min_emoji_count=min_emoji_count,
            user_words=user_words,
            use_hmm=use_hmm,
            segmenter=segmenter,
            num_workers=num_workers,
        )
    if start is not None:
        vocabulary = extend_vocabulary(start.tokenizer, vocabulary)
    logger.info("vocabulary: %d words and characters, %d emoji tokens", len(vocabulary.words), len(vocabulary.emoji))
    return build_tokenizer(vocabulary, model_max_length=model_max_length, use_hmm=use_hmm, segmenter=segmenter)


def make_model(
    tokenizer: ASLSTMTokenizer,
    settings: ModelSettings,
    label_names: list[str],
    label_counts: Mapping[str, float],
    *,
    model_class: type[ASLSTMForSequenceClassification] = ASLSTMForSequenceClassification,
    start: StartingPoint = StartingPoint(None, None),  # noqa: B008 (frozen)
    token_counts: Mapping[int, int] | None = None,
    problem_type: str = SINGLE_LABEL,
) -> Any:
    """Make a model for a tokenizer; its weights start from vectors, then from another model, then from names of emoji.

    Args:
        tokenizer: The tokenizer whose vocabulary the model reads.
        settings: The sizes and choices of the model, none of which is None.
        label_names: The labels in the order of the outputs.
        label_counts: The number of training rows of each label, which gives the label prior; it need not be whole.
        model_class: The class of the classifier.
        start: The vectors and the model that the weights start from.
        token_counts: How often each id occurs in training, for the log line on how much the vectors cover.
        problem_type: Whether a post has one label or any number of them, of which no shares are known then.
    """
    total = sum(label_counts.values())
    rule: dict[str, Any] = {"label_prior": [label_counts[name] / total for name in label_names]}
    if problem_type == MULTI_LABEL:
        rule = {"problem_type": MULTI_LABEL}
    config = ASLSTMConfig(
        vocab_size=len(tokenizer),
        emoji_token_offset=tokenizer.emoji_token_offset,
        num_emoji_tokens=tokenizer.num_emoji_tokens,
        clause_end_token_ids=tokenizer.clause_end_token_ids,
        pad_token_id=tokenizer.pad_token_id,
        id2label=dict(enumerate(label_names)),
        label2id={name: i for i, name in enumerate(label_names)},
        **rule,
        bidirectional=not settings.unidirectional,
        use_max_pooling=not settings.no_max_pooling,
        **{name: getattr(settings, name) for name in _CONFIG_NAMES},
    )
    model = model_class(config)
    embedding = model.aslstm.word_embeddings.weight
    have_own: set[int] = set()
    if start.vectors is not None:
        have_own |= start_from_vectors(embedding, tokenizer, start.vectors, token_counts or {})
    if start.model is not None:
        have_own |= start.model.fill(model, tokenizer)
    start_emoji_vectors(embedding, tokenizer, have_own)
    return model
