"""From training texts to a fresh tokenizer and model, and the first vectors of emoji that training never shows."""

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import torch

from modeling_aslstm import ASLSTMConfig, ASLSTMForSequenceClassification
from tokenization import ASLSTMTokenizer, build_tokenizer, build_vocabulary
from tokenization.emoji_splitting import chinese_emoji_name
from tokenization.vocabulary_files import PIECE_PREFIX, is_name_piece
from tokenization.word_segmentation import keep_whole

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ModelSettings:
    """The choices of a fresh model; the names are those of :class:`ASLSTMConfig`."""

    emoji_fusion: str
    attention_key: str
    classifier_input: str
    embedding_size: int
    hidden_size: int
    num_hidden_layers: int
    hidden_dropout_prob: float


def make_tokenizer(
    texts: Iterable[str], *, new_words: Iterable[str], min_count: int, min_emoji_count: int, model_max_length: int
) -> ASLSTMTokenizer:
    """A tokenizer whose words and emoji are those of the training texts.

    Where there are new words, jieba's hidden Markov model does not guess at others: on gold-segmented weibo posts its
    guesses cost more than they bring (benchmarks/new_words.py).
    """
    user_words = keep_whole(new_words)
    use_hmm = not user_words
    vocabulary = build_vocabulary(
        texts, min_count=min_count, min_emoji_count=min_emoji_count, user_words=user_words, use_hmm=use_hmm
    )
    logger.info("vocabulary: %d words and characters, %d emoji tokens", len(vocabulary.words), len(vocabulary.emoji))
    return build_tokenizer(vocabulary, model_max_length=model_max_length, use_hmm=use_hmm)


def make_model(
    tokenizer: ASLSTMTokenizer, settings: ModelSettings, label_names: list[str], train_labels: Iterable[str]
) -> ASLSTMForSequenceClassification:
    """A fresh model for a tokenizer; ``train_labels``, or a count of them, give the label prior."""
    counts = Counter(train_labels)
    config = ASLSTMConfig(
        vocab_size=len(tokenizer),
        emoji_token_offset=tokenizer.emoji_token_offset,
        num_emoji_tokens=tokenizer.num_emoji_tokens,
        clause_end_token_ids=tokenizer.clause_end_token_ids,
        pad_token_id=tokenizer.pad_token_id,
        id2label=dict(enumerate(label_names)),
        label2id={name: i for i, name in enumerate(label_names)},
        label_prior=[counts[name] / counts.total() for name in label_names],
        **vars(settings),
    )
    model = ASLSTMForSequenceClassification(config)
    start_emoji_vectors(model.aslstm.word_embeddings.weight, tokenizer)
    return model


@torch.no_grad()
def start_emoji_vectors(vectors: torch.Tensor, tokenizer: ASLSTMTokenizer) -> None:
    """Give emoji a start that means something, in place.

    A name piece ``##泪`` starts as the word 泪; a Unicode emoji as the mean of its Chinese name (``emoji`` package). One that
    training shows moves on from there, one that it does not keeps the meaning of its name.

    Args:
        vectors: (vocab_size, embedding_size) float, the embedding.
        tokenizer: gives token and name of each row.
    """
    vocabulary = tokenizer.get_vocab()
    start = tokenizer.emoji_token_offset
    for token_id in range(start, start + tokenizer.num_emoji_tokens):
        token = tokenizer.convert_ids_to_tokens(token_id)
        if is_name_piece(token):
            names = [token.removeprefix(PIECE_PREFIX)]
        else:
            name = chinese_emoji_name(token)
            names = tokenizer.tokenize(name) if name else []
        rows = [vocabulary[name] for name in names if vocabulary.get(name, start) < start]
        if rows:
            vectors[token_id] = vectors[rows].mean(0)
