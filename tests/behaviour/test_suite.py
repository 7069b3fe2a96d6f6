"""The cases of the behaviour suite, what passes them, and ``aslstm evaluate --behaviour``."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from aslstm.commands.behaviour import HEADER
from aslstm.data.behaviour_suite import (
    DIRECTION,
    FOLDER,
    FUNCTIONALITY,
    INVARIANCE,
    KINDS,
    LABELS,
    NOT_FLIPPED,
    NOT_HAPPIER,
    NOT_SADDER,
    Case,
    Opinion,
    Outcome,
    load_cases,
    outcome_of,
    rates_by_kind,
    texts_of,
)
from aslstm.data.known_corpora import KNOWN_LABELS
from tests.support.commands import SAMPLE, SMALL_CORPUS, TINY_TRAINING, run_command

CASES = load_cases()
POLARITIES = {"negative", "neutral", "positive"}
CAPABILITIES = {
    FUNCTIONALITY: {
        "plain words", "no feeling", "negation", "intensity", "contrast", "emoji alone", "emoji on neutral words",
        "emoji against words", "titles", "news and quotations", "irony", "slang",
    },
    INVARIANCE: {
        "names of persons", "places", "numbers", "white space", "full-width letters", "addresses", "reposts",
        "mentions and topics", "variation selectors", "traditional script", "full stop",
    },
    DIRECTION: {
        "anger added", "sorrow added", "disgust added", "joy added", "liking added", "degree word added",
        "exclamation mark added", "negation added", "good word for bad word", "praise added", "complaint added",
    },
}  # fmt: skip


# ---- the cases ----


def test_there_are_enough_cases_of_every_kind_and_capability() -> None:
    assert len(CASES) >= 400
    found = Counter((case.kind, case.capability) for case in CASES)
    assert set(found) == {(kind, name) for kind, names in CAPABILITIES.items() for name in names}
    assert min(found.values()) >= 4


def test_no_text_is_asked_twice_for_the_same() -> None:
    asked = Counter((case.kind, case.text, case.changed) for case in CASES)
    assert [key for key, count in asked.items() if count > 1] == []


def test_every_case_says_what_it_expects() -> None:
    for case in CASES:
        if case.kind == FUNCTIONALITY:
            assert 1 <= len(case.polarity) <= 2 and set(case.polarity) < POLARITIES and not case.changed, case
        else:
            assert case.changed and case.text not in case.changed and not case.polarity, case
        assert (case.expected in (NOT_HAPPIER, NOT_SADDER, NOT_FLIPPED)) == (case.kind == DIRECTION), case
        assert case.expected == "" or case.kind == DIRECTION


def test_labels_have_the_polarity_of_the_case() -> None:
    assert {label for case in CASES for label in case.labels} < LABELS
    assert [case for case in CASES if not {KNOWN_LABELS[one].polarity for one in case.labels} <= set(case.polarity)] == []


def test_each_polarity_is_asked_often() -> None:
    found = Counter(case.polarity for case in CASES if case.kind == FUNCTIONALITY)
    assert all(found[one,] >= 80 for one in POLARITIES)


def test_no_text_is_in_the_sample_corpus() -> None:
    lines = [line for file in SAMPLE.glob("*.jsonl") for line in file.read_text(encoding="utf-8").splitlines()]
    posts = {"".join(json.loads(line)["text"].split()) for line in lines}
    assert [text for text in texts_of(CASES) if "".join(text.split()) in posts] == []


def test_the_readme_gives_the_counts() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert f"{len(CASES)} small cases" in text
    for kind, count in Counter(case.kind for case in CASES).items():
        assert f"| `{kind.replace(' ', '_')}.jsonl` | {kind} | {count} |" in text


# ---- what passes ----


def direction(expected: str) -> Case:
    return Case(DIRECTION, "degree word added", "before", changed=("after",), expected=expected)


@pytest.mark.parametrize(
    ("case", "before", "after", "passed"),
    [
        (Case(FUNCTIONALITY, "negation", "before", ("positive", "neutral")), ("neutral", 0.2), None, True),
        (Case(FUNCTIONALITY, "negation", "before", ("positive", "neutral")), ("negative", -0.2), None, False),
        (Case(INVARIANCE, "places", "before", changed=("after",)), ("neutral", 0.2), ("neutral", -0.9), True),
        (Case(INVARIANCE, "places", "before", changed=("after",)), ("neutral", 0.2), ("positive", 0.2), False),
        (Case(INVARIANCE, "places", "before", changed=("before", "after")), ("neutral", 0.2), ("positive", 0.2), False),
        (direction(NOT_HAPPIER), ("neutral", 0.0), ("positive", 0.1), True),
        (direction(NOT_HAPPIER), ("neutral", 0.0), ("neutral", 0.11), False),
        (direction(NOT_SADDER), ("neutral", 0.0), ("negative", -0.1), True),
        (direction(NOT_SADDER), ("neutral", 0.0), ("neutral", -0.11), False),
        (direction(NOT_FLIPPED), ("positive", 0.9), ("neutral", -0.1), True),
        (direction(NOT_FLIPPED), ("positive", 0.9), ("negative", -0.1), False),
        (direction(NOT_FLIPPED), ("negative", -0.9), ("positive", 0.9), False),
    ],
)  # fmt: skip
def test_what_passes_a_case(case: Case, before: tuple[str, float], after: tuple[str, float] | None, passed: bool) -> None:
    opinions = {"before": Opinion(*before)} | ({"after": Opinion(*after)} if after else {})
    assert outcome_of(case, opinions) == Outcome(case, passed, None)


def test_a_label_counts_where_the_case_and_the_model_have_one() -> None:
    case = Case(FUNCTIONALITY, "slang", "text", ("positive",), ("like",))
    assert outcome_of(case, {"text": Opinion("positive", 1.0, "like")}).label_passed is True
    assert outcome_of(case, {"text": Opinion("positive", 1.0, "happiness")}) == Outcome(case, True, False)
    assert outcome_of(case, {"text": Opinion("positive", 1.0)}).label_passed is None
    assert outcome_of(case._replace(labels=()), {"text": Opinion("positive", 1.0, "like")}).label_passed is None


def test_a_perfect_and_a_stubborn_model() -> None:
    def perfect(case: Case) -> dict[str, Opinion]:
        labels = case.labels or (None,)
        step = {NOT_HAPPIER: -0.5, NOT_SADDER: 0.5}.get(case.expected, 0.0)
        polarity = case.polarity[0] if case.polarity else "neutral"
        return {case.text: Opinion(polarity, 0.0, labels[0])} | {text: Opinion(polarity, step) for text in case.changed}

    rates = rates_by_kind([outcome_of(case, perfect(case)) for case in CASES])
    assert all(rates[kind]["pass_rate"] == 1.0 for kind in ("all", *KINDS))
    assert rates[FUNCTIONALITY]["label_pass_rate"] == 1.0 and "label_pass_rate" not in rates[DIRECTION]
    stubborn = {text: Opinion("positive", 0.9, "like") for text in texts_of(CASES)}
    rates = rates_by_kind([outcome_of(case, stubborn) for case in CASES])
    assert rates[INVARIANCE]["pass_rate"] == rates[DIRECTION]["pass_rate"] == 1.0
    assert 0.25 < rates[FUNCTIONALITY]["pass_rate"] < 0.5
    assert rates[FUNCTIONALITY]["capabilities"]["titles"]["pass_rate"] < 0.2


# ---- the command ----


def test_the_command_prints_and_writes_the_rates_of_the_answers(model_folder: Path, tmp_path: Path) -> None:
    figures, answers = tmp_path / "figures.json", tmp_path / "answers.jsonl"
    flags = ("--model", model_folder, "--behaviour", "--output", figures, "--save_predictions", answers)
    shown = run_command("evaluate", *flags).stdout
    rates = json.loads(figures.read_text(encoding="utf-8"))
    rows = [json.loads(line) for line in answers.read_text(encoding="utf-8").splitlines()]
    assert [row["text"] for row in rows] == [case.text for case in CASES]
    for kind in KINDS:
        of_kind = [row for row in rows if row["kind"] == kind]
        assert rates[kind]["num_cases"] == len(of_kind)
        assert rates[kind]["pass_rate"] == pytest.approx(sum(row["passed"] for row in of_kind) / len(of_kind))
        assert re.search(rf"^{kind} +{len(of_kind)} +{rates[kind]['pass_rate']:.3f}", shown, re.MULTILINE)
    assert shown.split()[0] == HEADER[0] and shown.splitlines()[-1] == f"model: {model_folder}"
    for row in rows:
        told = [Opinion(**one) for one in row["opinions"]]
        assert len(told) == 1 + len(row.get("changed", [])) and all(one.label in LABELS for one in told)
        if row["kind"] == FUNCTIONALITY:
            assert row["passed"] == (told[0].polarity in row["polarity"])
            assert row.get("label_passed") == (told[0].label in row["labels"] if "labels" in row else None)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--map_labels", "smp2020_ewect_to_polarity"), "error: expected --behaviour or --map_labels, found both"),
        (SMALL_CORPUS, "error: expected --behaviour or a corpus, found both (files); leave out one of them"),
        (("--dataset", "nlpcc2014"), "error: expected --behaviour or a corpus, found both (nlpcc2014); leave out one of them"),
    ],
    ids=["map", "files", "dataset"],
)
def test_it_takes_no_corpus(model_folder: Path, flags: tuple[str, ...], message: str) -> None:
    result = run_command("evaluate", "--model", model_folder, "--behaviour", *flags, check=False)
    assert result.returncode == 2 and result.stderr.splitlines()[-1].startswith(message)


def test_a_model_without_polarity_is_refused_and_one_with_other_labels_has_no_label_rates(tmp_path: Path) -> None:
    for name, labels in (("stars", ("5", "1")), ("polarity", ("positive", "negative"))):
        rows = [{"text": f"真好吃，第{i}次来", "label": labels[0]} for i in range(40)]
        rows += [{"text": f"太难吃，第{i}次来", "label": labels[1]} for i in range(40)]
        source = tmp_path / f"{name}.jsonl"
        source.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        sizes = TINY_TRAINING[TINY_TRAINING.index("--num_train_epochs") :]
        run_command("train", "--train_file", source, "--output_dir", tmp_path / name, *sizes)
    result = run_command("evaluate", "--model", tmp_path / "stars", "--behaviour", check=False)
    assert result.returncode == 2
    assert "--behaviour: expected a model that gives a polarity, found one with the labels" in result.stderr.splitlines()[-1]
    run_command("evaluate", "--model", tmp_path / "polarity", "--behaviour", "--output", tmp_path / "out.json")
    rates = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert rates["all"]["num_cases"] == len(CASES) and "label_pass_rate" not in rates["all"]
