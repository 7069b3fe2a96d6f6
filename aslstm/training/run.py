"""Takes :class:`TrainSettings`, trains, writes a model folder for each seed and gives the figures of each.

The model of a seed is that of one run or the mean of several.
"""

import logging
import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator, DataLoaderConfiguration
from accelerate.utils import set_seed

from aslstm.data.labels import SINGLE_LABEL
from aslstm.errors import UserError
from modeling_aslstm import ASLSTMForSequenceClassification

from .bag_of_words import add_bag_of_words
from .batches import Collator
from .data import TrainingData, prepare_data
from .fingerprints import CONTENTS
from .first_classifier import fit_first_classifier
from .model import make_model
from .optimization import make_optimizers, make_schedules
from .problems import problem_of
from .publishing import NOT_IN_RECIPE, OutputFolder, TrainingRecord
from .settings import TrainSettings, flags_of
from .stage_times import StageTimes
from .starting_weights import StartingModel, StartingPoint, read_starting_point
from .states import TrainingStates
from .steps import make_loader, predict_logits, saving_bad_batch, usable_precision
from .streaming import StreamingRows
from .trainer import Trainer

logger = logging.getLogger(__name__)

# Far from the small seeds that people compare.
RUN_SEED_STEP = 10_000


@dataclass(frozen=True)
class TrainedModel:
    """Names a model folder and holds the figures of each split, for all rows and for those with emoji."""

    folder: Path
    results: dict[str, Any]


def train(settings: TrainSettings, report: Callable[[TrainedModel], None] = lambda model: None) -> list[TrainedModel]:
    """Train and save a model, or one for each of several seeds.

    Args:
        settings: What to train on, and how.
        report: A function that is called with each model as soon as it is saved, on the main process alone.

    Returns:
        The model of each seed.

    Raises:
        UserError: The input is bad, or nothing can be written in a place.
    """
    outputs = output_folders(settings)
    accelerator = make_accelerator(settings)
    logger.info("processes: %d, device: %s", accelerator.num_processes, accelerator.device.type)
    start, model = read_starting_point(settings.model, is_own=settings.corpus.is_own)
    runs = runs_of_seeds(replace(settings, model=model))
    with ExitStack() as stack:
        for one, output in zip(runs, outputs, strict=True):
            stack.enter_context(output.alone(is_writer=accelerator.is_main_process))
            states = TrainingStates(output.checkpoint_dir, accelerator)
            states.check(resume=one.output.resume_from_checkpoint, is_saving=bool(one.output.checkpointing_steps))
        return _train_all(runs, outputs, accelerator, start, report)


def _train_all(
    runs: list[TrainSettings],
    outputs: list[OutputFolder],
    accelerator: Accelerator,
    start: StartingPoint,
    report: Callable[[TrainedModel], None],
) -> list[TrainedModel]:
    trained: list[TrainedModel] = []
    stages = StageTimes()
    for one, output in zip(runs, outputs, strict=True):
        # The corpus is read and encoded once for all seeds, unless the choice of its rows depends on the seed.
        if not trained or one.data.max_train_samples or one.data.streaming:
            with accelerator.main_process_first():
                data = prepare_data(one, start.model, accelerator.num_processes, stages)
        trained.append(TrainedModel(output.path, train_one(one, accelerator, data, start, output, stages)))
        if accelerator.is_main_process:
            report(trained[-1])
        accelerator.wait_for_everyone()
    logger.info(stages.table())
    accelerator.end_training()
    return trained


def output_folders(settings: TrainSettings) -> list[OutputFolder]:
    """Return the folder that each seed of a training will write.

    Raises:
        UserError: A folder cannot be written, or a model stands in it that is neither to be replaced nor to be trained further.
    """
    replaces = settings.output.overwrite or settings.output.resume_from_checkpoint is not None
    return [OutputFolder(one.output_dir, replaces=replaces) for one in runs_of_seeds(settings)]


def make_accelerator(settings: TrainSettings) -> Accelerator:
    """Return the accelerator, with the tracker that the settings ask for.

    Raises:
        UserError: This machine does not have the precision or the tracker.
    """
    try:
        return Accelerator(
            mixed_precision=usable_precision(settings.training.mixed_precision),
            gradient_accumulation_steps=settings.training.gradient_accumulation_steps,
            log_with=None if settings.output.report_to == "none" else settings.output.report_to,
            project_dir=f"{settings.output_dir}-logs",
            # Batches are not split between processes, because their rows were chosen for similar length.
            # Copies from pinned memory to the device run at the same time as the computation.
            dataloader_config=DataLoaderConfiguration(
                split_batches=False, even_batches=True, dispatch_batches=False, non_blocking=True
            ),
        )
    except (ValueError, ImportError) as error:
        raise UserError(f"`mixed_precision` or `report_to`: {error}") from error


def runs_of_seeds(settings: TrainSettings) -> list[TrainSettings]:
    """Return the settings of each of ``seeds``, or the given ones if there are no ``seeds``."""
    training = settings.training
    if not training.seeds:
        return [settings]
    return [
        replace(
            settings,
            training=replace(training, seed=seed, seeds=()),
            output=replace(settings.output, output_dir=settings.output_dir / f"seed-{seed}"),
        )
        for seed in training.seeds
    ]


def train_one(
    settings: TrainSettings,
    accelerator: Accelerator,
    data: TrainingData,
    start: StartingPoint,
    output: OutputFolder,
    stages: StageTimes,
) -> dict[str, Any]:
    """Train, evaluate and save the model of one seed, and return its figures."""
    training = settings.training
    if settings.output.report_to != "none":
        config = {name: str(value) for name, value in flags_of(settings).items()}
        accelerator.init_trackers(f"seed-{training.seed}", config=config)
    with stages.measure("training"):
        trainer = train_runs(settings, accelerator, data, start, output)
    model = accelerator.unwrap_model(trainer.model)
    if training.bag_of_words_weight:
        with stages.measure("bag of words"):
            add_bag_of_words(
                model,
                data.tokenizer,
                data.train["input_ids"],
                np.array(data.train["labels"]),
                weight=training.bag_of_words_weight,
                logit_adjustment=training.logit_adjustment,
            )
    with stages.measure("decision rule"):
        logits = predict_logits(accelerator, trainer.model, trainer.validation_loader)
        fitted = trainer.problem.fit_decision(model, logits)
    with stages.measure("evaluation"):
        splits = ("validation", "test") if settings.output.evaluate_test else ("validation",)
        results = evaluate(trainer, data, splits, training.per_device_eval_batch_size)
        results["validation"] |= fitted
    if accelerator.is_main_process:
        with stages.measure("saving"):
            record = TrainingRecord(
                settings.corpus.dataset, flags_of(settings), trainer.progress.best_epoch, trainer.progress.epoch,
                results, data.num_rows, data.new_words,
            )  # fmt: skip
            output.publish(model, data.tokenizer, record)
    accelerator.wait_for_everyone()
    accelerator.free_memory()
    return results


def train_runs(
    settings: TrainSettings, accelerator: Accelerator, data: TrainingData, start: StartingPoint, output: OutputFolder
) -> Trainer:
    """Train once, or ``average_runs`` times from the same start, and leave the mean of the weights in the model.

    Runs that start from the same pre-trained weights end close enough together for their mean to be better than any of them,
    as an ensemble is, at the price of one model (Wortsman et al. 2022, arXiv:2203.05482).
    """
    mean: dict[str, torch.Tensor] = {}
    token_counts = data.token_counts if start.vectors is not None else {}
    num_runs = settings.training.average_runs
    for number in range(num_runs):
        seed = (settings.training.seed + RUN_SEED_STEP * number) % 2**32
        run = replace(settings, training=replace(settings.training, seed=seed))
        set_seed(seed)
        model = make_model(
            data.tokenizer, run.model, data.label_names, data.label_counts, start=start, token_counts=token_counts,
            problem_type=data.problem_type,
        )  # fmt: skip
        if settings.corpus.is_own and start.model is not None and needs_classifier(start.model, data):
            fit_first_classifier(model, data.train, settings.training.logit_adjustment)
        trainer = make_trainer(run, accelerator, data, model, output)
        if run.output.resume_from_checkpoint:
            trainer.resume(run.output.resume_from_checkpoint)
        with saving_bad_batch(output.path, accelerator):
            trainer.train()
        if num_runs > 1:
            for name, weights in accelerator.unwrap_model(trainer.model).state_dict().items():
                mean[name] = mean.get(name, 0.0) + weights.cpu().double() / num_runs
    if num_runs > 1:
        accelerator.unwrap_model(trainer.model).load_state_dict(mean)
        logger.info("averaged the weights of %d runs", num_runs)
    return trainer


def needs_classifier(start: StartingModel, data: TrainingData) -> bool:
    """Return whether a model that starts from another one has a new classifier that can be fitted first."""
    has_own = list((start.config.id2label or {}).values()) == data.label_names
    return not has_own and data.problem_type == SINGLE_LABEL and not isinstance(data.train, StreamingRows)


def make_trainer(
    settings: TrainSettings,
    accelerator: Accelerator,
    data: TrainingData,
    model: ASLSTMForSequenceClassification,
    output: OutputFolder,
) -> Trainer:
    """Return a trainer with everything that one run needs, prepared for the devices and processes of the accelerator."""
    training = settings.training
    collator = Collator(
        data.tokenizer,
        emoji_spelling_prob=training.emoji_spelling_prob,
        word_spelling_prob=training.word_spelling_prob,
        seed=training.seed,
    )
    train_loader = make_loader(data.train, collator, training.per_device_train_batch_size, shuffle=True, seed=training.seed)
    validation_loader = make_loader(
        data.evaluation["validation"], Collator(data.tokenizer), training.per_device_eval_batch_size, shuffle=False
    )
    optimizers = make_optimizers(
        model,
        learning_rate=training.learning_rate,
        embedding_learning_rate=training.embedding_learning_rate or training.learning_rate,
        weight_decay=training.weight_decay,
        sparse=accelerator.device.type == "cpu",
    )
    prepared = accelerator.prepare(model, train_loader, validation_loader, *optimizers)
    steps = math.ceil(len(prepared[1]) / training.gradient_accumulation_steps) * training.num_train_epochs
    schedules = make_schedules(optimizers, warmup_steps=round(steps * training.warmup_ratio), total_steps=steps)
    return Trainer(
        accelerator,
        prepared[0],
        optimizers=list(prepared[3:]),
        schedules=schedules,
        train_loader=prepared[1],
        validation_loader=prepared[2],
        collator=collator,
        problem=problem_of(data, training, accelerator.device),
        settings=training,
        states=TrainingStates(output.checkpoint_dir, accelerator),
        checkpointing_steps=settings.output.checkpointing_steps,
        recipe=recipe_of(settings, accelerator, data),
    )


def recipe_of(settings: TrainSettings, accelerator: Accelerator, data: TrainingData) -> dict[str, Any]:
    """Return what a resumed run must have in common with the one that was begun; paths may have changed."""
    # A run that was begun by an earlier version has none of these; the rows themselves are compared by their contents, in which
    # it is also seen what cleaning does.
    unused = [] if settings.data.soft_labels else ["soft_label_weight", "distillation_temperature"]
    unused += ["problem_type"] * (settings.corpus.problem_type == SINGLE_LABEL) + ["on_error", "no_clean"]
    flags = {
        f"--{name}": value
        for name, value in flags_of(settings).items()
        if name not in (*NOT_IN_RECIPE, "report_to", *unused) and isinstance(value, str | int | float)
    }
    # A run that was begun before encodings were found read UTF-8, and of such files the same is found.
    flags["--encoding"] = settings.corpus.encoding or "utf-8"
    shares = {"processes": accelerator.num_processes, "mixed precision": accelerator.mixed_precision}
    contents = {f"{CONTENTS}{name}": fingerprint for name, fingerprint in data.fingerprints.items()}
    return flags | shares | {"rows": data.num_rows, "tokens": len(data.tokenizer)} | contents


def evaluate(trainer: Trainer, data: TrainingData, splits: Sequence[str], batch_size: int) -> dict[str, Any]:
    """Return the figures of the splits, for all rows and for those with emoji, by the model's own answers.

    Whoever compares runs by their test figures chooses by them, and then these figures measure nothing; so the test split is
    read only when it is asked for.
    """
    results = {}
    for split in splits:
        if split not in data.evaluation:
            continue
        rows = data.evaluation[split]
        loader = trainer.accelerator.prepare(make_loader(rows, Collator(data.tokenizer), batch_size, shuffle=False))
        logits = predict_logits(trainer.accelerator, trainer.model, loader)
        labels, with_emoji = data.labels[split], data.emoji_rows[split]
        parts = {split: np.full(len(labels), True), f"{split}_emoji": with_emoji}
        for name, rows_of_part in parts.items():
            if rows_of_part.any():
                results[name] = trainer.problem.figures(labels[rows_of_part], logits[rows_of_part])
    return results
