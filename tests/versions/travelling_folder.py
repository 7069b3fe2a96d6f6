"""Compares the answers of a model folder in two environments, such as two versions of transformers.

``build`` writes a model folder of each fusion, with its answers in this environment. ``load`` answers with such a folder in
another environment and finds the largest difference. The script needs only ``torch transformers jieba emoji``, so that it runs
in every environment of ``noxfile.py``. ``build`` imports the packages of this repository, and with them OpenCC; ``load`` uses
only what is in the folder.
"""

import argparse
import importlib.util
import json
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification, AutoTokenizer, pipeline

# Numbers may differ by this much, because other builds of torch add in another order.
TOLERANCE = 1e-6
POSTS = [
    "今天又加班[泪]",
    "今天又加班[太开心]，奖金到手😂！真的好累",
    "",
    "😂😂",
    "Nice 一天👍🏽，[泪流满面流]",
    "明天三点开会",
]
LABELS = ("like", "none", "sadness")


@torch.no_grad()
def answers(classifier: Any, encoder: Any, tokenizer: Any) -> dict[str, Any]:
    """Return what a model answers to ``POSTS``: ids, logits (6, 3) and the pooled vectors of the encoder, as lists."""
    batch = tokenizer(POSTS, padding=True, return_tensors="pt")
    return {
        "ids": batch["input_ids"].tolist(),
        "logits": classifier.eval()(**batch).logits.tolist(),
        "pooled": encoder.eval()(**batch).pooled_output.tolist(),
    }


def build(folder: Path) -> None:
    """Write ``FUSION/``, a model folder, and ``FUSION.json``, its answers in this process, for every fusion."""
    from aslstm.words.vocabulary import build_tokenizer, build_vocabulary
    from modeling_aslstm import ASLSTMConfig, ASLSTMForSequenceClassification
    from modeling_aslstm.configuration_aslstm import EMOJI_FUSIONS
    from tokenization.word_segmentation import keep_whole

    tokenizer = build_tokenizer(build_vocabulary(POSTS * 2, user_words=keep_whole(["奖金到手"])))
    for seed, fusion in enumerate(EMOJI_FUSIONS):
        torch.manual_seed(seed)
        config = ASLSTMConfig(
            vocab_size=len(tokenizer),
            emoji_token_offset=tokenizer.emoji_token_offset,
            num_emoji_tokens=tokenizer.num_emoji_tokens,
            clause_end_token_ids=tokenizer.clause_end_token_ids,
            pad_token_id=tokenizer.pad_token_id,
            embedding_size=16,
            hidden_size=8,
            num_hidden_layers=2,
            emoji_fusion=fusion,
            use_bag_of_words=seed % 2 == 1,
            id2label=dict(enumerate(LABELS)),
            label2id={name: i for i, name in enumerate(LABELS)},
            label_prior=[0.5, 0.3, 0.2],
            decision_prior_weight=0.7,
            temperature=1.3,
        )
        model = ASLSTMForSequenceClassification(config)
        with torch.no_grad():
            # No weight keeps the value that initialisation gives it: a bias of zero would look loaded where it is not.
            for parameter in model.parameters():
                parameter.add_(torch.randn_like(parameter), alpha=0.2)
            if model.bag_of_words is not None:
                model.bag_of_words.squared_norms.weight.abs_().add_(1.0)
        model.save_pretrained(folder / fusion)
        tokenizer.save_pretrained(folder / fusion)
        text = json.dumps(answers(model, model.aslstm, tokenizer))
        (folder / f"{fusion}.json").write_text(text, encoding="utf-8")


def difference(found: list[list[float]], expected: list[list[float]]) -> float:
    """Return the largest absolute difference of two tables of numbers, or NaN if one of them has a NaN.

    >>> difference([[1.0, 2.0]], [[1.0, 2.5]])
    0.5
    """
    first, second = torch.tensor(found), torch.tensor(expected)
    if first.shape != second.shape:
        raise ValueError(f"expected numbers of the shape {tuple(second.shape)}, found {tuple(first.shape)}")
    return (first - second).abs().max().item()


def load(folder: Path) -> float:
    """Load a model folder by its path alone and compare its answers with those of the process that built it.

    Returns:
        The largest difference of a logit, a pooled value or a pipeline's score.

    Raises:
        ValueError: the answers are others.
    """
    path = str(folder)
    expected = json.loads(folder.with_suffix(".json").read_text(encoding="utf-8"))
    tokenizer = AutoTokenizer.from_pretrained(path, trust_remote_code=True)
    classifier = AutoModelForSequenceClassification.from_pretrained(path, trust_remote_code=True)
    found = answers(classifier, AutoModel.from_pretrained(path, trust_remote_code=True), tokenizer)
    if found["ids"] != expected["ids"]:
        raise ValueError(f"{folder}: expected the ids {expected['ids']}, found {found['ids']}")
    labels = AutoConfig.from_pretrained(path, trust_remote_code=True).id2label
    if labels != dict(enumerate(LABELS)):
        raise ValueError(f"{folder}: expected the labels {LABELS}, found {labels}")
    differences = {name: difference(found[name], expected[name]) for name in ("logits", "pooled")}
    scores = torch.tensor(expected["logits"]).softmax(-1).tolist()
    # Of one folder: a pipeline does the same with every fusion, and the dictionary that it reads takes a second.
    for task in ("text-classification", "sentiment-analysis") if folder.name == "attention" else ():
        results = pipeline(task, model=path, trust_remote_code=True)(POSTS, top_k=None)
        named = [{entry["label"]: entry["score"] for entry in result} for result in results]
        differences[task] = difference([[result[name] for name in LABELS] for result in named], scores)
    if not all(value <= TOLERANCE for value in differences.values()):
        raise ValueError(f"{folder}: expected equal answers, found differences of {differences}")
    return max(differences.values())


def main() -> None:
    """Build folders, or load those of other versions; the last line is JSON for ``noxfile.py``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("build", "load"))
    parser.add_argument("folders", nargs="+", type=Path, help="where to build, or what was built")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.step == "build":
        build(arguments.folders[0])
        return
    if any(importlib.util.find_spec(name) for name in ("tokenization", "modeling_aslstm", "datasets", "accelerate")):
        raise ValueError("load: expected none of this project's packages and of its training libraries; run it elsewhere")
    # Weights that are initialised instead of loaded are then not those of the process that built the folder.
    torch.manual_seed(1_000_000)
    models = [path.with_suffix("") for folder in arguments.folders for path in sorted(folder.glob("*.json"))]
    largest = max(load(model) for model in models)
    print(json.dumps({"folders": len(models), "difference": largest}))


if __name__ == "__main__":
    main()
