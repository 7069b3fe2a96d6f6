"""Runs a model folder inside the libraries that people use around it, and prints a row for each: what, outcome, seconds.

python -m benchmarks.neighbours --model DIR        # a model folder with ONNX graphs

Each row runs in a process of its own, so that one that waits for ever is ended. A library that is missing is a row
"not installed"; benchmarks/requirements.txt lists them. The exit code is 1 if a row failed.
"""

import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from aslstm.commands.flags import CommandParser, run
from aslstm.model_folder.layout import check_model_folder

POSTS = ["今天又加班[泪]", "今天又加班[太开心]，奖金到手😂", "气死我了[怒]。再也不买了", "这家店的面太好吃了", ""]
MAX_SECONDS = 600
STEPS = 3
# Rounding in another order gives 1e-6; half precision has three digits.
TOLERANCE, HALF_TOLERANCE = 1e-4, 0.05


def check(condition: bool, expected: str) -> None:
    """End the row where something does not hold."""
    if not condition:
        raise SystemExit(f"failed: expected {expected}")


def load_pipeline(folder: Path, **options: Any) -> Any:
    """Load the torch pipeline as a user does, by the code in the folder."""
    from transformers import pipeline

    return pipeline("text-classification", model=str(folder), trust_remote_code=True, **options)


def scores_of(classify: Any, posts: list[str]) -> list[dict[str, float]]:
    """Return the scores of each post by label."""
    return [{entry["label"]: entry["score"] for entry in entries} for entries in classify(posts, top_k=None)]


def difference(one: list[dict[str, float]], other: list[dict[str, float]]) -> float:
    """Return the largest difference of two lists of scores."""
    return max(abs(a[label] - b[label]) for a, b in zip(one, other, strict=True) for label in a)


def _train(folder: Path, model: Any, output: Path) -> Any:
    from datasets import Dataset
    from transformers import AutoTokenizer, DataCollatorWithPadding, Trainer, TrainingArguments

    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=True)
    rows = Dataset.from_dict({"text": POSTS * 4, "label": [0, 1, 0, 1, 1] * 4})
    rows = rows.map(lambda batch: tokenizer(batch["text"], truncation=True), batched=True, remove_columns=["text"])
    arguments = TrainingArguments(
        str(output / "run"), max_steps=STEPS, learning_rate=0.01, report_to=[], save_strategy="no", use_cpu=True
    )
    collator = DataCollatorWithPadding(tokenizer)
    trainer = Trainer(model, arguments, train_dataset=rows, data_collator=collator, processing_class=tokenizer)
    loss = trainer.train().training_loss
    check(0 < loss < 100, f"a loss, found {loss}")
    return trainer


def _fresh_model(folder: Path) -> Any:
    from transformers import AutoModelForSequenceClassification

    options = {"num_labels": 2, "ignore_mismatched_sizes": True, "trust_remote_code": True}
    return AutoModelForSequenceClassification.from_pretrained(folder, **options)


def stock_trainer(folder: Path) -> str:
    """Fine-tune, save, and answer from the saved folder."""
    from aslstm import Classifier

    with tempfile.TemporaryDirectory() as work:
        trainer = _train(folder, _fresh_model(folder), Path(work))
        trainer.save_model(f"{work}/tuned")
        expected = scores_of(load_pipeline(Path(work, "tuned")), POSTS)
        classifier = Classifier(f"{work}/tuned")
        found = [dict(zip(classifier.label_names, row, strict=True)) for row in classifier.predict(POSTS).tolist()]
    check(difference(found, expected) < TOLERANCE, "the pipeline's scores from the command's classifier")
    return f"{STEPS} steps, saved, answers alike"


def peft_lora(folder: Path) -> str:
    """Train an adapter of a sequence classifier and merge it; train one, save it, and load it on a fresh model."""
    import torch
    from peft import LoraConfig, PeftModel, get_peft_model

    lora: dict[str, Any] = {"target_modules": ["word_embeddings"], "r": 4}
    ids = torch.tensor([[5, 6, 7, 8]])
    with tempfile.TemporaryDirectory() as work:
        adapted = get_peft_model(_fresh_model(folder), LoraConfig(task_type="SEQ_CLS", **lora))
        _train(folder, adapted, Path(work))
        with torch.no_grad():
            before, merged = (one.eval()(input_ids=ids).logits for one in (adapted, adapted.merge_and_unload()))
        check(torch.allclose(before, merged, atol=TOLERANCE), "one answer before and after the merge")
        # With a task type PEFT takes every layer whose name ends in "score" for a classifier and cannot load what it saves.
        adapted = get_peft_model(_fresh_model(folder), LoraConfig(modules_to_save=["classifier"], **lora))
        _train(folder, adapted, Path(work))
        adapted.save_pretrained(f"{work}/adapter")
        loaded = PeftModel.from_pretrained(_fresh_model(folder), f"{work}/adapter")
        with torch.no_grad():
            before, after = (one.eval()(input_ids=ids).logits for one in (adapted, loaded))
        check(torch.allclose(before, after, atol=TOLERANCE), "one answer before saving and after loading")
    return "SEQ_CLS merged, adapter loaded, answers alike"


def shap_text(folder: Path) -> str:
    """Explain posts by their tokens; the parts of an answer add up to it."""
    import numpy as np
    import shap

    classify = load_pipeline(folder, top_k=None)

    def pieces_of(text: str, **_: Any) -> Any:
        # SHAP takes what an empty text has for tokens that stand around every text.
        return classify.tokenizer(text, return_offsets_mapping=True) if text else {"input_ids": [], "offset_mapping": []}

    # A mask of white space leaves words out; the text of the mask token would be read as words.
    explain = shap.Explainer(classify, shap.maskers.Text(pieces_of, mask_token="\u3000"))
    posts = POSTS[:3]
    explained = explain(posts)
    scores = scores_of(classify, posts)
    for i, post in enumerate(posts):
        check("".join(explained.data[i]) == post, f"pieces that make up the post, found {list(explained.data[i])}")
        total = explained.base_values[i] + explained.values[i].sum(0)
        expected = [scores[i][label] for label in explained.output_names]
        check(bool(np.allclose(total, expected, atol=1e-3)), "parts that add up to the answer")
    return "parts add up to the answer"


def captum_gradients(folder: Path) -> str:
    """Explain a post by integrated gradients, of the embedding layer and of vectors given in place of ids."""
    import torch
    from captum.attr import IntegratedGradients, LayerIntegratedGradients

    classify = load_pipeline(folder)
    model, batch = classify.model.eval(), classify.tokenizer(POSTS[:2], padding=True, return_tensors="pt")
    ids, mask = batch["input_ids"], batch["attention_mask"]

    def of_ids(input_ids: Any, attention_mask: Any) -> Any:
        return model(input_ids, attention_mask).logits[:, 0]

    def of_vectors(vectors: Any, input_ids: Any, attention_mask: Any) -> Any:
        return model(input_ids, attention_mask, inputs_embeds=vectors).logits[:, 0]

    # The ids go into the vectors of the words and, where the model has one, into the tables of its bag of words.
    bag = model.bag_of_words
    tables = [model.get_input_embeddings(), *([] if bag is None else [bag.scores, bag.squared_norms])]
    # Which tokens are emoji is no number that a path could lead along, so the emoji stay and the words are left out.
    is_emoji = ids >= model.config.emoji_token_offset
    baseline = torch.where(is_emoji, ids, classify.tokenizer.mask_token_id)
    by_layer, error = LayerIntegratedGradients(of_ids, tables).attribute(
        ids, baseline, additional_forward_args=(mask,), n_steps=100,
        return_convergence_delta=True,
    )  # fmt: skip
    vectors = model.get_input_embeddings()(ids).detach()
    by_vectors = IntegratedGradients(of_vectors).attribute(vectors, additional_forward_args=(ids, mask), n_steps=50)
    check(
        all(bool(part.abs().sum() > 0) for part in by_layer) and bool(by_vectors.abs().sum() > 0),
        "attributions that are not all zero",
    )
    check(bool(error.abs().max() < 0.05), f"attributions that add up, found a gap of {error.abs().max():.3f}")
    return "attributions add up"


def datasets_map(folder: Path) -> str:
    """Tokenize in two processes, with places."""
    from datasets import Dataset
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=True)
    rows = Dataset.from_dict({"text": POSTS * 50})
    mapped = rows.map(lambda batch: tokenizer(batch["text"], return_offsets_mapping=True), batched=True, num_proc=2)
    check(mapped["input_ids"][:] == tokenizer.encode_batch(POSTS * 50), "the ids of one process")
    return "two processes, same ids"


def torch_compile(folder: Path) -> str:
    """Compile the model, and answer batches of several lengths."""
    import torch

    classify = load_pipeline(folder)
    compiled = torch.compile(classify.model)
    with torch.no_grad():
        for posts in (POSTS[:1], POSTS[:3], POSTS):
            batch = classify.tokenizer(posts, padding=True, return_tensors="pt")
            check(
                torch.allclose(compiled(**batch).logits, classify.model(**batch).logits, atol=TOLERANCE),
                "the answers of the model",
            )
    return "same answers"


def device_map(folder: Path) -> str:
    """Let accelerate place the model."""
    placed = load_pipeline(folder, device_map="auto")
    check(difference(scores_of(placed, POSTS), scores_of(load_pipeline(folder), POSTS)) < TOLERANCE, "the same answers")
    return f"on {placed.device}, same answers"


def half_precision(folder: Path) -> str:
    """Answer in both kinds of half precision."""
    expected = scores_of(load_pipeline(folder), POSTS)
    found = {
        name: difference(scores_of(load_pipeline(folder, dtype=name), POSTS), expected) for name in ("bfloat16", "float16")
    }
    check(max(found.values()) < HALF_TOLERANCE, f"scores within {HALF_TOLERANCE}, found {found}")
    return ", ".join(f"{name} within {number:.3f}" for name, number in found.items())


def fork(folder: Path) -> str:
    """Answer in a process that was forked after the first answer."""
    from aslstm import OnnxPipeline

    classify = OnnxPipeline(folder)
    expected = classify(POSTS * 100)
    pid = os.fork()
    if pid == 0:
        os._exit(0 if classify(POSTS * 100) == expected else 3)
    check(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, "the parent's answers from the child")
    return "ONNX, same answers"


def threads(folder: Path) -> str:
    """Answer from many threads at once."""
    from aslstm import OnnxPipeline

    for classify in (load_pipeline(folder), OnnxPipeline(folder)):
        expected = scores_of(classify, POSTS)
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda _, ask=classify: scores_of(ask, POSTS), range(40)))
        check(all(difference(one, expected) < TOLERANCE for one in found), "the answers of one thread")
    return "torch and ONNX, 8 threads, same answers"


def gunicorn_preload(folder: Path) -> str:
    """Answer from the workers of a real server that has loaded the model before it forks."""
    from aslstm import OnnxPipeline

    from . import preloaded_server

    expected = OnnxPipeline(folder, num_threads=2)(preloaded_server.POSTS)
    answers, code = preloaded_server.answers_of_workers(folder)
    check(all(results == expected for _, results in answers), "the answers of one process")
    check(code == 0, f"a server that ends when it is asked to, found exit code {code}")
    return f"{len({pid for pid, _ in answers})} workers, same answers"


class Neighbour(NamedTuple):
    """What is run, and the packages that it needs."""

    run: Callable[[Path], str]
    packages: tuple[str, ...] = ()


NEIGHBOURS = {
    "stock Trainer": Neighbour(stock_trainer, ("accelerate", "datasets")),
    "PEFT, LoRA, SEQ_CLS": Neighbour(peft_lora, ("accelerate", "datasets", "peft")),
    "SHAP": Neighbour(shap_text, ("shap",)),
    "captum": Neighbour(captum_gradients, ("captum",)),
    "datasets.map(num_proc=2)": Neighbour(datasets_map, ("datasets",)),
    "torch.compile": Neighbour(torch_compile),
    "device_map": Neighbour(device_map, ("accelerate",)),
    "half precision": Neighbour(half_precision),
    "fork": Neighbour(fork),
    "threads": Neighbour(threads),
    "gunicorn, preload": Neighbour(gunicorn_preload, ("gunicorn",)),
}


def outcome_of(name: str, folder: Path) -> tuple[bool, str]:
    """Run a row in a fresh process; returns whether it may stand and what to print."""
    missing = [package for package in NEIGHBOURS[name].packages if importlib.util.find_spec(package) is None]
    if missing:
        return True, f"not installed: {', '.join(missing)}"
    command = [sys.executable, "-m", "benchmarks.neighbours", "--model", str(folder), "--only", name]
    try:
        result = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=MAX_SECONDS)
    except subprocess.TimeoutExpired:
        return False, f"failed: no end after {MAX_SECONDS} seconds"
    lines = (result.stdout if result.returncode == 0 else result.stderr).strip().splitlines()
    found = lines[-1] if lines else f"exit code {result.returncode}"
    return result.returncode == 0, found if result.returncode == 0 or found.startswith("failed") else f"failed: {found}"


def main() -> None:
    """Run every row, or one, and print."""
    parser = CommandParser("neighbours", __doc__)
    parser.add_argument("--model", type=Path, required=True, help="model folder with ONNX graphs")
    parser.add_argument("--only", choices=list(NEIGHBOURS), help="run one row, in this process")
    arguments = parser.parse_args()
    if arguments.only:
        print(NEIGHBOURS[arguments.only].run(arguments.model))
        return
    check_model_folder(arguments.model)
    all_good = True
    for name in NEIGHBOURS:
        started = time.perf_counter()
        is_good, outcome = outcome_of(name, arguments.model)
        all_good &= is_good
        print(f"{name:<26}{outcome:<48.90}{time.perf_counter() - started:>8.1f}", flush=True)
    if not all_good:
        sys.exit(1)


if __name__ == "__main__":
    run(main)
