import pytest

from aslstm.data.behaviour_suite import KINDS, Opinion, load_cases, outcome_of, rates_by_kind, texts_of
from benchmarks.behaviour import opinion_of_probability, opinion_of_sum, table


@pytest.mark.parametrize(("probability", "polarity"), [(0.39, "negative"), (0.5, "neutral"), (0.61, "positive")])
def test_a_probability_has_a_neutral_middle(probability: float, polarity: str) -> None:
    assert opinion_of_probability(probability) == Opinion(polarity, pytest.approx(2 * probability - 1))


@pytest.mark.parametrize(("total", "opinion"), [(-3.0, ("negative", -0.75)), (0, ("neutral", 0.0)), (1.0, ("positive", 0.5))])
def test_a_sum_is_brought_between_minus_one_and_one(total: float, opinion: tuple[str, float]) -> None:
    assert opinion_of_sum(total) == Opinion(*opinion)


def test_the_table_has_a_row_for_each_kind_and_capability_and_a_column_for_each_model() -> None:
    cases = load_cases()
    opinions = {text: Opinion("neutral", 0.0) for text in texts_of(cases)}
    rates = rates_by_kind([outcome_of(case, opinions) for case in cases])
    lines = table({"ours": rates, "other": rates}).splitlines()
    assert lines[0] == "| | cases | ours | other |"
    assert {len(line.split("|")) for line in lines} == {6}
    assert len(lines) == 3 + sum(1 + len(rates[kind]["capabilities"]) for kind in KINDS)
    assert "| titles | 32 | 78.1 % | 78.1 % |" in lines and "| **invariance** | 122 | 100.0 % | 100.0 % |" in lines
