"""The command line of ``aslstm train``."""

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

from aslstm.data.corpora import CorpusSource
from aslstm.errors import UserError, check_packages
from aslstm.model_folder.hub import check_repo, check_token
from aslstm.training.model import ModelSettings
from aslstm.training.selections import SELECTIONS
from aslstm.training.starting_weights import add_model_arguments
from aslstm.training.states import LATEST
from tokenization.word_segmentation import SEGMENTERS

from .flags import CommandParser, add_settings, check_seed, make_settings

CRITERIA = ("macro_f1", "accuracy", "loss", "last")
CLASS_WEIGHTS = ("none", "sqrt", "balanced")


def parse_arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Read and check the command line.

    Raises:
        UserError: a flag or value that is not possible.
    """
    parser = CommandParser("train", "Train an emoji-attention LSTM. Without arguments: on the embedded sample corpus.")
    _add_data(parser)
    add_model_arguments(parser)
    _add_training(parser)
    arguments = parser.parse_args(given)
    vars(arguments).update(vars(make_settings(CorpusSource, arguments)))
    _check(arguments)
    return arguments


def _add_data(parser: argparse.ArgumentParser) -> None:
    add_settings(parser, CorpusSource)
    group = parser.add_argument_group("data")
    group.add_argument("--selection", choices=SELECTIONS, default="all", help="train, validate and test on these rows alone")
    group.add_argument("--max_train_samples", type=int, help="train on so many rows, chosen by --seed")
    group.add_argument("--streaming", action="store_true", help="read train in stretches: for a corpus larger than memory")
    group.add_argument("--steps_per_epoch", type=int, default=500, help="with --streaming: validate after so many steps")
    group.add_argument("--strip_emoji", action="store_true", help="take the emoji out of all texts, to see what they are worth")
    group.add_argument("--min_count", type=int, default=2, help="rarer words are spelled in characters")
    group.add_argument("--min_emoji_count", type=int, default=2, help="rarer emoji codes are spelled in name pieces")
    group.add_argument(
        "--discover_words", choices=("characters", "words"), help="keep the new words of the training texts whole"
    )
    group.add_argument("--new_words", type=Path, help="keep the words of this table of aslstm find-words whole")
    group.add_argument("--segmenter", choices=SEGMENTERS, help="default: that of --init_from, or jieba; rjieba is faster")
    group.add_argument("--model_max_length", type=int, default=512, help="longest post in tokens")


def _add_training(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("training")
    group.add_argument("--output_dir", type=Path, help="default: outputs/DATASET")
    group.add_argument("--learning_rate", type=float, default=2e-3)
    group.add_argument("--embedding_learning_rate", type=float, help="of the vectors; default: --learning_rate")
    group.add_argument("--weight_decay", type=float, default=1e-2)
    group.add_argument("--warmup_ratio", type=float, default=0.05, help="share of the steps with a rising learning rate")
    group.add_argument("--max_grad_norm", type=float, default=1.0)
    group.add_argument("--label_smoothing", type=float, default=0.1)
    group.add_argument("--emoji_spelling_prob", type=float, default=0.2, help="share of the known codes spelled in name pieces")
    group.add_argument("--logit_adjustment", type=float, default=1.0, help="weight of the log label shares in the loss")
    group.add_argument(
        "--emoji_prior_weight",
        type=float,
        default=0.0,
        help="how much those shares are of rows with (without) emoji alone",
    )
    group.add_argument("--word_spelling_prob", type=float, default=0.3, help="share of the known words spelled in characters")
    group.add_argument("--emoji_row_repeats", type=int, default=0, help="how often a row with emoji comes again in an epoch")
    group.add_argument("--class_weight", choices=CLASS_WEIGHTS, default="none", help="weights of the labels in the loss")
    group.add_argument("--per_device_train_batch_size", type=int, default=64)
    group.add_argument("--per_device_eval_batch_size", type=int, default=256)
    group.add_argument("--gradient_accumulation_steps", type=int, default=1)
    group.add_argument("--num_train_epochs", type=int, default=15)
    group.add_argument("--early_stopping_patience", type=int, default=4, help="epochs without a better validation score")
    group.add_argument("--select", choices=CRITERIA, default="macro_f1", help="which epoch's weights are kept")
    group.add_argument("--mixed_precision", choices=("no", "bf16", "fp16"), help="default: what accelerate launch says")
    group.add_argument("--seed", type=int, default=0)
    group.add_argument("--seeds", type=int, nargs="+", help="train each into OUTPUT_DIR/seed-N and report mean ± sd")
    group.add_argument(
        "--average_runs", type=int, default=1, help="average the weights of so many runs from --init_from (model soup)"
    )
    group.add_argument(
        "--bag_of_words_weight",
        type=float,
        default=0.0,
        help="share of the logits that words and emoji decide by themselves, by a logistic regression",
    )
    group.add_argument("--report_to", choices=("none", "tensorboard"), default="none")
    group.add_argument(
        "--checkpointing_steps", type=_steps_or_epoch, metavar="N",
        help="save the state of training every N optimizer steps, or after each `epoch`, and on SIGTERM",
    )  # fmt: skip
    group.add_argument(
        "--resume_from_checkpoint", nargs="?", const=LATEST, metavar="STATE",
        help="go on from the `latest` whole state of --output_dir, if there is one, or from this one",
    )  # fmt: skip
    group.add_argument("--push_to_hub", action="store_true", help="publish the model as --hub_model_id, as aslstm push does")
    group.add_argument("--hub_model_id", help="owner/name of a public repository; made where there is none")


def _steps_or_epoch(text: str) -> int | str:
    if text != "epoch" and not (text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"expected a number of steps above 0 or 'epoch', found {text!r}")
    return text if text == "epoch" else int(text)


def _check(arguments: argparse.Namespace) -> None:
    if arguments.emoji_row_repeats < 0:
        raise UserError(f"--emoji_row_repeats: expected 0 or more, found {arguments.emoji_row_repeats}")
    for name in ("min_count", "per_device_train_batch_size", "per_device_eval_batch_size", "gradient_accumulation_steps",
                 "num_train_epochs", "early_stopping_patience", "average_runs", "model_max_length", "max_train_samples",
                 "steps_per_epoch"):  # fmt: skip
        value = getattr(arguments, name)
        if value is not None and value < 1:
            raise UserError(f"--{name}: expected 1 or more, found {value}")
    for name in ("emoji_spelling_prob", "word_spelling_prob", "label_smoothing", "warmup_ratio", "emoji_prior_weight",
                 "bag_of_words_weight"):  # fmt: skip
        if not 0.0 <= getattr(arguments, name) < 1.0:
            raise UserError(f"--{name}: expected 0 or more and less than 1, found {getattr(arguments, name)}")
    for name in ("learning_rate", "embedding_learning_rate", "max_grad_norm"):
        if getattr(arguments, name) is not None and not 0.0 < getattr(arguments, name) < math.inf:
            raise UserError(f"--{name}: expected a number above 0, found {getattr(arguments, name)}")
    if not 0.0 <= arguments.weight_decay < math.inf:
        raise UserError(f"--weight_decay: expected 0 or more, found {arguments.weight_decay}")
    for seed in [arguments.seed, *(arguments.seeds or [])]:
        check_seed(seed)
    if arguments.emoji_prior_weight and not arguments.logit_adjustment:
        raise UserError("--emoji_prior_weight: expected --logit_adjustment other than 0, found 0; leave out one of them")
    for name in ("max_train_samples", "strip_emoji", "checkpointing_steps", "resume_from_checkpoint", "emoji_row_repeats",
                 "emoji_prior_weight", "bag_of_words_weight"):  # fmt: skip
        if arguments.streaming and getattr(arguments, name):
            raise UserError(f"expected --streaming or --{name}, found both; a stream is neither counted, changed nor resumed")
    if arguments.average_runs > 1 and not arguments.init_from:
        raise UserError("--average_runs: expected --init_from, found none; runs from different random weights do not average")
    if arguments.average_runs > 1 and (
        arguments.checkpointing_steps or arguments.resume_from_checkpoint or arguments.streaming
    ):
        raise UserError("expected --average_runs 1 with states of training or a stream, found more; leave out one of them")
    if arguments.seeds and arguments.resume_from_checkpoint not in (None, LATEST):
        raise UserError(
            "--resume_from_checkpoint: expected latest with --seeds, found a state of one run; leave out one of them"
        )
    if arguments.streaming and arguments.selection != "all":
        raise UserError(f"expected --streaming with all rows, found --selection {arguments.selection}; leave out one of them")
    if arguments.discover_words and arguments.new_words:
        raise UserError("expected --discover_words or --new_words, found both; leave out one of them")
    if arguments.streaming and arguments.discover_words:
        raise UserError("--streaming: expected --new_words, found --discover_words; run aslstm find-words on the files first")
    if arguments.selection == "new_words" and not arguments.new_words:
        arguments.discover_words = arguments.discover_words or "words"
    if arguments.report_to == "tensorboard":
        check_packages("tracking", "tensorboard")  # accelerate would go on without
    if arguments.push_to_hub != bool(arguments.hub_model_id):
        raise UserError("expected --push_to_hub and --hub_model_id owner/name, found one of them; add or leave out the other")
    if arguments.push_to_hub:
        if arguments.seeds:
            raise UserError("--push_to_hub: expected one model, found --seeds; choose one and use aslstm push")
        check_repo(arguments.hub_model_id)
        check_token()
    arguments.embedding_learning_rate = arguments.embedding_learning_rate or arguments.learning_rate
    arguments.output_dir = arguments.output_dir or Path("outputs") / arguments.dataset.replace("/", "--")


def model_settings(arguments: argparse.Namespace) -> ModelSettings:
    """The choices of the model, after :func:`read_starting_point`."""
    given = vars(arguments) | {
        "use_max_pooling": not arguments.no_max_pooling,
        "bidirectional": not arguments.unidirectional,
    }
    return ModelSettings(**{name: given[name] for name in ModelSettings.__dataclass_fields__})
