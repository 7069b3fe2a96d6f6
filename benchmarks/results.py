"""Scores our models and the SVM on the same rows in the same run and prints one table with targets.

Run it as ``python -m benchmarks.results --data_dir DIR --runs outputs/seed-*`` on a folder for each seed, which has the models
of the recipes as ``nlpcc2014``, ``smp2020_ewect`` and ``smp2020_ewect_virus``. ``--output`` saves the figures as JSON, and
``--card FOLDER`` writes them into a model folder's card and its metadata.
"""

import argparse
import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import transformers
from huggingface_hub import EvalResult, ModelCard

from aslstm.charts import plot_emoji_map
from aslstm.commands.flags import CommandParser, run
from aslstm.commands.nearest import vectors_of_model
from aslstm.data.corpora import CorpusSource, has_emoji, load_corpus, read_splits, without_white_space
from aslstm.data.counterfactuals import shuffle_emoji
from aslstm.data.known_corpora import LABEL_MAPS
from aslstm.errors import UserError
from aslstm.files import CHECKSUMS, check_output_file, replacing_folder, write_checksums
from aslstm.metrics import compute_metrics
from aslstm.model_folder.layout import check_model_folder
from aslstm.prediction.classifier import Classifier
from aslstm.words.neighbours import place_emoji
from benchmarks.baselines import Rows, fitted_answers, ngram_features, svm_scores

POLARITY = LABEL_MAPS["nlpcc2014_to_polarity"]
TABLE_TITLE = "## Beside the baselines"
EMOJI_MAP = "emoji_map.png"
NUM_EMOJI = 60


class Gate(NamedTuple):
    """Holds the title of a figure and its target."""

    title: str
    target: float
    at_most: bool = False


GATES = {
    "macro_f1": Gate("NLPCC 2014 test, macro-F1 of 8", 0.500),
    "accuracy": Gate("NLPCC 2014 test, accuracy", 0.780),
    "emoji_macro_f1": Gate("the rows with an emoticon, macro-F1 of 8", 0.550),
    "shuffle_drop": Gate("the same, lost when emoji are shuffled between rows", 0.100),
    "smp_macro_f1": Gate("SMP2020 usual, eval file, macro-F1", 0.725),
    "virus_macro_f1": Gate("SMP2020 virus, eval file, macro-F1", 0.620),
    "virus_new_macro_f1": Gate("the same without the rows that also stand in its train file", 0.620),
    "smp_official": Gate("SMP2020, mean of usual and virus, as the shared task counts", 0.670),
    "polarity": Gate("polarity on NLPCC 2014 test, accuracy", 0.915),
    "megabytes": Gate("weights, MB in fp32", 35.0, at_most=True),
}
SMP = {"smp_macro_f1": "smp2020_ewect", "virus_macro_f1": "smp2020_ewect_virus"}


class Corpus(NamedTuple):
    """Holds the rows of a corpus, whose texts have no white space.

    Attributes:
        splits: The rows of each split. Those of train that also stand in test are left out of train.
        names: The labels.
        with_emoji: Which test rows have an emoji, (num_rows,) bool.
        is_new: Which test rows do not stand in train as it was published, (num_rows,) bool.
    """

    splits: dict[str, Rows]
    names: list[str]
    with_emoji: np.ndarray
    is_new: np.ndarray


def load_rows(name: str, data_dir: Path) -> Corpus:
    """Return the rows of a corpus."""
    source = CorpusSource(name, data_dir)
    published, corpus = read_splits(source, skip=("validation", "test"))["train"], load_corpus(source)
    names = sorted(set(corpus["train"]["label"]))
    splits = {
        split: Rows([without_white_space(t) for t in rows["text"]], np.array([names.index(label) for label in rows["label"]]))
        for split, rows in corpus.items()
    }
    seen = set(map(without_white_space, published["text"]))
    return Corpus(
        splits,
        names,
        with_emoji=np.array([has_emoji(text) for text in corpus["test"]["text"]]),
        is_new=np.array([text not in seen for text in splits["test"].texts]),
    )


def polarity_accuracy(
    scores: np.ndarray, labels: np.ndarray, names: list[str], of_group: Callable[..., np.ndarray] = np.sum
) -> float:
    """Return the accuracy of positive against negative on the rows whose gold label is in one of these groups.

    Args:
        scores: The probabilities, or an SVM's scores, (num_rows, num_labels).
        labels: The gold labels, (num_rows,).
        names: The names of the labels.
        of_group: The function that gives the score of a group: the sum of probabilities, but the largest of an SVM's scores,
            which do not add up.
    """
    positive, negative = (np.array([POLARITY[name] == group for name in names]) for group in ("positive", "negative"))
    rows = positive[labels] | negative[labels]
    answers = of_group(scores[:, positive], axis=1) > of_group(scores[:, negative], axis=1)
    return float((answers == positive[labels])[rows].mean())


def load_classifier(folder: Path, names: list[str]) -> Classifier:
    """Load a model and check that its labels are those of the corpus.

    Raises:
        UserError: The model has other labels.
    """
    classifier = Classifier(folder, backend="torch")
    if classifier.label_names != names:
        raise UserError(
            f"{folder}: expected a model of the labels {', '.join(names)}, found {', '.join(classifier.label_names)}"
        )
    return classifier


def smp_figures(corpora: dict[str, Corpus], answers: dict[str, np.ndarray]) -> dict[str, float]:
    """Return the figures of both corpora of SMP2020-EWECT.

    Args:
        corpora: The rows of each corpus.
        answers: The answers on the test rows of each corpus.
    """
    figures = {}
    for key, name in SMP.items():
        corpus = corpora[name]
        figures[key] = compute_metrics(corpus.splits["test"].labels, answers[name], corpus.names)["macro_f1"]
    # Of usual, no row of the eval file stands in the train file.
    virus = corpora["smp2020_ewect_virus"]
    labels, given = (rows[virus.is_new] for rows in (virus.splits["test"].labels, answers["smp2020_ewect_virus"]))
    figures["virus_new_macro_f1"] = compute_metrics(labels, given, virus.names)["macro_f1"]
    return figures | {"smp_official": (figures["smp_macro_f1"] + figures["virus_macro_f1"]) / 2}


def score_run(folder: Path, corpora: dict[str, Corpus]) -> dict[str, float]:
    """Return all figures of the models of one seed."""
    splits, names, with_emoji, _ = corpora["nlpcc2014"]
    test = splits["test"]
    classifier = load_classifier(folder / "nlpcc2014", names)
    probabilities = classifier.predict(test.texts)
    everything = compute_metrics(test.labels, probabilities.argmax(1), names)
    part = compute_metrics(test.labels[with_emoji], probabilities.argmax(1)[with_emoji], names)
    shuffled = shuffle_emoji([text for text, has in zip(test.texts, with_emoji, strict=True) if has])
    other = compute_metrics(test.labels[with_emoji], classifier.predict(shuffled).argmax(1), names)
    answers = {
        name: load_classifier(folder / name, corpora[name].names).predict(corpora[name].splits["test"].texts).argmax(1)
        for name in SMP.values()
    }
    return {
        "macro_f1": everything["macro_f1"],
        "accuracy": everything["accuracy"],
        "emoji_macro_f1": part["macro_f1"],
        "shuffle_drop": part["macro_f1"] - other["macro_f1"],
        **smp_figures(corpora, answers),
        "polarity": polarity_accuracy(probabilities, test.labels, names),
        "megabytes": (folder / "nlpcc2014" / "model.safetensors").stat().st_size / 1e6,
    }


def score_svm(corpora: dict[str, Corpus], *, is_balanced: bool) -> dict[str, float]:
    """Return the figures of the SVM; the balanced one has the decision prior fitted as our model has."""
    figures = {}
    answers = {}
    for name, (splits, names, with_emoji, _) in corpora.items():
        train, validation, test = (splits[split] for split in ("train", "validation", "test"))
        both = Rows(train.texts + validation.texts, np.concatenate([train.labels, validation.labels]))
        fitted_on = train if is_balanced else both
        features = ngram_features(fitted_on.texts, [validation.texts, test.texts])
        scores = svm_scores(features, fitted_on, class_weight="balanced" if is_balanced else None)
        answers[name] = fitted_answers(scores, train, validation) if is_balanced else scores[1].argmax(1)
        if name == "nlpcc2014":
            metrics = compute_metrics(test.labels, answers[name], names)
            of_emoji = compute_metrics(test.labels[with_emoji], answers[name][with_emoji], names)
            figures = {
                "macro_f1": metrics["macro_f1"],
                "accuracy": metrics["accuracy"],
                "emoji_macro_f1": of_emoji["macro_f1"],
                "polarity": polarity_accuracy(scores[1], test.labels, names, np.max),
            }
    return figures | smp_figures(corpora, answers)


def table_of(figures: dict[str, Any]) -> list[str]:
    """Return the lines of the table in Markdown."""
    lines = [
        f"| | SVM | SVM, balanced, prior fitted | ours, mean ± sd of {figures['num_runs']} seeds | target | |",
        "|---|---|---|---|---|---|",
    ]
    for key, gate in GATES.items():
        digits = 1 if key == "megabytes" else 3
        mean, deviation = figures["ours"][key]
        is_reached = mean <= gate.target if gate.at_most else mean >= gate.target
        svm, balanced = (f"{figures[name][key]:.3f}" if key in figures[name] else "–" for name in ("svm", "svm_balanced"))
        lines.append(
            f"| {gate.title} | {svm} | {balanced} | {mean:.{digits}f} ± {deviation:.{digits}f} | "
            f"{'≤' if gate.at_most else '≥'} {gate.target:.{digits}f} | {'pass' if is_reached else 'not reached'} |"
        )
    return lines


def publish_in_card(folder: Path, figures: dict[str, Any]) -> None:
    """Write figures into the card of a copy of a model folder, which then replaces the folder.

    Raises:
        UserError: The copy cannot be written; the folder is unchanged.
    """
    folder = folder.absolute()
    try:
        with replacing_folder(folder) as staging:
            shutil.copytree(folder, staging)
            write_into_card(staging, figures)
    except (OSError, shutil.Error) as error:
        raise UserError(f"--card {folder}: expected a place to write, found: {error}; the card is as it was") from error


def write_into_card(folder: Path, figures: dict[str, Any]) -> None:
    """Write the table, its figures and a map of the emoji into the card of a model folder, in place of earlier ones."""
    listed = json.loads((folder / CHECKSUMS).read_text(encoding="utf-8"))
    card = ModelCard.load(folder / "README.md")
    before, _, after = card.text.partition(f"{TABLE_TITLE}\n")
    rest = after[after.index("\n## ") + 1 :]
    plot_emoji_map(folder / EMOJI_MAP, place_emoji(vectors_of_model(folder), NUM_EMOJI))
    picture = f"![The most frequent emoji by the likeness of their vectors]({EMOJI_MAP})"
    introduction = after[: after.index("\n|")].strip()
    card.text = before + "\n".join([TABLE_TITLE, "", introduction, "", *table_of(figures), "", picture, "", rest])
    titles = {gate.title for gate in GATES.values()}
    known = [result for result in card.data.eval_results or [] if result.metric_name not in titles]
    corpora = {
        "smp_macro_f1": ("smp2020_ewect", "SMP2020-EWECT, usual"),
        "virus_macro_f1": ("smp2020_ewect_virus", "SMP2020-EWECT, virus"),
        "virus_new_macro_f1": ("smp2020_ewect_virus", "SMP2020-EWECT, virus"),
        "smp_official": ("smp2020_ewect", "SMP2020-EWECT"),
    }
    card.data.eval_results = known + [
        EvalResult(
            task_type="text-classification",
            dataset_type=corpora.get(key, ("nlpcc2014", ""))[0],
            dataset_name=corpora.get(key, ("", "NLPCC 2014 emotion classification"))[1],
            dataset_config=f"{gate.title} (mean of {figures['num_runs']} seeds)",
            dataset_split="test",
            metric_type="accuracy" if key in ("accuracy", "polarity") else "f1",
            metric_name=gate.title,
            metric_value=round(figures["ours"][key][0], 4),
        )
        for key, gate in GATES.items()
        if key != "megabytes"
    ]
    card.save(folder / "README.md")
    # Only files that were listed before are listed again: other files in the folder are not to be published.
    write_checksums(folder, [*listed, EMOJI_MAP] if EMOJI_MAP not in listed else listed)
    check_model_folder(folder)


def main() -> None:
    """Score all models, print the table and save it."""
    parser = CommandParser("results", "Our model beside the SVM, with targets.")
    parser.add_argument("--data_dir", type=Path, default=os.environ.get("ASLSTM_DATA"), help="folder of the corpora's folders")
    parser.add_argument("--runs", type=Path, nargs="+", required=True, help="folders of the recipes, one a seed")
    parser.add_argument("--output", type=Path, help="the figures, as JSON")
    parser.add_argument("--card", type=Path, help="a model folder whose card gets the table")
    arguments: argparse.Namespace = parser.parse_args()
    if arguments.data_dir is None:
        raise UserError("expected --data_dir (or ASLSTM_DATA), found none; name the folder of the corpora")
    transformers.utils.logging.disable_progress_bar()
    if arguments.output:
        check_output_file(arguments.output, overwrite=True)
    if arguments.card:
        check_model_folder(arguments.card)
        if TABLE_TITLE not in (arguments.card / "README.md").read_text(encoding="utf-8"):
            raise UserError(f"--card {arguments.card}: expected a card with {TABLE_TITLE!r}, found none; train the model again")
    corpora = {name: load_rows(name, Path(arguments.data_dir)) for name in ("nlpcc2014", *SMP.values())}
    runs = [score_run(folder, corpora) for folder in arguments.runs]
    figures: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "num_runs": len(runs),
        "ours": {
            key: [float(np.mean([r[key] for r in runs])), float(np.std([r[key] for r in runs], ddof=min(1, len(runs) - 1)))]
            for key in GATES
        },
        "runs": runs,
        "svm": score_svm(corpora, is_balanced=False),
        "svm_balanced": score_svm(corpora, is_balanced=True),
    }
    print("\n".join(table_of(figures)))
    if arguments.output:
        arguments.output.write_text(json.dumps(figures, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    if arguments.card:
        publish_in_card(arguments.card, figures)


if __name__ == "__main__":
    run(main)
