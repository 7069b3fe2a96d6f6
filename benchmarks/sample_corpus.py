"""Measures what emoji are worth on the embedded sample: our model and a TF-IDF SVM, each with and without emoji.

Run it as ``python -m benchmarks.sample_corpus``. It trains twice on the sample (about a minute on 2 cores) and prints a table.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from aslstm.data.corpora import CorpusSource, has_emoji, load_corpus
from tokenization import strip_emoji

TRAIN = ("-m", "aslstm", "train")
Scores = tuple[float, float]


def train_ours(output_dir: Path, *flags: str) -> Scores:
    """Train our model and return its macro-F1 on all test rows and on those with emoji."""
    subprocess.run([sys.executable, *TRAIN, "--output_dir", str(output_dir), *flags], check=True, capture_output=True)
    results = json.loads((output_dir / "eval_results.json").read_text(encoding="utf-8"))
    return results["test"]["macro_f1"], results["test_emoji"]["macro_f1"]


def train_svm(*, with_emoji: bool) -> Scores:
    """Train a linear SVM on TF-IDF of character 1- to 3-grams and return the same figures."""
    corpus = load_corpus(CorpusSource())
    texts = {split: [t if with_emoji else strip_emoji(t) for t in rows["text"]] for split, rows in corpus.items()}
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True)
    svm = make_pipeline(vectorizer, LinearSVC()).fit(texts["train"], corpus["train"]["label"][:])
    gold, answers = corpus["test"]["label"][:], list(svm.predict(texts["test"]))
    emoji_rows = [i for i, text in enumerate(corpus["test"]["text"]) if has_emoji(text)]
    return (
        float(f1_score(gold, answers, average="macro")),
        float(f1_score([gold[i] for i in emoji_rows], [answers[i] for i in emoji_rows], average="macro")),
    )


def main() -> None:
    """Train and score the models and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        rows = {
            "AS-LSTM": train_ours(Path(folder) / "with"),
            "AS-LSTM, emoji taken out": train_ours(Path(folder) / "without", "--strip_emoji"),
            "char 1-3-gram SVM": train_svm(with_emoji=True),
            "char 1-3-gram SVM, emoji taken out": train_svm(with_emoji=False),
        }
    print(f"{'macro-F1 on the sample test split':<38}{'all rows':>10}{'with emoji':>12}")
    for name, (everything, emoji_rows) in rows.items():
        print(f"{name:<38}{everything:>10.3f}{emoji_rows:>12.3f}")


if __name__ == "__main__":
    main()
