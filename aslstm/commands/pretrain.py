r"""Pre-train a model on posts without labels: predict a post's emoji from its words (DeepMoji, Felbo et al. 2017).

aslstm pretrain --input posts.jsonl.gz --output_dir outputs/pretrained
aslstm pretrain --input a.jsonl.gz b.csv --text_column text review --vectors vectors.bin \
    --also_learn smp2020_ewect weibo_senti_100k --data_dir DIR --output_dir outputs/pretrained
aslstm train --dataset nlpcc2014 --data_dir DIR --init_from outputs/pretrained

The labels of known corpora can be learned beside the emoji, each with an output layer of its own that is not kept.
"""

import argparse
import logging
import math
import os
from collections import Counter
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import transformers
from accelerate import Accelerator
from accelerate.utils import set_seed
from datasets import Dataset
from torch.utils.data import DataLoader

from aslstm.data.corpora import CorpusSource, load_corpus
from aslstm.data.known_corpora import KNOWN_CORPORA
from aslstm.data.text_sources import TextSource
from aslstm.errors import UserError
from aslstm.metrics import compute_metrics
from aslstm.training.batches import Collator
from aslstm.training.model import make_model, make_tokenizer
from aslstm.training.optimization import make_optimizers, make_schedules
from aslstm.training.pretraining_tasks import MultiTaskModel, TaskCollator, TaskDataset, TaskRows, TaskSampler, emoji_task
from aslstm.training.publishing import OutputFolder, TrainingRecord
from aslstm.training.starting_weights import StartingPoint, add_model_arguments, read_starting_point
from aslstm.training.steps import make_loader, predict_logits, saving_bad_batch, train_epoch, usable_precision
from aslstm.training.trainer import Progress
from modeling_aslstm import ASLSTMForEmojiPrediction
from tokenization import ASLSTMTokenizer

from .flags import CommandParser, add_settings, check_seed, make_settings
from .train_arguments import model_settings

logger = logging.getLogger(__name__)

# One post in so many is held out, to see how well emoji are predicted.
VALIDATION_EVERY = 50
TOP = 5


def parse_arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Read and check the command line.

    Raises:
        UserError: a value that is not possible.
    """
    parser = CommandParser("pretrain", "Pre-train by emoji prediction.")
    add_settings(parser, TextSource)
    parser.add_argument("--also_learn", nargs="+", choices=KNOWN_CORPORA, default=[], help="labels of these corpora's train")
    parser.add_argument("--data_dir", type=Path, default=os.environ.get("ASLSTM_DATA"), help="folder of the known corpora")
    parser.add_argument("--min_count", type=int, default=3, help="rarer words are spelled in characters")
    parser.add_argument("--min_emoji_count", type=int, default=1, help="rarer emoji codes are spelled in name pieces")
    parser.add_argument("--min_target_count", type=int, default=20, help="an emoji of fewer posts is not predicted")
    parser.add_argument("--model_max_length", type=int, default=512)
    add_model_arguments(parser)
    parser.add_argument("--output_dir", type=Path, default=Path("outputs/pretrained"))
    parser.add_argument("--num_train_epochs", type=int, default=3)
    parser.add_argument("--learning_rate", type=float, default=1e-3)
    parser.add_argument("--per_device_train_batch_size", type=int, default=64)
    parser.add_argument("--emoji_spelling_prob", type=float, default=0.2)
    parser.add_argument("--word_spelling_prob", type=float, default=0.1)
    parser.add_argument("--label_smoothing", type=float, default=0.0)
    parser.add_argument("--mixed_precision", choices=("no", "bf16", "fp16"), help="default: what accelerate launch says")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--num_workers", type=int, default=min(2, os.cpu_count() or 1), help="processes that split texts")
    arguments = parser.parse_args(given)
    for name in ("min_count", "min_emoji_count", "min_target_count", "model_max_length", "num_train_epochs",
                 "per_device_train_batch_size", "num_workers"):  # fmt: skip
        if getattr(arguments, name) < 1:
            raise UserError(f"--{name}: expected 1 or more, found {getattr(arguments, name)}")
    for name in ("emoji_spelling_prob", "word_spelling_prob", "label_smoothing"):
        if not 0.0 <= getattr(arguments, name) < 1.0:
            raise UserError(f"--{name}: expected 0 or more and less than 1, found {getattr(arguments, name)}")
    if not 0.0 < arguments.learning_rate < math.inf:
        raise UserError(f"--learning_rate: expected a number above 0, found {arguments.learning_rate}")
    check_seed(arguments.seed)
    return arguments


def encode(texts: list[str], tokenizer: ASLSTMTokenizer, num_workers: int) -> list[list[int]]:
    """The ids of texts, split by several processes."""
    rows = Dataset.from_dict({"text": texts}).map(
        lambda batch: {"input_ids": tokenizer(batch["text"], truncation=True, return_attention_mask=False)["input_ids"]},
        batched=True, num_proc=num_workers, remove_columns=["text"], desc="Tokenizing",
    )  # fmt: skip
    return rows["input_ids"][:]


def read_labelled(arguments: argparse.Namespace) -> dict[str, tuple[list[str], list[str]]]:
    """Texts and labels of the training split of each corpus of ``--also_learn``."""
    data_dir = Path(arguments.data_dir) if arguments.data_dir else None
    corpora = {name: load_corpus(CorpusSource(name, data_dir))["train"] for name in arguments.also_learn}
    return {name: (rows["text"][:], rows["label"][:]) for name, rows in corpora.items()}


def labelled_task(texts: list[str], labels: list[str], tokenizer: ASLSTMTokenizer, num_workers: int) -> TaskRows:
    """Labelled rows as a task."""
    names = sorted(set(labels))
    return TaskRows(encode(texts, tokenizer, num_workers), [names.index(label) for label in labels], names)


def train(
    accelerator: Accelerator,
    model: MultiTaskModel,
    tasks: list[TaskRows],
    tokenizer: ASLSTMTokenizer,
    arguments: argparse.Namespace,
) -> Progress:
    """Train on all tasks."""
    collator = TaskCollator(
        tokenizer,
        emoji_spelling_prob=arguments.emoji_spelling_prob,
        word_spelling_prob=arguments.word_spelling_prob,
        seed=arguments.seed,
    )
    sampler = TaskSampler(tasks, arguments.per_device_train_batch_size, seed=arguments.seed)
    if len(sampler) == 0:
        raise UserError("--input: expected posts with words and emoji for a batch, found too few; give more posts")
    loader = DataLoader(TaskDataset(tasks), batch_sampler=sampler, collate_fn=collator)
    optimizers = make_optimizers(
        model,
        learning_rate=arguments.learning_rate,
        embedding_learning_rate=arguments.learning_rate,
        weight_decay=1e-2,
        sparse=accelerator.device.type == "cpu",
    )
    prepared, loader, *optimizers = accelerator.prepare(model, loader, *optimizers)
    steps = len(loader) * arguments.num_train_epochs
    schedules = make_schedules(optimizers, warmup_steps=steps // 20, total_steps=steps)
    progress = Progress()

    def loss_of(batch: dict[str, Any]) -> Any:
        batch.pop("row")
        return prepared(**batch)

    for epoch in range(arguments.num_train_epochs):
        collator.epoch = epoch
        loader.set_epoch(epoch)
        loss = train_epoch(
            accelerator, prepared, loader, loss_of, optimizers, schedules,
            max_grad_norm=1.0, description=f"Epoch {epoch + 1}/{arguments.num_train_epochs}",
        )  # fmt: skip
        logger.info("epoch %d: loss %.4f", epoch + 1, loss)
        progress.history.append({"epoch": epoch + 1, "train_loss": loss})
        progress.epoch = progress.best_epoch = epoch + 1
    return progress


def evaluate(
    accelerator: Accelerator, model: ASLSTMForEmojiPrediction, task: TaskRows, tokenizer: ASLSTMTokenizer
) -> dict[str, Any]:
    """Figures of emoji prediction on held-out posts."""
    labels = np.array(task.labels)
    rows = Dataset.from_dict({"input_ids": task.input_ids, "labels": task.labels, "row": list(range(len(labels)))})
    loader = accelerator.prepare(make_loader(rows, Collator(tokenizer), 256, shuffle=False))
    logits = predict_logits(accelerator, model, loader)
    metrics = compute_metrics(labels, logits.argmax(1), task.label_names)
    top = np.argsort(-logits, axis=1)[:, :TOP]
    metrics[f"top_{TOP}_accuracy"] = float((top == labels[:, None]).any(1).mean())
    logger.info(
        "held-out posts: emoji accuracy %.3f, among the first %d %.3f, always the commonest %.3f",
        metrics["accuracy"], TOP, metrics[f"top_{TOP}_accuracy"], metrics["majority_accuracy"],
    )  # fmt: skip
    return metrics


def pretrain(arguments: argparse.Namespace, accelerator: Accelerator, start: StartingPoint) -> None:
    """Read, train, evaluate and save."""
    output = OutputFolder(arguments.output_dir)
    if "-" in arguments.input and accelerator.num_processes > 1:
        raise UserError("--input -: expected one process, which alone can read it, found several; save the posts first")
    set_seed(arguments.seed)
    with accelerator.main_process_first():
        texts = list(make_settings(TextSource, arguments).texts())
        if not texts:
            raise UserError("--input: expected posts, found none; check the files")
        labelled = read_labelled(arguments)
        everything = texts + [text for rows, _ in labelled.values() for text in rows]
        tokenizer = make_tokenizer(
            list(dict.fromkeys(everything)), new_words=(), start=start.model, num_workers=arguments.num_workers,
            **{name: getattr(arguments, name) for name in ("min_count", "min_emoji_count", "model_max_length")},
        )  # fmt: skip
        posts = encode(list(dict.fromkeys(texts)), tokenizer, arguments.num_workers)
        tasks = [labelled_task(*rows, tokenizer, arguments.num_workers) for rows in labelled.values()]
    emoji = emoji_task([ids for i, ids in enumerate(posts) if i % VALIDATION_EVERY], tokenizer, arguments.min_target_count)
    if not emoji.labels:
        raise UserError(
            f"--input: expected posts with an emoji that {arguments.min_target_count} posts have, found none; give more posts "
            "or lower --min_target_count"
        )
    validation = emoji_task(posts[::VALIDATION_EVERY], tokenizer, 1, label_names=emoji.label_names)
    logger.info("rows: %d with one of %d emoji to predict, %s", len(emoji.labels), len(emoji.label_names), ", ".join(
        f"{len(task.labels)} of {name}" for name, task in zip(labelled, tasks, strict=True)) or "no labelled ones")  # fmt: skip
    counts = np.bincount(emoji.labels, minlength=len(emoji.label_names))
    model = make_model(
        tokenizer, model_settings(arguments), emoji.label_names, dict(zip(emoji.label_names, counts.tolist(), strict=True)),
        model_class=ASLSTMForEmojiPrediction, start=start,
        token_counts=Counter(chain.from_iterable(posts)),
    )  # fmt: skip
    multi_task = MultiTaskModel(model, [len(task.label_names) for task in tasks], label_smoothing=arguments.label_smoothing)
    with saving_bad_batch(output.path, accelerator):
        progress = train(accelerator, multi_task, [emoji, *tasks], tokenizer, arguments)
    results = {"validation": evaluate(accelerator, model, validation, tokenizer)} if validation.labels else {}
    if accelerator.is_main_process:
        arguments.dataset = "files"
        arguments.input = [Path(pattern) for pattern in arguments.input]  # paths are left out of the card
        num_rows = {"train": len(emoji.labels), "validation": len(validation.labels)}
        output.publish(model, tokenizer, TrainingRecord(arguments, progress, results, num_rows, [], script="pretrain.py"))
        print(f"saved {output.path}")
    accelerator.wait_for_everyone()


def main(given: Sequence[str] | None = None) -> None:
    """Pre-train a model."""
    arguments = parse_arguments(given)
    accelerator = Accelerator(mixed_precision=usable_precision(arguments.mixed_precision))
    logging.basicConfig(level=logging.INFO if accelerator.is_main_process else logging.WARNING, format="%(message)s")
    for name in ("httpx", "accelerate", "datasets", "gensim"):
        logging.getLogger(name).setLevel(logging.WARNING)
    transformers.utils.logging.disable_progress_bar()
    logger.info("processes: %d, device: %s", accelerator.num_processes, accelerator.device.type)
    pretrain(arguments, accelerator, read_starting_point(arguments))
    accelerator.end_training()
