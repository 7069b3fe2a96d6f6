"""Groups, disagreements, the list of posts, the workbook, and posts that the report labels itself."""

import base64
import csv
import gzip
import json
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from aslstm.errors import UserError
from aslstm.model_folder.choosing import BUILT_IN_MODEL
from aslstm.report.page import render
from aslstm.report.posts import Post, PostSample, packed
from aslstm.report.tables import build_tables
from aslstm.report.texts import LANGUAGES
from aslstm.report.workbook import write_workbook
from aslstm.report.writing import ReportSettings, write_report
from tests.prediction.test_attention_view import Page
from tests.support.commands import run_command

openpyxl = pytest.importorskip("openpyxl", reason="needs openpyxl, of the extra dev")


def side(label: str, score: float) -> dict[str, Any]:
    return {"label": label, "score": score}


def test_groups_are_compared_and_too_many_are_refused() -> None:
    rows = [
        {"text": "堵车真烦", "label": "anger" if i % 10 < 5 else "none", "city": "北京"} if i % 2 else
        {"text": "天气不错", "label": "anger" if i % 20 == 0 else "none", "city": "上海"} for i in range(400)
    ]  # fmt: skip
    tables = build_tables(rows, compare_by="city")
    assert tables.groups == {"上海": 200, "北京": 200}
    counts = Counter((row["city"], row["label"]) for row in rows)
    assert {tuple(row[:2]): row[2] for row in tables.tables["groups"].rows} == counts
    assert "堵车" in {row[1] for row in tables.tables["group_words"].rows if row[0] == "北京"}
    html = render(tables, title="t")
    assert "The largest difference: anger has" in html and "of the posts of 北京" in html
    with pytest.raises(UserError, match="`compare_by` id: expected at most 20 different values, found more"):
        build_tables([row | {"id": i} for i, row in enumerate(rows)], compare_by="id")


def test_words_and_emoji_disagree_if_both_are_clear_and_opposite() -> None:
    pairs = [
        (side("sadness", 0.8), side("happiness", 0.7)),
        (side("sadness", 0.8), side("happiness", 0.4)),  # the emoji are not clear
        (side("like", 0.9), side("happiness", 0.9)),  # both are positive
        (side("none", 0.9), side("happiness", 0.9)),
    ]
    rows = [
        {"text": f"第{i}条[笑]", "label": "none", "emoji_effect": {"without_emoji": words, "without_words": emoji}}
        for i, (words, emoji) in enumerate(pairs)
    ]
    tables = build_tables([*rows, {"text": "无表情", "label": "none", "emoji_effect": None}])
    assert (tables.num_compared, tables.num_disagreeing) == (4, 1)
    assert tables.tables["disagreements"].rows == [("第0条[笑]", "none", "sadness", 0.8, "happiness", 0.7)]
    assert "1 of 4 posts with words and emoji." in render(tables, title="t")


@pytest.mark.parametrize(
    ("reason", "effect"),
    [
        ("effect_unknown", {}),
        ("none_with_both", {"emoji_effect": None}),
        ("none_with_both", {"emoji_effect": {"without_emoji": side("like", 0.9), "without_words": None}}),
        ("none_opposite", {"emoji_effect": {"without_emoji": side("like", 0.9), "without_words": side("happiness", 0.9)}}),
        ("polarities_unknown", {"emoji_effect": {"without_emoji": side("glee", 0.9), "without_words": side("woe", 0.9)}}),
    ],
)
def test_without_a_disagreement_the_page_gives_the_one_reason_that_holds(reason: str, effect: dict[str, Any]) -> None:
    tables = build_tables([{"text": "好[笑]", "label": "like", **effect}] * 3)
    reasons = ("effect_unknown", "none_with_both", "none_opposite", "polarities_unknown")
    for language in LANGUAGES:
        text = Page(render(tables, title="t", language=language)).text
        assert [one for one in reasons if LANGUAGES[language].notes[one].format(compared=3) in text] == [reason]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_says_why_a_post_with_a_positive_label_may_be_negative(language: str) -> None:
    rows = [{"text": "好", "label": "like", "polarity": "negative", "polarity_score": -0.2}]
    note = LANGUAGES[language].notes["summed"]
    assert render(build_tables(rows), title="t", language=language).count(note) == 1
    # Without sums, the polarity is that of the label.
    assert note not in render(build_tables([{"text": "好", "label": "like"}]), title="t", language=language)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_too_few_typical_items_for_a_chart_are_one_sentence_and_no_link(language: str, tmp_path: Path) -> None:
    rows = [{"text": text, "label": label} for text, label in [("堵车真烦[怒]", "anger"), ("天气不错[心]", "like")] * 20]
    tables = write_report(rows, tmp_path / "out", ReportSettings(language=language))
    assert {"emoji", "words"} <= set(tables.tables)
    html = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    linked = {str(value) for _, given in Page(html).tags if (value := given.get("href")) and not str(value).startswith("#")}
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == linked | {"index.html"} and not {"emoji.png", "words.png"} & written
    assert html.count(LANGUAGES[language].notes["too_few"].format(least=3)) == 2  # of the emoji and of the words
    assert LANGUAGES[language].notes["hidden"].partition("{")[0] not in html


def test_the_list_holds_all_posts_or_a_random_sample_in_their_order() -> None:
    sample = PostSample(size=50)
    for i in range(1000):
        sample.add(Post(f"{i:04}", "a", 0.5))
    texts = [post.text for post in sample.posts()]
    assert len(texts) == 50 and texts == sorted(texts) and 300 < int(texts[25]) < 700


def test_packed_posts_are_unpacked_as_they_were_and_fewer_if_they_are_too_large() -> None:
    posts = [Post(f"<b>第{i}条", "ab"[i % 2], i / 1000, date(2024, 1, 1) + timedelta(days=i), "北京") for i in range(300)]
    content, number = packed(posts, ["a", "b"])
    columns = json.loads(gzip.decompress(base64.b64decode(content)))
    assert number == 300 and columns["texts"] == [post.text for post in posts]
    assert [columns["names"][i] for i in columns["groups"]] == ["北京"] * 300
    assert columns["days"][31] == "2024-02-01" and columns["labels"][:2] == [0, 1]
    smaller, number = packed(posts, ["a", "b"], len(content) // 2)
    assert len(smaller) <= len(content) // 2 and 100 < number < 200


def test_the_workbook_has_every_table_as_texts_and_numbers(tmp_path: Path) -> None:
    rows = [
        {"text": text, "label": label, "score": 0.5, "date": f"2024-01-{1 + i % 9:02}"}
        for i, (text, label) in enumerate([("=1+1", "anger"), ("@某人 https://a.b", "none"), ("好😂", "happiness")] * 9)
    ]
    tables = build_tables(rows)
    write_workbook(tmp_path / "report.xlsx", tables, "zh")
    book = openpyxl.load_workbook(tmp_path / "report.xlsx")
    assert {"标签分布", "情感倾向", "随时间的变化", "全部帖子"} <= set(book.sheetnames)
    posts = list(book["全部帖子"].values)
    assert posts[0] == ("日期", "标签", "得分", "帖子")
    assert posts[1] == ("2024-01-01", "愤怒", 0.5, "=1+1")
    assert [cell.data_type for cell in book["全部帖子"][2]] == ["s", "s", "n", "s"]
    assert len(posts) == 28 and posts[3][3] == "好😂"
    labels = {row[0]: row[1] for row in list(book["标签分布"].values)[1:]}
    assert labels == {"愤怒": 9, "无情绪": 9, "高兴": 9}


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--compare_by", "省份"], "--compare_by: expected a column '省份', found 微博正文, 城市; name one of these"),
        (["--date_column", "时间"], "--date_column: expected a column '时间', found 微博正文, 城市; name one of these"),
        (["--date_column", "城市"], "--date_column 城市: expected dates, such as 2014-03-01, found '北京'; name the column of"),
    ],
)
def test_named_columns_are_checked_before_any_file_is_labelled(flags: list[str], message: str, tmp_path: Path) -> None:
    files = [tmp_path / "more.csv", tmp_path / "posts.csv"]
    files[0].write_text("微博正文,省份,时间,城市\n今天又加班,山东,2024-01-01,2024-01-01\n", encoding="utf-8")
    files[1].write_text("微博正文,城市\n今天又加班,北京\n好开心,上海\n", encoding="utf-8")
    # The model is not there, which would be said first if anything were labelled.
    result = run_command("report", "--model", "nowhere", "--input", *files, *flags, "--output", tmp_path / "out", check=False)
    assert result.returncode == 2 and not (tmp_path / "out").exists()
    *found, error = result.stderr.splitlines()
    assert f"{files[1]}: {message}" in error
    assert [line.split(":")[0] for line in found] == ["more.csv", "posts.csv"]  # There is no progress bar.


def test_an_error_while_posts_are_labelled_has_a_line_of_its_own(tmp_path: Path) -> None:
    rows = "".join(f"今天又加班,{i}\n" for i in range(30))
    (tmp_path / "posts.csv").write_text(f"text,id\n{rows}", encoding="utf-8")
    flags = ("--input", tmp_path / "posts.csv", "--output", tmp_path / "out", "--compare_by", "id")
    result = run_command("report", "--model", BUILT_IN_MODEL, *flags, check=False)
    assert "expected at most 20 different values" in result.stderr.splitlines()[-1]
    assert "Labelling" in result.stderr and "Labelling" not in result.stderr.splitlines()[-1]


@pytest.mark.parametrize("pattern", ["many", "many/*.csv"])
def test_a_folder_or_glob_is_its_files_which_are_compared(pattern: str, tmp_path: Path) -> None:
    (tmp_path / "many" / "more").mkdir(parents=True)
    for name, label in (("before", "joy"), ("after", "anger")):
        (tmp_path / "many" / f"{name}.csv").write_text("text,label\n" + f"今天又加班,{label}\n" * 3, encoding="utf-8")
        (tmp_path / "many" / f"{name}.csv.counts.json").write_text('{"joy": 3}', encoding="utf-8")
    for _ in range(2):  # The second run finds the report of the first one in the folder.
        flags = ("--input", tmp_path / pattern, "--output", tmp_path / "many" / "report", "--overwrite")
        result = run_command("report", *flags)
        assert result.stdout.startswith("6 posts, 2 labels: ")
        html = (tmp_path / "many" / "report" / "index.html").read_text(encoding="utf-8")
        assert "after / before" in html and 'id="chart-groups"' in html


def test_files_of_one_name_are_told_apart_and_too_many_are_not_compared(tmp_path: Path) -> None:
    for number in range(21):
        (tmp_path / "many" / str(number)).mkdir(parents=True)
        (tmp_path / "many" / str(number) / "posts.csv").write_text("text,label\n今天又加班,joy\n", encoding="utf-8")
    result = run_command("report", "--input", tmp_path / "many", "--output", tmp_path / "all")
    assert result.stdout.startswith("21 posts, ")
    assert 'id="chart-groups"' not in (tmp_path / "all" / "index.html").read_text(encoding="utf-8")
    run_command("report", "--input", tmp_path / "many" / "1", tmp_path / "many" / "2", "--output", tmp_path / "two")
    with (tmp_path / "two" / "groups.csv").open(encoding="utf-8-sig", newline="") as file:
        assert {row["group"] for row in csv.DictReader(file)} == {
            str(tmp_path / "many" / name / "posts.csv") for name in ("1", "2")
        }


def test_posts_without_labels_are_labelled_and_two_files_are_compared(model_folder: Path, tmp_path: Path) -> None:
    for name, text in (("before", "今天又加班[泪]"), ("after", "好开心😂")):
        (tmp_path / f"{name}.txt").write_text(f"{text}\n" * 3, encoding="utf-8")
    files = [tmp_path / "before.txt", tmp_path / "after.txt", tmp_path / "rows.csv"]
    (tmp_path / "rows.csv").write_text('text\n转发微博\n" "\n好开心\n', encoding="utf-8")
    result = run_command("report", "--model", model_folder, "--input", *files, "--output", tmp_path / "report")
    cleaned, unlabelled, counted = result.stdout.splitlines()
    assert cleaned.startswith("cleaned 1 of 9 posts") and counted.startswith("7 posts")
    assert unlabelled == "2 rows left out, which have no label: no words (an empty text, or only a forward)"
    html = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert "before / after / rows" in html and 'id="chart-groups"' in html
    assert "custom corpus (rows: train 400" in html and "labelled for this report" in html
