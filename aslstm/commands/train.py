"""Train a model: corpus in, Hub folder out.

accelerate launch train_scripts/train.py                                     # the embedded sample corpus
accelerate launch train_scripts/train.py --dataset nlpcc2014 --data_dir DIR --output_dir outputs/nlpcc2014
accelerate launch train_scripts/train.py --train_file posts.csv --text_column review --label_column stars
"""

import argparse
import logging
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import transformers
from accelerate import Accelerator, DataLoaderConfiguration
from accelerate.utils import set_seed

from aslstm.errors import UserError
from aslstm.metrics import compute_metrics, fit_prior_weight, fit_temperature, intervals_95
from aslstm.model_folder.hub import push
from aslstm.model_folder.staging import prepare
from aslstm.printing import table_text
from aslstm.training.bag_of_words import add_bag_of_words
from aslstm.training.batches import Collator
from aslstm.training.data import TrainingData, class_weights, loss_priors, prepare_data
from aslstm.training.model import make_model
from aslstm.training.optimization import make_optimizers, make_schedules
from aslstm.training.publishing import NOT_IN_RECIPE, OutputFolder, TrainingRecord
from aslstm.training.stage_times import StageTimes
from aslstm.training.starting_weights import StartingPoint, read_starting_point
from aslstm.training.states import TrainingStates
from aslstm.training.steps import make_loader, predict_logits, saving_bad_batch, usable_precision
from aslstm.training.trainer import Trainer, TrainingSettings
from modeling_aslstm import ASLSTMForSequenceClassification

from .push import show
from .train_arguments import model_settings, parse_arguments

logger = logging.getLogger(__name__)

# Far from the small seeds that people compare.
RUN_SEED_STEP = 10_000


def make_trainer(
    arguments: argparse.Namespace,
    accelerator: Accelerator,
    data: TrainingData,
    model: ASLSTMForSequenceClassification,
    output: OutputFolder,
) -> Trainer:
    """Everything that one run of training needs, prepared for the accelerator's devices and processes."""
    collator = Collator(
        data.tokenizer,
        emoji_spelling_prob=arguments.emoji_spelling_prob,
        word_spelling_prob=arguments.word_spelling_prob,
        seed=arguments.seed,
    )
    batch_size = arguments.per_device_train_batch_size
    train_loader = make_loader(data.train, collator, batch_size, shuffle=True, seed=arguments.seed)
    validation_loader = make_loader(
        data.evaluation["validation"], Collator(data.tokenizer), arguments.per_device_eval_batch_size, shuffle=False
    )
    optimizers = make_optimizers(
        model,
        learning_rate=arguments.learning_rate,
        embedding_learning_rate=arguments.embedding_learning_rate,
        weight_decay=arguments.weight_decay,
        sparse=accelerator.device.type == "cpu",
    )
    prepared = accelerator.prepare(model, train_loader, validation_loader, *optimizers)
    steps = math.ceil(len(prepared[1]) / arguments.gradient_accumulation_steps) * arguments.num_train_epochs
    schedules = make_schedules(optimizers, warmup_steps=round(steps * arguments.warmup_ratio), total_steps=steps)
    return Trainer(
        accelerator,
        prepared[0],
        optimizers=list(prepared[3:]),
        schedules=schedules,
        train_loader=prepared[1],
        validation_loader=prepared[2],
        collator=collator,
        validation_labels=data.labels["validation"],
        label_names=data.label_names,
        label_prior=np.array(model.config.label_prior),
        loss_priors=loss_priors(arguments.emoji_prior_weight, data),
        class_weights=class_weights(arguments.class_weight, data),
        settings=TrainingSettings(**{name: getattr(arguments, name) for name in TrainingSettings.__dataclass_fields__}),
        states=TrainingStates(output.checkpoint_dir, accelerator),
        recipe=recipe_of(arguments, accelerator, data),
    )


def recipe_of(arguments: argparse.Namespace, accelerator: Accelerator, data: TrainingData) -> dict[str, Any]:
    """What a resumed run must have in common with the one that was begun; paths may have changed."""
    flags = {
        f"--{name}": value
        for name, value in vars(arguments).items()
        if name not in (*NOT_IN_RECIPE, "report_to") and isinstance(value, str | int | float)
    }
    shares = {"processes": accelerator.num_processes, "mixed precision": accelerator.mixed_precision}
    return flags | shares | {"rows": data.num_rows, "tokens": len(data.tokenizer)}


def fit_decision_rule(trainer: Trainer, labels: np.ndarray) -> None:
    """Fit ``decision_prior_weight``, then ``temperature``, on validation, into the model's config."""
    config = trainer.accelerator.unwrap_model(trainer.model).config
    logits = predict_logits(trainer.accelerator, trainer.model, trainer.validation_loader)
    prior = np.array(config.label_prior)
    config.decision_prior_weight = fit_prior_weight(logits, labels, prior)
    config.temperature = fit_temperature(logits + config.decision_prior_weight * np.log(prior), labels)
    logger.info("decision prior weight %.2f, temperature %.3f", config.decision_prior_weight, config.temperature)


def evaluate(trainer: Trainer, data: TrainingData, batch_size: int) -> dict[str, Any]:
    """Figures of validation and test, of all rows and of those with emoji, at the model's own answer."""
    results = {}
    for split, rows in data.evaluation.items():
        loader = trainer.accelerator.prepare(make_loader(rows, Collator(data.tokenizer), batch_size, shuffle=False))
        predictions = predict_logits(trainer.accelerator, trainer.model, loader).argmax(1)
        labels, with_emoji = data.labels[split], data.emoji_rows[split]
        parts = {split: np.full(len(labels), True), f"{split}_emoji": with_emoji}
        for name, rows_of_part in parts.items():
            if rows_of_part.any():
                gold, given = labels[rows_of_part], predictions[rows_of_part]
                intervals = intervals_95(gold, given, len(data.label_names))
                results[name] = compute_metrics(gold, given, data.label_names) | {"intervals_95": intervals}
    return results


def report(results: dict[str, Any]) -> None:
    """Print the figures as a table."""
    keys = ("accuracy", "macro_f1", "majority_accuracy")
    rows = [[split, str(m["num_examples"]), *(f"{m[key]:.4f}" for key in keys)] for split, m in results.items()]
    print(table_text(["split", "rows", "accuracy", "macro-F1", "majority"], rows))


def report_seeds(results: list[dict[str, Any]]) -> None:
    """Print mean ± standard deviation (of the sample) over the seeds."""
    rows = []
    for split in results[0]:
        accuracy, macro_f1 = (np.array([result[split][key] for result in results]) for key in ("accuracy", "macro_f1"))
        cells = (f"{figures.mean():.4f} ± {figures.std(ddof=min(1, len(results) - 1)):.4f}" for figures in (accuracy, macro_f1))
        rows.append([split, *cells])
    print(table_text([f"mean ± sd of {len(results)} seeds", "accuracy", "macro-F1"], rows))


def make_accelerator(arguments: argparse.Namespace) -> Accelerator:
    """The accelerator, with tracking where asked."""
    try:
        return Accelerator(
            mixed_precision=usable_precision(arguments.mixed_precision),
            gradient_accumulation_steps=arguments.gradient_accumulation_steps,
            log_with=None if arguments.report_to == "none" else arguments.report_to,
            project_dir=f"{arguments.output_dir}-logs",
            # Batches are shared between processes as they are: their rows were chosen for similar length.
            # Copies from pinned memory to the device go on beside the computation.
            dataloader_config=DataLoaderConfiguration(
                split_batches=False, even_batches=True, dispatch_batches=False, non_blocking=True
            ),
        )
    except (ValueError, ImportError) as error:
        raise UserError(f"--mixed_precision or --report_to: {error}") from error


def train_runs(
    arguments: argparse.Namespace, accelerator: Accelerator, data: TrainingData, start: StartingPoint, output: OutputFolder
) -> Trainer:
    """Train once, or ``--average_runs`` times from the same start, and leave the mean of the weights in the model.

    Runs that start from the same pre-trained weights end close enough together for their mean to be better than any of them,
    as an ensemble is, at the price of one model (Wortsman et al. 2022, arXiv:2203.05482).
    """
    mean: dict[str, torch.Tensor] = {}
    token_counts = data.token_counts if start.vectors is not None else {}
    for number in range(arguments.average_runs):
        run_arguments = argparse.Namespace(**vars(arguments) | {"seed": (arguments.seed + RUN_SEED_STEP * number) % 2**32})
        set_seed(run_arguments.seed)
        model = make_model(
            data.tokenizer,
            model_settings(arguments),
            data.label_names,
            data.label_counts,
            start=start,
            token_counts=token_counts,
        )
        trainer = make_trainer(run_arguments, accelerator, data, model, output)
        if arguments.resume_from_checkpoint:
            trainer.resume(arguments.resume_from_checkpoint)
        with saving_bad_batch(output.path, accelerator):
            trainer.train()
        if arguments.average_runs > 1:
            for name, weights in accelerator.unwrap_model(trainer.model).state_dict().items():
                mean[name] = mean.get(name, 0.0) + weights.cpu().double() / arguments.average_runs
    if arguments.average_runs > 1:
        accelerator.unwrap_model(trainer.model).load_state_dict(mean)
        logger.info("averaged the weights of %d runs", arguments.average_runs)
    return trainer


def train_one(
    arguments: argparse.Namespace,
    accelerator: Accelerator,
    data: TrainingData,
    start: StartingPoint,
    output: OutputFolder,
    stages: StageTimes,
) -> dict[str, Any]:
    """Train, evaluate and save the model of one seed; gives its figures."""
    if arguments.report_to != "none":
        settings = {key: str(value) for key, value in vars(arguments).items()}
        accelerator.init_trackers(f"seed-{arguments.seed}", config=settings)
    with stages.measure("training"):
        trainer = train_runs(arguments, accelerator, data, start, output)
    if arguments.bag_of_words_weight:
        with stages.measure("bag of words"):
            add_bag_of_words(
                accelerator.unwrap_model(trainer.model),
                data.tokenizer,
                data.train["input_ids"],
                np.array(data.train["labels"]),
                weight=arguments.bag_of_words_weight,
                logit_adjustment=arguments.logit_adjustment,
            )
    with stages.measure("decision rule"):
        fit_decision_rule(trainer, data.labels["validation"])
    with stages.measure("evaluation"):
        results = evaluate(trainer, data, arguments.per_device_eval_batch_size)
    if accelerator.is_main_process:
        with stages.measure("saving"):
            record = TrainingRecord(arguments, trainer.progress, results, data.num_rows, data.new_words)
            output.publish(accelerator.unwrap_model(trainer.model), data.tokenizer, record)
        report(results)
        print(f"saved {output.path}")
    accelerator.wait_for_everyone()
    accelerator.free_memory()
    return results


def runs_of_seeds(arguments: argparse.Namespace) -> list[argparse.Namespace]:
    """The command line of each seed of ``--seeds``, or the one that was given."""
    if not arguments.seeds:
        return [arguments]
    return [
        argparse.Namespace(
            **vars(arguments) | {"seed": seed, "seeds": None, "output_dir": arguments.output_dir / f"seed-{seed}"}
        )
        for seed in arguments.seeds
    ]


def main(given: Sequence[str] | None = None) -> None:
    """Train and save a model, or one for each of several seeds."""
    arguments = parse_arguments(given)
    accelerator = make_accelerator(arguments)
    logging.basicConfig(level=logging.INFO if accelerator.is_main_process else logging.WARNING, format="%(message)s")
    for name in ("httpx", "accelerate", "datasets", "gensim"):
        logging.getLogger(name).setLevel(logging.WARNING)
    transformers.utils.logging.disable_progress_bar()
    logger.info("processes: %d, device: %s", accelerator.num_processes, accelerator.device.type)
    start = read_starting_point(arguments)
    runs = runs_of_seeds(arguments)
    outputs = [OutputFolder(one.output_dir) for one in runs]
    for output in outputs:
        states = TrainingStates(output.checkpoint_dir, accelerator)
        states.check(resume=arguments.resume_from_checkpoint, is_saving=bool(arguments.checkpointing_steps))
    results: list[dict[str, Any]] = []
    stages = StageTimes()
    for one, output in zip(runs, outputs, strict=True):
        # A corpus is made ready once for all seeds, unless its rows follow the seed.
        if not results or one.max_train_samples or one.streaming:
            with accelerator.main_process_first():
                data = prepare_data(one, start.model, accelerator.num_processes, stages)
        results.append(train_one(one, accelerator, data, start, output, stages))
    if arguments.seeds and accelerator.is_main_process:
        report_seeds(results)
    logger.info(stages.table())
    accelerator.end_training()
    if arguments.push_to_hub and accelerator.is_main_process:
        with prepare(outputs[0].path, arguments.hub_model_id) as prepared:
            show(prepared, arguments.hub_model_id)
            print(f"pushed {push(prepared.folder, arguments.hub_model_id)}")
