"""Averages the weights of a model and of models that were trained further from it, and writes the mean as a model folder.

python train_scripts/recipes/average_models.py OUTPUT_FOLDER START_FOLDER FOLDER [FOLDER ...] [--bag_of_words SHARE]

What a model learns of new texts it pays with what it knew of others; the mean of both keeps most of both (Wortsman et al.
2022, arXiv:2109.01903), and several runs average as an ensemble does (arXiv:2203.05482). All folders have the vocabulary of the
first, whose config, decision rule and bag of words the mean keeps. Of the scores of the bag of words it may keep a share: they
know no negation, and the others have learned to answer without them.
"""

import argparse
import shutil
from pathlib import Path

import torch

from aslstm.errors import UserError
from aslstm.files import replacing_folder, write_checksums
from aslstm.model_folder.layout import check_model_folder
from aslstm.model_folder.loading import load_model

VOCABULARY = ("vocab.txt", "emoji_vocab.txt")
# The bag of words is no part of the further training: each run would have to fit it anew to its own texts alone.
BAG_OF_WORDS = "bag_of_words."


def mean_of(folders: list[Path]) -> dict[str, torch.Tensor]:
    """Return the mean of the weights of models; those of the first one's bag of words are not averaged.

    Raises:
        UserError: A model has another vocabulary or other weights than the first.
    """
    first, *others = [load_model(folder).state_dict() for folder in folders]
    averaged = {name for name in first if not name.startswith(BAG_OF_WORDS)}
    for folder, weights in zip(folders[1:], others, strict=True):
        same_words = all((folder / name).read_bytes() == (folders[0] / name).read_bytes() for name in VOCABULARY)
        if not same_words or any(name not in weights or weights[name].shape != first[name].shape for name in averaged):
            raise UserError(f"{folder}: expected the vocabulary and weights of {folders[0]}, found others; train it from there")
    return {
        name: torch.stack([weights[name].double() for weights in (first, *others)]).mean(0).float() if name in averaged else own
        for name, own in first.items()
    }


def main() -> None:
    """Average the models and write the folder."""
    parser = argparse.ArgumentParser(description="Average models that were trained from the same one.")
    parser.add_argument("output", type=Path)
    parser.add_argument("folders", type=Path, nargs="+", metavar="folder")
    parser.add_argument("--bag_of_words", type=float, default=1.0, metavar="SHARE")
    arguments = parser.parse_args()
    for folder in arguments.folders:
        check_model_folder(folder)
    start = arguments.folders[0]
    model = load_model(start)
    model.load_state_dict(mean_of(arguments.folders))
    if model.bag_of_words is not None:
        model.bag_of_words.scores.weight.data.mul_(arguments.bag_of_words)
    output = arguments.output.absolute()
    output.parent.mkdir(parents=True, exist_ok=True)
    with replacing_folder(output) as staging:
        shutil.copytree(start, staging, ignore=shutil.ignore_patterns("onnx"))
        model.save_pretrained(staging)
        shutil.copymode(start / "config.json", staging / "model.safetensors")
        write_checksums(staging)
    print(f"{output.name}: the mean of {len(arguments.folders)} models")


if __name__ == "__main__":
    main()
