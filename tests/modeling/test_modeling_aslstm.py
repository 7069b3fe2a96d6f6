import pytest
import torch

from modeling_aslstm import ASLSTMConfig, ASLSTMForSequenceClassification, ASLSTMModel
from modeling_aslstm.configuration_aslstm import EMOJI_FUSIONS
from tests.support.naive_aslstm import classify

WORDS, COMMA, STOP, EMOJI, ADDED = range(10, 30), 5, 6, range(30, 40), 42
WITH_QUERY = ("context", "attention", "hierarchical")
WITH_WEIGHTS = ("attention", "hierarchical")
ROWS = [
    [10, 11, COMMA, 31, 12, 13, STOP, 32, 33],  # two clauses, an emoji in each
    [31, 10, 11, COMMA, 12],  # a leading emoji
    [10, 11, 12],  # no emoji
    [31, 32],  # emoji only
    [10],  # one word
    [10, 31],
    [COMMA],  # punctuation only
    [ADDED, 14, 35, 15, COMMA, COMMA, 16, 36, 36, 17],  # an added word behind the emoji range
]


def make_model(**changes: object) -> ASLSTMForSequenceClassification:
    torch.manual_seed(0)
    settings: dict[str, object] = {
        "vocab_size": 44,
        "emoji_token_offset": 30,
        "num_emoji_tokens": 10,
        "embedding_size": 6,
        "hidden_size": 5,
        "clause_end_token_ids": [COMMA, STOP],
        "initializer_range": 1.0,
        "num_labels": 3,
    }
    model = ASLSTMForSequenceClassification(ASLSTMConfig(**(settings | changes)))
    with torch.no_grad():
        model.classifier.bias.normal_()
        if model.bag_of_words is not None:
            model.bag_of_words.squared_norms.weight.uniform_(0.0, 9.0)
    return model.eval()


def pad_rows(rows: list[list[int]], width: int | None = None) -> dict[str, torch.Tensor]:
    width = width or max(map(len, rows))
    ids = torch.tensor([row + [0] * (width - len(row)) for row in rows])
    return {"input_ids": ids, "attention_mask": (ids != 0).long()}


@torch.no_grad()
@pytest.mark.parametrize("emoji_fusion", EMOJI_FUSIONS)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"num_hidden_layers": 2},
        {"bidirectional": False},
        {"attention_key": "hidden"},
        {"classifier_input": "attention"},
        {"label_prior": [0.2, 0.3, 0.5], "decision_prior_weight": 0.7, "temperature": 1.5},
        {"use_bag_of_words": True},
    ],
    ids=lambda changes: ",".join(changes) or "default",
)
def test_batched_model_equals_the_formulas_row_by_row(emoji_fusion: str, changes: dict[str, object]) -> None:
    model = make_model(emoji_fusion=emoji_fusion, **changes)
    output = model(**pad_rows(ROWS))
    for i, row in enumerate(ROWS):
        logits, weights = classify(model, row)
        torch.testing.assert_close(output.logits[i], logits, atol=1e-5, rtol=0)
        if weights is None:
            assert output.attention_weights is None
        else:
            torch.testing.assert_close(output.attention_weights[i, : len(row)], torch.tensor(weights), atol=1e-5, rtol=0)


@torch.no_grad()
@pytest.mark.parametrize("emoji_fusion", EMOJI_FUSIONS)
def test_padding_and_batch_change_nothing(emoji_fusion: str) -> None:
    model = make_model(emoji_fusion=emoji_fusion, num_hidden_layers=2, use_bag_of_words=True)
    together = model(**pad_rows(ROWS)).logits
    for i, row in enumerate(ROWS):
        for width in (len(row), len(row) + 1, 23):
            alone = model(**pad_rows([row], width))
            torch.testing.assert_close(alone.logits[0], together[i], atol=1e-5, rtol=0)
    reversed_batch = model(**pad_rows(ROWS[::-1])).logits
    torch.testing.assert_close(reversed_batch.flip(0), together, atol=1e-5, rtol=0)


@torch.no_grad()
@pytest.mark.parametrize("emoji_fusion", EMOJI_FUSIONS)
@pytest.mark.parametrize("attention_key", ["embedding", "hidden"])
def test_tabulated_keys_change_no_answer_until_they_are_forgotten(emoji_fusion: str, attention_key: str) -> None:
    model = make_model(emoji_fusion=emoji_fusion, attention_key=attention_key)
    before = model(**pad_rows(ROWS)).logits
    names = set(model.state_dict())
    model.aslstm.tabulate_keys()
    has_table = emoji_fusion in WITH_WEIGHTS and attention_key == "embedding"
    assert (model.aslstm.key_table is not None) == has_table
    torch.testing.assert_close(model(**pad_rows(ROWS)).logits, before, atol=1e-5, rtol=0)
    assert set(model.state_dict()) == names
    if has_table:
        model.aslstm.fusion.word_score.key.weight.normal_()
        torch.testing.assert_close(model(**pad_rows(ROWS)).logits, before, atol=1e-5, rtol=0)
        model.aslstm.tabulate_keys(False)
        assert (model(**pad_rows(ROWS)).logits - before).abs().max() > 1e-3


@torch.no_grad()
@pytest.mark.parametrize("emoji_fusion", WITH_WEIGHTS)
def test_weights_sum_to_one_on_rows_with_words_and_stand_on_words_only(emoji_fusion: str) -> None:
    model = make_model(emoji_fusion=emoji_fusion)
    batch = pad_rows(ROWS, 12)
    output = model(**batch)
    is_word = (batch["input_ids"] != 0) & ~torch.isin(batch["input_ids"], torch.tensor(list(EMOJI)))
    torch.testing.assert_close(output.attention_weights.sum(1), is_word.any(1).float())
    assert (output.attention_weights[~is_word] == 0).all()
    if emoji_fusion == "hierarchical":
        torch.testing.assert_close(output.clause_attention_weights.sum(1), is_word.any(1).float())
        assert (output.clause_attention_weights[0, :2] > 0).all()
        assert (output.clause_attention_weights[0, 2:] == 0).all()


@torch.no_grad()
@pytest.mark.parametrize("emoji_fusion", EMOJI_FUSIONS)
def test_swapping_the_emoji_changes_the_answer_where_there_is_a_query(emoji_fusion: str) -> None:
    model = make_model(emoji_fusion=emoji_fusion)
    one, other = model(**pad_rows([[10, 11, 12, 31]])), model(**pad_rows([[10, 11, 12, 32]]))
    changed = (one.logits - other.logits).abs().max() > 1e-4
    assert changed == (emoji_fusion != "none")
    if emoji_fusion in WITH_WEIGHTS:
        assert (one.attention_weights - other.attention_weights).abs().max() > 1e-4


@torch.no_grad()
@pytest.mark.parametrize("emoji_fusion", WITH_QUERY)
def test_an_emoji_only_post_is_answered_from_its_emoji(emoji_fusion: str) -> None:
    model = make_model(emoji_fusion=emoji_fusion)
    logits = model(**pad_rows([[31], [32], [31, 31]])).logits
    assert torch.isfinite(logits).all()
    assert (logits[0] - logits[1]).abs().max() > 1e-4
    torch.testing.assert_close(logits[0], logits[2])


@pytest.mark.parametrize("emoji_fusion", EMOJI_FUSIONS)
def test_emoji_rows_receive_gradient(emoji_fusion: str) -> None:
    model = make_model(emoji_fusion=emoji_fusion)
    model(**pad_rows(ROWS), labels=torch.zeros(len(ROWS), dtype=torch.long)).loss.backward()
    gradient = model.aslstm.word_embeddings.weight.grad
    assert (gradient[31].abs().sum() > 0) == (emoji_fusion != "none")
    assert gradient[10].abs().sum() > 0
    assert gradient[37].abs().sum() == 0


def test_loss_is_before_the_decision_rule() -> None:
    model = make_model(label_prior=[0.2, 0.3, 0.5], decision_prior_weight=0.7, temperature=2.0)
    labels = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1])
    output = model(**pad_rows(ROWS), labels=labels)
    z = output.logits * 2.0 - 0.7 * torch.tensor([0.2, 0.3, 0.5]).log()
    torch.testing.assert_close(output.loss, torch.nn.functional.cross_entropy(z, labels))


@pytest.mark.parametrize("emoji_fusion", EMOJI_FUSIONS)
def test_saved_weights_come_back(emoji_fusion: str, tmp_path: object) -> None:
    model = make_model(emoji_fusion=emoji_fusion, use_bag_of_words=True)
    model.save_pretrained(tmp_path)
    loaded = ASLSTMForSequenceClassification.from_pretrained(tmp_path).eval()
    for name, weight in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], weight), name
    base = ASLSTMModel.from_pretrained(tmp_path)
    if emoji_fusion in WITH_QUERY:
        assert torch.equal(base.no_emoji, model.aslstm.no_emoji)
    else:
        assert base.no_emoji is None


def test_base_model_gives_hidden_states_at_the_tokens_places_and_a_tuple_on_request() -> None:
    model = make_model().aslstm
    output = model(**pad_rows(ROWS, 12))
    assert output.last_hidden_state.shape == (len(ROWS), 12, 10)
    assert (output.last_hidden_state[0, 3] == 0).all()  # an emoji
    assert output.pooled_output.shape == (len(ROWS), 26)
    assert output.emoji_query.shape == (len(ROWS), 6)
    assert len(model(**pad_rows(ROWS), return_dict=False)) == 4


def test_padding_is_found_without_a_mask() -> None:
    model = make_model(use_bag_of_words=True)
    batch = pad_rows(ROWS)
    assert torch.equal(model(batch["input_ids"]).logits, model(**batch).logits)


@torch.no_grad()
def test_a_resized_model_answers_as_before_and_knows_more_tokens(tmp_path: object) -> None:
    model = make_model(use_bag_of_words=True)
    before = model(**pad_rows(ROWS)).logits
    model.resize_token_embeddings(50)
    model.save_pretrained(tmp_path)
    for resized in (model, ASLSTMForSequenceClassification.from_pretrained(tmp_path).eval()):
        assert torch.equal(resized(**pad_rows(ROWS)).logits, before)
        known, added = (resized.bag_of_words(torch.tensor([ids]), torch.ones(1, len(ids)).bool()) for ids in ([10], [10, 49]))
        assert torch.equal(known, added)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("emoji_fusion", EMOJI_FUSIONS)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_mixed_precision_step_on_cuda_keeps_masks_and_lengths(emoji_fusion: str, dtype: torch.dtype) -> None:
    model = make_model(emoji_fusion=emoji_fusion, num_hidden_layers=2)
    expected = model(**pad_rows(ROWS)).logits.detach()
    model.cuda()
    batch = {key: value.cuda() for key, value in pad_rows(ROWS, 12).items()}
    with torch.autocast("cuda", dtype=dtype):
        output = model(**batch, labels=torch.zeros(len(ROWS), dtype=torch.long, device="cuda"))
    output.loss.backward()
    torch.testing.assert_close(output.logits.float().cpu(), expected, atol=0.1, rtol=0.1)
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)
    if output.attention_weights is not None:
        assert (output.attention_weights[batch["input_ids"] == 0] == 0).all()
