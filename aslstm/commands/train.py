"""Takes the flags of ``aslstm train``, trains a model on a corpus, and writes a model folder that the Hub accepts.

aslstm train                                                                 # the embedded sample corpus
aslstm train --dataset nlpcc2014 --data_dir DIR --output_dir outputs/nlpcc2014
aslstm train --train_file posts.csv --text_column review --label_column stars
accelerate launch train_scripts/train.py --dataset nlpcc2014 --data_dir DIR    # on several processes
"""

import argparse
import logging
import os
from collections.abc import Sequence

import numpy as np
import transformers
from accelerate import PartialState

from aslstm.data.corpora import CorpusSource
from aslstm.printing import table_text
from aslstm.training.run import TrainedModel, train
from aslstm.training.settings import DataSettings, ModelSettings, OutputSettings, TrainingSettings, TrainSettings

from .flags import CommandParser, add_settings, make_settings, set_up_log
from .push import publish

# The dataclasses whose settings are the flags of a training.
PARTS = (CorpusSource, DataSettings, ModelSettings, TrainingSettings, OutputSettings)


def parse_settings(given: Sequence[str] | None = None) -> TrainSettings:
    """Read and check the command line.

    Raises:
        UserError: A flag or a value is not possible.
    """
    parser = CommandParser("train", "Train an emoji-attention LSTM. Without arguments: on the embedded sample corpus.")
    add_settings(parser, *PARTS)
    return make_train_settings(parser.parse_args(given))


def make_train_settings(arguments: argparse.Namespace) -> TrainSettings:
    """Make the settings of a training from the values of its flags.

    Raises:
        UserError: A value is not possible.
    """
    return TrainSettings(
        corpus=make_settings(CorpusSource, arguments),
        data=make_settings(DataSettings, arguments),
        model=make_settings(ModelSettings, arguments),
        training=make_settings(TrainingSettings, arguments),
        output=make_settings(OutputSettings, arguments),
    )


def set_up_logging() -> None:
    """Show what training logs on the main process; other libraries show only warnings."""
    # The state of accelerate is not asked: if it is made before an Accelerator, it does not know about processes on CPUs.
    is_main_process = os.environ.get("RANK", "0") == "0"
    set_up_log(logging.INFO if is_main_process else logging.NOTSET)
    transformers.utils.logging.disable_progress_bar()


def print_results(model: TrainedModel) -> None:
    """Print the figures of a model as a table, and the folder where it is saved."""
    keys = ("accuracy", "macro_f1", "majority_accuracy")
    rows = [[split, str(m["num_examples"]), *(f"{m[key]:.4f}" for key in keys)] for split, m in model.results.items()]
    print(table_text(["split", "rows", "accuracy", "macro-F1", "majority"], rows))
    print(f"saved {model.folder}")


def print_seeds(models: list[TrainedModel]) -> None:
    """Print the mean ± the sample standard deviation over the seeds; one seed has no deviation."""
    results = [model.results for model in models]
    rows = []
    for split in results[0]:
        accuracy, macro_f1 = (np.array([result[split][key] for result in results]) for key in ("accuracy", "macro_f1"))
        deviations = [f" ± {figures.std(ddof=1):.4f}" if len(results) > 1 else "" for figures in (accuracy, macro_f1)]
        cells = (f"{figures.mean():.4f}{sd}" for figures, sd in zip((accuracy, macro_f1), deviations, strict=True))
        rows.append([split, *cells])
    print(table_text([f"mean ± sd of {len(results)} seeds", "accuracy", "macro-F1"], rows))


def main(given: Sequence[str] | None = None) -> None:
    """Train and save one model, or one for each seed, and print the figures."""
    settings = parse_settings(given)
    set_up_logging()
    models = train(settings, report=print_results)
    if not PartialState().is_main_process:
        return
    if settings.training.seeds:
        print_seeds(models)
    if settings.output.push_to_hub:
        publish(models[0].folder, str(settings.output.hub_model_id))
