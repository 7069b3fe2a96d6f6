"""Takes rows and gives token counts, encoded rows, the rows of each batch, and padded tensors.

Batches depend on the seed, the epoch and the rows alone, so that a resumed run meets the same ones.
"""

import functools
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib.metadata import distributions
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from datasets.fingerprint import Hasher
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import BatchSampler

import tokenization
from aslstm import words
from aslstm.data.labels import MULTI_LABEL, SINGLE_LABEL, split_labels
from aslstm.words.text_splitting import TextSplitter
from tokenization import ASLSTMTokenizer
from tokenization.word_segmentation import UserWord

BATCHES_PER_BUCKET = 50
# Columns that the training rows have where teachers gave them soft labels.
SOFT_COLUMNS = ("targets", "is_soft")
SEGMENTING_PACKAGES = {"OpenCC", "emoji", "jieba", "rjieba"}


@functools.cache
def segmentation_stamp() -> str:
    """Return a hash of the code and the packages that cut texts, whose changes the cache of ``datasets`` would not see."""
    folders = [Path(str(package.__file__)).parent for package in (tokenization, words)]
    sources = [path.read_bytes() for folder in folders for path in sorted(folder.glob("*.py"))]
    return Hasher.hash((sources, sorted((one.name, one.version) for one in distributions() if one.name in SEGMENTING_PACKAGES)))


def label_targets(labels: Sequence[str], label_names: list[str], problem_type: str) -> list[Any]:
    """Return the labels of rows as numbers: one for each row, or with any number of labels a list of 0 and 1 for each.

    >>> label_targets(["b", "a"], ["a", "b"], SINGLE_LABEL), label_targets(["a|b", ""], ["a", "b"], MULTI_LABEL)
    ([1, 0], [[1.0, 1.0], [0.0, 0.0]])
    """
    if problem_type != MULTI_LABEL:
        label_ids = {name: i for i, name in enumerate(label_names)}
        return [label_ids[label] for label in labels]
    sets = [set(split_labels(label)) for label in labels]
    return [[float(name in names) for name in label_names] for names in sets]


def encode_rows(rows: Dataset, tokenizer: ASLSTMTokenizer, label_names: list[str], problem_type: str = SINGLE_LABEL) -> Dataset:
    """Turn the columns ``text`` and ``label`` into ``input_ids``, ``labels`` and ``row`` (the place in the split).

    ``labels`` is what :func:`label_targets` gives for each row.
    """

    def encode(batch: dict[str, list[Any]], indices: list[int], stamp: str) -> dict[str, list[Any]]:
        return {
            "input_ids": tokenizer(batch["text"], truncation=True, return_attention_mask=False)["input_ids"],
            "labels": label_targets(batch["label"], label_names, problem_type),
            "row": indices,
        }

    return rows.map(
        encode, batched=True, with_indices=True, remove_columns=rows.column_names, desc="Tokenizing",
        fn_kwargs={"stamp": segmentation_stamp()},
    )  # fmt: skip


def count_tokens(rows: Dataset, *, user_words: list[UserWord], use_hmm: bool, segmenter: str) -> Counter[str]:
    """Count each word and emoji in the texts of ``rows``; a second run on the same rows reads the counts from the cache."""
    splitter = TextSplitter(user_words, use_hmm=use_hmm, segmenter=segmenter)

    def count(batch: dict[str, list[Any]], stamp: str) -> dict[str, list[Any]]:
        counts = Counter(chain.from_iterable(splitter.split(batch["text"])))
        return {"token": list(counts), "count": list(counts.values())}

    total: Counter[str] = Counter()
    partial = rows.map(
        count, batched=True, remove_columns=rows.column_names, desc="Counting words", fn_kwargs={"stamp": segmentation_stamp()}
    )
    for token, number in zip(partial["token"], partial["count"], strict=True):
        total[token] += number
    return total


class LengthBucketSampler(BatchSampler):
    """Yields batches of rows of similar length, shuffled anew each epoch; without ``shuffle``, the longest rows come first.

    Args:
        lengths: The number of tokens of each row.
        batch_size: The number of rows in a batch of one process.
        shuffle: Whether rows are shuffled, then sorted within buckets of 50 batches, and the batches shuffled again.
        seed: The seed; the order depends on it and on the epoch alone.
        drop_last: Whether the rows that do not fill a batch are left out. They are other rows in each epoch.
    """

    def __init__(self, lengths: list[int], batch_size: int, *, shuffle: bool, seed: int = 0, drop_last: bool = False) -> None:
        super().__init__(range(len(lengths)), batch_size, drop_last=drop_last)
        # If several processes share the batches, accelerate sets the epoch of this attribute alone.
        self.sampler = self  # type: ignore[assignment]
        self.lengths = lengths
        self.shuffle = shuffle
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of an epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return (len(self.lengths) if self.drop_last else len(self.lengths) + self.batch_size - 1) // self.batch_size

    def __iter__(self) -> Iterator[list[int]]:
        rows = list(range(len(self.lengths)))
        shuffler = random.Random(f"{self.seed}-{self.epoch}")
        bucket = len(rows) or 1
        if self.shuffle:
            shuffler.shuffle(rows)
            bucket = self.batch_size * BATCHES_PER_BUCKET
        if self.drop_last:
            del rows[len(rows) - len(rows) % self.batch_size :]
        batches = []
        for start in range(0, len(rows), bucket):
            ordered = sorted(rows[start : start + bucket], key=lambda row: -self.lengths[row])
            batches += [ordered[i : i + self.batch_size] for i in range(0, len(ordered), self.batch_size)]
        if self.shuffle and batches:
            # The short batch stays last, because accelerate takes the length of the epoch from it.
            last = batches.pop()
            shuffler.shuffle(batches)
            batches.append(last)
        yield from batches


class Collator:
    """Pads a list of encoded rows into tensors, and in training spells some tokens.

    A known emoji code is spelled in name pieces, which trains the pieces and ``<unk_emoji>``: no known code would ever use
    them. A known word is spelled in characters, as an unknown one would be: the rare words of the test then meet trained
    characters, and the model does not learn the common ones by heart.

    Args:
        tokenizer: The tokenizer, which knows the padding id and the tokens.
        emoji_spelling_prob: The share of the known codes that are spelled; 0 for evaluation.
        word_spelling_prob: The share of the known words that are spelled; 0 for evaluation.
        seed: The seed; the choice depends on it, on the epoch and on the rows alone.
    """

    def __init__(
        self,
        tokenizer: ASLSTMTokenizer,
        *,
        emoji_spelling_prob: float = 0.0,
        word_spelling_prob: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.pad_token_id = tokenizer.pad_token_id
        self.seed = seed
        self.epoch = 0
        # For each token id: the ids that spell it, and the probability that they take its place.
        self._spellings: dict[int, tuple[list[int], float]] = {}
        start, vocabulary = tokenizer.emoji_token_offset, tokenizer.get_vocab()
        for token, token_id in vocabulary.items():
            if token_id < start and word_spelling_prob and len(token) > 1 and token not in tokenizer.all_special_tokens:
                pieces = [vocabulary.get(c, tokenizer.unk_token_id) for c in token]
                self._spellings[token_id] = (pieces, word_spelling_prob)
            elif start <= token_id < start + tokenizer.num_emoji_tokens and emoji_spelling_prob and token.startswith("["):
                pieces = [vocabulary[piece] for piece in tokenizer.spell_emoji(token)]
                self._spellings[token_id] = (pieces, emoji_spelling_prob)

    def _spell(self, ids: list[int], row: int) -> list[int]:
        if not self._spellings:
            return ids
        chooser = random.Random(f"{self.seed}-{self.epoch}-{row}")
        spelled: list[int] = []
        for token_id in ids:
            pieces, probability = self._spellings.get(token_id, ((), 0.0))
            if probability and chooser.random() < probability:
                spelled += pieces
            else:
                spelled.append(token_id)
        return spelled

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, Tensor]:
        """Return ``input_ids`` and ``attention_mask`` (batch, seq_len), ``labels`` and ``row`` (batch,), all int64.

        Where rows have any number of labels, ``labels`` is (batch, num_labels) float32.

        Where there are soft labels, rows also have ``targets`` (batch, num_labels) float32 and ``is_soft`` (batch,) int64.
        """
        ids = [torch.tensor(self._spell(row["input_ids"], row["row"])) for row in rows]
        mask = [torch.ones_like(row) for row in ids]
        soft = {name: torch.tensor([row[name] for row in rows]) for name in SOFT_COLUMNS if name in rows[0]}
        return soft | {
            "input_ids": pad_sequence(ids, batch_first=True, padding_value=self.pad_token_id),
            "attention_mask": pad_sequence(mask, batch_first=True),
            "labels": torch.tensor([row["labels"] for row in rows]),
            "row": torch.tensor([row["row"] for row in rows]),
        }
