"""A corpus made ready for training: its tokenizer, its rows as ids, what is known of its labels.

Takes the command line, gives :class:`TrainingData`. Vocabulary and labels come from the training split alone.
"""

import argparse
import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

import numpy as np
import torch
from datasets import Dataset, DatasetDict

from aslstm.data.corpora import CorpusSource, has_emoji, load_corpus, read_splits
from aslstm.errors import UserError
from aslstm.words.new_word_files import read_new_words
from aslstm.words.new_words import NewWord, discover_words
from tokenization import ASLSTMTokenizer, strip_emoji

from .batches import encode_rows
from .model import make_tokenizer
from .selections import select_rows
from .stage_times import StageTimes
from .starting_weights import StartingModel
from .streaming import StreamingRows, counted_texts

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingData:
    """A corpus ready for training.

    Attributes:
        tokenizer: made from the training texts.
        new_words: what it keeps whole beside jieba's dictionary.
        train: rows of ``input_ids``, ``labels``, ``row``.
        evaluation: the same for ``validation`` and, where there is one, ``test``.
        label_names: in the order of the model's outputs.
        label_counts: rows of each label in train.
        labels: (num_rows,) int of each evaluation split.
        emoji_rows: (num_rows,) bool of each evaluation split: the raw text has an emoji, also where ``--strip_emoji`` took it
            out.
    """

    tokenizer: ASLSTMTokenizer
    new_words: list[NewWord]
    train: Dataset | StreamingRows
    evaluation: dict[str, Dataset]
    label_names: list[str]
    label_counts: Counter[str]
    labels: dict[str, np.ndarray]
    emoji_rows: dict[str, np.ndarray]

    @property
    def token_counts(self) -> Counter[int]:
        """How often training has each id; nothing of a stream."""
        return Counter() if isinstance(self.train, StreamingRows) else Counter(chain.from_iterable(self.train["input_ids"]))

    @property
    def num_rows(self) -> dict[str, int]:
        """Rows of each split."""
        return {"train": self.label_counts.total()} | {split: len(rows) for split, rows in self.evaluation.items()}


def prepare_data(
    arguments: argparse.Namespace, start: StartingModel | None, num_processes: int, stages: StageTimes
) -> TrainingData:
    """Read the corpus, build the tokenizer from its training split, encode and select the rows.

    Args:
        arguments: the command line.
        start: a model whose vocabulary is kept.
        num_processes: that share the rows of a stream.
        stages: where the time goes.
    """
    if arguments.streaming:
        with stages.measure("reading and counting a stream"):
            return _prepare_stream(arguments, start, num_processes)
    return _prepare_corpus(arguments, start, stages)


def _corpus_source(arguments: argparse.Namespace) -> CorpusSource:
    return CorpusSource(**{name: getattr(arguments, name) for name in CorpusSource.__dataclass_fields__})


def _make_tokenizer(
    texts: Dataset | Iterable[str], new_words: list[NewWord], start: StartingModel | None, arguments: argparse.Namespace
) -> ASLSTMTokenizer:
    names = ("min_count", "min_emoji_count", "model_max_length", "segmenter")
    return make_tokenizer(
        texts,
        new_words=(word.word for word in new_words),
        start=start,
        **{name: getattr(arguments, name) for name in names},
    )


def _new_words(texts: Iterable[str], arguments: argparse.Namespace) -> list[NewWord]:
    """The words of ``--new_words``, or those that ``--discover_words`` finds in the training texts."""
    if arguments.new_words:
        return read_new_words(arguments.new_words)
    if not arguments.discover_words:
        return []
    words = discover_words(texts, method=arguments.discover_words, num_workers=2)
    logger.info("new words: %d, such as %s", len(words), " ".join(word.word for word in words[:10]))
    return words


def _prepare_corpus(arguments: argparse.Namespace, start: StartingModel | None, stages: StageTimes) -> TrainingData:
    with stages.measure("reading"):
        corpus = load_corpus(_corpus_source(arguments))
    label_names = sorted(set(corpus["train"]["label"]))
    if arguments.max_train_samples:
        corpus["train"] = corpus["train"].shuffle(seed=arguments.seed)
        corpus["train"] = corpus["train"].select(range(min(arguments.max_train_samples, len(corpus["train"]))))
    emoji_rows = {split: np.array([has_emoji(text) for text in rows["text"]]) for split, rows in corpus.items()}
    if arguments.strip_emoji:
        corpus = corpus.map(lambda row: {"text": strip_emoji(row["text"])}, desc="Taking out emoji")
    with stages.measure("segmentation and vocabulary"):
        new_words = _new_words(corpus["train"]["text"], arguments)
        tokenizer = _make_tokenizer(corpus["train"].select_columns("text"), new_words, start, arguments)
    encoded = DatasetDict()
    with stages.measure("tokenization"):
        for split, rows in corpus.items():
            encoded[split] = encode_rows(rows, tokenizer, label_names)
            if arguments.selection not in ("all", "new_words"):
                kept = select_rows(encoded[split], tokenizer, arguments.selection)
                if not kept.any():
                    raise UserError(f"--selection {arguments.selection}: expected rows in {split}, found none; choose another")
                encoded[split] = encode_rows(rows.select(np.flatnonzero(kept)), tokenizer, label_names)
                emoji_rows[split] = emoji_rows[split][kept]
    train = encoded.pop("train")
    counts = Counter(label_names[i] for i in train["labels"])
    missing = [name for name in label_names if name not in counts]
    if missing:
        raise UserError(
            f"--max_train_samples or --selection: expected rows of all {len(label_names)} labels in train, found none of "
            f"{', '.join(missing)}; take more rows"
        )
    labels = {split: np.array(rows["labels"]) for split, rows in encoded.items()}
    with_emoji = np.flatnonzero(emoji_rows.pop("train"))
    train = train.select([*range(len(train)), *np.tile(with_emoji, arguments.emoji_row_repeats)])
    return TrainingData(tokenizer, new_words, train, dict(encoded), label_names, counts, labels, emoji_rows)


def _prepare_stream(arguments: argparse.Namespace, start: StartingModel | None, num_processes: int) -> TrainingData:
    source = _corpus_source(arguments)
    # Whatever is evaluated is small and read as a whole; what is trained on is not.
    splits = read_splits(source, skip=("train",))
    if "validation" not in splits:
        raise UserError("--streaming: expected a validation split beside train, found none; give --validation_file")
    counts: Counter[str] = Counter()
    new_words = _new_words([], arguments)
    tokenizer = _make_tokenizer(counted_texts(source, counts), new_words, start, arguments)
    label_names = sorted(counts)
    for split, rows in splits.items():
        for number, label in enumerate(rows["label"], start=1):
            if label not in counts:
                raise UserError(
                    f"{split}, row {number}: expected a label that train has ({', '.join(counts)}), found {label!r}"
                )
    logger.info("streaming %d rows; rows that stand in two splits are not looked for", counts.total())
    evaluation = {
        split: encode_rows(rows.select_columns(["text", "label"]), tokenizer, label_names) for split, rows in splits.items()
    }
    train = StreamingRows(
        source,
        tokenizer,
        label_names,
        batch_size=arguments.per_device_train_batch_size,
        rows_per_epoch=arguments.steps_per_epoch * arguments.per_device_train_batch_size * num_processes,
        seed=arguments.seed,
    )
    labels = {split: np.array(rows["labels"]) for split, rows in evaluation.items()}
    emoji_rows = {split: np.array([has_emoji(text) for text in rows["text"]]) for split, rows in splits.items()}
    return TrainingData(tokenizer, new_words, train, evaluation, label_names, counts, labels, emoji_rows)


def loss_priors(emoji_prior_weight: float, data: TrainingData) -> np.ndarray:
    """Label shares for the loss, (2, num_labels): first for rows without emoji, then for rows with emoji.

    Each is ``(1 - w) · shares of all rows + w · shares of the rows of that kind``. What the loss takes as given the logits
    need not learn, so ``w`` is how much the mere presence of an emoji stops to count as evidence; which emoji it is and what
    the words say still counts. The decision adds the shares of all rows.

    Args:
        emoji_prior_weight: w, less than 1, so that no share is 0; 0 for a stream, whose rows are not looked at.
        data: its rows with an emoji among their ids.
    """
    counts = np.array([data.label_counts[label] for label in data.label_names])
    priors = np.tile(counts / counts.sum(), (2, 1))
    if not emoji_prior_weight or isinstance(data.train, StreamingRows):
        return priors
    start = data.tokenizer.emoji_token_offset
    end = start + data.tokenizer.num_emoji_tokens
    with_emoji = np.array([any(start <= token_id < end for token_id in ids) for ids in data.train["input_ids"]])
    labels = np.array(data.train["labels"])
    for prior, rows in zip(priors, (labels[~with_emoji], labels[with_emoji]), strict=True):
        if len(rows):
            prior += emoji_prior_weight * (np.bincount(rows, minlength=len(counts)) / len(rows) - prior)
    return priors


def class_weights(name: str, data: TrainingData) -> torch.Tensor | None:
    """Weights of the labels in the loss, (num_labels,), 1 on average over the rows: ``balanced``, its root, or None."""
    if name == "none":
        return None
    counts = np.array([data.label_counts[label] for label in data.label_names])
    weights = (counts.sum() / (len(counts) * counts)) ** (0.5 if name == "sqrt" else 1.0)
    return torch.tensor(weights * counts.sum() / (weights * counts).sum(), dtype=torch.float32)
