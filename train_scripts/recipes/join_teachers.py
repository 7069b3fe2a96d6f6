"""Takes the answers of several teachers on the same posts and writes one file of soft labels for ``aslstm train``.

python train_scripts/recipes/join_teachers.py OUTPUT.jsonl --teachers A.jsonl B.jsonl --coarse C.jsonl --coarse_weight 0.3

A coarse teacher has labels that each stand for one or several of the others' (SMP2020-EWECT's for those of NLPCC 2014). What
it gives to a label is shared among these as the other teachers share it, and the result counts with its weight in the mean of
the logarithms.
"""

import argparse
from pathlib import Path

import numpy as np

from aslstm.data.known_corpora import COARSE_LABELS
from aslstm.errors import UserError
from aslstm.training.soft_labels import read_soft_labels, write_soft_labels


def refined(fine: np.ndarray, coarse: np.ndarray) -> np.ndarray:
    """Return what a coarse teacher says of the fine labels, (num_posts, num_labels); it is shared as ``fine`` is."""
    names, groups = sorted(COARSE_LABELS), sorted(set(COARSE_LABELS.values()))
    of_label = np.array([groups.index(COARSE_LABELS[name]) for name in names])
    sums = np.stack([fine[:, of_label == group].sum(1) for group in range(len(groups))], axis=1)
    return coarse[:, of_label] * fine / sums[:, of_label]


def main() -> None:
    """Join the answers and write them."""
    parser = argparse.ArgumentParser(description="Join the answers of teachers.")
    parser.add_argument("output", type=Path)
    parser.add_argument("--teachers", type=Path, nargs="+", required=True)
    parser.add_argument("--coarse", type=Path, required=True)
    parser.add_argument("--coarse_weight", type=float, required=True)
    arguments = parser.parse_args()
    names = sorted(COARSE_LABELS)
    texts, fine = read_soft_labels(arguments.teachers, names)
    coarse_texts, coarse = read_soft_labels([arguments.coarse], sorted(set(COARSE_LABELS.values())))
    if coarse_texts != texts:
        raise UserError(
            f"--coarse {arguments.coarse}: expected the posts of --teachers, found others; let every teacher answer the same "
            "file"
        )
    weight = arguments.coarse_weight
    joined = fine ** (1 - weight) * refined(fine, coarse) ** weight
    joined /= joined.sum(1, keepdims=True)
    write_soft_labels(arguments.output, zip(texts, joined.round(6).tolist(), strict=True), names)
    print(f"{len(texts)} posts: {arguments.output}")


if __name__ == "__main__":
    main()
