"""Fuzz target: the answers of a small model of each fusion to batches of posts, padded on either side.

Run by ``run_targets.py``; ``python -m tests.fuzz.fuzz_answers FILE`` runs one input again and prints which posts it holds.
"""

import sys
from pathlib import Path

import atheris
import torch

with atheris.instrument_imports(include=["tokenization"]):
    from tests.fuzz.fuzz_tokenizer import TOKENIZERS
    from tests.fuzz.invariants import check_padding_side

from modeling_aslstm import ASLSTMConfig, ASLSTMForSequenceClassification
from modeling_aslstm.configuration_aslstm import EMOJI_FUSIONS
from tests.fuzz.fuzzed_posts import make_post
from tokenization import ASLSTMTokenizer

# Whether one input is run again; it is then shown.
IS_REPLAY = Path(sys.argv[-1]).is_file()


def make_model(tokenizer: ASLSTMTokenizer, emoji_fusion: str) -> ASLSTMForSequenceClassification:
    """Make a small model for a tokenizer, with weights that are always the same."""
    torch.manual_seed(0)
    config = ASLSTMConfig(
        vocab_size=len(tokenizer),
        emoji_token_offset=tokenizer.emoji_token_offset,
        num_emoji_tokens=tokenizer.num_emoji_tokens,
        embedding_size=6,
        hidden_size=5,
        num_hidden_layers=2,
        emoji_fusion=emoji_fusion,
        use_bag_of_words=True,
        clause_end_token_ids=tokenizer.clause_end_token_ids,
        initializer_range=1.0,
    )
    return ASLSTMForSequenceClassification(config).eval()


# Threads of operations as small as these cost more than they save.
torch.set_num_threads(1)
TOKENIZER = TOKENIZERS[0][0]
MODELS = [make_model(TOKENIZER, emoji_fusion) for emoji_fusion in EMOJI_FUSIONS]


def check_input(buffer: bytes) -> None:
    """Make two posts and choose a model from the bytes, and check that the answers do not depend on the padding."""
    data = atheris.FuzzedDataProvider(buffer)
    posts = [make_post(data), make_post(data)]
    model = MODELS[data.ConsumeIntInRange(0, len(MODELS) - 1)]
    if IS_REPLAY:
        print(f"fusion {model.config.emoji_fusion}, posts {posts!a}")
    check_padding_side(model, TOKENIZER, posts)


if __name__ == "__main__":
    atheris.Setup(sys.argv, check_input)
    atheris.Fuzz()
