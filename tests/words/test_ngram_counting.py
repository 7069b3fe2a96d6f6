import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aslstm.words import corpus_ngrams
from aslstm.words.corpus_ngrams import Ngrams, count_ngrams
from aslstm.words.new_words import measure
from aslstm.words.ngram_counting import BOUNDARY, Counts, branching_entropy, count_level, count_values, encode, merge_counts

MAX_UNITS = 4
CORPORA = st.lists(st.text(alphabet="甲乙丙丁, ab1", max_size=12), max_size=8)
EXAMPLES = settings(max_examples=25)


def every_ngram(texts: Iterable[str], **options: object) -> Ngrams:
    return count_ngrams(texts, max_units=MAX_UNITS, min_count=lambda num_units: 1, **options)


def as_table(ngrams: Ngrams) -> dict[str, tuple[int, float, float]]:
    """n-gram → count and both entropies; n-grams of several units are spelled with a space between units."""
    table = {}
    for n, level in enumerate(ngrams.levels, start=1):
        for text, *figures in zip(ngrams.texts(n), level.counts, level.left_entropy, level.right_entropy, strict=True):
            table[f"{n}:{text}"] = (int(figures[0]), round(float(figures[1]), 9), round(float(figures[2]), 9))
    return table


def units_of(texts: Sequence[str]) -> list[str]:
    chunk = encode(texts)
    return [(chunk.names.get(code) or chr(code)) if code else "" for code in chunk.units.tolist()]


def entropy(neighbours: Counter[str]) -> float:
    total = neighbours.total()
    return -sum(count / total * math.log(count / total) for count in neighbours.values())


def counted_naively(texts: Sequence[str]) -> dict[str, tuple[int, float, float]]:
    units = units_of(texts)
    before: defaultdict[str, Counter[str]] = defaultdict(Counter)
    behind: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for n in range(1, MAX_UNITS + 1):
        for i in range(len(units) - n + 1):
            if all(units[i : i + n]):
                key = f"{n}:{''.join(units[i : i + n])}"
                before[key][units[i - 1]] += 1
                behind[key][units[i + n]] += 1
    return {k: (before[k].total(), round(entropy(before[k]), 9), round(entropy(behind[k]), 9)) for k in before}


def test_a_ten_character_corpus_counted_by_hand() -> None:
    # | marks the boundary: | 甲 乙 丙 甲 乙 | 丁 甲 乙 丁 乙 |, ten characters.
    # 甲乙 stands three times: | 甲乙 丙, 丙 甲乙 |, 丁 甲乙 丁; 甲 three times, 乙 four times.
    ngrams = every_ngram(["甲乙丙甲乙", "丁甲乙丁乙"])
    candidates = measure(ngrams)
    place = candidates.words.index("甲乙")
    assert ngrams.num_units == 10
    assert candidates.counts[place] == 3
    assert candidates.cohesion[place] == pytest.approx(math.log(3 * 10 / (3 * 4)), abs=1e-12)
    # In front: the boundary, 丙, 丁, once each. Behind: 丙, the boundary, 丁, once each.
    assert candidates.left_entropy[place] == pytest.approx(math.log(3), abs=1e-12)
    assert candidates.right_entropy[place] == pytest.approx(math.log(3), abs=1e-12)
    # 乙丁乙 splits as 乙|丁乙 (4 and 1) and 乙丁|乙 (1 and 4): log(1 * 10 / 4) either way.
    place = candidates.words.index("乙丁乙")
    assert candidates.cohesion[place] == pytest.approx(math.log(10 / 4), abs=1e-12)
    assert candidates.left_entropy[place] == candidates.right_entropy[place] == 0.0


def test_branching_entropy_of_uneven_neighbours_by_hand() -> None:
    # The n-gram of rank 2 has unit 1 next to it three times and unit 4 once: -(3/4 log 3/4 + 1/4 log 1/4).
    ranks, entropies = branching_entropy(Counts(np.array([2 * 5 + 1, 2 * 5 + 4]), np.array([3, 1])), 5)
    assert ranks.tolist() == [2]
    assert entropies[0] == pytest.approx(math.log(4) - 3 / 4 * math.log(3), abs=1e-12)


@EXAMPLES
@given(CORPORA)
def test_counts_are_those_of_a_naive_count(texts: list[str]) -> None:
    assert as_table(every_ngram(texts)) == counted_naively(texts)


@EXAMPLES
@given(CORPORA, st.integers(1, 30))
def test_chunks_do_not_show(texts: list[str], characters: int) -> None:
    assert as_table(every_ngram(texts, chunk_characters=characters)) == as_table(every_ngram(texts))


@EXAMPLES
@given(CORPORA.flatmap(lambda texts: st.tuples(st.just(texts), st.permutations(texts))))
def test_the_order_of_the_lines_does_not_show(both: tuple[list[str], list[str]]) -> None:
    assert as_table(every_ngram(both[0])) == as_table(every_ngram(both[1]))


@EXAMPLES
@given(CORPORA)
def test_a_corpus_twice_has_twice_the_counts_and_the_same_measures(texts: list[str]) -> None:
    once, twice = (measure(every_ngram(texts * times)) for times in (1, 2))
    assert once.words == twice.words
    assert (2 * once.counts == twice.counts).all()
    for name in ("cohesion", "left_entropy", "right_entropy", "dependence"):
        assert np.allclose(getattr(once, name), getattr(twice, name), atol=1e-12)


@EXAMPLES
@given(CORPORA)
def test_split_counts_are_those_of_the_parts(texts: list[str]) -> None:
    ngrams, naive, units = every_ngram(texts), counted_naively(texts), units_of(texts)
    for n in range(2, MAX_UNITS + 1):
        whole = [units[i : i + n] for i in range(len(units) - n + 1) if all(units[i : i + n])]
        places = {"".join(gram): gram for gram in whole}
        for left in range(1, n):
            for text, first, last in zip(ngrams.texts(n), *ngrams.split_counts(n, left), strict=True):
                gram = places[text]
                assert first == naive[f"{left}:{''.join(gram[:left])}"][0]
                assert last == naive[f"{n - left}:{''.join(gram[left:])}"][0]


def test_merging_by_ranges_and_two_processes_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["甲乙丙甲乙", "丁甲乙丁乙", "hold住甲乙", "乙乙乙丁"] * 3
    expected = as_table(every_ngram(texts))
    assert as_table(every_ngram(texts, chunk_characters=7, num_workers=2)) == expected
    monkeypatch.setattr(corpus_ngrams, "MERGED_ENTRIES", 3)
    assert as_table(every_ngram(texts, chunk_characters=7)) == expected


def test_merging_is_associative_and_commutative() -> None:
    a, b, c = (count_values(np.array(values)) for values in ([1, 1, 5], [5, 7], [1, 9, 9]))
    orders = [merge_counts([a, b, c]), merge_counts([merge_counts([c, a]), b]), merge_counts([a, merge_counts([b, c])])]
    assert [(o.keys.tolist(), o.counts.tolist()) for o in orders] == [([1, 5, 7, 9], [3, 2, 1, 2])] * 3


def test_the_map_and_reduce_functions_count_on_their_own() -> None:
    """As a cluster job would: each step maps over the chunks, and merge_counts reduces."""
    parts = [["甲乙丙甲乙"], ["丁甲乙丁乙", "PK掉甲乙"]]
    chunks = [encode(part) for part in parts]
    units = merge_counts(count_values(chunk.units) for chunk in chunks)
    numbers = [np.searchsorted(units.keys, chunk.units) for chunk in chunks]
    size = len(units.keys)
    keys = np.flatnonzero(units.keys != BOUNDARY)
    ranks = [np.zeros_like(number) for number in numbers]
    found = {}
    for n in (1, 2):
        mapped = [count_level(number, rank, keys, n, size) for number, rank in zip(numbers, ranks, strict=True)]
        ranks = [new for new, _, _ in mapped]
        right = merge_counts(behind for _, _, behind in mapped)
        counts = np.bincount(right.keys // size, right.counts)
        found[n] = sorted(counts[counts > 0].astype(int).tolist())
        keys = right.keys[right.keys % size != BOUNDARY]
    ngrams = every_ngram([text for part in parts for text in part])
    assert [found[n] for n in (1, 2)] == [sorted(level.counts.tolist()) for level in ngrams.levels[:2]]


def test_what_is_no_word_is_in_no_ngram() -> None:
    texts = ["看http://t.cn/abc这里", "找@王小明 吧", "#热门话题#来了", "好[泪]难😂过1️⃣呀👨‍👩‍👧", "转//@某某:真的"]
    found = "".join(key.split(":", 1)[1] for key in as_table(every_ngram(texts)))
    assert not set(found) & set("httpcn.@王小明热门话题泪😂1⃣👨某#[]")
    kept = ["看", "这里", "找", "吧", "来了", "好", "难", "过", "呀", "转", "真的"]
    assert "".join(unit or "|" for unit in units_of(texts)) == f"|{'|'.join(kept)}|"


def test_runs_of_letters_or_digits_are_units() -> None:
    assert units_of(["HOLD住,PK掉, 3Q"]) == ["", "hold", "住", "", "pk", "掉", "", "3", "q", ""]


@pytest.mark.parametrize("texts", [[], [""], ["\n\r\n"], ["..."], ["\ud800\udfff"], ["\x00"]])
def test_texts_without_units_give_empty_levels(texts: list[str]) -> None:
    ngrams = every_ngram(texts)
    assert ngrams.num_units == 0
    assert [len(level.keys) for level in ngrams.levels] == [0] * MAX_UNITS


def test_line_ends_within_a_post_are_boundaries() -> None:
    assert units_of(["甲\n乙\r丙"]) == ["", "甲", "", "乙", "", "丙", ""]


def test_one_character_a_million_times() -> None:
    # Normalisation shortens the run to three; across a million posts it stays what it is.
    assert every_ngram(["哈" * 1_000_000]).num_units == 3
    assert as_table(every_ngram(["哈哈"] * 10_000))["2:哈哈"][0] == 10_000
