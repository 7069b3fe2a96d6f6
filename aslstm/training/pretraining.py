"""Takes :class:`PretrainSettings` and writes a model folder that a training run can start from (``init_from``).

Pre-training predicts a post's emoji from its words (DeepMoji, Felbo et al. 2017) and, if asked, the labels of corpora and the
words of all posts (ULMFiT, Howard & Ruder 2018, arXiv:1801.06146).
"""

import logging
from collections import Counter
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from accelerate import Accelerator
from accelerate.utils import set_seed
from datasets import Dataset
from torch.utils.data import DataLoader

from aslstm.data.corpora import CorpusSource, load_corpus
from aslstm.disk import is_stream
from aslstm.errors import UserError
from aslstm.metrics import compute_metrics
from modeling_aslstm import ASLSTMForEmojiPrediction
from tokenization import ASLSTMTokenizer

from .batches import Collator
from .model import make_model, make_tokenizer
from .optimization import make_optimizers, make_schedules
from .pretraining_tasks import MultiTaskModel, TaskCollator, TaskDataset, TaskRows, TaskSampler, emoji_task, words_task
from .publishing import PRETRAINING, OutputFolder, TrainingRecord
from .settings import ModelSettings, PretrainingSettings, PretrainSettings, flags_of
from .starting_weights import StartingPoint, read_starting_point
from .steps import make_loader, predict_logits, saving_bad_batch, train_epoch, usable_precision

logger = logging.getLogger(__name__)

# One post in 50 is held out, to measure how well emoji are predicted.
VALIDATION_EVERY = 50
TOP = 5


def pretrain(settings: PretrainSettings) -> Path:
    """Pre-train, evaluate and save a model, and return its folder.

    Raises:
        UserError: The input is bad, or the folder cannot be written.
    """
    given = settings.pretraining
    output = OutputFolder(given.output_dir, replaces=given.overwrite)
    accelerator = Accelerator(mixed_precision=usable_precision(given.mixed_precision))
    logger.info("processes: %d, device: %s", accelerator.num_processes, accelerator.device.type)
    start, model_settings = read_starting_point(settings.model)
    if given.predict_words and (model_settings.num_hidden_layers or 1) > 1 and not model_settings.unidirectional:
        raise UserError(
            "`predict_words`: expected `num_hidden_layers` 1 or `unidirectional`, found several layers in both directions, of "
            "which the second has already read the words that it should predict; choose one of the two"
        )
    if accelerator.num_processes > 1 and (streams := [path for path in settings.texts.paths() if is_stream(path)]):
        raise UserError(
            f"`input` {streams[0]}: expected one process, which alone can read it, found several; save the posts first"
        )
    with output.alone(is_writer=accelerator.is_main_process):
        return _pretrain(settings, accelerator, start, model_settings, output)


def _pretrain(
    settings: PretrainSettings,
    accelerator: Accelerator,
    start: StartingPoint,
    model_settings: ModelSettings,
    output: OutputFolder,
) -> Path:
    given = settings.pretraining
    set_seed(given.seed)
    with accelerator.main_process_first():
        texts = list(settings.texts.texts())
        if not texts:
            raise UserError("`input`: expected posts, found none; check the files")
        labelled = read_labelled(given)
        everything = texts + [text for rows, _ in labelled.values() for text in rows]
        tokenizer = make_tokenizer(
            list(dict.fromkeys(everything)), new_words=(), start=start.model, num_workers=given.num_workers,
            min_count=given.min_count, min_emoji_count=given.min_emoji_count, model_max_length=given.model_max_length,
        )  # fmt: skip
        posts = encode(list(dict.fromkeys(texts)), tokenizer, given.num_workers)
        tasks = [labelled_task(*rows, tokenizer, given.num_workers) for rows in labelled.values()]
    emoji, validation = emoji_tasks(posts, tokenizer, given.min_target_count)
    logger.info("rows: %d with one of %d emoji to predict, %s", len(emoji.labels), len(emoji.label_names), ", ".join(
        f"{len(task.labels)} of {name}" for name, task in zip(labelled, tasks, strict=True)) or "no labelled ones")  # fmt: skip
    counts = np.bincount(emoji.labels, minlength=len(emoji.label_names))
    model = make_model(
        tokenizer, model_settings, emoji.label_names, dict(zip(emoji.label_names, counts.tolist(), strict=True)),
        model_class=ASLSTMForEmojiPrediction, start=start,
        token_counts=Counter(chain.from_iterable(posts)),
    )  # fmt: skip
    multi_task = MultiTaskModel(
        model, [len(task.label_names) for task in tasks], label_smoothing=given.label_smoothing,
        predicts_words=given.predict_words,
    )  # fmt: skip
    words = [words_task([ids for i, ids in enumerate(posts) if i % VALIDATION_EVERY])] if given.predict_words else []
    with saving_bad_batch(output.path, accelerator):
        train(accelerator, multi_task, [emoji, *tasks, *words], tokenizer, given)
    results = {"validation": evaluate(accelerator, model, validation, tokenizer)} if validation.labels else {}
    if accelerator.is_main_process:
        # The card shows no paths, so the input is given to it as paths.
        flags = flags_of(replace(settings, model=model_settings)) | {"input": tuple(map(Path, settings.texts.input))}
        num_rows = {"train": len(emoji.labels), "validation": len(validation.labels)}
        epochs = given.num_train_epochs
        output.publish(model, tokenizer, TrainingRecord("files", flags, epochs, epochs, results, num_rows, script=PRETRAINING))
    accelerator.wait_for_everyone()
    accelerator.end_training()
    return output.path


def emoji_tasks(posts: list[list[int]], tokenizer: ASLSTMTokenizer, min_count: int) -> tuple[TaskRows, TaskRows]:
    """Make a task of the emoji of the posts, and another of the posts that are held out.

    Args:
        posts: The ids of each post.
        tokenizer: The tokenizer that made the ids.
        min_count: How many posts an emoji must occur in to be predicted.

    Raises:
        UserError: No emoji occurs in that many posts.
    """
    emoji = emoji_task([ids for i, ids in enumerate(posts) if i % VALIDATION_EVERY], tokenizer, min_count)
    if not emoji.labels:
        raise UserError(
            f"`input`: expected posts with an emoji that {min_count} posts have, found none; give more posts or lower "
            "`min_target_count`"
        )
    return emoji, emoji_task(posts[::VALIDATION_EVERY], tokenizer, 1, label_names=emoji.label_names)


def encode(texts: list[str], tokenizer: ASLSTMTokenizer, num_workers: int) -> list[list[int]]:
    """Return the ids of texts, which several processes split."""
    rows = Dataset.from_dict({"text": texts}).map(
        lambda batch: {"input_ids": tokenizer(batch["text"], truncation=True, return_attention_mask=False)["input_ids"]},
        batched=True, num_proc=num_workers, remove_columns=["text"], desc="Tokenizing",
    )  # fmt: skip
    return rows["input_ids"][:]


def read_labelled(settings: PretrainingSettings) -> dict[str, tuple[list[str], list[str]]]:
    """Return the texts and labels of the training split of each corpus that ``also_learn`` names."""
    corpora = {name: load_corpus(CorpusSource(name, settings.data_dir))["train"] for name in settings.also_learn}
    return {name: (rows["text"][:], rows["label"][:]) for name, rows in corpora.items()}


def labelled_task(texts: list[str], labels: list[str], tokenizer: ASLSTMTokenizer, num_workers: int) -> TaskRows:
    """Make a task of labelled rows."""
    names = sorted(set(labels))
    return TaskRows(encode(texts, tokenizer, num_workers), [names.index(label) for label in labels], names)


def train(
    accelerator: Accelerator,
    model: MultiTaskModel,
    tasks: list[TaskRows],
    tokenizer: ASLSTMTokenizer,
    settings: PretrainingSettings,
) -> None:
    """Train on all tasks.

    Raises:
        UserError: A task has too few rows for a batch.
    """
    collator = TaskCollator(
        tokenizer,
        emoji_spelling_prob=settings.emoji_spelling_prob,
        word_spelling_prob=settings.word_spelling_prob,
        seed=settings.seed,
    )
    sampler = TaskSampler(tasks, settings.per_device_train_batch_size, seed=settings.seed)
    check_batches(sampler, tasks)
    loader = DataLoader(TaskDataset(tasks), batch_sampler=sampler, collate_fn=collator)
    optimizers = make_optimizers(
        model,
        learning_rate=settings.learning_rate,
        embedding_learning_rate=settings.learning_rate,
        weight_decay=1e-2,
        sparse=accelerator.device.type == "cpu",
    )
    prepared, loader, *optimizers = accelerator.prepare(model, loader, *optimizers)
    steps = len(loader) * settings.num_train_epochs
    schedules = make_schedules(optimizers, warmup_steps=steps // 20, total_steps=steps)

    def loss_of(batch: dict[str, Any]) -> Any:
        batch.pop("row")
        return prepared(**batch)

    for epoch in range(settings.num_train_epochs):
        collator.epoch = epoch
        loader.set_epoch(epoch)
        loss = train_epoch(
            accelerator, prepared, loader, loss_of, optimizers, schedules,
            max_grad_norm=1.0, description=f"Epoch {epoch + 1}/{settings.num_train_epochs}",
        )  # fmt: skip
        logger.info("epoch %d: loss %.4f", epoch + 1, loss)


def check_batches(sampler: TaskSampler, tasks: list[TaskRows]) -> None:
    """Check that every task fills a batch; one that does not would silently not be learned.

    Raises:
        UserError: A task has too few rows for a batch.
    """
    for number, (batches, task) in enumerate(zip(sampler.samplers, tasks, strict=True)):
        if len(batches) == 0:
            if number == 0:
                source, rows = "`input`", "posts with words and emoji"
            else:
                source, rows = ("`also_learn`", "rows of each corpus") if task.label_names else ("`input`", "posts")
            raise UserError(
                f"{source}: expected {sampler.batch_size} {rows} or more, to fill a batch, found {len(task.labels)}; give more "
                "or lower `per_device_train_batch_size`"
            )


def evaluate(
    accelerator: Accelerator, model: ASLSTMForEmojiPrediction, task: TaskRows, tokenizer: ASLSTMTokenizer
) -> dict[str, Any]:
    """Return the figures of emoji prediction on the held-out posts."""
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
