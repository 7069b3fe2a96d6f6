"""Takes :class:`TrainSettings` and gives :class:`TrainingData`: a tokenizer, encoded rows, and the labels of a corpus.

Vocabulary and labels come from the training split alone.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
from datasets import Dataset, DatasetDict, concatenate_datasets

from aslstm.data.corpora import has_emoji, load_corpus, read_splits, without_white_space
from aslstm.data.label_faults import log_faults, log_rare_labels
from aslstm.data.labels import MULTI_LABEL, SINGLE_LABEL, names_of_labels
from aslstm.errors import UserError
from aslstm.words.new_word_files import read_new_words
from aslstm.words.new_words import NewWord, discover_words
from tokenization import ASLSTMTokenizer, strip_emoji

from .batches import encode_rows
from .fingerprints import RowsFingerprint, fingerprint_of_rows, fingerprint_of_soft_labels, fingerprint_of_tokenizer
from .model import make_tokenizer
from .selections import select_rows
from .settings import DataSettings, TrainSettings
from .soft_labels import SoftLabels, read_soft_labels
from .stage_times import StageTimes
from .starting_weights import StartingModel
from .streaming import StreamingRows, counted_texts

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingData:
    """Holds a corpus as training needs it.

    Attributes:
        tokenizer: The tokenizer, made from the training texts.
        new_words: The words that it keeps whole beside jieba's dictionary.
        train: The training rows, with ``input_ids``, ``labels`` and ``row``; where there are soft labels also with
            ``targets`` and ``is_soft`` (see :func:`_with_soft_labels`).
        evaluation: The same for ``validation`` and, where there is one, ``test``.
        label_names: The labels in the order of the model's outputs.
        label_counts: The number of rows of each label in train; a post with soft labels counts by its probabilities.
        labels: The labels of each evaluation split, (num_rows,) int, or (num_rows, num_labels) of 0 and 1.
        emoji_rows: Whether the raw text of each row of an evaluation split has an emoji, (num_rows,) bool, also where
            ``strip_emoji`` took it out.
        fingerprints: The fingerprint of the texts and labels of each split, and of the ``tokenizer``.
        problem_type: Whether a post has one label or any number of them.
        num_train: The number of rows of train; None for the sum of ``label_counts``.
    """

    tokenizer: ASLSTMTokenizer
    new_words: list[NewWord]
    train: Dataset | StreamingRows
    evaluation: dict[str, Dataset]
    label_names: list[str]
    label_counts: Mapping[str, float]
    labels: dict[str, np.ndarray]
    emoji_rows: dict[str, np.ndarray]
    fingerprints: dict[str, str] = field(default_factory=dict)
    problem_type: str = SINGLE_LABEL
    num_train: int | None = None

    @property
    def token_counts(self) -> Counter[int]:
        """Return how often each id occurs in the training rows; of a stream, nothing is known."""
        return Counter() if isinstance(self.train, StreamingRows) else Counter(chain.from_iterable(self.train["input_ids"]))

    @property
    def num_rows(self) -> dict[str, int]:
        """Return the number of rows of each split."""
        num_train = round(sum(self.label_counts.values())) if self.num_train is None else self.num_train
        return {"train": num_train} | {split: len(rows) for split, rows in self.evaluation.items()}


def prepare_data(settings: TrainSettings, start: StartingModel | None, num_processes: int, stages: StageTimes) -> TrainingData:
    """Read the corpus, build the tokenizer from its training split, encode and select the rows.

    Args:
        settings: The corpus, and what is done with its rows.
        start: A model whose vocabulary is kept.
        num_processes: The number of processes that share the rows of a stream.
        stages: Where the time of each stage is noted.
    """
    if settings.data.streaming:
        with stages.measure("reading and counting a stream"):
            return _prepare_stream(settings, start, num_processes)
    return _prepare_corpus(settings, start, stages)


def _make_tokenizer(
    texts: Dataset | Iterable[str], new_words: list[NewWord], start: StartingModel | None, settings: DataSettings
) -> ASLSTMTokenizer:
    return make_tokenizer(
        texts,
        new_words=(word.word for word in new_words),
        start=start,
        min_count=settings.min_count,
        min_emoji_count=settings.min_emoji_count,
        model_max_length=settings.model_max_length,
        segmenter=settings.segmenter,
    )


def _new_words(texts: Iterable[str], settings: DataSettings) -> list[NewWord]:
    """Return the words of the table ``new_words``, or those that ``discover_words`` finds in the training texts."""
    if settings.new_words:
        return read_new_words(settings.new_words)
    if not settings.discover_words:
        return []
    words = discover_words(texts, method=settings.discover_words, num_workers=2)
    logger.info("new words: %d, such as %s", len(words), " ".join(word.word for word in words[:10]))
    return words


def _prepare_corpus(settings: TrainSettings, start: StartingModel | None, stages: StageTimes) -> TrainingData:
    data = settings.data
    with stages.measure("reading"):
        corpus = load_corpus(settings.corpus)
    problem_type = settings.corpus.problem_type
    label_names = names_of_labels(corpus["train"]["label"], problem_type)
    log_faults(corpus["train"], problem_type)
    if data.max_train_samples:
        corpus["train"] = corpus["train"].shuffle(seed=settings.training.seed)
        corpus["train"] = corpus["train"].select(range(min(data.max_train_samples, len(corpus["train"]))))
    fingerprints = {split: fingerprint_of_rows(rows) for split, rows in corpus.items()}
    emoji_rows = {split: np.array([has_emoji(text) for text in rows["text"]]) for split, rows in corpus.items()}
    if data.strip_emoji:
        corpus = corpus.map(lambda row: {"text": strip_emoji(row["text"])}, desc="Taking out emoji")
    with stages.measure("segmentation and vocabulary"):
        new_words = _new_words(corpus["train"]["text"], data)
        texts = corpus["train"].select_columns("text")
        soft = None
        if data.soft_labels:
            soft = read_soft_labels(data.soft_labels, label_names)
            fingerprints["soft labels"] = fingerprint_of_soft_labels(soft.texts, soft.probabilities)
            soft = _without(soft, chain.from_iterable(rows["text"] for split, rows in corpus.items() if split != "train"))
            texts = concatenate_datasets([texts, Dataset.from_dict({"text": soft.texts})])
        tokenizer = _make_tokenizer(texts, new_words, start, data)
    fingerprints["tokenizer"] = fingerprint_of_tokenizer(tokenizer, (word.word for word in new_words))
    encoded = DatasetDict()
    with stages.measure("tokenization"):
        for split, rows in corpus.items():
            encoded[split] = encode_rows(rows, tokenizer, label_names, problem_type)
            if data.selection not in ("all", "new_words"):
                kept = select_rows(encoded[split], tokenizer, data.selection)
                if not kept.any():
                    raise UserError(f"`selection` {data.selection}: expected rows in {split}, found none; choose another")
                encoded[split] = encode_rows(rows.select(np.flatnonzero(kept)), tokenizer, label_names, problem_type)
                emoji_rows[split] = emoji_rows[split][kept]
    train = encoded.pop("train")
    num_train, counts = len(train), _count_labels(train["labels"], label_names, problem_type)
    missing = [name for name in label_names if name not in counts]
    if missing:
        raise UserError(
            f"`max_train_samples` or `selection`: expected rows of all {len(label_names)} labels in train, found none of "
            f"{', '.join(missing)}; take more rows"
        )
    labels = {split: np.array(rows["labels"]) for split, rows in encoded.items()}
    with_emoji = np.flatnonzero(emoji_rows.pop("train"))
    train = train.select([*range(len(train)), *np.tile(with_emoji, settings.training.emoji_row_repeats)])
    shares: Mapping[str, float] = counts
    if soft is not None:
        with stages.measure("tokenization"):
            train = _with_soft_labels(train, soft, tokenizer, label_names)
        shares = {name: counts[name] + float(soft.probabilities[:, i].sum()) for i, name in enumerate(label_names)}
    return TrainingData(
        tokenizer, new_words, train, dict(encoded), label_names, shares, labels, emoji_rows, fingerprints, problem_type,
        num_train if problem_type == MULTI_LABEL else None,
    )  # fmt: skip


def _count_labels(labels: Iterable[Any], label_names: list[str], problem_type: str) -> Counter[str]:
    """Return the number of rows of each label, from the numbers of :func:`aslstm.training.batches.label_targets`."""
    if problem_type == MULTI_LABEL:
        return Counter(name for row in labels for name, has in zip(label_names, row, strict=True) if has)
    return Counter(label_names[i] for i in labels)


def _without(soft: SoftLabels, texts: Iterable[str]) -> SoftLabels:
    """Leave out the posts that are evaluated: their labels by a teacher might tell what the split is there to measure."""
    evaluated = {without_white_space(text) for text in texts}
    kept = [i for i, text in enumerate(soft.texts) if without_white_space(text) not in evaluated]
    return SoftLabels([soft.texts[i] for i in kept], soft.probabilities[kept])


def _with_soft_labels(train: Dataset, soft: SoftLabels, tokenizer: ASLSTMTokenizer, label_names: list[str]) -> Dataset:
    """Add posts with soft labels to the training rows.

    Every row then has ``targets``, the probabilities to learn, (num_labels,), and ``is_soft``, 1 for a post with soft labels
    and 0 for a row of train. The ``labels`` of a post with soft labels are its likeliest label.
    """
    best = [label_names[i] for i in soft.probabilities.argmax(1)]
    posts = encode_rows(Dataset.from_dict({"text": soft.texts, "label": best}), tokenizer, label_names)
    first = 0
    rows = []
    for is_soft, part, targets in ((0, train, np.eye(len(label_names))[train["labels"]]), (1, posts, soft.probabilities)):
        columns = {
            "input_ids": part["input_ids"][:],
            "labels": part["labels"][:],
            "row": list(range(first, first + len(part))),
            "targets": targets.astype(np.float32),
            "is_soft": np.full(len(part), is_soft),
        }
        rows.append(Dataset.from_dict(columns))
        first += len(part)
    logger.info("learning the answers of teachers on %d posts beside %d rows of train", len(posts), len(train))
    return concatenate_datasets(rows)


def _prepare_stream(settings: TrainSettings, start: StartingModel | None, num_processes: int) -> TrainingData:
    source, training = settings.corpus, settings.training
    # The splits that are evaluated are small and read as a whole; the training split is not.
    splits = read_splits(source, skip=("train",))
    if "validation" not in splits:
        raise UserError("`streaming`: expected a validation split beside train, found none; give `validation_file`")
    counts: Counter[str] = Counter()
    fingerprint = RowsFingerprint()
    new_words = _new_words([], settings.data)
    tokenizer = _make_tokenizer(counted_texts(source, counts, fingerprint), new_words, start, settings.data)
    fingerprints = {split: fingerprint_of_rows(rows) for split, rows in splits.items()}
    fingerprints |= {
        "train": fingerprint.hexdigest(),
        "tokenizer": fingerprint_of_tokenizer(tokenizer, (word.word for word in new_words)),
    }
    label_names, problem_type = sorted(counts), source.problem_type
    log_rare_labels(counts)
    for split, rows in splits.items():
        for number, label in enumerate(rows["label"], start=1):
            if not counts.keys() >= set(names_of_labels([label], problem_type)):
                raise UserError(
                    f"{split}, row {number}: expected a label that train has ({', '.join(counts)}), found {label!r}"
                )
    num_rows = fingerprint.num_rows
    logger.info("streaming %d rows; rows that stand in two splits are not looked for", num_rows)
    evaluation = {
        split: encode_rows(rows.select_columns(["text", "label"]), tokenizer, label_names, problem_type)
        for split, rows in splits.items()
    }
    train = StreamingRows(
        source,
        tokenizer,
        label_names,
        batch_size=training.per_device_train_batch_size,
        rows_per_epoch=settings.data.steps_per_epoch * training.per_device_train_batch_size * num_processes,
        seed=training.seed,
    )
    labels = {split: np.array(rows["labels"]) for split, rows in evaluation.items()}
    emoji_rows = {split: np.array([has_emoji(text) for text in rows["text"]]) for split, rows in splits.items()}
    return TrainingData(
        tokenizer, new_words, train, evaluation, label_names, counts, labels, emoji_rows, fingerprints, problem_type, num_rows
    )
