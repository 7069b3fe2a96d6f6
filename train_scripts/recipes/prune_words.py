"""Takes out the words of a model that posts use least, until its weights in float32 have the wanted size.

python train_scripts/recipes/prune_words.py MODEL_FOLDER OUTPUT_FOLDER MEGABYTES POSTS [POSTS ...]

A word that is taken out is read as its characters from then on, as other unknown words are, so characters, special tokens and
emoji stay. POSTS are files that ``aslstm train-vectors`` reads; their columns are named text, content or review.
"""

import argparse
import json
import math
import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from aslstm.data.text_sources import TextSource
from aslstm.errors import UserError
from aslstm.files import json_text, replacing_folder, write_checksums
from aslstm.model_folder.layout import check_model_folder
from aslstm.model_folder.loading import load_model
from aslstm.prediction.batching import flat_ids
from modeling_aslstm import ASLSTMForSequenceClassification
from tokenization import ASLSTMTokenizer
from tokenization.post_encoding import PostEncoder

COLUMNS = ("text", "content", "review")
TEXTS_AT_ONCE = 5000
BYTES_OF_A_NUMBER = 4


def use_counts(encoder: PostEncoder, texts: Iterator[str]) -> np.ndarray:
    """Return how often each token occurs in texts, (vocab_size,) int64."""
    counts = np.zeros(len(encoder), dtype=np.int64)
    while batch := list(islice(texts, TEXTS_AT_ONCE)):
        counts += np.bincount(flat_ids(encoder.encode_batch(batch)).ids, minlength=len(counts))
    return counts


def kept_ids(model: ASLSTMForSequenceClassification, tokens: list[str], counts: np.ndarray, megabytes: float) -> list[int]:
    """Return the ids of the tokens that stay, in order.

    Raises:
        UserError: The model is larger than wanted without any word.
    """
    config = model.config
    sizes = [weights.shape[1:].numel() for weights in model.parameters() if weights.shape[0] == config.vocab_size]
    whole = sum(weights.numel() for weights in model.parameters())
    num_dropped = max(math.ceil((whole - megabytes * 1e6 / BYTES_OF_A_NUMBER) / sum(sizes)), 0)
    words = [i for i in range(config.emoji_token_offset) if len(tokens[i]) > 1 and not tokens[i].startswith("<")]
    if num_dropped > len(words):
        raise UserError(f"expected a size that the other weights leave room in, found {megabytes} MB; take a larger one")
    dropped = set(sorted(words, key=lambda i: (counts[i], -i))[:num_dropped])
    return [i for i in range(config.vocab_size) if i not in dropped]


def change_json(path: Path, **values: Any) -> None:
    """Change values of a JSON file."""
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json_text(content | values), encoding="utf-8")


def prune(folder: Path, staging: Path, megabytes: float, texts: Iterator[str]) -> str:
    """Write the smaller model, and return how many tokens it has lost."""
    model, encoder = load_model(folder), ASLSTMTokenizer.from_pretrained(folder, segmenter="rjieba").post_encoder
    config, tokens = model.config, encoder.table.tokens
    kept = kept_ids(model, tokens, use_counts(encoder, texts), megabytes)
    words = [i for i in kept if i < config.emoji_token_offset]
    shutil.copytree(folder, staging, ignore=shutil.ignore_patterns("onnx"))
    (staging / "vocab.txt").write_text("".join(f"{tokens[i]}\n" for i in words), encoding="utf-8", newline="\n")
    change_json(staging / "tokenizer_config.json", emoji_token_offset=len(words))
    change_json(
        staging / "config.json",
        vocab_size=len(kept),
        emoji_token_offset=len(words),
        clause_end_token_ids=[new for new, old in enumerate(words) if old in set(config.clause_end_token_ids)],
    )
    rows = torch.tensor(kept)
    weights = {name: w[rows] if w.shape[0] == config.vocab_size else w for name, w in model.state_dict().items()}
    save_file(weights, staging / "model.safetensors", metadata={"format": "pt"})
    # safetensors lets only its owner read the weights.
    shutil.copymode(folder / "config.json", staging / "model.safetensors")
    write_checksums(staging)
    load_model(staging)
    return f"{config.vocab_size - len(kept):,} of {config.vocab_size:,} tokens taken out"


def main() -> None:
    """Prune the words of a model."""
    parser = argparse.ArgumentParser(description="Take out the words that posts use least.")
    for name in ("model", "output"):
        parser.add_argument(name, type=Path)
    parser.add_argument("megabytes", type=float)
    parser.add_argument("posts", nargs="+")
    arguments = parser.parse_args()
    check_model_folder(arguments.model)
    source = TextSource(tuple(arguments.posts), text_column=COLUMNS)
    output = arguments.output.absolute()
    output.parent.mkdir(parents=True, exist_ok=True)
    with replacing_folder(output) as staging:
        done = prune(arguments.model, staging, arguments.megabytes, source.texts())
    print(f"{output.name}: {done}")


if __name__ == "__main__":
    main()
