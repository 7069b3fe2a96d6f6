"""Takes encoded posts and gives batches of one task each, and a model with an output layer for each task.

The first task predicts the emoji of posts. Each further one predicts the labels of a corpus, and the last may predict words.
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

# Words behind each of these ranks share a smaller output layer (Grave et al. 2017, arXiv:1609.04309). The vocabulary has the
# commonest words first, and one large layer for 100,000 words would take many times as long as the LSTM.
_WORD_RANKS = (2_000, 20_000)


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


def words_task(posts: Sequence[list[int]]) -> TaskRows:
    """Make a task with a row for each post, whose words are predicted.

    Args:
        posts: The ids of each post.
    """
    return TaskRows(list(posts), [0] * len(posts), [])


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

    The tasks of labels see the emoji of a post. That of words is a language model in each direction: from a word's state, which
    has read what comes before, it predicts the next one.

    Args:
        emoji_model: The model whose labels are those of the first task.
        num_labels: The number of labels of each further task.
        label_smoothing: The label smoothing of every loss but that of words.
        predicts_words: Whether there is a last task of words.
    """

    def __init__(
        self,
        emoji_model: ASLSTMForEmojiPrediction,
        num_labels: Sequence[int],
        *,
        label_smoothing: float,
        predicts_words: bool = False,
    ) -> None:
        super().__init__()
        self.emoji_model = emoji_model
        self.heads = nn.ModuleList(nn.Linear(emoji_model.aslstm.pooled_size, count) for count in num_labels)
        self.loss = nn.CrossEntropyLoss(label_smoothing=label_smoothing)
        config = emoji_model.config
        ranks = [rank for rank in _WORD_RANKS if rank < config.emoji_token_offset] or [config.emoji_token_offset // 2]
        self.word_heads = nn.ModuleList(
            nn.AdaptiveLogSoftmaxWithLoss(config.hidden_size, config.emoji_token_offset, ranks)
            for _ in range((1 + config.bidirectional) * predicts_words)
        )

    def forward(self, *, input_ids: Tensor, attention_mask: Tensor, labels: Tensor, task: Tensor) -> Tensor:
        """Return the loss () of a batch (batch, seq_len) of one task."""
        number = int(task)
        if number > len(self.heads):
            loss = self._loss_of_words(input_ids, attention_mask)
        elif number == 0:
            loss = self.loss(self.emoji_model(input_ids, attention_mask).logits.float(), labels)
        else:
            pooled = self.emoji_model.aslstm(input_ids, attention_mask).pooled_output
            loss = self.loss(self.heads[number - 1](self.emoji_model.dropout(pooled)).float(), labels)
        # Distributed training waits for a gradient of every weight, also of the layers of the other tasks.
        layers = (self.emoji_model.classifier, *self.heads, *self.word_heads)
        return loss + 0.0 * sum(p.sum() for layer in layers for p in layer.parameters())

    def _loss_of_words(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return the mean loss () of predicting each word from what comes before it and, of two directions, behind it."""
        is_word = attention_mask.bool() & (input_ids < self.emoji_model.config.emoji_token_offset)
        states = self.emoji_model.aslstm(input_ids, is_word.long()).last_hidden_state
        states = self.emoji_model.dropout(states)[is_word]
        words, rows = input_ids[is_word], is_word.nonzero()[:, 0]
        follows = (rows[1:] == rows[:-1]).nonzero()[:, 0]
        if not len(follows):
            return states.sum() * 0.0
        size = self.emoji_model.config.hidden_size
        pairs = ((states[follows, :size], words[follows + 1]), (states[follows + 1, size:], words[follows]))
        # The adaptive softmax fails in half precision on CUDA, where its parts have two types (pytorch#44724).
        with torch.autocast(states.device.type, enabled=False):
            losses = [head(state.float(), word).loss for head, (state, word) in zip(self.word_heads, pairs, strict=False)]
        return torch.stack(losses).mean()
