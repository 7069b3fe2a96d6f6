"""Evaluate a model folder: all rows, rows with and without emoji, and what the emoji are worth.

Run as ``aslstm evaluate --model DIR --dataset nlpcc2014 --data_dir DIR [--split test]``. Prints
tables; ``--output`` keeps the figures as JSON, ``--save_predictions`` every answer as JSON Lines, ``--plot`` the confusion
matrix as PNG.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import ConfusionMatrixDisplay

from aslstm.data.corpora import has_emoji, load_split
from aslstm.data.counterfactuals import remove_emoji, remove_words, shuffle_emoji
from aslstm.data.known_corpora import LABEL_MAPS
from aslstm.errors import UserError
from aslstm.evaluation import evaluate_probabilities, map_labels, map_probabilities
from aslstm.files import check_output_file, replacing
from aslstm.metrics import NO_EMOTION, compute_metrics
from aslstm.prediction.classifier import Classifier
from aslstm.prediction.settings import InferenceSettings

from .corpus_arguments import add_corpus_arguments, corpus_source, resolve_corpus_arguments
from .flags import CommandParser, add_settings, make_settings

COUNTERFACTUALS = {
    "emoji removed": remove_emoji,
    "emoji shuffled between rows": shuffle_emoji,
    "words removed": remove_words,
}
OUTPUTS = ("output", "save_predictions", "plot")


def parse_arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = CommandParser("evaluate", "Evaluate a model folder.")
    parser.add_argument("--model", type=Path, required=True, help="a model folder")
    add_corpus_arguments(parser)
    parser.add_argument("--split", default="test")
    parser.add_argument("--map_labels", choices=LABEL_MAPS, help="the corpus's labels to other ones")
    parser.add_argument("--map_predictions", choices=LABEL_MAPS, help="the model's labels to other ones")
    add_settings(parser, InferenceSettings)
    parser.add_argument("--output", type=Path, help="all figures, as JSON")
    parser.add_argument("--save_predictions", type=Path, help="text, label, prediction and probabilities, as JSON Lines")
    parser.add_argument("--plot", type=Path, help="the confusion matrix, as PNG")
    arguments = parser.parse_args(given)
    arguments.inference = make_settings(InferenceSettings, arguments)
    resolve_corpus_arguments(arguments)
    for name in OUTPUTS:
        if path := getattr(arguments, name):
            check_output_file(path, flag=f"--{name}", overwrite=True)
    return arguments


def evaluate(
    classifier: Classifier, texts: list[str], gold: list[str], map_name: str | None
) -> tuple[dict[str, Any], np.ndarray, list[str]]:
    """Figures by group of rows, the probabilities of all rows and the labels they stand for."""
    probabilities, names = map_probabilities(
        classifier.predict(texts, description="Predicting"), classifier.label_names, map_name
    )
    for number, label in enumerate(gold, start=1):
        if label not in names:
            raise UserError(
                f"row {number}: expected a label that the model knows ({', '.join(names)}), found {label!r}; use "
                "--map_labels or --map_predictions"
            )
    labels = np.array([names.index(label) for label in gold])
    with_emoji = np.array([has_emoji(text) for text in texts])
    results = {"all rows": evaluate_probabilities(labels, probabilities, names)}
    for name, rows in (("rows with emoji", with_emoji), ("rows without emoji", ~with_emoji)):
        if rows.any():
            results[name] = evaluate_probabilities(labels[rows], probabilities[rows], names)
    emoji_texts = [text for text, has in zip(texts, with_emoji, strict=True) if has]
    for name, change in COUNTERFACTUALS.items() if emoji_texts else ():
        changed = classifier.predict(change(emoji_texts), description=name)
        predictions = map_probabilities(changed, classifier.label_names, map_name)[0].argmax(1)
        results[name] = compute_metrics(labels[with_emoji], predictions, names)
    return results, probabilities, names


def print_results(results: dict[str, Any], names: list[str]) -> None:
    """The tables."""
    everything = results["all rows"]
    print(
        f"{'rows':<30}{'count':>7}{'accuracy':>10}{'95 %':>16}{'macro-F1':>10}{'95 %':>16}{'emotions':>10}{'micro-F1':>10}"
        f"{'weighted':>10}{'ECE':>8}{'majority':>10}"
    )
    for name, m in results.items():
        line = f"{name:<30}{m['num_examples']:>7}{m['accuracy']:>10.4f}"
        intervals = m.get("intervals_95", {})
        accuracy, macro_f1 = ("–".join(f"{x:.3f}" for x in intervals.get(key, [])) for key in ("accuracy", "macro_f1"))
        line += f"{accuracy:>16}{m['macro_f1']:>10.4f}{macro_f1:>16}"
        for key in ("macro_f1_emotions", "micro_f1_emotions", "weighted_f1"):
            line += f"{m[key]:>10.4f}" if key in m else f"{'':>10}"
        line += f"{m['expected_calibration_error']:>8.4f}" if "expected_calibration_error" in m else f"{'':>8}"
        print(f"{line}{m['majority_accuracy']:>10.4f}")
    if "rows with emoji" not in results:
        print("no row has an emoji: no figures for rows with emoji, no counterfactuals")
    print(f"emotions and micro-F1: without the label {NO_EMOTION!r}, where there is one\n")
    print(f"{'label':<14}{'precision':>10}{'recall':>10}{'F1':>10}{'support':>9}")
    for name, m in everything["per_class"].items():
        print(f"{name:<14}{m['precision']:>10.4f}{m['recall']:>10.4f}{m['f1']:>10.4f}{m['support']:>9}")
    print(f"\nconfusion (gold down, answer across)\n{'':<14}" + "".join(f"{name:>11}" for name in names))
    for name, row in zip(names, everything["confusion_matrix"], strict=True):
        print(f"{name:<14}" + "".join(f"{count:>11}" for count in row))


def save_predictions(path: Path, texts: list[str], gold: list[str], probabilities: np.ndarray, names: list[str]) -> None:
    """One JSON object a row."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for text, label, row in zip(texts, gold, probabilities, strict=True):
            answer: dict[str, Any] = {"text": text, "label": label, "prediction": names[int(row.argmax())]}
            answer["probabilities"] = {name: round(float(p), 6) for name, p in zip(names, row, strict=True)}
            file.write(json.dumps(answer, ensure_ascii=False) + "\n")


def plot_confusion(path: Path, matrix: list[list[int]], names: list[str]) -> None:
    """The confusion matrix by share of the gold label, with the counts in it."""
    counts = np.array(matrix)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    display = ConfusionMatrixDisplay(shares, display_labels=names)
    figure, axes = plt.subplots(figsize=(1.0 + 0.9 * len(names), 0.8 + 0.8 * len(names)), layout="constrained")
    display.plot(ax=axes, include_values=False, cmap="Blues", xticks_rotation=45, im_kw={"vmin": 0.0, "vmax": 1.0})
    for i, row in enumerate(counts):
        for j, count in enumerate(row):
            axes.text(j, i, f"{count}", ha="center", va="center", color="white" if shares[i, j] > 0.5 else "black")
    axes.set(title="share of the gold label, and counts", xlabel="answer", ylabel="gold")
    figure.savefig(path, dpi=150)
    plt.close(figure)


def main(given: Sequence[str] | None = None) -> None:
    """Load, predict and print."""
    arguments = parse_arguments(given)
    classifier = Classifier(arguments.model, **asdict(arguments.inference))
    rows = load_split(corpus_source(arguments), arguments.split)
    texts, gold = list(rows["text"]), map_labels(list(rows["label"]), arguments.map_labels)
    results, probabilities, names = evaluate(classifier, texts, gold, arguments.map_predictions)
    for flag in ("map_labels", "map_predictions"):
        if name := getattr(arguments, flag):
            print(f"--{flag} {name}: " + ", ".join(f"{a} → {b}" for a, b in LABEL_MAPS[name].items()))
    print_results(results, names)
    if arguments.output:
        content = {"labels": names, "map_labels": arguments.map_labels, "map_predictions": arguments.map_predictions, **results}
        with replacing(arguments.output) as partial:
            partial.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    if arguments.save_predictions:
        with replacing(arguments.save_predictions) as partial:
            save_predictions(partial, texts, gold, probabilities, names)
    if arguments.plot:
        with replacing(arguments.plot) as partial:
            plot_confusion(partial, results["all rows"]["confusion_matrix"], names)
