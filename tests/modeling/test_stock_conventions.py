"""What the models do as every sequence classifier of transformers does, or refuse by name."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional
from transformers import AutoModelForSequenceClassification, BertConfig, BertForSequenceClassification, pipeline

from modeling_aslstm import ASLSTMConfig, ASLSTMForEmojiPrediction, ASLSTMForSequenceClassification

from .test_modeling_aslstm import ROWS, make_model, pad_rows

NUM_ROWS = len(ROWS)
# problem_type, num_labels, labels: what the config says, and labels of each kind.
PROBLEMS: list[tuple[str | None, int, torch.Tensor]] = [
    (None, 3, torch.arange(NUM_ROWS) % 3),
    (None, 3, torch.rand(NUM_ROWS, 3, generator=torch.Generator().manual_seed(0)).round()),
    (None, 1, torch.linspace(-1, 1, NUM_ROWS)),
    ("single_label_classification", 3, torch.arange(NUM_ROWS) % 3),
    ("multi_label_classification", 3, torch.eye(3).repeat(3, 1)[:NUM_ROWS]),
    ("regression", 1, torch.linspace(-1, 1, NUM_ROWS)),
    ("regression", 3, torch.linspace(-1, 1, 3 * NUM_ROWS).view(NUM_ROWS, 3)),
]


@pytest.mark.parametrize(("problem_type", "num_labels", "labels"), PROBLEMS)
def test_losses_are_those_of_a_stock_classifier(problem_type: str | None, num_labels: int, labels: torch.Tensor) -> None:
    model = make_model(problem_type=problem_type, num_labels=num_labels)
    output = model(**pad_rows(ROWS), labels=labels)
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8, "vocab_size": 9}
    stock = BertForSequenceClassification(BertConfig(problem_type=problem_type, num_labels=num_labels, **sizes)).eval()
    # The stock classifier with the same logits has the same loss, and draws the same conclusion from the labels.
    logits = output.logits.detach()
    stock.classifier.register_forward_hook(lambda *_: logits)
    expected = stock(torch.ones(NUM_ROWS, 2, dtype=torch.long), labels=labels).loss
    torch.testing.assert_close(output.loss, expected)
    assert (model.config.problem_type or "single_label_classification") == stock.config.problem_type
    output.loss.backward()


def test_a_loss_of_several_labels_is_never_zero_for_labels_that_are_all_zero() -> None:
    model = make_model()
    output = model(**pad_rows(ROWS[:2]), labels=torch.zeros(2, 3))
    torch.testing.assert_close(output.loss, functional.binary_cross_entropy_with_logits(output.logits, torch.zeros(2, 3)))


@pytest.mark.parametrize("problem_type", ["regression", "multi_label_classification"])
def test_another_kind_of_problem_has_no_decision_rule(tmp_path: Path, problem_type: str) -> None:
    fitted: dict[str, Any] = {"label_prior": [0.25, 0.75], "decision_prior_weight": 0.4, "temperature": 1.3}
    polarity = {"sad": "negative", "glad": "positive"}
    ASLSTMConfig(id2label={0: "sad", 1: "glad"}, polarity_of_labels=polarity, **fitted).save_pretrained(tmp_path)
    config = ASLSTMConfig.from_pretrained(tmp_path, problem_type=problem_type)
    assert (config.label_prior, config.decision_prior_weight, config.temperature) == (None, 0.0, 1.0)
    assert config.polarity_of_labels is None
    with pytest.raises(ValueError, match=f"label_prior: expected none with problem_type {problem_type}"):
        ASLSTMConfig(problem_type=problem_type, **fitted)


@torch.no_grad()
def test_vectors_in_place_of_ids_give_the_same_answer_and_a_gradient_of_their_own() -> None:
    model = make_model(use_bag_of_words=True)
    batch = pad_rows(ROWS)
    vectors = model.get_input_embeddings()(batch["input_ids"])
    assert torch.equal(model(**batch, inputs_embeds=vectors).logits, model(**batch).logits)
    assert not torch.equal(model(**batch, inputs_embeds=2 * vectors).logits, model(**batch).logits)


@pytest.mark.parametrize("model_class", [ASLSTMForSequenceClassification, ASLSTMForEmojiPrediction])
@pytest.mark.parametrize(
    "change",
    [{"input_ids": None}, {"token_type_ids": torch.eye(3).long()}, {"output_attentions": True}, {"output_hidden_states": True}],
    ids=lambda change: next(iter(change)),
)
def test_what_the_model_does_not_have_is_refused_by_name(model_class: type, change: dict[str, Any]) -> None:
    model = model_class(make_model().config)
    (name,) = change
    with pytest.raises(ValueError, match=f"^{name}: expected .*, found .*") as raised:
        model(**pad_rows(ROWS) | change)
    assert "\n" not in str(raised.value)


def test_what_asks_for_nothing_is_taken() -> None:
    model = make_model()
    batch = pad_rows(ROWS)
    nothing = {"token_type_ids": torch.zeros_like(batch["input_ids"]), "output_attentions": False, "output_hidden_states": None}
    assert torch.equal(model(**batch, **nothing).logits, model(**batch).logits)


def test_the_config_says_what_the_call_leaves_open() -> None:
    model = make_model()
    batch = pad_rows(ROWS)
    named = model(**batch).logits
    model.config.return_dict = False
    assert torch.equal(model(**batch)[0], named)
    assert torch.equal(model(**batch, return_dict=True).logits, named)
    model.config.output_hidden_states = True
    with pytest.raises(ValueError, match=r"^output_hidden_states: "):
        model(**batch)


@torch.no_grad()
@pytest.mark.parametrize("emoji_fusion", ["none", "concat", "context", "attention", "hierarchical"])
def test_the_padding_side_changes_nothing(emoji_fusion: str) -> None:
    model = make_model(emoji_fusion=emoji_fusion, num_hidden_layers=2, use_bag_of_words=True)
    right = pad_rows(ROWS, 12)
    ids = torch.tensor([[0] * (12 - len(row)) + row for row in ROWS])
    torch.testing.assert_close(model(ids, (ids != 0).long()).logits, model(**right).logits, atol=1e-5, rtol=0)


# ---- weights that no folder had ----


@pytest.fixture
def damage(model_folder: Path, tmp_path: Path) -> Any:
    """Copies the model folder with other weights, and without checksums."""

    def copy_with(change: Any) -> Path:
        folder = tmp_path / "damaged"
        shutil.copytree(model_folder, folder)
        (folder / "checksums.json").unlink()
        weights = load_file(folder / "model.safetensors")
        change(weights)
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        return folder

    return copy_with


def load_pipeline(folder: Path) -> Any:
    return pipeline("text-classification", model=str(folder), trust_remote_code=True)


def test_a_pipeline_refuses_missing_weights_in_one_line(damage: Any) -> None:
    folder = damage(lambda weights: weights.pop("classifier.bias"))
    with pytest.raises(
        ValueError, match=r"expected every weight in the model folder, found none .* classifier.bias; train"
    ) as raised:
        load_pipeline(folder)
    assert "\n" not in str(raised.value)


def test_a_pipeline_takes_a_new_head_once_it_was_trained(model_folder: Path) -> None:
    options: dict[str, Any] = {"num_labels": 2, "ignore_mismatched_sizes": True, "trust_remote_code": True}
    model = AutoModelForSequenceClassification.from_pretrained(model_folder, **options)
    classify = load_pipeline(model_folder)
    with pytest.raises(ValueError, match=r"found none of this size for classifier.bias, classifier.weight"):
        type(classify)(model=model, tokenizer=classify.tokenizer, task="text-classification")
    model.train()
    trained = type(classify)(model=model.eval(), tokenizer=classify.tokenizer, task="text-classification")
    assert {entry["label"] for entry in trained("今天", top_k=None)} == {"LABEL_0", "LABEL_1"}


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_pipeline_refuses_scores_that_are_no_numbers(damage: Any, number: float) -> None:
    folder = damage(lambda weights: weights["classifier.weight"].fill_(number))
    classify = load_pipeline(folder)
    for options in ({}, {"return_attention": True}, {"emoji_effect": True}):
        with pytest.raises(ValueError, match=r"scores: expected finite numbers, found NaN or infinity"):
            classify("今天又加班[泪]", **options)


def test_labels_follow_their_ids_whatever_the_order_of_the_file(model_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(model_folder, tmp_path / "reversed")
    path = tmp_path / "reversed" / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["id2label"] = dict(reversed(config["id2label"].items()))
    path.write_text(json.dumps(config), encoding="utf-8")
    classify, reversed_order = load_pipeline(model_folder), load_pipeline(tmp_path / "reversed")
    assert reversed_order("今天又加班[泪]", top_k=None) == classify("今天又加班[泪]", top_k=None)
    assert list(reversed_order.model.config.id2label) == sorted(reversed_order.model.config.id2label)
