import copy
from pathlib import Path

import pytest
import torch
from torch.nn.functional import cross_entropy

from aslstm.training.optimization import RowAdam, dense_parameters, make_optimizers, make_schedules
from modeling_aslstm import ASLSTMConfig, ASLSTMForSequenceClassification

LEARNING_RATE = 0.01
LABELS = torch.tensor([0, 1, 1])
# Ids 1 to 19 are words, 20 to 29 emoji, 0 is padding.
FIRST_BATCH = torch.tensor([[3, 4, 5, 21], [4, 6, 22, 0], [7, 0, 0, 0]])
SECOND_BATCH = torch.tensor([[4, 8, 21, 23], [9, 9, 10, 0], [11, 25, 0, 0]])
FIRST_ROWS, SECOND_ROWS = {3, 4, 5, 6, 7, 21, 22}, {4, 8, 9, 10, 11, 21, 23, 25}


@pytest.fixture
def model() -> ASLSTMForSequenceClassification:
    torch.manual_seed(0)
    config = ASLSTMConfig(
        vocab_size=30, emoji_token_offset=20, num_emoji_tokens=10, embedding_size=6, hidden_size=5, hidden_dropout_prob=0.0
    )
    return ASLSTMForSequenceClassification(config)


def optimizers_of(model: ASLSTMForSequenceClassification, sparse: bool, weight_decay: float = 0.1) -> list:
    return make_optimizers(
        model,
        learning_rate=LEARNING_RATE,
        embedding_learning_rate=LEARNING_RATE,
        weight_decay=weight_decay,
        sparse=sparse,
    )


def take_step(model: ASLSTMForSequenceClassification, optimizers: list, batch: torch.Tensor) -> None:
    cross_entropy(model(batch).logits, LABELS).backward()
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad()


def changed_rows(before: torch.Tensor, after: torch.Tensor) -> set[int]:
    return set((before != after).any(1).nonzero().flatten().tolist())


def embedding(model: ASLSTMForSequenceClassification) -> torch.Tensor:
    return model.aslstm.word_embeddings.weight.detach().clone()


def test_a_sparse_and_a_dense_step_give_nearly_the_same_weights(model: ASLSTMForSequenceClassification) -> None:
    sparse, dense = copy.deepcopy(model), copy.deepcopy(model)
    take_step(sparse, optimizers_of(sparse, sparse=True), FIRST_BATCH)
    take_step(dense, optimizers_of(dense, sparse=False), FIRST_BATCH)
    cross_entropy(model(FIRST_BATCH).logits, LABELS).backward()
    start, gradient = embedding(model), model.aslstm.word_embeddings.weight.grad
    for (name, one), other in zip(sparse.named_parameters(), dense.parameters(), strict=True):
        if name != "aslstm.word_embeddings.weight":
            torch.testing.assert_close(one, other)
    # The two add their epsilon before and after the bias correction, which shows where a gradient is near it.
    clear = gradient.abs() > 1e-4
    torch.testing.assert_close(embedding(sparse)[clear], embedding(dense)[clear], rtol=0, atol=0.01 * LEARNING_RATE)
    moved = (embedding(sparse) - start)[clear]
    torch.testing.assert_close(moved, -LEARNING_RATE * gradient[clear].sign(), rtol=0, atol=0.01 * LEARNING_RATE)
    assert clear.sum() > 20


def test_only_the_vectors_of_a_batch_move_with_sparse_updates(model: ASLSTMForSequenceClassification) -> None:
    optimizers = optimizers_of(model, sparse=True)
    start = embedding(model)
    take_step(model, optimizers, FIRST_BATCH)
    middle = embedding(model)
    assert changed_rows(start, middle) == FIRST_ROWS
    take_step(model, optimizers, SECOND_BATCH)
    assert changed_rows(middle, embedding(model)) == SECOND_ROWS


def test_dense_updates_move_the_vectors_of_earlier_batches_on_but_decay_none(model: ASLSTMForSequenceClassification) -> None:
    optimizers = optimizers_of(model, sparse=False, weight_decay=0.5)
    start = embedding(model)
    take_step(model, optimizers, FIRST_BATCH)
    assert changed_rows(start, embedding(model)) == FIRST_ROWS
    take_step(model, optimizers, SECOND_BATCH)
    assert changed_rows(start, embedding(model)) == FIRST_ROWS | SECOND_ROWS


@pytest.mark.parametrize("is_sparse", [True, False])
def test_the_layers_are_decayed(model: ASLSTMForSequenceClassification, is_sparse: bool) -> None:
    with_decay, without = copy.deepcopy(model), copy.deepcopy(model)
    take_step(with_decay, optimizers_of(with_decay, is_sparse, weight_decay=0.5), FIRST_BATCH)
    take_step(without, optimizers_of(without, is_sparse, weight_decay=0.0), FIRST_BATCH)
    shrunk = without.classifier.weight - LEARNING_RATE * 0.5 * model.classifier.weight
    torch.testing.assert_close(with_decay.classifier.weight, shrunk)
    torch.testing.assert_close(embedding(with_decay), embedding(without))


@pytest.mark.parametrize("is_sparse", [True, False])
def test_every_weight_is_updated_by_exactly_one_optimizer(model: ASLSTMForSequenceClassification, is_sparse: bool) -> None:
    optimizers = optimizers_of(model, is_sparse)
    updated = [id(p) for optimizer in optimizers for group in optimizer.param_groups for p in group["params"]]
    assert sorted(updated) == sorted(id(p) for p in model.parameters())
    assert len(optimizers) == (2 if is_sparse else 1)


def test_the_gradient_of_the_embedding_is_sparse_where_asked(model: ASLSTMForSequenceClassification) -> None:
    for is_sparse in (True, False):
        optimizers_of(model, is_sparse)
        model.zero_grad()
        cross_entropy(model(FIRST_BATCH).logits, LABELS).backward()
        assert model.aslstm.word_embeddings.weight.grad.is_sparse == is_sparse


def test_clipping_takes_all_weights_but_sparse_ones(model: ASLSTMForSequenceClassification) -> None:
    vectors = model.aslstm.word_embeddings.weight
    optimizers_of(model, sparse=False)
    assert len(list(dense_parameters(model))) == len(list(model.parameters()))
    optimizers_of(model, sparse=True)
    dense = list(dense_parameters(model))
    assert {id(p) for p in model.parameters()} - {id(p) for p in dense} == {id(vectors)}
    (100 * cross_entropy(model(FIRST_BATCH).logits, LABELS)).backward()
    before = vectors.grad.to_dense().clone()
    torch.nn.utils.clip_grad_norm_(dense, 1.0)
    norm = torch.sqrt(sum((p.grad**2).sum() for p in dense if p.grad is not None))
    assert norm.item() == pytest.approx(1.0, rel=1e-3)
    torch.testing.assert_close(vectors.grad.to_dense(), before, rtol=0, atol=0)


@pytest.mark.parametrize("is_sparse", [True, False])
def test_the_learning_rate_rises_and_then_falls_to_zero(model: ASLSTMForSequenceClassification, is_sparse: bool) -> None:
    optimizers = optimizers_of(model, is_sparse)
    schedules = make_schedules(optimizers, warmup_steps=4, total_steps=20)
    assert len(schedules) == len(optimizers)
    rates: list[set[float]] = []
    for _ in range(20):
        rates.append({group["lr"] for optimizer in optimizers for group in optimizer.param_groups})
        for optimizer, schedule in zip(optimizers, schedules, strict=True):
            optimizer.step()
            schedule.step()
    rates.append({group["lr"] for optimizer in optimizers for group in optimizer.param_groups})
    assert all(len(rate) == 1 for rate in rates)
    found = [rate.pop() for rate in rates]
    expected = [LEARNING_RATE * min(step / 4, (20 - step) / 16) for step in range(21)]
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("is_sparse", [True, False])
def test_the_embedding_has_a_learning_rate_of_its_own(model: ASLSTMForSequenceClassification, is_sparse: bool) -> None:
    slow, usual = copy.deepcopy(model), copy.deepcopy(model)
    optimizers = make_optimizers(
        slow, learning_rate=LEARNING_RATE, embedding_learning_rate=LEARNING_RATE / 10, weight_decay=0.1, sparse=is_sparse
    )
    take_step(slow, optimizers, FIRST_BATCH)
    take_step(usual, optimizers_of(usual, is_sparse), FIRST_BATCH)
    for (name, one), other in zip(slow.named_parameters(), usual.parameters(), strict=True):
        if name != "aslstm.word_embeddings.weight":
            torch.testing.assert_close(one, other, rtol=0, atol=0)
    start = embedding(model)
    torch.testing.assert_close(10 * (embedding(slow) - start), embedding(usual) - start, rtol=0, atol=1e-6)
    assert changed_rows(start, embedding(slow)) == FIRST_ROWS


@pytest.mark.parametrize("is_sparse", [True, False])
def test_steps_bring_the_loss_down(model: ASLSTMForSequenceClassification, is_sparse: bool) -> None:
    optimizers = optimizers_of(model, is_sparse, weight_decay=0.0)
    before = cross_entropy(model(FIRST_BATCH).logits, LABELS).item()
    for _ in range(20):
        take_step(model, optimizers, FIRST_BATCH)
    assert cross_entropy(model(FIRST_BATCH).logits, LABELS).item() < 0.7 * before


def sparse_gradients(num_steps: int) -> list[torch.Tensor]:
    """Gradients (12, 5) that name some rows twice and others never; the third names none."""
    generator = torch.Generator().manual_seed(3)
    rows = [torch.randint(9, (1, 0 if step == 2 else 8), generator=generator) for step in range(num_steps)]
    return [torch.sparse_coo_tensor(r, torch.randn(r.size(1), 5, generator=generator), (12, 5)) for r in rows]


@pytest.mark.parametrize("lr", [0.1, 1e-3])
def test_row_adam_is_the_sparse_adam_of_torch(lr: float) -> None:
    start = torch.randn(12, 5, generator=torch.Generator().manual_seed(0))
    ours, theirs = torch.nn.Parameter(start.clone()), torch.nn.Parameter(start.clone())
    optimizers = [RowAdam([ours], lr=lr), torch.optim.SparseAdam([theirs], lr=lr)]
    for gradient in sparse_gradients(20):
        for weights, optimizer in zip((ours, theirs), optimizers, strict=True):
            weights.grad = gradient.clone()
            optimizer.step()
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-6)
    assert torch.equal(ours[9:], start[9:])
    assert (ours[:9] != start[:9]).all()


def test_row_adam_on_rows_that_every_batch_has_is_plain_adam() -> None:
    generator = torch.Generator().manual_seed(1)
    start = torch.randn(6, 5, generator=generator)
    ours, theirs = torch.nn.Parameter(start.clone()), torch.nn.Parameter(start.clone())
    optimizers = [RowAdam([ours], lr=0.01), torch.optim.Adam([theirs], lr=0.01)]
    for _ in range(30):
        gradient = torch.randn(6, 5, generator=generator)
        for weights, given, optimizer in zip((ours, theirs), (gradient.to_sparse(1), gradient), optimizers, strict=True):
            weights.grad = given
            optimizer.step()
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


def test_row_adam_goes_on_bit_for_bit_from_a_saved_state(tmp_path: Path) -> None:
    gradients = sparse_gradients(10)
    weights = torch.nn.Parameter(torch.ones(12, 5))
    optimizer = RowAdam([weights], lr=0.1)
    for step, gradient in enumerate(gradients):
        if step == 5:
            torch.save((weights, optimizer.state_dict()), tmp_path / "state.pt")
        weights.grad = gradient.clone()
        optimizer.step()
    resumed, state = torch.load(tmp_path / "state.pt", weights_only=False)
    optimizer = RowAdam([resumed], lr=0.5)
    optimizer.load_state_dict(state)
    for gradient in gradients[5:]:
        resumed.grad = gradient.clone()
        optimizer.step()
    assert torch.equal(resumed, weights)
