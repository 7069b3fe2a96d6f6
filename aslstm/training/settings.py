"""Takes the values of settings and gives checked, frozen dataclasses that training only reads.

Every flag of ``aslstm train`` and ``aslstm pretrain`` is defined here, once. :class:`TrainSettings` and
:class:`PretrainSettings` bundle what a run needs, and they refuse settings of different parts that contradict each other.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aslstm.data.corpora import CorpusSource
from aslstm.data.known_corpora import KNOWN_CORPORA
from aslstm.data.labels import MULTI_LABEL, SINGLE_LABEL
from aslstm.data.text_sources import TextSource
from aslstm.errors import UserError, check_packages
from aslstm.model_folder.choosing import BUILT_IN
from aslstm.model_folder.hub import check_repo, check_token
from aslstm.settings import MAX_SEED, check_settings, optional_path, seed_setting, setting, setting_like, settings_of
from modeling_aslstm.configuration_aslstm import ATTENTION_KEYS, CLASSIFIER_INPUTS, EMOJI_FUSIONS
from tokenization.word_segmentation import SEGMENTERS

SELECTIONS = ("all", "has_clauses", "has_emoji", "clauses_with_emoji", "new_words")
CRITERIA = ("macro_f1", "accuracy", "loss", "last")
CLASS_WEIGHTS = ("none", "sqrt", "balanced")
PRECISIONS = ("no", "bf16", "fp16")
# This value of `init_from` names random weights.
NO_START = "none"
# This value of `resume_from_checkpoint` means the newest complete state of training.
LATEST = "latest"

_SAME = "default: that of --init_from, or"
# These settings need rows that can be counted, changed or read again in the same order. The rows of a stream cannot.
_NOT_STREAMED = (
    "max_train_samples", "strip_emoji", "checkpointing_steps", "resume_from_checkpoint", "emoji_row_repeats",
    "emoji_prior_weight", "bag_of_words_weight", "soft_labels",
)  # fmt: skip
# These settings are about the shares of labels of which a row has exactly one.
_ONE_LABEL_ONLY = ("class_weight", "emoji_prior_weight", "bag_of_words_weight", "soft_labels")


@dataclass(frozen=True)
class DataSettings:
    """Says which rows are trained on and how their vocabulary is made.

    Raises:
        UserError: A value is not possible.
    """

    soft_labels: tuple[Path, ...] = setting(
        (), "learn the answers of teachers too: a file of aslstm predict for each teacher, all of the same posts"
    )
    selection: str = setting("all", "train, validate and test on these rows only", choices=SELECTIONS)
    max_train_samples: int | None = setting(None, "train on this many rows, chosen by --seed", at_least=1)
    streaming: bool = setting(False, "read the training rows piece by piece, for a corpus larger than memory")
    steps_per_epoch: int = setting(500, "with --streaming: validate after this many steps", at_least=1)
    strip_emoji: bool = setting(False, "remove the emoji from all texts, to see what they are worth")
    min_count: int = setting(2, "rarer words are spelled in characters", at_least=1)
    min_emoji_count: int = setting(2, "rarer emoji codes are spelled in name pieces", at_least=1)
    discover_words: str | None = setting(
        None, "keep the new words of the training texts whole", choices=("characters", "words")
    )
    new_words: Path | None = setting(None, "keep the words of this table of aslstm find-words whole")
    segmenter: str | None = setting(None, f"{_SAME} jieba; rjieba is faster", choices=SEGMENTERS)
    model_max_length: int = setting(512, "the longest post in tokens; longer ones are cut", at_least=1)

    def __post_init__(self) -> None:
        check_settings(self)
        if self.streaming and self.selection != "all":
            raise UserError(f"expected `streaming` with all rows, found `selection` {self.selection}; leave out one of them")
        if self.discover_words and self.new_words:
            raise UserError("expected `discover_words` or `new_words`, found both; leave out one of them")
        if self.streaming and self.discover_words:
            raise UserError(
                "`streaming`: expected `new_words`, found `discover_words`; run aslstm find-words on the files first"
            )
        object.__setattr__(self, "new_words", optional_path(self.new_words))
        object.__setattr__(self, "soft_labels", tuple(map(Path, self.soft_labels)))
        if self.selection == "new_words" and not self.new_words and not self.discover_words:
            object.__setattr__(self, "discover_words", "words")


@dataclass(frozen=True)
class ModelSettings:
    """Holds the choices, sizes and starting weights of a model.

    A value of None is open: :func:`aslstm.training.starting_weights.read_starting_point` fills it in.

    Raises:
        UserError: A value is not possible.
    """

    emoji_fusion: str | None = setting(
        None, f"how words and emoji of a post are combined; {_SAME} attention", choices=EMOJI_FUSIONS
    )
    attention_key: str | None = setting(None, f"what attention compares emoji with; {_SAME} embedding", choices=ATTENTION_KEYS)
    classifier_input: str | None = setting(
        None, f"what the classifier reads; {_SAME} attention_and_query", choices=CLASSIFIER_INPUTS
    )
    unidirectional: bool = setting(False, "no LSTM reads backwards: half the work, a little worse")
    no_max_pooling: bool = setting(False, "the classifier reads no maxima")
    vectors: Path | None = setting(None, "start from these word vectors (word2vec, GloVe, fastText)")
    init_from: Path | None = setting(
        None,
        f"start from this model folder, whose vocabulary is kept and extended; {BUILT_IN}: the built-in model, the default for "
        f"rows of your own; {NO_START}: random weights, the default for known corpora",
    )
    embedding_size: int | None = setting(
        None, "the length of a token's vector; default: that of --init_from or --vectors, or 128", at_least=1
    )
    hidden_size: int | None = setting(None, f"the units of one LSTM direction; {_SAME} 128", at_least=1)
    num_hidden_layers: int | None = setting(None, f"the number of LSTM layers; {_SAME} 1", at_least=1)
    hidden_dropout_prob: float = setting(0.5, "dropout between the layers", at_least=0, below=1)

    def __post_init__(self) -> None:
        check_settings(self)
        object.__setattr__(self, "vectors", optional_path(self.vectors))
        object.__setattr__(self, "init_from", optional_path(self.init_from))


@dataclass(frozen=True)
class TrainingSettings:
    """Says how the weights are trained and which of them are kept.

    An ``embedding_learning_rate`` of None becomes ``learning_rate``.

    Raises:
        UserError: A value is not possible.
    """

    learning_rate: float = setting(2e-3, "the highest learning rate", above=0)
    embedding_learning_rate: float | None = setting(None, "the learning rate of the vectors; default: --learning_rate", above=0)
    weight_decay: float = setting(1e-2, "the weight decay of all weights but the vectors", at_least=0)
    warmup_ratio: float = setting(0.05, "share of the steps with a rising learning rate", at_least=0, below=1)
    max_grad_norm: float = setting(1.0, "longer gradients are cut to this length", above=0)
    label_smoothing: float = setting(0.1, "share of the target that is spread evenly over all labels", at_least=0, below=1)
    emoji_spelling_prob: float = setting(0.2, "share of the known codes spelled in name pieces", at_least=0, below=1)
    logit_adjustment: float = setting(1.0, "weight of the log label shares in the loss")
    emoji_prior_weight: float = setting(
        0.0, "how much these shares are those of rows with (or without) emoji, like the row itself", at_least=0, below=1
    )
    word_spelling_prob: float = setting(0.3, "share of the known words spelled in characters", at_least=0, below=1)
    emoji_row_repeats: int = setting(0, "how often a row with emoji is repeated in an epoch", at_least=0)
    soft_label_weight: float = setting(1.0, "weight of a post with soft labels in the loss; a row of train has 1", above=0)
    distillation_temperature: float = setting(
        1.0, "a higher one shows more of the labels that the teachers think unlikely", above=0
    )
    class_weight: str = setting("none", "weights of the labels in the loss", choices=CLASS_WEIGHTS)
    per_device_train_batch_size: int = setting(64, "rows of a training batch of one process", at_least=1)
    per_device_eval_batch_size: int = setting(256, "rows of an evaluation batch of one process", at_least=1)
    gradient_accumulation_steps: int = setting(1, "the number of batches in an optimizer step", at_least=1)
    num_train_epochs: int = setting(15, "the largest number of epochs", at_least=1)
    early_stopping_patience: int = setting(4, "epochs without a better validation score before the end", at_least=1)
    select: str = setting("macro_f1", "which epoch's weights are kept", choices=CRITERIA)
    mixed_precision: str | None = setting(None, "default: what accelerate launch says", choices=PRECISIONS)
    seed: int = seed_setting()
    seeds: tuple[int, ...] = setting((), "train each into OUTPUT_DIR/seed-N and report mean ± sd", at_least=0, at_most=MAX_SEED)
    average_runs: int = setting(1, "average the weights of this many runs from --init_from (model soup)", at_least=1)
    bag_of_words_weight: float = setting(
        0.0, "share of the logits that words and emoji decide by themselves, by a logistic regression", at_least=0, below=1
    )

    def __post_init__(self) -> None:
        check_settings(self)
        if len(set(self.seeds)) < len(self.seeds):
            found = " ".join(map(str, self.seeds))
            raise UserError(
                f"`seeds`: expected different numbers, found {found}; a run that is counted twice makes the deviation too small"
            )
        if self.emoji_prior_weight and not self.logit_adjustment:
            raise UserError("`emoji_prior_weight`: expected `logit_adjustment` other than 0, found 0; leave out one of them")
        if self.embedding_learning_rate is None:
            object.__setattr__(self, "embedding_learning_rate", self.learning_rate)


@dataclass(frozen=True)
class OutputSettings:
    """Says where a run writes its model, its states and its log, and which state it resumes.

    Raises:
        UserError: A value is not possible, a package is missing, or `push_to_hub` has no `hub_model_id`.
    """

    output_dir: Path | None = setting(None, "the model folder; default: outputs/DATASET")
    overwrite: bool = setting(False, "replace a model that stands in --output_dir")
    evaluate_test: bool = setting(False, "score the model on the test split too; do so once, when everything is chosen")
    report_to: str = setting("none", "where the figures of each epoch are logged", choices=("none", "tensorboard"))
    checkpointing_steps: int | str | None = setting(
        None,
        "save the state of training every N optimizer steps, or after each `epoch`, and on SIGTERM",
        parse=str,
        placeholder="N",
    )
    resume_from_checkpoint: str | None = setting(
        None,
        "resume from the `latest` complete state of --output_dir, if there is one, or from this one",
        implied=LATEST,
        placeholder="STATE",
    )
    push_to_hub: bool = setting(False, "publish the model as --hub_model_id, as aslstm push does")
    hub_model_id: str | None = setting(None, "owner/name of a public repository, created if missing")

    def __post_init__(self) -> None:
        check_settings(self)
        object.__setattr__(self, "output_dir", optional_path(self.output_dir))
        object.__setattr__(self, "checkpointing_steps", _steps_or_epoch(self.checkpointing_steps))
        if self.report_to == "tensorboard":
            check_packages("tracking", "tensorboard")  # Without this check accelerate would train and log nothing.
        if self.push_to_hub != bool(self.hub_model_id):
            raise UserError(
                "expected `push_to_hub` and `hub_model_id` owner/name, found one of them; add or leave out the other"
            )


def _steps_or_epoch(value: int | str | None) -> int | str | None:
    if value is None or value == "epoch":
        return value
    if not str(value).isdecimal() or int(value) < 1:
        raise UserError(f"`checkpointing_steps`: expected a number of steps above 0 or 'epoch', found {value!r}")
    return int(value)


@dataclass(frozen=True)
class TrainSettings:
    """Holds everything that :func:`aslstm.training.run.train` needs.

    Attributes:
        corpus: Where the rows come from.
        data: Which of these rows are trained on and how their vocabulary is made.
        model: The choices, sizes and starting weights of the model.
        training: How the model is trained.
        output: Where the model is written.

    Raises:
        UserError: Settings contradict each other, or the model is to be published and there is no token of the Hub.
    """

    corpus: CorpusSource = field(default_factory=CorpusSource)
    data: DataSettings = field(default_factory=DataSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    output: OutputSettings = field(default_factory=OutputSettings)

    def __post_init__(self) -> None:
        given = flags_of(self)
        resume = self.output.resume_from_checkpoint
        for name in _NOT_STREAMED:
            if self.data.streaming and given[name]:
                raise UserError(
                    f"expected `streaming` or `{name}`, found both; a stream is neither counted, changed nor resumed"
                )
        self.corpus.check_has_train()
        if self.corpus.problem_type == MULTI_LABEL:
            for name in _ONE_LABEL_ONLY:
                if given[name] not in (0, (), "none"):
                    raise UserError(
                        f"expected `problem_type` {SINGLE_LABEL} or no `{name}`, found both {MULTI_LABEL} and {given[name]}; "
                        "leave out one of them"
                    )
        if self.training.average_runs > 1 and str(self.model.init_from or NO_START) == NO_START:
            raise UserError(
                "`average_runs`: expected `init_from`, found none; runs from different random weights do not average"
            )
        if self.training.average_runs > 1 and (self.output.checkpointing_steps or resume or self.data.streaming):
            raise UserError("expected `average_runs` 1 with states of training or a stream, found more; leave out one of them")
        if self.training.seeds and resume not in (None, LATEST):
            raise UserError(
                "`resume_from_checkpoint`: expected latest with `seeds`, found a state of one run; leave out one of them"
            )
        if self.output.push_to_hub:
            if self.training.seeds:
                raise UserError("`push_to_hub`: expected one model, found `seeds`; choose one and use aslstm push")
            check_repo(str(self.output.hub_model_id))
            check_token()

    @property
    def output_dir(self) -> Path:
        """The model folder; where none is given, it is named after the corpus."""
        return self.output.output_dir or Path("outputs") / self.corpus.dataset.replace("/", "--")


@dataclass(frozen=True)
class PretrainingSettings:
    """Says what is learned in pre-training and how.

    Raises:
        UserError: A value is not possible.
    """

    also_learn: tuple[str, ...] = setting((), "labels of the training rows of these corpora", choices=KNOWN_CORPORA)
    data_dir: Path | None = setting_like(CorpusSource, "data_dir", None)
    predict_words: bool = setting(False, "also predict the words of every post, each from those before it")
    min_count: int = setting_like(DataSettings, "min_count", 3)
    min_emoji_count: int = setting_like(DataSettings, "min_emoji_count", 1)
    min_target_count: int = setting(20, "an emoji that occurs in fewer posts is not predicted", at_least=1)
    model_max_length: int = setting_like(DataSettings, "model_max_length", 512)
    output_dir: Path = setting(Path("outputs/pretrained"), "the model folder")
    overwrite: bool = setting_like(OutputSettings, "overwrite", False)
    num_train_epochs: int = setting(3, "the number of epochs", at_least=1)
    learning_rate: float = setting_like(TrainingSettings, "learning_rate", 1e-3)
    per_device_train_batch_size: int = setting_like(TrainingSettings, "per_device_train_batch_size", 64)
    emoji_spelling_prob: float = setting_like(TrainingSettings, "emoji_spelling_prob", 0.2)
    word_spelling_prob: float = setting_like(TrainingSettings, "word_spelling_prob", 0.1)
    label_smoothing: float = setting_like(TrainingSettings, "label_smoothing", 0.0)
    mixed_precision: str | None = setting_like(TrainingSettings, "mixed_precision", None)
    seed: int = seed_setting()
    num_workers: int = setting(min(2, os.cpu_count() or 1), "processes that split texts", at_least=1)

    def __post_init__(self) -> None:
        check_settings(self)
        object.__setattr__(self, "data_dir", optional_path(self.data_dir))
        object.__setattr__(self, "output_dir", Path(self.output_dir))


@dataclass(frozen=True)
class PretrainSettings:
    """Holds everything that :func:`aslstm.training.pretraining.pretrain` needs.

    Attributes:
        texts: The posts whose emoji are predicted.
        pretraining: What is learned and how.
        model: The choices, sizes and starting weights of the model.
    """

    texts: TextSource
    pretraining: PretrainingSettings = field(default_factory=PretrainingSettings)
    model: ModelSettings = field(default_factory=ModelSettings)


def flags_of(settings: TrainSettings | PretrainSettings) -> dict[str, Any]:
    """Return every setting of a bundle by the name of its flag."""
    return {name: getattr(part, name) for part in vars(settings).values() for name in settings_of(part)}
