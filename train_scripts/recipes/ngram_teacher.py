"""Trains a regression over character n-grams on NLPCC 2014 and writes its answers to posts, for ``join_teachers.py``.

python train_scripts/recipes/ngram_teacher.py DATA_DIR POSTS.jsonl OUTPUT.jsonl

It is a teacher of another kind than the LSTMs: alone it is worse than they are, but it errs in other places, and the mean of
both is better than either (figures: docs/figures.md).
"""

import argparse
import json
from pathlib import Path

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from aslstm.data.corpora import CorpusSource, load_corpus, without_white_space
from aslstm.training.soft_labels import write_soft_labels

INVERSE_REGULARIZATION = 8.0  # 2 is worse on the validation split.
MAX_STEPS = 300


def main() -> None:
    """Train, answer the posts and write the answers, one for each post."""
    parser = argparse.ArgumentParser(description="Answer posts by a regression over character n-grams.")
    for name in ("data_dir", "posts", "output"):
        parser.add_argument(name, type=Path)
    arguments = parser.parse_args()
    rows = load_corpus(CorpusSource("nlpcc2014", arguments.data_dir))["train"]
    teacher = make_pipeline(
        TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True, min_df=2),
        LogisticRegression(C=INVERSE_REGULARIZATION, max_iter=MAX_STEPS),
    ).fit([without_white_space(text) for text in rows["text"]], rows["label"])
    with arguments.posts.open(encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    answers = teacher.predict_proba([without_white_space(text) for text in texts])
    write_soft_labels(arguments.output, zip(texts, answers.round(6).tolist(), strict=True), teacher.classes_.tolist())
    print(f"{len(texts)} posts: {arguments.output}")


if __name__ == "__main__":
    main()
