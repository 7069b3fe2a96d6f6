"""Takes a source and a tokenizer and gives encoded training rows without end, for a corpus that does not fit into memory.

Rows are read, encoded and shuffled in short stretches, and memory holds one stretch at a time.
"""

import itertools
import logging
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

from torch.utils.data import IterableDataset

from aslstm.data.cleaning import clean
from aslstm.data.corpora import CorpusSource
from aslstm.data.faulty_rows import FAULT, LACKS_LABEL
from aslstm.data.file_formats import Row
from aslstm.data.hub_rows import hub_reader, load_splits
from aslstm.data.labels import names_of_labels
from aslstm.data.row_readers import check_can_be_read_again, read_rows
from aslstm.errors import UserError
from tokenization import ASLSTMTokenizer

from .batches import BATCHES_PER_BUCKET, label_targets
from .fingerprints import RowsFingerprint

logger = logging.getLogger(__name__)


def stream_train(source: CorpusSource, passed_over: Counter[str] | None = None) -> Iterator[Row]:
    """Yield the rows of the training split once, as :func:`corpora.read_splits` would give them.

    Args:
        source: The source that the rows come from.
        passed_over: Where the rows that are passed over are counted, by what they lack.

    Raises:
        UserError: A row cannot be read or has no label, and none may be passed over.
    """
    rename = source.label_renamer() or str
    for row in _read_train(source):
        if not row[FAULT]:
            yield row | {"label": rename(row["label"])}
        elif source.on_error == "stop":
            raise UserError(f"{row[FAULT]}, or leave out such rows with `on_error` skip")
        elif passed_over is not None:
            passed_over["without a label" if row[LACKS_LABEL] else "that cannot be read"] += 1


def _read_train(source: CorpusSource) -> Iterator[Row]:
    text_column, label_column = source.columns_of_files
    if source.is_on_hub:
        rows = load_splits(source.dataset, streaming=True)["train"]
        read = hub_reader(source.dataset, source.columns, rows.features, source.problem_type)
        yield from (read(row, index) for index, row in enumerate(rows))
        return
    path = source.files()["train"]
    check_can_be_read_again(path)
    rows = read_rows(
        path, text_column=text_column, label_column=label_column, encoding=source.encoding, problem_type=source.problem_type,
        keep_faulty=True,
    )  # fmt: skip
    for row in rows:
        yield row | {"text": clean(row["text"]).text} if source.cleans else row


def counted_texts(source: CorpusSource, label_counts: Counter[str], fingerprint: RowsFingerprint) -> Iterator[str]:
    """Yield the training texts once; their labels are counted and their rows are added to the fingerprint on the way."""
    passed_over: Counter[str] = Counter()
    for row in stream_train(source, passed_over):
        label_counts.update(names_of_labels([row["label"]], source.problem_type))
        fingerprint.add([row["text"]], [row["label"]])
        yield row["text"]
    if passed_over:
        logger.warning("train: passed over %s", " and ".join(f"{count} rows {kind}" for kind, count in passed_over.items()))


class StreamingRows(IterableDataset):
    """Yields encoded rows over and over; one iteration gives ``rows_per_epoch`` rows, and the next goes on from there.

    Args:
        source: The source that the rows come from.
        tokenizer: The tokenizer that encodes them.
        label_names: The labels in the order of the model.
        batch_size: The number of rows in a batch. Stretches of 50 batches are shuffled; a batch holds rows of similar length.
        rows_per_epoch: The number of rows in one iteration.
        seed: The seed of the shuffling.
    """

    def __init__(
        self,
        source: CorpusSource,
        tokenizer: ASLSTMTokenizer,
        label_names: list[str],
        *,
        batch_size: int,
        rows_per_epoch: int,
        seed: int,
    ) -> None:
        self.source = source
        self.tokenizer = tokenizer
        self.label_names = label_names
        self.batch_size = batch_size
        self.rows_per_epoch = rows_per_epoch
        self.shuffler = random.Random(seed)
        self._endless = self._rows()

    def __len__(self) -> int:
        return self.rows_per_epoch

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return itertools.islice(self._endless, self.rows_per_epoch)

    def _rows(self) -> Iterator[dict[str, Any]]:
        numbers = itertools.count()
        while True:
            rows = stream_train(self.source)
            while stretch := list(itertools.islice(rows, self.batch_size * BATCHES_PER_BUCKET)):
                yield from self._shuffled(stretch, numbers)

    def _shuffled(self, stretch: list[Row], numbers: Iterator[int]) -> Iterator[dict[str, Any]]:
        ids = self.tokenizer([row["text"] for row in stretch], truncation=True, return_attention_mask=False)["input_ids"]
        targets = label_targets([row["label"] for row in stretch], self.label_names, self.source.problem_type)
        encoded = [
            {"input_ids": row_ids, "labels": target, "row": number}
            for row_ids, target, number in zip(ids, targets, numbers, strict=False)
        ]
        self.shuffler.shuffle(encoded)
        encoded.sort(key=lambda row: -len(row["input_ids"]))
        batches = [encoded[i : i + self.batch_size] for i in range(0, len(encoded), self.batch_size)]
        self.shuffler.shuffle(batches)
        return itertools.chain.from_iterable(batches)
