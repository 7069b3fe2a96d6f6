"""Makes a trained model small enough to travel in the wheel: half-precision weights, an int8 graph, and a card of its own.

python train_scripts/recipes/pack_model.py TRAINED_FOLDER CARD.md OUTPUT_FOLDER

The weights load as float32, as the config says; the answers of the packed model are compared with those of the trained one.
"""

import argparse
import json
import shutil
from pathlib import Path

import torch

from aslstm.errors import UserError
from aslstm.files import json_text, replacing_folder, write_checksums
from aslstm.model_folder.exporting import write_graphs
from aslstm.model_folder.layout import GRAPH, GRAPH_FOLDER, check_model_folder
from aslstm.model_folder.loading import load_model
from aslstm.model_folder.onnx_graphs import sample_batches
from tokenization import ASLSTMTokenizer

MAX_MEGABYTES = 16
# Halves have 11 bits, so a weight moves by a two-thousandth of itself at most.
MAX_DIFFERENCE = 0.01


def pack(trained: Path, card: Path, staging: Path) -> None:
    """Write the small folder.

    Raises:
        UserError: It answers differently from the trained model.
    """
    model = load_model(trained)
    batches = [[torch.from_numpy(part) for part in batch] for batch in sample_batches(model.config)]
    with torch.no_grad():
        expected = [model(*batch).logits.softmax(1) for batch in batches]
    model.half().save_pretrained(staging)
    config = json.loads((staging / "config.json").read_text(encoding="utf-8"))
    (staging / "config.json").write_text(json_text(config | {"dtype": "float32"}), encoding="utf-8")
    ASLSTMTokenizer.from_pretrained(trained).save_pretrained(staging)
    small = load_model(staging)
    with torch.no_grad():
        answers = [small(*batch).logits.softmax(1) for batch in batches]
    difference = max(float((one - other).abs().max()) for one, other in zip(expected, answers, strict=True))
    if small.dtype != torch.float32 or difference > MAX_DIFFERENCE:
        raise UserError(f"expected probabilities within {MAX_DIFFERENCE} in float32, found {difference} in {small.dtype}")
    (staging / GRAPH_FOLDER).mkdir()
    for line in write_graphs(small, staging / GRAPH_FOLDER):
        print(line)
    (staging / GRAPH_FOLDER / GRAPH).unlink()
    shutil.copy(card, staging / "README.md")
    shutil.copy(trained / "eval_results.json", staging)
    # safetensors lets only its owner read the weights.
    for path in staging.iterdir():
        if path.is_file():
            shutil.copymode(card, path)
    write_checksums(staging)


def main() -> None:
    """Pack a model and print the size of the folder."""
    parser = argparse.ArgumentParser(description="Make a model small.")
    for name in ("trained", "card", "output"):
        parser.add_argument(name, type=Path)
    arguments = parser.parse_args()
    check_model_folder(arguments.trained)
    output = arguments.output.absolute()
    output.parent.mkdir(parents=True, exist_ok=True)
    with replacing_folder(output) as staging:
        staging.mkdir()
        pack(arguments.trained, arguments.card, staging)
        megabytes = sum(path.stat().st_size for path in staging.rglob("*") if path.is_file()) / 1e6
        if megabytes > MAX_MEGABYTES:
            raise UserError(f"expected a folder of at most {MAX_MEGABYTES} MB, found {megabytes:.1f}; take fewer words")
    print(f"{output.name}: {megabytes:.1f} MB")


if __name__ == "__main__":
    main()
