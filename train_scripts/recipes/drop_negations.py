"""Leaves out the posts in which a negator stands before a word of feeling.

python train_scripts/recipes/drop_negations.py MODEL_FOLDER INPUT.jsonl OUTPUT.jsonl

Of 40 short posts such as 不开心 and 一点都不好笑 two of three teachers read 19 as negative, and a student that learns their
answers unlearns what composed posts have taught it. Which words are words of feeling the bag of words of a model says: those
whose scores speak most for one polarity.
"""

import argparse
import json
import re
from pathlib import Path

import torch

from aslstm.data.known_corpora import KNOWN_LABELS
from aslstm.errors import UserError
from aslstm.model_folder.loading import load_model
from modeling_aslstm import ASLSTMForSequenceClassification
from tokenization import ASLSTMTokenizer

NUM_WORDS = 3000
WORD = re.compile(r"[\u4e00-\u9fff]{2,4}")
# These are words of feeling too where they stand alone; most other characters are not.
CHARACTERS = "爱累气怕哭笑甜香差烂丑贵美帅"
NEGATORS = "不|没|没有|别|无|未|毫无|并非|不是|不要|不用|不会|不能|不再|不觉得|没觉得|不算|不太|不怎么|不够|没那么|没什么"
BETWEEN = "很|太|是|那么|这么|什么|怎么|觉得|感到|够|再|会|能|想|值得|有|好|让人|令人|叫人"


def words_of_feeling(model: ASLSTMForSequenceClassification, tokenizer: ASLSTMTokenizer) -> list[str]:
    """Return the words whose scores for the positive and the negative labels differ most.

    Raises:
        UserError: The model has no bag of words.
    """
    if model.bag_of_words is None:
        raise UserError("expected a model with a bag of words, found none; train it with `bag_of_words_weight`")
    labels = [KNOWN_LABELS[name].polarity for name in (model.config.id2label or {}).values()]
    scores = model.bag_of_words.scores.weight.detach()
    mean = {name: scores[:, [label == name for label in labels]].mean(1) for name in ("positive", "negative")}
    norms = model.bag_of_words.squared_norms.weight.detach()[:, 0].clamp(min=1.0).sqrt()
    strengths = ((mean["positive"] - mean["negative"]) / norms).abs()
    tokens = tokenizer.convert_ids_to_tokens(torch.argsort(strengths, descending=True).tolist())
    return [token for token in tokens if WORD.fullmatch(token)][:NUM_WORDS]


def main() -> None:
    """Write the posts that are kept."""
    parser = argparse.ArgumentParser(description="Leave out posts with negated words of feeling.")
    for name in ("model", "input", "output"):
        parser.add_argument(name, type=Path)
    arguments = parser.parse_args()
    words = [*words_of_feeling(load_model(arguments.model), ASLSTMTokenizer.from_pretrained(arguments.model)), *CHARACTERS]
    alternatives = "|".join(sorted(words, key=len, reverse=True))
    negated = re.compile(f"(?:{NEGATORS})(?:{BETWEEN})?(?:{alternatives})")
    with arguments.input.open(encoding="utf-8") as lines:
        posts = list(lines)
    kept = [line for line in posts if not negated.search(json.loads(line)["text"])]
    arguments.output.write_text("".join(kept), encoding="utf-8")
    print(f"kept {len(kept):,} of {len(posts):,} posts")


if __name__ == "__main__":
    main()
