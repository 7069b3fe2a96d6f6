"""Measures what a start from the built-in model is worth to somebody who has few labels, beside random weights and an SVM.

Run it as ``python -m benchmarks.few_labels --data_dir DIR --output few_labels.json``. Rows are drawn from the training split of
SMP2020 usual and of the sample corpus, and everything is scored on the whole test split. Both models are trained as
``aslstm train --train_file`` trains; of the drawn rows a tenth is their validation, while the SVM gets all. The figures are
saved after every run, and a second call goes on where the first was stopped.
"""

import json
import logging
import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import transformers
from datasets import Dataset, DatasetDict, disable_progress_bars

from aslstm.commands.flags import CommandParser, add_settings, make_settings, run
from aslstm.data.corpora import CorpusSource, load_corpus, without_white_space
from aslstm.errors import UserError
from aslstm.files import json_text, replacing, sha256
from aslstm.metrics import compute_metrics
from aslstm.model_folder.choosing import model_path
from aslstm.printing import table_text
from aslstm.settings import check_settings, setting
from aslstm.training.run import train
from aslstm.training.settings import NO_START, ModelSettings, OutputSettings, TrainingSettings, TrainSettings
from benchmarks.baselines import Rows, ngram_features, svm_scores

CORPORA = ("smp2020_ewect", "sample")
STARTS = ("built-in model", "random weights", "SVM")
ALL_ROWS = 0


@dataclass(frozen=True)
class FewLabelsSettings:
    """Says what is measured, and where the figures go.

    Raises:
        UserError: A value is not possible.
    """

    output: Path = setting(Path("few_labels.json"), "the figures, as JSON; those that it has are not measured again")
    model: Path | None = setting(None, "the model to start from; default: the built-in one")
    corpora: tuple[str, ...] = setting(CORPORA, "corpora", choices=CORPORA)
    sizes: tuple[int, ...] = setting(
        (100, 300, 1000, 3000, ALL_ROWS), f"numbers of training rows; {ALL_ROWS} is all", at_least=0
    )
    draws: int = setting(3, "how often rows are drawn for each size", at_least=1)
    data_dir: Path | None = setting(None, "the folder of SMP2020 usual; default: the variable ASLSTM_DATA")
    num_train_epochs: int = setting(15, "the largest number of epochs", at_least=1)

    def __post_init__(self) -> None:
        check_settings(self)


def draw(rows: Dataset, size: int, seed: int) -> Dataset:
    """Return rows that were drawn at random, with at least two of each label; all rows for a size of ``ALL_ROWS``."""
    if size == ALL_ROWS:
        return rows
    order = list(range(len(rows)))
    random.Random(seed).shuffle(order)
    labels = rows["label"][:]
    first = [i for label in sorted(set(labels)) for i in [place for place in order if labels[place] == label][:2]]
    chosen = [*first, *(i for i in order if i not in set(first))][:size]
    return rows.select(sorted(chosen))


def score_svm(drawn: Dataset, test: Dataset, names: list[str]) -> np.ndarray:
    """Return the answers of a linear SVM on TF-IDF of character 1- to 3-grams to the test rows."""
    train, others = ([without_white_space(text) for text in rows["text"]] for rows in (drawn, test))
    labels = np.array([names.index(label) for label in drawn["label"]])
    return svm_scores(ngram_features(train, [others]), Rows(train, labels))[0].argmax(1)


def score_training(drawn: Dataset, test: Dataset, start: Path, settings: FewLabelsSettings, seed: int) -> dict[str, float]:
    """Train on the drawn rows from a start, as a user would, and return the figures of the test rows."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for split, rows in (("train", drawn), ("test", test)):
            lines = (json.dumps({"text": row["text"], "label": row["label"]}, ensure_ascii=False) + "\n" for row in rows)
            (folder / f"{split}.jsonl").write_text("".join(lines), encoding="utf-8")
        source = CorpusSource(train_file=folder / "train.jsonl", test_file=folder / "test.jsonl")
        (trained,) = train(
            TrainSettings(
                corpus=source,
                model=ModelSettings(init_from=start),
                training=TrainingSettings(seed=seed, num_train_epochs=settings.num_train_epochs),
                output=OutputSettings(output_dir=folder / "model", evaluate_test=True),
            )
        )
    return {key: trained.results["test"][key] for key in ("accuracy", "macro_f1")}


def read_corpus(name: str, data_dir: Path | None) -> DatasetDict:
    """Return the splits of a corpus; what it publishes for validation is added to train, because every draw cuts its own."""
    corpus = load_corpus(CorpusSource(name, data_dir))
    rows = {column: corpus["train"][column][:] + corpus["validation"][column][:] for column in ("text", "label")}
    return DatasetDict(train=Dataset.from_dict(rows), test=corpus["test"])


def measure(settings: FewLabelsSettings, model: Path, done: dict[str, dict[str, float]]) -> Iterator[dict[str, Any]]:
    """Measure what is not done yet, and yield all figures after each run, by ``corpus, rows, draw, start``."""
    for corpus in settings.corpora:
        splits = read_corpus(corpus, settings.data_dir)
        names = sorted(set(splits["train"]["label"]))
        gold = np.array([names.index(label) for label in splits["test"]["label"]])
        for size in (size for size in settings.sizes if size < len(splits["train"])):
            for seed in range(settings.draws):
                drawn = draw(splits["train"], size, seed)
                for start in STARTS:
                    key = f"{corpus}, {size or 'all'}, {seed}, {start}"
                    if key in done:
                        continue
                    if start == "SVM":
                        metrics = compute_metrics(gold, score_svm(drawn, splits["test"], names), names)
                        figures = {name: metrics[name] for name in ("accuracy", "macro_f1")}
                    else:
                        folder = model if start == "built-in model" else Path(NO_START)
                        figures = score_training(drawn, splits["test"], folder, settings, seed)
                    done[key] = figures
                    print(f"{key}: macro-F1 {figures['macro_f1']:.4f}", flush=True)
                    yield done


def table_of(figures: dict[str, dict[str, float]]) -> str:
    """Return a table of the mean macro-F1 and its deviation over the draws, a row for each corpus and size."""
    groups: dict[tuple[str, str], dict[str, list[float]]] = {}
    for key, found in figures.items():
        corpus, size, _, start = key.split(", ")
        groups.setdefault((corpus, size), {}).setdefault(start, []).append(found["macro_f1"])
    rows = [
        [corpus, size, *(_mean(by_start.get(start, ())) for start in STARTS)] for (corpus, size), by_start in groups.items()
    ]
    return table_text(["corpus", "rows", *STARTS], rows)


def _mean(values: Sequence[float]) -> str:
    if not values:
        return ""
    deviation = f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
    return f"{np.mean(values):.3f}{deviation}"


def main() -> None:
    """Measure, save after every run, and print the table."""
    parser = CommandParser("few_labels", "What the built-in model is worth as a start.")
    add_settings(parser, FewLabelsSettings)
    settings = make_settings(FewLabelsSettings, parser.parse_args())
    logging.disable(logging.WARNING)
    transformers.utils.logging.disable_progress_bar()
    disable_progress_bars()
    model = settings.model or model_path()
    setup = {"model": sha256(model / "model.safetensors"), "num_train_epochs": settings.num_train_epochs}
    before: dict[str, Any] = {"setup": setup, "figures": {}}
    if settings.output.is_file():
        before = json.loads(settings.output.read_text(encoding="utf-8"))
    if before["setup"] != setup:
        raise UserError(
            f"`output` {settings.output}: expected figures of the same model and epochs, found others; name another"
        )
    figures: dict[str, dict[str, float]] = before["figures"]
    for done in measure(settings, model, figures):
        with replacing(settings.output) as partial:
            partial.write_text(json_text({"setup": setup, "figures": done}), encoding="utf-8")
    print(table_of(figures))


if __name__ == "__main__":
    run(main)
