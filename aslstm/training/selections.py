"""Takes encoded rows and the name of a selection and says which rows have the emoji and clauses that it asks for.

The clauses are found by the model's own function, so that a selection is about what the fusions see.
"""

import numpy as np
import torch
from datasets import Dataset
from torch.nn.utils.rnn import pad_sequence

from modeling_aslstm.layers_aslstm import clause_indices
from tokenization import ASLSTMTokenizer

ROWS_AT_ONCE = 1024


def select_rows(rows: Dataset, tokenizer: ASLSTMTokenizer, selection: str) -> np.ndarray:
    """Return which rows a selection keeps, (num_rows,) bool.

    Args:
        rows: The rows, with a column ``input_ids``.
        tokenizer: The tokenizer that made the ids.
        selection: ``has_clauses`` keeps rows with more than one clause, ``has_emoji`` those with an emoji and
            ``clauses_with_emoji`` those with an emoji in two clauses or more; ``all`` and ``new_words`` (all rows, segmented
            with discovered words) keep every row.
    """
    if selection in ("all", "new_words"):
        return np.ones(len(rows), dtype=bool)
    kept = [_keeps(rows[i : i + ROWS_AT_ONCE]["input_ids"], tokenizer, selection) for i in range(0, len(rows), ROWS_AT_ONCE)]
    return torch.cat(kept).numpy()


def _keeps(rows: list[list[int]], tokenizer: ASLSTMTokenizer, selection: str) -> torch.Tensor:
    ids = pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=tokenizer.pad_token_id)
    start = tokenizer.emoji_token_offset
    is_emoji = (ids >= start) & (ids < start + tokenizer.num_emoji_tokens)
    if selection == "has_emoji":
        return is_emoji.any(1)
    is_word = (ids != tokenizer.pad_token_id) & ~is_emoji
    clauses = clause_indices(is_word, is_emoji, torch.isin(ids, torch.tensor(tokenizer.clause_end_token_ids)))
    if selection == "has_clauses":
        return clauses.amax(1) > 0
    with_emoji = torch.zeros(clauses.shape, dtype=torch.long).scatter_add(1, clauses, is_emoji.long()) > 0
    return with_emoji.sum(1) >= 2
