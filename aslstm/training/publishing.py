"""Takes a trained model, its tokenizer and a record of the run and gives a model folder with its card.

The Hub and ``from_pretrained`` take the folder as it is. It gets its name only after all its files have been written.
"""

import json
import os
import shlex
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData
from safetensors import SafetensorError

from aslstm.data.known_corpora import KNOWN_CORPORA, KnownCorpus
from aslstm.data.labels import SINGLE_LABEL
from aslstm.disk import locked, target_of
from aslstm.errors import UserError
from aslstm.files import CHECKSUMS, json_text, replacing_folder, write_checksums
from aslstm.model_folder.choosing import BUILT_IN
from aslstm.model_folder.layout import NEW_WORDS, WEIGHTS, check_model_folder
from aslstm.words.new_word_files import write_new_words
from aslstm.words.new_words import NewWord
from modeling_aslstm import ASLSTMForSequenceClassification
from tokenization import ASLSTMTokenizer

from .decision import MIN_FITTED_ROWS
from .settings import NO_START

CARD_TEMPLATE = Path(__file__).parent.parent / "model_card.md"  # This is in the folder of the package aslstm.
# These say where a model goes and how its training is interrupted and resumed, but not how it is made.
NOT_IN_RECIPE = (
    "evaluate_test", "output_dir", "overwrite", "push_to_hub", "hub_model_id", "checkpointing_steps", "resume_from_checkpoint",
)  # fmt: skip
PRETRAINING = "pretrain.py"
VERSIONED_PACKAGES = ("torch", "transformers", "datasets", "accelerate", "jieba", "emoji")
BAG_OF_WORDS = (
    " A part of the answer is decided by each word and emoji alone: their scores, of a logistic regression, are added to the\n"
    "logits (`use_bag_of_words`)."
)
# A command says nothing of these values, which are what a user has who gives none.
_PLAIN = (("dataset", "files"), ("problem_type", SINGLE_LABEL), ("on_error", "stop"))
SPLIT_TITLES = {
    "validation": "validation",
    "validation_emoji": "validation, rows with emoji",
    "test": "test",
    "test_emoji": "test, rows with emoji",
}


@dataclass(frozen=True)
class TrainingRecord:
    """Holds what a model folder says of its training beside the weights.

    Attributes:
        dataset: The name of the corpus, as :class:`CorpusSource` has it.
        flags: Every setting of the run by the name of its flag.
        best_epoch: The epoch whose weights were kept.
        num_epochs: The number of epochs that were trained.
        results: The figures of each split.
        num_rows: The number of rows of each split.
        new_words: The words that the tokenizer keeps whole beside jieba's dictionary.
        script: The script whose command the card shows; "" if another program trained the model.
    """

    dataset: str
    flags: Mapping[str, Any] = field(default_factory=dict)
    best_epoch: int = 0
    num_epochs: int = 0
    results: dict[str, Any] = field(default_factory=dict)
    num_rows: dict[str, int] = field(default_factory=dict)
    new_words: Sequence[NewWord] = ()
    script: str = "train.py"


def _what_to_do(record: TrainingRecord, first: str) -> str:
    # Pre-training saves no states.
    goes_on = "" if record.script == PRETRAINING else "; a run with `checkpointing_steps` goes on with `resume_from_checkpoint`"
    return first + goes_on


class OutputFolder:
    """Checks the folder that a run will write, and writes it.

    It is created before training, so that a run does not find out at its end that it cannot write.

    Args:
        path: A new folder, an empty one, or a model folder, which is replaced after the new one has been written. What others
            put into it, which its checksums do not list, stays.
        replaces: Whether a model that stands there may be replaced.

    Raises:
        UserError: The path names a file, a folder with other files or a model that may not be replaced, or it cannot be
            written.
    """

    def __init__(self, path: Path, *, replaces: bool = True) -> None:
        # A link stays, and the folder that it leads to is written.
        self.path = target_of(path) if os.path.islink(path) else path.absolute()  # noqa: PTH114 (takes names of any length)
        if self.path.name in ("", ".."):
            raise UserError(f"`output_dir` {path}: expected a folder with a name, found none; choose another")
        self.checkpoint_dir = self.path.with_name(f"{self.path.name}-checkpoints")
        try:
            if self.path.exists() and not self.path.is_dir():
                raise UserError(f"`output_dir` {path}: expected a folder, found a file; choose another name")
            if self.path.is_dir() and any(self.path.iterdir()) and not (self.path / CHECKSUMS).is_file():
                raise UserError(
                    f"`output_dir` {path}: expected a new or a model folder, found other files; choose another name"
                )
            if not replaces and (self.path / CHECKSUMS).is_file() and (self.path / WEIGHTS).is_file():
                raise UserError(
                    f"`output_dir` {path}: expected a new folder, found a model; choose another name or add `overwrite`"
                )
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # This name is the longest of those that the run will create in the parent folder.
            with tempfile.TemporaryDirectory(prefix=f".{self.checkpoint_dir.name}.", dir=self.path.parent):
                pass
            if self.path.is_dir() and not os.access(self.path, os.W_OK):
                raise PermissionError(13, "Permission denied")
        except OSError as error:
            raise UserError(
                f"`output_dir` {str(path)[:100]}: expected a place to write, found: {error.strerror}; choose another"
            ) from error

    def alone(self, *, is_writer: bool) -> AbstractContextManager[None]:
        """Keep other runs from writing the folder and the states beside it while the context lasts.

        Args:
            is_writer: Whether this is the process that writes; the others of its run must not lock too.
        """
        return locked(self.path, name="output_dir") if is_writer else nullcontext()

    def publish(self, model: ASLSTMForSequenceClassification, tokenizer: ASLSTMTokenizer, record: TrainingRecord) -> None:
        """Write the folder under a temporary name, then give it its own.

        Args:
            model: The trained model.
            tokenizer: The tokenizer of the model.
            record: The record of the run.

        Raises:
            UserError: The folder cannot be written; an earlier folder of that name is unchanged.
        """
        try:
            with replacing_folder(self.path) as staging:
                staging.mkdir()
                self._write(staging, model, tokenizer, record)
                self._keep_what_others_put_here(staging)
        except FileNotFoundError as error:
            # The disk may have room: a file of the package that is copied is missing, or somebody has removed the folder.
            raise UserError(
                f"`output_dir` {self.path}: expected {error.filename}, found nothing there; "
                f"{_what_to_do(record, 'put it back')}"
            ) from error
        except (OSError, SafetensorError) as error:
            raise UserError(
                f"`output_dir` {self.path}: expected room for the model, found: {getattr(error, 'strerror', None) or error}; "
                f"{_what_to_do(record, 'make room')}"
            ) from error

    def _keep_what_others_put_here(self, staging: Path) -> None:
        if not (self.path / CHECKSUMS).is_file():
            return
        listed = json.loads((self.path / CHECKSUMS).read_text(encoding="utf-8"))
        own = {CHECKSUMS, "__pycache__", *(Path(name).parts[0] for name in listed)}
        for path in self.path.iterdir():
            if path.name in own or (staging / path.name).exists():
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.copytree(path, staging / path.name, symlinks=True)
            else:
                shutil.copy2(path, staging / path.name, follow_symlinks=False)

    def _write(
        self, staging: Path, model: ASLSTMForSequenceClassification, tokenizer: ASLSTMTokenizer, record: TrainingRecord
    ) -> None:
        model.save_pretrained(staging)
        tokenizer.save_pretrained(staging)
        (staging / "eval_results.json").write_text(json_text(record.results), encoding="utf-8")
        if record.new_words:
            write_new_words(staging / NEW_WORDS, record.new_words, with_examples=False)
        (staging / "README.md").write_text(fill_card(self.path.name, model, record), encoding="utf-8")
        # safetensors lets only its owner read the weights, and copied code has the mode of the installed package.
        for path in staging.iterdir():
            shutil.copymode(staging / "README.md", path)
        write_checksums(staging)
        check_model_folder(staging)


def fill_card(name: str, model: ASLSTMForSequenceClassification, record: TrainingRecord) -> str:
    """Return the model card, which is the template filled with the figures of the run."""
    # The path of a folder is private, like those of files.
    is_own = record.dataset == "files" or Path(record.dataset).exists()
    dataset_type = "files" if is_own else record.dataset
    unknown = KnownCorpus("custom corpus" if is_own else dataset_type, files={}, hub_id="" if is_own else dataset_type)
    corpus = KNOWN_CORPORA.get(dataset_type, unknown)
    metadata = ModelCardData(
        language="zh",
        license="apache-2.0",
        library_name="transformers",
        pipeline_tag="text-classification",
        tags=["custom_code", "emotion", "sentiment", "emoji", "weibo", "lstm"],
        datasets=[corpus.hub_id] if corpus.hub_id else None,
        metrics=["accuracy", "f1"],
        model_name=name,
        eval_results=[
            EvalResult(
                task_type="text-classification",
                dataset_type=dataset_type,
                dataset_name=corpus.title,
                # The Hub merges figures of one dataset, configuration and split, so the rows with emoji are a configuration.
                dataset_config="rows with emoji" if split.endswith("_emoji") else "all rows",
                dataset_split=split.removesuffix("_emoji"),
                metric_type=metric_type,
                metric_name=metric_name,
                metric_value=round(metrics[key], 4),
            )
            for split, metrics in record.results.items()
            for metric_type, metric_name, key in (("accuracy", "accuracy", "accuracy"), ("f1", "macro-F1", "macro_f1"))
        ],
        widget=[{"text": "今天又加班[泪]"}, {"text": "今天又加班[太开心]"}],
    )
    rows = [
        f"| {SPLIT_TITLES[split]} | {m['num_examples']} | {with_interval(m, 'accuracy')} | {with_interval(m, 'macro_f1')} | "
        f"{'–' if 'macro_f1_emotions' not in m else format(m['macro_f1_emotions'], '.3f')} | {m['majority_accuracy']:.3f} |"
        for split, m in record.results.items()
    ]
    card = ModelCard.from_template(
        metadata,
        template_path=str(CARD_TEMPLATE),
        name=name,
        dataset=corpus.title,
        caveat=corpus.caveat,
        labels=", ".join((model.config.id2label or {}).values()),
        fusion=model.config.emoji_fusion,
        num_parameters=f"{model.num_parameters():,}",
        bag_of_words=BAG_OF_WORDS if model.config.use_bag_of_words else "",
        results="\n".join(rows) or "| none measured yet: `aslstm evaluate` does | | | | | |",
        num_rows=_counts_of_rows(record),
        recipe=command_of(record.flags, record.script) if record.script else "# saved by another program",
        epochs=f"Weights of epoch {record.best_epoch} of {record.num_epochs}. " if record.num_epochs else "",
        chosen=_chosen_on_validation(model, record),
        test_read=_how_test_was_read(record),
        # The figures of this project are those of models of these corpora, and say nothing of a model of other data.
        is_of_known_corpus=dataset_type in KNOWN_CORPORA,
        versions=", ".join(f"{package} {version(package)}" for package in VERSIONED_PACKAGES),
    )
    return str(card)


def _counts_of_rows(record: TrainingRecord) -> str:
    counts = ", ".join(f"{split} {count}" for split, count in record.num_rows.items())
    return f" (rows: {counts})" if counts else ""


def _chosen_on_validation(model: ASLSTMForSequenceClassification, record: TrainingRecord) -> str:
    """Return the sentence of a card that says what was chosen on validation."""
    if not record.script:
        return "What was chosen on validation is not known"
    if record.script == PRETRAINING:
        return "Nothing was chosen on validation"
    thresholds = record.results.get("validation", {}).get("thresholds")
    has_few = record.num_rows.get("validation", MIN_FITTED_ROWS) < MIN_FITTED_ROWS
    few = f"because validation has fewer than {MIN_FITTED_ROWS} rows"
    if thresholds and has_few:
        return (
            "A post has every label\nwhose score is .5 or more; accuracy is the share of posts with every label right. No "
            f"thresholds were fitted, {few}; the epoch was chosen on validation"
        )
    if thresholds:
        listed = ", ".join(f"{label} {threshold}" for label, threshold in thresholds.items())
        return (
            "A post has every label\nwhose score is .5 or more; accuracy is the share of posts with every label right. Epoch "
            f"and thresholds ({listed}), which were then taken off the bias of the classifier, were chosen on validation"
        )
    config = model.config
    if has_few:
        return (
            f"The temperature is {config.temperature:g},\n{few}; epoch and decision prior weight "
            f"({config.decision_prior_weight:.2f}) were chosen on validation"
        )
    return (
        f"Epoch, decision prior weight ({config.decision_prior_weight:.2f}) and\ntemperature ({config.temperature:.3f}) were "
        "chosen on validation"
    )


def _how_test_was_read(record: TrainingRecord) -> str:
    """Return the end of that sentence, or "" for a model that another program trained, of which it is not known."""
    if "test" in record.results:
        return "; test was read once"
    return "; no test split was scored" if record.script else ""


def with_interval(metrics: dict[str, Any], name: str) -> str:
    """Return a figure as text with its 95 % interval, if it has one."""
    interval = metrics.get("intervals_95", {}).get(name)
    return f"{metrics[name]:.3f}" + (f" ({interval[0]:.3f}–{interval[1]:.3f})" if interval else "")


def _is_path(name: str, value: Any) -> bool:
    """Return whether the value of a setting is a path, also where it could be the name of something known instead."""
    return (isinstance(value, Path) and str(value) not in (BUILT_IN, NO_START)) or (
        name in ("dataset", "map_labels") and Path(str(value)).exists()
    )


def command_of(flags: Mapping[str, Any], script: str) -> str:
    """Return the command that trains the same model.

    Paths are private, so a path is shown as the name of its flag in capitals.
    """
    parts = []
    for key, value in sorted(flags.items()):
        if key in NOT_IN_RECIPE:
            continue
        if value is True:
            parts.append(f"--{key}")
        elif value is not None and value is not False and value != () and (key, value) not in _PLAIN:
            values = value if isinstance(value, tuple) else (value,)
            given = [key.upper() if _is_path(key, one) else shlex.quote(str(one)) for one in values]
            parts.append(f"--{key} {' '.join(dict.fromkeys(given))}")
    return " \\\n    ".join([f"accelerate launch train_scripts/{script}", *parts])
