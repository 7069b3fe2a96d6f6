import pytest
import torch
from torch import nn

from modeling_aslstm.layers_aslstm import (
    AdditiveScore,
    LSTMEncoder,
    clause_indices,
    masked_max,
    masked_mean,
    masked_softmax,
    place_first,
)
from tests.support.naive_aslstm import score as naive_score


def naive_clauses(kinds: str) -> list[int]:
    """Clause numbers of a row of w (word), p (closing punctuation), e (emoji), one token after the other."""
    numbers: list[int] = []
    clause, has_word = 0, False
    for i, kind in enumerate(kinds):
        if kind == "w":
            if has_word and kinds[i - 1] in "pe":
                clause += 1
            has_word = True
        numbers.append(clause)
    return numbers


def mask_of(rows: list[str], kinds: str) -> torch.Tensor:
    width = max(map(len, rows))
    return torch.tensor([[c in kinds for c in row.ljust(width)] for row in rows])


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("wwpwwe", [0, 0, 0, 1, 1, 1]),
        ("wpew", [0, 0, 0, 1]),
        ("eew", [0, 0, 0]),
        ("pwpw", [0, 0, 0, 1]),
        ("weew", [0, 0, 0, 1]),
        ("ee", [0, 0]),
        ("w", [0]),
    ],
)
def test_clauses_end_behind_punctuation_and_emoji(row: str, expected: list[int]) -> None:
    assert clause_indices(mask_of([row], "wp"), mask_of([row], "e"), mask_of([row], "p")).tolist() == [expected]
    assert naive_clauses(row) == expected


def test_clauses_equal_the_naive_count_on_random_padded_rows() -> None:
    generator = torch.Generator().manual_seed(0)
    rows = [
        "".join(
            "wwwpe"[i] for i in torch.randint(5, (int(torch.randint(1, 12, (1,), generator=generator)),), generator=generator)
        )
        for _ in range(200)
    ]
    found = clause_indices(mask_of(rows, "wp"), mask_of(rows, "e"), mask_of(rows, "p"))
    for row, numbers in zip(rows, found.tolist(), strict=True):
        assert numbers[: len(row)] == naive_clauses(row)


def test_place_first_puts_groups_in_front_in_text_order_and_restores() -> None:
    words = torch.tensor([[True, False, True, False, False], [False, False, False, False, False]])
    emoji = torch.tensor([[False, True, False, True, False], [False, False, True, False, False]])
    placement = place_first(emoji, words)
    assert placement.lengths.tolist() == [4, 1]
    assert placement.order[0, :4].tolist() == [1, 3, 0, 2]
    assert placement.order[1, 0].item() == 2
    numbers = torch.arange(10.0).view(2, 5)
    assert torch.equal(placement.restore(placement.place(numbers)), numbers)
    vectors = torch.randn(2, 5, 3)
    assert torch.equal(placement.restore(placement.place(vectors)), vectors)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("num_layers", [1, 2])
def test_encoder_equals_a_packed_torch_lstm(bidirectional: bool, num_layers: int) -> None:
    torch.manual_seed(0)
    encoder = LSTMEncoder(input_size=5, hidden_size=4, num_layers=num_layers, bidirectional=bidirectional, dropout=0.0)
    reference = nn.LSTM(5, 4, num_layers, batch_first=True, bidirectional=bidirectional)
    with torch.no_grad():
        for layer in range(num_layers):
            for suffix, layers in (("", encoder.forward_layers), ("_reverse", encoder.backward_layers)):
                for name, parameter in layers[layer].named_parameters() if len(layers) else ():
                    getattr(reference, name.replace("_l0", f"_l{layer}{suffix}")).copy_(parameter)
    lengths = torch.tensor([6, 3, 1])
    inputs = torch.randn(3, 6, 5)
    placement = place_first(torch.arange(6) < lengths[:, None])
    found = encoder(inputs, placement)
    packed = nn.utils.rnn.pack_padded_sequence(inputs, lengths, batch_first=True, enforce_sorted=False)
    outputs, (last, _) = reference(packed)
    expected, _ = nn.utils.rnn.pad_packed_sequence(outputs, batch_first=True)
    torch.testing.assert_close(found.outputs * placement.mask()[:, :, None], expected, atol=1e-6, rtol=0)
    directions = 2 if bidirectional else 1
    torch.testing.assert_close(found.last, torch.cat(list(last[-directions:]), dim=-1), atol=1e-6, rtol=0)


def test_encoder_gives_zeros_for_a_row_without_words() -> None:
    encoder = LSTMEncoder(input_size=5, hidden_size=4, num_layers=2, bidirectional=True, dropout=0.0)
    found = encoder(torch.randn(1, 3, 5), place_first(torch.zeros(1, 3, dtype=torch.bool)))
    assert found.last.abs().sum() == 0


def test_additive_score_follows_its_formula() -> None:
    score = AdditiveScore(key_size=3, query_size=2, attention_size=4)
    key, query = torch.randn(3), torch.randn(2)
    with torch.no_grad():
        for norm in (score.key_norm, score.query_norm):
            norm.weight.normal_()
            norm.bias.normal_()
    torch.testing.assert_close(score(score.project_keys(key), query), naive_score(score, key, query))


def test_the_query_moves_the_weights_however_small_the_projections_are() -> None:
    torch.manual_seed(0)
    score = AdditiveScore(key_size=6, query_size=6, attention_size=32)
    keys, queries = torch.randn(5, 6), torch.randn(2, 6)
    with torch.no_grad():
        score.key.weight.mul_(0.03)
        score.query.weight.mul_(0.03)
    weights = torch.softmax(score(score.project_keys(keys), queries[:, None]), dim=-1)
    # Without the norms, tanh would be linear here and the two rows the same.
    assert (weights[0] - weights[1]).abs().sum() > 0.05


def test_masked_max_is_zero_without_a_true_place() -> None:
    vectors = torch.tensor([[[-3.0, 1.0], [-2.0, 0.0], [9.0, 9.0]], [[5.0, 5.0]] * 3])
    assert masked_max(vectors, torch.tensor([[True, True, False], [False] * 3])).tolist() == [[-2.0, 1.0], [0.0, 0.0]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_masked_softmax_never_gives_nan_and_zeros_what_is_masked(dtype: torch.dtype) -> None:
    weights = masked_softmax(
        torch.tensor([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]], dtype=dtype), torch.tensor([[True, True, False], [False] * 3])
    )
    assert weights.dtype == dtype
    torch.testing.assert_close(weights[0].float(), torch.tensor([0.2689, 0.7311, 0.0]), atol=5e-3, rtol=0)
    assert weights[1].tolist() == [0.0, 0.0, 0.0]


def test_masked_mean_takes_the_given_vector_where_nothing_counts() -> None:
    vectors = torch.arange(12.0).view(2, 3, 2)
    mask = torch.tensor([[True, False, True], [False, False, False]])
    assert masked_mean(vectors, mask, torch.tensor([7.0, 8.0])).tolist() == [[2.0, 3.0], [7.0, 8.0]]
    by_clause = torch.stack([mask, ~mask], dim=1)
    expected = [[[2.0, 3.0], [2.0, 3.0]], [[7.0, 8.0], [8.0, 9.0]]]
    assert masked_mean(vectors, by_clause, torch.tensor([7.0, 8.0])).tolist() == expected
