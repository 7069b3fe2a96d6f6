"""Takes the rows that a model is trained on and gives a fingerprint of their contents, which a resumed run is compared by.

Counts and dates do not tell whether rows are the same: labels can be shuffled, and a file can be replaced by one of the same
size and time.
"""

import hashlib
from collections.abc import Iterable

import numpy as np
from datasets import Dataset

from tokenization import ASLSTMTokenizer

_ROWS_AT_ONCE = 1000
# A state of training saved before there were fingerprints lacks the entries of its recipe that begin so.
CONTENTS = "contents of "


class RowsFingerprint:
    """Hashes rows, one after the other; the order counts.

    Attributes:
        num_rows: How many rows were hashed.
    """

    def __init__(self) -> None:
        self.num_rows = 0
        self._hash = hashlib.sha256()

    def add(self, texts: Iterable[str], labels: Iterable[str]) -> None:
        """Hash further rows."""
        # The lengths keep texts from running into one another.
        rows = [f"{len(text)} {len(label)} {text}{label}" for text, label in zip(texts, labels, strict=True)]
        self.num_rows += len(rows)
        self._hash.update("".join(rows).encode("utf-8", "surrogatepass"))

    def hexdigest(self) -> str:
        """Return the fingerprint of all rows so far: 16 hexadecimal digits."""
        return self._hash.hexdigest()[:16]


def fingerprint_of_rows(rows: Dataset) -> str:
    """Return the fingerprint of the columns ``text`` and ``label``."""
    fingerprint = RowsFingerprint()
    for batch in rows.select_columns(["text", "label"]).iter(_ROWS_AT_ONCE):
        fingerprint.add(batch["text"], batch["label"])
    return fingerprint.hexdigest()


def fingerprint_of_soft_labels(texts: Iterable[str], probabilities: np.ndarray) -> str:
    """Return the fingerprint of posts and of the probabilities of their labels, (num_texts, num_labels)."""
    fingerprint = RowsFingerprint()
    fingerprint.add(texts, (row.tobytes().hex() for row in probabilities))
    return fingerprint.hexdigest()


def fingerprint_of_tokenizer(tokenizer: ASLSTMTokenizer, new_words: Iterable[str]) -> str:
    """Return the fingerprint of a vocabulary and of the words that are kept whole."""
    fingerprint = RowsFingerprint()
    vocabulary = sorted(tokenizer.get_vocab().items())
    fingerprint.add((token for token, _ in vocabulary), (str(token_id) for _, token_id in vocabulary))
    words = list(new_words)
    fingerprint.add(words, ("" for _ in words))
    return fingerprint.hexdigest()
