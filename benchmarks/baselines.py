"""Trains simple baselines on the rows of a corpus and prints one table of them and of our model.

Run it as ``python -m benchmarks.baselines --dataset nlpcc2014 --data_dir DIR [--model DIR]``. The baselines are linear SVMs on
TF-IDF of character 1- to 3-grams (plain; with emoji as extra tokens; balanced; with the decision prior fitted as for our model)
and a vote by emoji. All of them get the same texts, without white space.
"""

from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import transformers
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.svm import LinearSVC

from aslstm.commands.flags import CommandParser, add_settings, make_settings, run
from aslstm.data.corpora import CorpusSource, has_emoji, load_corpus, without_white_space
from aslstm.data.counterfactuals import emoji_of
from aslstm.metrics import compute_metrics
from aslstm.prediction.classifier import Classifier
from aslstm.prediction.settings import InferenceSettings
from aslstm.training.decision import fit_prior_weight
from tokenization import strip_emoji

# All SVMs have these settings; on NLPCC 2014 they give the published figures of this baseline (.784 / .428).
SVM_C, MIN_DF = 0.5, 2


@dataclass(frozen=True)
class Rows:
    """Holds texts without white space and their labels as numbers."""

    texts: list[str]
    labels: np.ndarray


def ngram_features(train: list[str], others: list[list[str]]) -> list[csr_matrix]:
    """Return the TF-IDF of character 1- to 3-grams of train and of the other lists of texts, in this order."""
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True, min_df=MIN_DF)
    return [vectorizer.fit_transform(train), *(vectorizer.transform(texts) for texts in others)]


def emoji_features(train: list[str], others: list[list[str]]) -> list[csr_matrix]:
    """Return which emoji each text has, for train and the other lists of texts, in this order."""
    vectorizer = CountVectorizer(analyzer=emoji_of, binary=True)
    try:
        return [vectorizer.fit_transform(train), *(vectorizer.transform(texts) for texts in others)]
    except ValueError:  # scikit-learn raises this for a corpus without emoji.
        return [csr_matrix((len(texts), 0)) for texts in (train, *others)]


def svm_scores(features: list[csr_matrix], train: Rows, *, class_weight: str | None = None) -> list[np.ndarray]:
    """Return the scores (num_rows, num_labels) of validation and test by an SVM trained on ``features[0]``."""
    svm = LinearSVC(C=SVM_C, class_weight=class_weight).fit(features[0], train.labels)
    scores = [svm.decision_function(part) for part in features[1:]]
    return [np.stack([-part, part], axis=1) / 2 if part.ndim == 1 else part for part in scores]


def fitted_answers(scores: list[np.ndarray], train: Rows, validation: Rows) -> np.ndarray:
    """Return the test answers with the weight of the prior fitted on validation, as for our model."""
    prior = np.bincount(train.labels) / len(train.labels)
    return (scores[1] + fit_prior_weight(scores[0], validation.labels, prior) * np.log(prior)).argmax(1)


def vote_by_emoji(train: Rows, test: Rows) -> np.ndarray:
    """Return the label that each text's emoji had most often in training; without a known emoji, the most frequent label."""
    counts: dict[str, Counter[int]] = defaultdict(Counter)
    for text, label in zip(train.texts, train.labels, strict=True):
        for emoji in set(emoji_of(text)):
            counts[emoji][int(label)] += 1
    commonest = int(np.bincount(train.labels).argmax())
    answers = []
    for text in test.texts:
        votes: Counter[int] = sum((counts[e] for e in set(emoji_of(text)) if e in counts), Counter())
        answers.append(votes.most_common(1)[0][0] if votes else commonest)
    return np.array(answers)


def baseline_answers(train: Rows, validation: Rows, test: Rows) -> dict[str, np.ndarray]:
    """Return the test answers of every baseline; those that fit nothing on validation are trained on it too."""
    both = Rows(train.texts + validation.texts, np.concatenate([train.labels, validation.labels]))
    others = [validation.texts, test.texts]
    ngrams = ngram_features(both.texts, others)
    with_emoji = [hstack(pair).tocsr() for pair in zip(ngrams, emoji_features(both.texts, others), strict=True)]
    stripped = ngram_features([strip_emoji(t) for t in both.texts], [[strip_emoji(t) for t in part] for part in others])
    fitted = ngram_features(train.texts, others)
    return {
        "always the commonest label": np.full(len(test.texts), np.bincount(both.labels).argmax()),
        "vote by emoji": vote_by_emoji(both, test),
        "SVM, emoji removed": svm_scores(stripped, both)[1].argmax(1),
        "SVM": svm_scores(ngrams, both)[1].argmax(1),
        "SVM, emoji as extra tokens": svm_scores(with_emoji, both)[1].argmax(1),
        "SVM, balanced": svm_scores(ngrams, both, class_weight="balanced")[1].argmax(1),
        "SVM, prior fitted": fitted_answers(svm_scores(fitted, train), train, validation),
        "SVM, balanced, prior fitted": fitted_answers(svm_scores(fitted, train, class_weight="balanced"), train, validation),
    }


def main() -> None:
    """Train and score the baselines and print the table."""
    parser = CommandParser("baselines", "Baselines beside our model.")
    add_settings(parser, CorpusSource, InferenceSettings)
    parser.add_argument("--model", type=Path, nargs="*", default=[], help="model folders, each a row")
    arguments = parser.parse_args()
    source = make_settings(CorpusSource, arguments)
    transformers.utils.logging.disable_progress_bar()
    corpus = load_corpus(source)
    names = sorted(set(corpus["train"]["label"]))
    splits = {
        split: Rows([without_white_space(t) for t in rows["text"]], np.array([names.index(label) for label in rows["label"]]))
        for split, rows in corpus.items()
    }
    answers = baseline_answers(splits["train"], splits["validation"], splits["test"])
    for folder in arguments.model:
        classifier = Classifier(folder, **asdict(make_settings(InferenceSettings, arguments)))
        numbers = np.array([names.index(name) for name in classifier.label_names])
        answers[f"AS-LSTM ({folder.name})"] = numbers[classifier.predict(splits["test"].texts).argmax(1)]
    with_emoji = np.array([has_emoji(text) for text in corpus["test"]["text"]])
    gold = splits["test"].labels
    print(f"{'':<32}{len(gold):>9} test rows{'':>7}{int(with_emoji.sum()):>9} with emoji")
    print(f"{'':<32}{'accuracy':>10}{'macro-F1':>10}{'emotions':>10}{'accuracy':>10}{'macro-F1':>10}")
    for name, given in answers.items():
        everything = compute_metrics(gold, given, names)
        line = f"{name:<32}{everything['accuracy']:>10.3f}{everything['macro_f1']:>10.3f}"
        line += f"{everything['macro_f1_emotions']:>10.3f}" if "macro_f1_emotions" in everything else f"{'–':>10}"
        if with_emoji.any():
            part = compute_metrics(gold[with_emoji], given[with_emoji], names)
            line += f"{part['accuracy']:>10.3f}{part['macro_f1']:>10.3f}"
        print(line)


if __name__ == "__main__":
    run(main)
