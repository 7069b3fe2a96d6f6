"""Measures the rows per second of training with every fusion, and of the training procedure of the original project.

python -m benchmarks.training_speed --data_dir DIR

The corpus is NLPCC 2014 with its full vocabulary (``--min_count 1``, 70,000 words). The model has vectors of size 300 and two
layers of 128 units, in both directions and in one. Batches, collation and optimizers are those of ``aslstm train``; precision,
dropout and spelling are those of the recipe; two threads run. The original project read in one direction, took one row at a
time and updated every vector with dense Adam after each row; ``measure_original`` does the same on rows of the same sample.
"""

import argparse
import itertools
import statistics
import time
from functools import cache
from pathlib import Path

import torch
from accelerate import Accelerator
from datasets import Dataset
from torch import Tensor, nn

from aslstm.data.corpora import CorpusSource, load_corpus
from aslstm.training.batches import Collator, encode_rows
from aslstm.training.model import make_model, make_tokenizer
from aslstm.training.optimization import make_optimizers, make_schedules
from aslstm.training.settings import ModelSettings
from aslstm.training.steps import make_loader, train_epoch, usable_precision
from modeling_aslstm.configuration_aslstm import EMOJI_FUSIONS
from tokenization import ASLSTMTokenizer

NUM_THREADS = 2
BATCH_SIZE = 64
# These are the rows of one bucket of the sampler, so the batches are padded as in a whole epoch.
NUM_ROWS = 50 * BATCH_SIZE
ORIGINAL_ROWS = 24
REPEATS = 5
DIRECTIONS = (1, 2)
TARGETS = {"attention": 400}
OTHER_TARGET = 200


@cache
def read_corpus(data_dir: Path) -> tuple[ASLSTMTokenizer, Dataset, list[str]]:
    """Return the tokenizer of the whole training split, a sample of encoded rows and the label names."""
    train = load_corpus(CorpusSource("nlpcc2014", data_dir))["train"]
    tokenizer = make_tokenizer(train["text"], new_words=(), min_count=1, min_emoji_count=2, model_max_length=512)
    labels = sorted(set(train["label"]))
    return tokenizer, encode_rows(train.shuffle(seed=0).select(range(NUM_ROWS)), tokenizer, labels), labels


class TrainingRun:
    """Sets up training as ``aslstm train`` does and trains epochs of the sample.

    Args:
        data_dir: The folder of NLPCC 2014, or one that contains it.
        fusion: The ``emoji_fusion`` of the model.
        bidirectional: Whether a second LSTM reads backwards.
    """

    def __init__(self, data_dir: Path, fusion: str, *, bidirectional: bool = True) -> None:
        tokenizer, rows, labels = read_corpus(data_dir)
        settings = ModelSettings(
            emoji_fusion=fusion,
            attention_key="embedding",
            classifier_input="attention_and_query",
            embedding_size=300,
            hidden_size=128,
            num_hidden_layers=2,
            unidirectional=not bidirectional,
            hidden_dropout_prob=0.3,
        )
        model = make_model(tokenizer, settings, labels, dict.fromkeys(labels, 1))
        self.collator = Collator(tokenizer, emoji_spelling_prob=0.2, word_spelling_prob=0.1)
        loader = make_loader(rows, self.collator, BATCH_SIZE, shuffle=True)
        self.raw_optimizers = make_optimizers(
            model, learning_rate=2e-3, embedding_learning_rate=2e-3, weight_decay=1e-2, sparse=True
        )
        self.schedules = make_schedules(self.raw_optimizers, warmup_steps=100, total_steps=10_000)
        self.accelerator = Accelerator(cpu=True, mixed_precision=usable_precision("bf16"))
        self.model, self.loader, *self.optimizers = self.accelerator.prepare(model, loader, *self.raw_optimizers)

    def loss_of(self, batch: dict[str, Tensor]) -> Tensor:
        """Return the loss () of a collated batch."""
        del batch["row"]
        return self.model(**batch).loss

    def train_epoch(self) -> None:
        """Train one epoch of the sample with the loop of ``aslstm train``."""
        train_epoch(
            self.accelerator,
            self.model,
            self.loader,
            self.loss_of,
            self.optimizers,
            self.schedules,
            max_grad_norm=1.0,
            description="sample",
        )


class OriginalRun:
    """Trains as the original project did: one row at a time, a plain LSTM, a linear attention, dense Adam over every weight.

    As in the original, the attention's score is linear in [h_t; ē] and its softmax runs over an axis of length one.

    Args:
        data_dir: The folder of NLPCC 2014, or one that contains it.
    """

    def __init__(self, data_dir: Path) -> None:
        tokenizer, rows, labels = read_corpus(data_dir)
        self.rows = [(row["input_ids"], row["labels"]) for row in rows.select(range(ORIGINAL_ROWS))]
        self.emoji = range(tokenizer.emoji_token_offset, tokenizer.emoji_token_offset + tokenizer.num_emoji_tokens)
        self.embedding = nn.Embedding(len(tokenizer), 300)
        self.lstm = nn.LSTM(300, 128, num_layers=2, batch_first=True)
        self.score = nn.Linear(128 + 300, 1)
        self.classifier = nn.Linear(128, len(labels))
        layers = nn.ModuleList([self.embedding, self.lstm, self.score, self.classifier])
        self.optimizer = torch.optim.Adam(layers.parameters(), lr=1e-3)

    def train_epoch(self) -> None:
        """Train on every row once."""
        for ids, label in self.rows:
            words = [token_id for token_id in ids if token_id not in self.emoji] or ids
            emoji = [token_id for token_id in ids if token_id in self.emoji] or [0]
            hidden, _ = self.lstm(self.embedding(torch.tensor([words])))
            query = self.embedding(torch.tensor([emoji])).mean(1, keepdim=True).expand(-1, len(words), -1)
            weights = torch.softmax(self.score(torch.cat([hidden, query], dim=-1)), dim=-1)
            loss = nn.functional.cross_entropy(self.classifier((weights * hidden).sum(1)), torch.tensor([label]))
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()


def _rows_per_second(run: TrainingRun | OriginalRun, num_rows: int) -> float:
    started = time.perf_counter()
    run.train_epoch()
    return num_rows / (time.perf_counter() - started)


def measure_training(data_dir: Path, fusion: str, *, bidirectional: bool) -> float:
    """Return the rows per second of our training, the median of several epochs of the sample after one to warm up.

    Args:
        data_dir: The folder of NLPCC 2014, or one that contains it.
        fusion: The ``emoji_fusion`` of the model.
        bidirectional: Whether a second LSTM reads backwards.
    """
    return statistics.median(_measure([(TrainingRun(data_dir, fusion, bidirectional=bidirectional), NUM_ROWS)])[0])


def measure_original(data_dir: Path) -> float:
    """Return the rows per second of the original procedure, measured in the same way."""
    return statistics.median(_measure([(OriginalRun(data_dir), ORIGINAL_ROWS)])[0])


def _measure(runs: list[tuple[TrainingRun | OriginalRun, int]]) -> list[list[float]]:
    """Return the rows per second of each run in each repeat; the runs take turns, so that a busy machine slows all alike."""
    threads = torch.get_num_threads()
    torch.set_num_threads(NUM_THREADS)
    try:
        for run, _ in runs:
            run.train_epoch()
        repeats = [[_rows_per_second(run, num_rows) for run, num_rows in runs] for _ in range(REPEATS)]
    finally:
        torch.set_num_threads(threads)
    return [list(figures) for figures in zip(*repeats, strict=True)]


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="Training speed beside the original procedure.")
    parser.add_argument("--data_dir", type=Path, required=True, help="folder of NLPCC 2014, or one that holds it")
    parser.add_argument("--fusions", nargs="+", choices=EMOJI_FUSIONS, default=EMOJI_FUSIONS)
    arguments = parser.parse_args()
    tokenizer, _, _ = read_corpus(arguments.data_dir)
    print(f"vocabulary: {len(tokenizer)} tokens, torch {torch.__version__}, {NUM_THREADS} threads")
    print(f"{'fusion':<14}{'directions':>11}{'original, rows/s':>18}{'ours, rows/s':>14}{'ratio':>8}{'target':>8}")
    for fusion, directions in itertools.product(arguments.fusions, DIRECTIONS):
        runs: list[tuple[TrainingRun | OriginalRun, int]] = [
            (OriginalRun(arguments.data_dir), ORIGINAL_ROWS),
            (TrainingRun(arguments.data_dir, fusion, bidirectional=directions == 2), NUM_ROWS),
        ]
        original, ours = (statistics.median(figures) for figures in _measure(runs))
        target = TARGETS.get(fusion, OTHER_TARGET)
        print(f"{fusion:<14}{directions:>11}{original:>18.2f}{ours:>14.0f}{ours / original:>8.0f}{target:>8}", flush=True)


if __name__ == "__main__":
    main()
