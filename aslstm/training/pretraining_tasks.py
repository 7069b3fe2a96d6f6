"""Takes encoded posts and gives batches of one task each, and a model with an output layer for each task.

The first task predicts the emoji of posts; each further task predicts the labels of a corpus.
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import BatchSampler
from torch.utils.data import Dataset as TorchDataset

from modeling_aslstm import ASLSTMForEmojiPrediction
from tokenization import ASLSTMTokenizer
from tokenization.vocabulary_files import UNK_EMOJI_TOKEN, is_name_piece

from .batches import Collator, LengthBucketSampler


@dataclass(frozen=True)
class TaskRows:
    """Holds the rows of one task: the ids and the label of each row, and the names of the labels."""

    input_ids: list[list[int]]
    labels: list[int]
    label_names: list[str]


def emoji_task(
    posts: Sequence[list[int]], tokenizer: ASLSTMTokenizer, min_count: int, *, label_names: list[str] | None = None
) -> TaskRows:
    """Make a task with one row for each different emoji of each post that has words.

    Args:
        posts: The ids of each post, with its emoji.
        tokenizer: The tokenizer that made the ids.
        min_count: How many posts an emoji must occur in; rarer emoji are left out.
        label_names: Emoji to predict in place of those that are common enough, in this order, however rare they are.
    """
    start = tokenizer.emoji_token_offset
    emoji = {
        token_id
        for token, token_id in tokenizer.get_vocab().items()
        if start <= token_id < start + tokenizer.num_emoji_tokens and token != UNK_EMOJI_TOKEN and not is_name_piece(token)
    }
    end = start + tokenizer.num_emoji_tokens
    with_words = [ids for ids in posts if any(not start <= token_id < end for token_id in ids)]
    counts = Counter(token_id for ids in with_words for token_id in set(ids) & emoji)
    targets = sorted(token_id for token_id, count in counts.items() if count >= min_count)
    if label_names is not None:
        targets = [tokenizer.get_vocab()[name] for name in label_names]
    label_ids = {token_id: i for i, token_id in enumerate(targets)}
    rows = [(ids, label_ids[t]) for ids in with_words for t in sorted(set(ids)) if t in label_ids]
    return TaskRows([ids for ids, _ in rows], [label for _, label in rows], tokenizer.convert_ids_to_tokens(targets))


class TaskDataset(TorchDataset):
    """Holds the rows of several tasks, one task after the other."""

    def __init__(self, tasks: Sequence[TaskRows]) -> None:
        self.rows = [
            (ids, label, task)
            for task, rows in enumerate(tasks)
            for ids, label in zip(rows.input_ids, rows.labels, strict=True)
        ]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        ids, label, task = self.rows[index]
        return {"input_ids": ids, "labels": label, "row": index, "task": task}


class TaskSampler(BatchSampler):
    """Gives batches of rows of one task and of similar length, in a new order each epoch.

    The last rows of a task, which do not fill a batch, are left out.

    Args:
        tasks: The tasks in the order of the :class:`TaskDataset`.
        batch_size: The number of rows in a batch of one process.
        seed: The seed of the order, which depends on nothing else but the epoch.
    """

    def __init__(self, tasks: Sequence[TaskRows], batch_size: int, *, seed: int) -> None:
        super().__init__(range(sum(len(task.labels) for task in tasks)), batch_size, drop_last=True)
        self.sampler = self  # type: ignore[assignment]  # LengthBucketSampler says why.
        self.seed = seed
        self.epoch = 0
        self.samplers = [
            LengthBucketSampler([len(ids) for ids in task.input_ids], batch_size, shuffle=True, seed=seed, drop_last=True)
            for task in tasks
        ]

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of an epoch."""
        self.epoch = epoch
        for sampler in self.samplers:
            sampler.set_epoch(epoch)

    def __len__(self) -> int:
        return sum(map(len, self.samplers))

    def __iter__(self) -> Iterator[list[int]]:
        batches = []
        first = 0
        for sampler in self.samplers:
            batches += [[first + row for row in batch] for batch in sampler]
            first += len(sampler.lengths)
        random.Random(f"{self.seed}-{self.epoch}").shuffle(batches)
        yield from batches


class TaskCollator(Collator):
    """Adds to a batch the number of the task, ``task`` (), that all its rows belong to."""

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, Tensor]:
        """Collate rows as :class:`Collator` does, and add ``task``."""
        return super().__call__(rows) | {"task": torch.tensor(rows[0]["task"])}


class MultiTaskModel(nn.Module):
    """Adds to a model that predicts emoji an output layer over the same encoder for each further task.

    The further tasks see the emoji of a post.

    Args:
        emoji_model: The model whose labels are those of the first task.
        num_labels: The number of labels of each further task.
        label_smoothing: The label smoothing of every loss.
    """

    def __init__(self, emoji_model: ASLSTMForEmojiPrediction, num_labels: Sequence[int], *, label_smoothing: float) -> None:
        super().__init__()
        self.emoji_model = emoji_model
        self.heads = nn.ModuleList(nn.Linear(emoji_model.aslstm.pooled_size, count) for count in num_labels)
        self.loss = nn.CrossEntropyLoss(label_smoothing=label_smoothing)

    def forward(self, *, input_ids: Tensor, attention_mask: Tensor, labels: Tensor, task: Tensor) -> Tensor:
        """Return the loss () of a batch (batch, seq_len) of one task."""
        number = int(task)
        if number == 0:
            logits = self.emoji_model(input_ids, attention_mask).logits
        else:
            pooled = self.emoji_model.aslstm(input_ids, attention_mask).pooled_output
            logits = self.heads[number - 1](self.emoji_model.dropout(pooled))
        # Distributed training waits for a gradient of every weight, also of the layers of the other tasks.
        others = sum(p.sum() for layer in (self.emoji_model.classifier, *self.heads) for p in layer.parameters())
        return self.loss(logits.float(), labels) + 0.0 * others
