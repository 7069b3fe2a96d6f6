"""One report of real predictions, hostile posts among them, against counts by hand."""

import csv
import json
import re
import sys
from collections import Counter, defaultdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from transformers import pipeline

from aslstm.app.texts import TEXTS
from aslstm.commands import report
from aslstm.data.dates import parse_date
from aslstm.data.found_files import find_file
from aslstm.errors import UserError
from aslstm.model_folder.choosing import BUILT_IN_MODEL
from aslstm.report import charts as report_charts
from aslstm.report import page as report_page
from aslstm.report.examples import MAX_CHARACTERS
from aslstm.report.facts import ModelFacts, facts_of
from aslstm.report.tables import build_tables
from aslstm.report.texts import LANGUAGES
from aslstm.report.writing import write_csv
from aslstm.words.text_splitting import TextSplitter
from tests.prediction.test_attention_view import Page
from tests.support.commands import PART_OF_SAMPLE, SAMPLE, run_command
from tokenization import split_emoji
from tokenization.emoji_splitting import fold_emoji

Row = dict[str, Any]
HOSTILE = [
    "<script>alert(1)</script>[怒]",
    '"><img src=x onerror=alert(2)>[怒]',
    "</script><script>alert(3)</script>[怒]",
    "<!-- [怒] --> ]]> {{7*7}} ${1} \u2028 &amp; \\u003c",
    "=HYPERLINK(1)[怒]\ud83d",
    "\x00\x1b[2J\u202e反[怒]",
    "啊" * 50_000,
    "",
]
HOSTILE_LABEL = "</script><b>怒"


@pytest.fixture(scope="module")
def rows(model_folder: Path) -> list[Row]:
    """What ``aslstm predict`` writes of a part of the sample's test split, and of hostile posts with a label each.

    The labels are those of the sample, because a tiny model gives one of them to nearly all posts.
    """
    lines = (SAMPLE / "test.jsonl").read_text(encoding="utf-8").splitlines()
    sample = [json.loads(line) for line in lines[: PART_OF_SAMPLE["test"]]]
    texts = [one["text"] for one in sample]
    classify = pipeline("text-classification", model=str(model_folder), trust_remote_code=True)
    answers = classify([*texts, *HOSTILE], return_attention=True, polarity=True, top_k=None, batch_size=64)
    predictions = []
    for i, (text, entries) in enumerate(zip([*texts, *HOSTILE], answers, strict=True)):
        scores = {entry["label"]: entry["score"] for entry in entries}
        label = sample[i]["label"] if i < len(texts) else f"{HOSTILE_LABEL}{i}"
        predictions.append({
            "id": i,
            "when": f"{date(2024, 1, 1) + timedelta(days=i % 50)}T23:30:00+08:00",
            "text": text,
            "label": label,
            "score": scores.get(label, entries[0]["score"]),
            "scores": scores,
            "polarity": entries[0]["polarity"],
            "polarity_score": entries[0]["polarity_score"],
            "emoji": [piece.text for piece in split_emoji(text) if piece.is_emoji],
            "attention": entries[0]["attention"],
        })  # fmt: skip
    return predictions


@pytest.fixture(scope="module")
def folder(rows: list[Row], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report that the script writes of them."""
    folder = tmp_path_factory.mktemp("report")
    path = folder / "out.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    result = run_command("report", "--input", path, "--output", folder / "report")
    assert f"{len(rows)} posts" in result.stdout
    return folder / "report"


@pytest.fixture(scope="module")
def html(folder: Path) -> str:
    return (folder / "index.html").read_text(encoding="utf-8")


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_the_folder_has_every_chart_as_png_and_csv_and_weighs_little(folder: Path) -> None:
    names = {"labels", "polarity", "time", "emoji", "words"}
    assert {path.name for path in folder.iterdir()} >= {"index.html", *(f"{n}.{s}" for n in names for s in ("csv", "png"))}
    assert all((folder / f"{name}.png").read_bytes().startswith(b"\x89PNG") for name in names)
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 5_000_000


def test_label_counts_are_those_of_the_input(folder: Path, rows: list[Row]) -> None:
    expected = Counter(row["label"] for row in rows)
    table = read_csv(folder / "labels.csv")
    assert {row["label"]: int(row["posts"]) for row in table} == expected
    assert [float(row["share"]) for row in table] == [n / len(rows) for _, n in expected.most_common()]
    for row in table:
        scores = [one["score"] for one in rows if one["label"] == row["label"]]
        assert float(row["mean_score"]) == pytest.approx(sum(scores) / len(scores))


def test_shares_of_polarity_are_those_of_the_input_in_a_fixed_order(folder: Path, rows: list[Row]) -> None:
    counts = Counter(row["polarity"] for row in rows)
    expected = [(name, str(counts[name]), counts[name] / len(rows)) for name in ("negative", "neutral", "positive")]
    assert [(row["polarity"], row["posts"], float(row["share"])) for row in read_csv(folder / "polarity.csv")] == expected


def test_a_column_polarity_without_a_score_is_the_users_own() -> None:
    rows = [{"text": "好", "label": "like", "polarity": "gut"}]
    tables = build_tables(rows)
    # The polarity of the label, which is known, and not what the column says.
    assert [row[:2] for row in tables.tables["polarity"].rows] == [("negative", 0), ("neutral", 0), ("positive", 1)]
    assert "gut" not in report_page.render(tables, title="t")
    assert "polarity" not in build_tables([rows[0] | {"label": "glee"}]).tables
    with pytest.raises(UserError, match=r"found ValueError\(.'gut', not one of negative, neutral, positive"):
        build_tables([rows[0] | {"polarity_score": 0.5}])


def test_a_chinese_page_names_known_labels_in_chinese_and_its_tables_do_not() -> None:
    answers = [("sadness", "negative", -0.5), ("none", "neutral", 0.0), ("glee", "positive", 1.0)]
    tables = build_tables(
        {"text": f"好{i}", "label": label, "score": 1, "polarity": polarity, "polarity_score": score}
        for i, (label, polarity, score) in enumerate(answers)
    )
    assert tables.labels == ["sadness", "none", "glee"]
    assert [row[:3] for row in tables.tables["polarity"].rows] == [(n, 1, 1 / 3) for n in ("negative", "neutral", "positive")]
    charts = report_charts.build(tables, "zh")
    shown = {name: json.dumps(chart.to_dict(), ensure_ascii=False) for name, chart in charts.items()}
    assert "悲伤" in shown["labels"] and "glee" in shown["labels"] and "sadness" not in shown["labels"]
    assert all(name in shown["polarity"] for name in ("负面", "中性", "正面"))
    page = report_page.render(tables, title="t", language="zh")
    assert "<h3>悲伤</h3>" in page and "<td>正面</td>" in page and "sadness" not in page
    assert "<h3>sadness</h3>" in report_page.render(tables, title="t")


def test_labels_that_would_get_one_name_keep_their_own() -> None:
    tables = build_tables([{"text": "好", "label": label} for label in ("sadness", "悲伤")])
    page = report_page.render(tables, title="t", language="zh")
    assert "<h3>sadness</h3>" in page and "<h3>悲伤</h3>" in page


def test_shares_over_time_are_those_of_each_day_of_the_posts(folder: Path, rows: list[Row]) -> None:
    expected: dict[tuple[str, str], int] = Counter((row["when"][:10], row["label"]) for row in rows)
    days = Counter(row["when"][:10] for row in rows)
    found = {(row["from"], row["label"]): row for row in read_csv(folder / "time.csv")}
    assert {key: int(row["posts"]) for key, row in found.items() if row["posts"] != "0"} == expected
    for (day, _), row in found.items():
        assert float(row["share"]) == pytest.approx(int(row["posts"]) / days[day])


def test_emoji_of_a_label_are_those_that_it_has_most_beyond_its_share(folder: Path, rows: list[Row]) -> None:
    posts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        for emoji in {fold_emoji(one) for one in row["emoji"]}:
            posts[row["label"]][emoji] += 1
    every = sum(posts.values(), Counter())
    table = read_csv(folder / "emoji.csv")
    assert len(table) > 10
    for row in table:
        here = posts[row["label"]]
        assert (int(row["posts"]), int(row["posts_of_all_labels"])) == (here[row["emoji"]], every[row["emoji"]])
        assert here[row["emoji"]] > 1
        assert here[row["emoji"]] / here.total() > every[row["emoji"]] / every.total()


def test_words_of_a_label_are_counted_in_posts_and_set_it_apart(folder: Path, rows: list[Row]) -> None:
    table = read_csv(folder / "words.csv")
    assert len(table) > 10
    assert all(float(row["z"]) >= 1.96 for row in table)
    sizes = Counter(row["label"] for row in rows)
    split = TextSplitter(to_simplified=False).split(row["text"][:4000] for row in rows)
    for row in table:
        posts = int(row["posts"])
        assert (
            1
            < posts
            == sum(row["word"] in words for words, one in zip(split, rows, strict=True) if one["label"] == row["label"])
        )
        assert float(row["share"]) == pytest.approx(posts / sizes[row["label"]])
        assert posts / sizes[row["label"]] > int(row["posts_of_all_labels"]) / len(rows)


def test_hostile_posts_and_labels_are_shown_as_text_and_long_ones_cut_with_a_note(html: str) -> None:
    page = Page(html)
    tags = Counter(tag for tag, _ in page.tags)
    assert tags["script"] == 2 and tags["img"] == tags["b"] == 0
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert HOSTILE_LABEL in page.text
    for post in HOSTILE:
        assert re.sub("[\x00\x1b\u2028\u202e]", "\ufffd", post.replace("\ud83d", "?"))[:MAX_CHARACTERS] in page.text
    assert f"{MAX_CHARACTERS} of 50,000 characters are shown." in page.text
    assert "啊" * (MAX_CHARACTERS + 1) not in page.text
    assert "\x1b" not in html and "\x00" not in html and "\u202e" not in html
    data = re.findall(r'<script id="data" type="application/json">(.*?)</script>', html, re.DOTALL)[0]
    assert "<" not in data
    assert HOSTILE_LABEL in json.dumps(json.loads(data), ensure_ascii=False)


def test_the_page_loads_nothing_and_runs_no_script_but_its_own(html: str, folder: Path) -> None:
    page = Page(html)
    for tag, attributes in page.tags:
        assert "src" not in attributes and tag not in ("link", "iframe", "object", "embed")
        if "href" in attributes and not str(attributes["href"]).startswith("#"):
            assert (folder / str(attributes["href"])).is_file()
    style = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)[0]
    assert "url(" not in style and "@import" not in style
    policy = next(attributes["content"] for tag, attributes in page.tags if "http-equiv" in attributes)
    assert "default-src 'none'" in str(policy) and "unsafe" not in str(policy).split("script-src")[1]


def test_spreadsheets_get_no_formulas(tmp_path: Path) -> None:
    rows = [{"text": "好", "label": "=1+1", "score": 1.0}, {"text": "好", "label": "-1", "score": 1.0}]
    write_csv(tmp_path / "labels.csv", build_tables(rows).tables["labels"])
    assert [row["label"] for row in read_csv(tmp_path / "labels.csv")] == ["'=1+1", "'-1"]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
def test_every_format_gives_the_same_tables(rows: list[Row], suffix: str, tmp_path: Path) -> None:
    some = [row | {"text": row["text"].encode("utf-8", "replace").decode()} for row in rows[-90:] if len(row["text"]) < 1000]
    path = tmp_path / f"out{suffix}"
    if suffix == ".parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(some), path)
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, delimiter="," if suffix == ".csv" else "\t", lineterminator="\n")
            writer.writerow(some[0])
            for row in some:
                writer.writerow([value if isinstance(value, str) else json.dumps(value) for value in row.values()])
    assert build_tables(report.read_predictions(find_file(path))) == build_tables(some)


def test_predictions_with_a_prefix_stand_beside_the_labels_of_the_input(rows: list[Row]) -> None:
    answers = ("label", "score", "scores", "polarity", "polarity_score", "emoji", "attention", "emoji_effect")
    names = {name: f"predicted_{name}" for name in answers}
    prefixed = [{names.get(name, name): value for name, value in row.items()} | {"label": "gold"} for row in rows[:90]]
    assert build_tables(prefixed, prefix="predicted_") == build_tables(rows[:90])


def test_what_the_input_lacks_is_said_and_not_drawn(rows: list[Row]) -> None:
    plain = [{"text": row["text"], "label": row["label"]} for row in rows[:50] if not row["emoji"]]
    tables = build_tables([*plain, {"text": "好", "label": None}])
    assert not {"time", "peaks", "emoji", "groups", "disagreements", "new_words"} & set(tables.tables)
    assert tables.num_unlabelled == 1
    text = Page(report_page.render(tables, title="a")).text
    for name in ("time", "peaks", "emoji", "new_words"):
        assert LANGUAGES["en"].sections[name].absent in text
    assert LANGUAGES["en"].notes["effect_unknown"] in text


def test_new_words_of_the_topic_are_found(rows: list[Row]) -> None:
    before, behind = "我今天 真是 大家都 他说 太 又 很 好 不 再", "了 啊 吧 呢 啦 哦 的 呀 吗 嘛"
    places = [f"{left}{{}}{right}" for left, right in zip(before.split(), behind.split(), strict=True)] * 3
    topic = [*rows, *({"text": place.format("绝绝孑"), "label": "like"} for place in places)]
    assert ("绝绝孑", 30) in [row[:2] for row in build_tables(topic).tables["new_words"].rows]
    assert "new_words" not in build_tables(topic[-30:]).tables


def test_examples_are_the_best_and_a_sample_that_every_post_can_be_in() -> None:
    rows = [{"text": f"第{i}条", "label": "a", "score": i / 100} for i in range(99)]
    examples = build_tables(rows).examples["a"]
    assert [example.text for example in examples["best"]] == ["第98条", "第97条", "第96条"]
    assert examples == build_tables(rows).examples["a"]
    places = [int(example.text[1:-1]) for example in examples["sample"]]
    assert len(set(places)) == 3 and max(places) > 10


@pytest.mark.parametrize(
    ("days", "expected"),
    [([0, 1], ["2024-01-03", "2024-01-04"]), ([0, 70], ["2024-01-01", "2024-03-11"]), ([0, 900], ["2024-01-01", "2026-06-01"]),
     ([0, 9000], ["2024-01-01", "2048-01-01"])],
)  # fmt: skip
def test_time_goes_by_day_week_month_or_year(days: list[int], expected: list[str]) -> None:
    rows = [{"text": "好", "label": "a", "day": date(2024, 1, 3) + timedelta(days=day)} for day in days]
    tables = build_tables([*rows, {"text": "好", "label": "a", "day": "soon"}])
    assert [row[0] for row in tables.tables["time"].rows] == expected
    assert tables.num_undated == 1


def test_dates_are_read_as_files_have_them() -> None:
    day = date(2014, 3, 1)
    for value in ("2014-03-01", "2014/3/1 8:00", "2014年3月1日", " 2014.03.01", "Sat Mar 01 23:30:00 +0800 2014", day):
        assert parse_date(value) == day
    for value in (
        "20140301",
        "2014-13-01",
        "12345678901",
        20140301,
        None,
        "2014-03-011",
        "0000-01-01",
        "2014-03-01" + "x" * 50,
    ):
        assert parse_date(value) is None


@pytest.mark.parametrize("unit", [1, 1000, 10**6, 10**9])
def test_seconds_since_1970_are_dates_where_a_column_says_so(unit: int) -> None:
    moment = 1_741_222_593 * unit
    for value in (moment, str(moment), f" {moment}", float(moment), f"{moment}.0"):
        assert parse_date(value, epoch=True) == date(2025, 3, 6)
        assert parse_date(value) is None
    for written in (20140301, "20140301"):
        assert parse_date(written, epoch=True) == date(2014, 3, 1)
    for other in (True, 20141301, "1e9e9", -moment, 946_684_799, "9" * 30, float("nan"), None):
        assert parse_date(other, epoch=True) is None
    for name, found in (("created_at", True), ("time", True), ("发布时间", True), ("uid", False), ("weibo_id", False)):
        rows = [{"text": "好", "label": "a", name: (1_741_222_593 + i * 86_400) * unit} for i in range(3)]
        tables = build_tables(rows)
        assert ("time" in tables.tables) == found and not tables.unread_column
        assert "time" in build_tables(rows, date_column=name).tables


@pytest.mark.parametrize(("name", "given"), [("created_at", None), ("when", "when")])
def test_a_column_of_dates_that_cannot_be_read_is_named_in_one_line(name: str, given: str | None) -> None:
    tables = build_tables([{"text": "好", "label": "a", name: "yesterday"}] * 2, date_column=given)
    assert tables.unread_column == name and "time" not in tables.tables
    for language, line in (("en", f"No date in the column {name} can be read"), ("zh", f"{name} 列没有可读的日期")):
        assert report_page.render(tables, title="t", language=language).count(line) == 1


def test_both_languages_say_the_same_things(rows: list[Row]) -> None:
    english, chinese = LANGUAGES["en"], LANGUAGES["zh"]
    tables = build_tables(rows[:20])
    for one, other in zip(english, chinese, strict=True):
        assert isinstance(one, str) or one.keys() == other.keys()
    html = report_page.render(tables, title="<i>话题", language="zh")
    assert '<html lang="zh">' in html
    page = Page(html)
    assert "标签分布" in page.text and "<i>话题" in page.text and "Labels" not in page.text


def test_what_is_said_of_colours_holds_on_a_light_and_on_a_dark_page() -> None:
    for language in LANGUAGES:
        said = LANGUAGES[language].sections["examples"].about + TEXTS[language].about_attention
        assert not re.search("dark|light|深|浅", said)
        assert said.count({"en": "The stronger the colour", "zh": "底色越浓"}[language]) == 2


def about(facts: ModelFacts | None, language: str) -> dict[str, str]:
    """What the section "About this report" says of a model."""
    return dict(facts_of(facts, place="in.csv", columns=["text"], cleaning=None, language=language))


@pytest.mark.parametrize(("language", "name"), [("en", "Its figures"), ("zh", "模型的成绩")])
def test_a_card_whose_figures_a_program_cannot_read_is_named_in_words_of_readers(language: str, name: str) -> None:
    facts = report.Labeller(str(BUILT_IN_MODEL), prefix="", cleans=True).facts()
    assert facts is not None and facts.has_card and not facts.figures
    texts = LANGUAGES[language].facts
    assert about(facts, language)[name] == texts["not_in_card"] and "README.md" in texts["not_in_card"]
    assert not re.search("program|程序", texts["not_in_card"])
    assert about(facts._replace(has_card=False), language)[name] == texts["no_card"]


def test_a_chinese_page_says_in_chinese_what_is_known_of_a_model() -> None:
    corpus = "NLPCC 2014 emotion classification (rows: train 400, validation 50)"
    figures = [
        "NLPCC 2014 emotion classification, rows with emoji, test: accuracy 0.78, macro-F1 0.5",
        "mine (2014), test: x 1",
    ]
    facts = ModelFacts("tiny", ["none", "like"], corpus, figures, labelled_here=True, backend="torch")
    assert about(facts, "zh") | {"报告日期": "", "版本": ""} == {
        "模型": "tiny", "训练语料": "NLPCC 2014 微博情绪分类语料（条数：训练 400，验证集 50）", "模型的标签": "无情绪、喜好",
        "模型的成绩": "NLPCC 2014 微博情绪分类语料，有表情的帖子，测试集：准确率 0.78，宏平均 F1 0.5；mine (2014)，测试集：x 1",
        "设置": "生成报告时标注（运行后端：torch）", "输入": "in.csv", "列": "text", "清理": "未清理",
        "报告日期": "", "版本": "",
    }  # fmt: skip
    english = about(facts, "en")
    assert (english["Trained on"], english["Its figures"]) == (corpus, "; ".join(figures))
    assert (english["Its labels"], english["Settings"]) == ("none, like", "labelled for this report (backend torch)")


GOOD = '{"text": "好", "label": "a", "score": 1.0}\n'


@pytest.mark.parametrize(
    ("content", "flags", "message"),
    [
        # Posts without labels are labelled first, and here there is no model.
        ('{"text": "好"}\n', ["--model", "nowhere"], r"nowhere: expected a model folder"),
        (GOOD + '{"text": "好"}\n', [], r"in.jsonl, row 2: expected a column 'label', found 'text'; give what aslstm"),
        ("", [], r"in.jsonl: expected at least one row with a label, found 0 without"),
        (GOOD, ["--text_column", "post"], r"row 1: expected a column 'post'"),
        (GOOD, ["--date_column", "day"], r"in.jsonl: `date_column`: expected a column 'day', found text; name one"),
        (GOOD, ["--compare_by", "city"], r"in.jsonl: `compare_by`: expected a column 'city', found text; name one of"),
        ('{"text": "好", "label": "a", "emoji_effect": 7}\n', [], r"row 1: expected score, emoji and attention as"),
        (GOOD + "{", [], r"in.jsonl, line 2: expected a JSON object"),
        ('{"text": "好", "label": "a", "attention": [{"token": 1}]}\n', [], r"row 1: expected score, emoji and attention as"),
        ('{"text": "好", "label": "a", "score": NaN}\n', [], r"found ValueError\('nan, not from 0 to 1'\)"),
        ('{"text": "好", "label": "a", "attention": 7}\n', [], r"row 1: expected score, emoji and attention as"),
        ("".join(f'{{"text": "好", "label": "{i}"}}\n' for i in range(101)), [], r"at most 100 labels, found more"),
        (GOOD, ["--language", "fr"], r"invalid choice: 'fr'"),
    ],
)
def test_bad_input_is_one_clear_line(
    content: str, flags: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in.jsonl").write_text(content, encoding="utf-8")
    files = ["--input", str(tmp_path / "in.jsonl"), "--output", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", ["report.py", *files, *flags])
    with pytest.raises(UserError, match=message) as raised:
        report.main()
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "out").exists()


def test_a_folder_with_other_files_is_refused_and_overwrite_leaves_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in.jsonl").write_text(GOOD, encoding="utf-8")
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("my own", encoding="utf-8")
    command = ["report.py", "--input", str(tmp_path / "in.jsonl"), "--output", str(out)]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(UserError, match=r"expected a new or an empty folder, found files; .* `overwrite`"):
        report.main()
    (out / "time.png").write_bytes(b"of the last report")
    monkeypatch.setattr(sys, "argv", [*command, "--overwrite"])
    report.main()
    written = {"index.html", "labels.csv", "labels.png", "report.xlsx"}
    assert {path.name for path in out.iterdir()} == {"thesis.txt"} | written


def test_an_input_of_another_kind_or_a_file_in_the_folders_place_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in.xml").write_text("<a/>", encoding="utf-8")
    (tmp_path / "out").write_text("", encoding="utf-8")
    for source, target, message in (
        ("in.xml", "new", "expected at least one row with a label"),
        ("in.xml", "out", "found a file"),
    ):
        monkeypatch.setattr(sys, "argv", ["report.py", "--input", str(tmp_path / source), "--output", str(tmp_path / target)])
        with pytest.raises(UserError, match=message):
            report.main()
