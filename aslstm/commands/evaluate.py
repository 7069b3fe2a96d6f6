"""Takes the flags of ``aslstm evaluate`` and prints how well a model folder does on a corpus.

Run as ``aslstm evaluate [--model DIR] --test_file mine.csv``, or with ``--dataset nlpcc2014 --data_dir DIR [--split test]``.
Without ``--model`` it scores the default model, and without data the test split of the sample corpus; the first lines say which
model and which data. The tables have figures for all rows, for rows with and without emoji, and for
rows whose emoji or words were changed, which shows what the emoji are worth.
``--output`` writes the figures as JSON, ``--save_predictions`` every answer as JSON Lines, and ``--plot`` the confusion matrix
as PNG. ``--behaviour`` asks the cases of the behaviour suite instead of a corpus.
"""

import json
from collections.abc import Sequence
from dataclasses import MISSING, asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from aslstm.data.corpora import CorpusSource, has_emoji, load_split
from aslstm.data.counterfactuals import remove_emoji, remove_words, shuffle_emoji
from aslstm.data.known_corpora import LABEL_MAPS, polarity_of_labels
from aslstm.data.labels import (
    MULTI_LABEL,
    SINGLE_LABEL,
    join_labels,
    label_key,
    read_label_map,
    split_labels,
)
from aslstm.errors import UserError, check_packages
from aslstm.files import check_output_file, claimed, replacing
from aslstm.metrics import (
    NO_EMOTION,
    compute_metrics,
    compute_multi_label_metrics,
    evaluate_probabilities,
    map_probabilities,
    multi_label_intervals_95,
    polarity_figure,
)
from aslstm.prediction.classifier import Classifier
from aslstm.prediction.predictor import LABEL_THRESHOLD
from aslstm.prediction.settings import InferenceSettings
from aslstm.printing import table_text
from aslstm.settings import check_settings, setting

from .behaviour import evaluate_behaviour
from .flags import CommandParser, add_model_flag, add_settings, chosen_model, make_settings

COUNTERFACTUALS = {
    "emoji removed": remove_emoji,
    "emoji shuffled between rows": shuffle_emoji,
    "words removed": remove_words,
}
NEUTRAL = "neutral"
OUTPUTS = ("output", "save_predictions", "plot")


@dataclass(frozen=True)
class EvaluateSettings:
    """Says what is scored, and which files the figures are written to.

    Raises:
        UserError: A map does not exist, or a file cannot be written in its place.
    """

    model: Path = setting(MISSING, "model folder")
    behaviour: bool = setting(False, "ask the cases of the behaviour suite (negation, irony, ...) instead of a corpus")
    split: str = setting("test", "split of the corpus that is scored")
    map_predictions: str | None = setting(
        None, f"the model's labels to other ones: {', '.join(LABEL_MAPS)}, or a file, as with --map_labels"
    )
    output: Path | None = setting(None, "file for all figures, as JSON")
    save_predictions: Path | None = setting(None, "file for text, label, prediction and probabilities, as JSON Lines")
    plot: Path | None = setting(None, "file for the confusion matrix, as PNG")

    def __post_init__(self) -> None:
        check_settings(self)
        of_a_corpus = [name for name in ("map_predictions", "plot") if getattr(self, name)]
        if self.behaviour and of_a_corpus:
            raise UserError(f"expected `behaviour` or `{of_a_corpus[0]}`, found both; leave out one of them")
        for name in OUTPUTS:
            if path := getattr(self, name):
                check_output_file(path, name=name, overwrite=True)
        if self.plot:
            check_packages("report", "altair", "mplfonts", "vl_convert")


def evaluate(
    classifier: Classifier, texts: list[str], gold: list[str], map_name: str | None
) -> tuple[dict[str, Any], np.ndarray, list[str]]:
    """Score a model on texts.

    Args:
        classifier: The model.
        texts: The raw posts.
        gold: The label of each post; of a model that gives any number of them, the joined labels of each post.
        map_name: What turns the model's labels into those of ``gold``, as :func:`aslstm.metrics.map_labels` takes it, or None.

    Returns:
        The figures of each group of rows, the probabilities (num_texts, num_labels), and the name of each label.

    Raises:
        UserError: A post has a label that the model does not know, or its answers cannot be mapped.
    """
    config = classifier.config
    several = config.problem_type == MULTI_LABEL
    if several and map_name:
        raise UserError(
            "`map_predictions`: expected a model that gives each post one label, found one of several; leave it out"
        )
    predicted = classifier.predict(texts, description="Predicting")
    probabilities, names = map_probabilities(predicted, classifier.label_names, map_name)
    polarities = polarity_of_labels(names) if map_name else config.polarity_of_labels
    labels = _numbers(gold, names, several=several)
    with_emoji = np.array([has_emoji(text) for text in texts])
    results = {}
    groups = {"all rows": np.full(len(texts), True), "rows with emoji": with_emoji, "rows without emoji": ~with_emoji}
    for name, rows in groups.items():
        if rows.any() and several:
            answers = probabilities[rows] >= LABEL_THRESHOLD
            results[name] = compute_multi_label_metrics(labels[rows], answers, names)
            results[name] |= {"intervals_95": multi_label_intervals_95(labels[rows], answers)}
        elif rows.any():
            results[name] = evaluate_probabilities(labels[rows], probabilities[rows], names)
            results[name] |= _polarity_figure(labels[rows], names, predicted[rows], config, polarities)
    emoji_texts = [text for text, has in zip(texts, with_emoji, strict=True) if has]
    for name, change in COUNTERFACTUALS.items() if emoji_texts else ():
        changed = classifier.predict(change(emoji_texts), description=name)
        if several:
            results[name] = compute_multi_label_metrics(labels[with_emoji], changed >= LABEL_THRESHOLD, names)
            continue
        predictions = map_probabilities(changed, classifier.label_names, map_name)[0].argmax(1)
        results[name] = compute_metrics(labels[with_emoji], predictions, names)
        results[name] |= _polarity_figure(labels[with_emoji], names, changed, config, polarities)
    return results, probabilities, names


def _numbers(gold: list[str], names: list[str], *, several: bool) -> np.ndarray:
    """Return the labels of rows as numbers, (num_rows,) int, or whether they have each label, (num_rows, num_labels) bool."""
    # By their keys: the labels of a model may be spelt as an older corpus file spelt them, such as 1.0.
    places = {label_key(name): place for place, name in enumerate(names)}
    # The maps of known corpora call a post without emotion none, and files of polarities call it neutral.
    for name, other in ((NO_EMOTION, NEUTRAL), (NEUTRAL, NO_EMOTION)):
        if name in places:
            places.setdefault(other, places[name])
    rows = [split_labels(joined) if several else [joined] for joined in gold]
    for number, labels in enumerate(rows, start=1):
        for label in labels:
            if label_key(label) not in places:
                raise UserError(
                    f"row {number}: expected a label that the model knows ({', '.join(names)}), found {label!r}; use "
                    "`map_labels` or `map_predictions`"
                )
    if not several:
        return np.array([places[label_key(label)] for (label,) in rows])
    has = np.zeros((len(rows), len(names)), dtype=bool)
    for row, labels in zip(has, rows, strict=True):
        row[[places[label_key(label)] for label in labels]] = True
    return has


def _polarity_figure(labels: np.ndarray, names: list[str], predicted: np.ndarray, config: Any, polarities: Any) -> Any:
    return polarity_figure(np.array(names, dtype=object)[labels], predicted, config, polarities)


def print_results(results: dict[str, Any], names: list[str]) -> None:
    """Print the figures, the labels and the confusion matrix as tables."""
    everything = results["all rows"]
    header = ["rows", "count", "accuracy", "95 %", "macro-F1", "95 %", "polarity", "emotions", "micro-F1", "weighted", "ECE"]
    header.append("majority")
    print(table_text(header, [_result_cells(name, metrics) for name, metrics in results.items()]))
    if "rows with emoji" not in results:
        print("no row has an emoji: no figures for rows with emoji, no counterfactuals")
    several = "confusion_matrix" not in everything
    print(
        "accuracy: every label of a row right; majority: the commonest set of labels"
        if several
        else f"emotions and micro-F1: without the label {NO_EMOTION!r}, where there is one"
    )
    print("polarity: macro-F1 of negative, neutral and positive\n" if "macro_f1_polarity" in everything else "")
    classes = [
        [name, *(f"{m[key]:.4f}" for key in ("precision", "recall", "f1")), str(m["support"])]
        for name, m in everything["per_class"].items()
    ]
    print(table_text(["label", "precision", "recall", "F1", "support"], classes))
    if several:
        return
    print("\nconfusion (gold down, answer across)")
    confusion = zip(names, everything["confusion_matrix"], strict=True)
    print(table_text(["", *names], [[name, *map(str, counts)] for name, counts in confusion]))


def _result_cells(name: str, metrics: dict[str, Any]) -> list[str]:
    intervals = metrics.get("intervals_95", {})
    accuracy, macro_f1 = ("–".join(f"{x:.3f}" for x in intervals.get(key, [])) for key in ("accuracy", "macro_f1"))
    keys = ["macro_f1_polarity", "macro_f1_emotions", "micro_f1_emotions", "weighted_f1", "expected_calibration_error"]
    keys.append("majority_accuracy")
    metrics = {"micro_f1_emotions": metrics["micro_f1"], **metrics} if "micro_f1" in metrics else metrics
    others = [f"{metrics[key]:.4f}" if key in metrics else "" for key in keys]
    return [
        name,
        str(metrics["num_examples"]),
        f"{metrics['accuracy']:.4f}",
        accuracy,
        f"{metrics['macro_f1']:.4f}",
        macro_f1,
        *others,
    ]


def save_predictions(
    path: Path, texts: list[str], gold: list[str], probabilities: np.ndarray, names: list[str], *, several: bool
) -> None:
    """Write one JSON object for each row: its text, its label, the prediction and the probabilities."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for text, label, row in zip(texts, gold, probabilities, strict=True):
            given = [name for name, p in zip(names, row, strict=True) if p >= LABEL_THRESHOLD]
            prediction = join_labels(given) if several else names[int(row.argmax())]
            answer: dict[str, Any] = {"text": text, "label": label, "prediction": prediction}
            answer["probabilities"] = {name: round(float(p), 6) for name, p in zip(names, row, strict=True)}
            file.write(json.dumps(answer, ensure_ascii=False) + "\n")


def main(given: Sequence[str] | None = None) -> None:
    """Score a model on a split of a corpus, print the figures and write the files that are asked for."""
    parser = CommandParser("evaluate", "Score a model folder on a corpus, or on the behaviour suite.")
    add_model_flag(parser)
    add_settings(parser, EvaluateSettings, CorpusSource, InferenceSettings, leave_out=["model"])
    arguments = parser.parse_args(given)
    arguments.model = chosen_model(arguments)
    settings, source = make_settings(EvaluateSettings, arguments), make_settings(CorpusSource, arguments)
    inference = make_settings(InferenceSettings, arguments)
    if settings.behaviour and source.map_labels:
        raise UserError("expected `behaviour` or `map_labels`, found both; leave out one of them")
    if settings.behaviour and source != CorpusSource(data_dir=source.data_dir):
        raise UserError(f"expected `behaviour` or a corpus, found both ({source.dataset}); leave out one of them")
    outputs = {name: getattr(settings, name) for name in OUTPUTS}
    with claimed(outputs, overwrite=True, inputs=source.files().values()):
        _evaluate(settings, source, inference)


def name_of_data(source: CorpusSource, split: str) -> str:
    """Return what is scored, in words: most people who name no data do not know that a sample is built in."""
    if source.dataset == "files":
        file = source.files().get(split)
        return str(file) if file else f"the {split} split of {source.train_file}"
    corpus = "the sample corpus of this package" if source.dataset == "sample" else source.dataset
    return f"the {split} split of {corpus}"


def _evaluate(settings: EvaluateSettings, source: CorpusSource, inference: InferenceSettings) -> None:
    """Load the model, score it, and print and write the figures."""
    classifier = Classifier(settings.model, **asdict(inference))
    if settings.behaviour:
        evaluate_behaviour(classifier, output=settings.output, save_predictions=settings.save_predictions)
        print(f"model: {settings.model}")
        return
    several = classifier.config.problem_type == MULTI_LABEL
    if several and settings.plot:
        raise UserError("`plot`: expected a model that gives each post one label, found one of several; leave it out")
    rows = load_split(replace(source, problem_type=MULTI_LABEL if several else SINGLE_LABEL), settings.split)
    texts, gold = list(rows["text"]), list(rows["label"])
    results, probabilities, names = evaluate(classifier, texts, gold, settings.map_predictions)
    print(f"model: {settings.model}\ndata: {name_of_data(source, settings.split)}, {len(texts):,} rows\n")
    maps = {"map_labels": source.map_labels, "map_predictions": settings.map_predictions}
    for flag, given in maps.items():
        if given:
            print(f"--{flag} {given}: " + ", ".join(f"{a} → {b}" for a, b in read_label_map(given, flag).items()))
    print_results(results, names)
    if settings.output:
        content = {"labels": names, **maps, **results}
        with replacing(settings.output) as partial:
            partial.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    if settings.save_predictions:
        with replacing(settings.save_predictions) as partial:
            save_predictions(partial, texts, gold, probabilities, names, several=several)
    if settings.plot:
        # Imported here, because only the chart needs the extra "report".
        from aslstm.charts import plot_confusion

        with replacing(settings.plot) as partial:
            plot_confusion(partial, results["all rows"]["confusion_matrix"], names)
