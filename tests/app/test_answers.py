"""What the app shows of one post, without a browser."""

import html
import json
import re
import shutil
from pathlib import Path

import pytest

from aslstm.data.known_corpora import label_names, shown_names
from aslstm.model_folder.choosing import BUILT_IN_MODEL

pytest.importorskip("altair", reason="needs altair, of the extra report")

from aslstm.app.answers import MAX_WORDS_OF_REASONS, Answers, emoji_buttons
from aslstm.app.picker import FIRST, MAX_SHOWN
from aslstm.app.texts import TEXTS

POST = "今天又加班[泪]"
ROW = re.compile(r'<tr><th scope="row">(.*?)</th>.*?<td>(.*?)</td>(?:<td class="change">(.*?)</td>)?</tr>')


@pytest.fixture(scope="module")
def answers(model_folder: Path) -> Answers:
    return Answers(model_folder)


def test_an_answer_shows_polarity_and_labels_in_the_language_of_the_page(answers: Answers) -> None:
    (answer,) = answers.classifier.answers([POST])
    best = answers.classifier.label_names[int(answer.probabilities.argmax())]
    chinese, english = label_names("zh"), label_names("en")
    shown = {language: answers.of_post(POST, language).html for language in ("zh", "en")}
    assert f"情感倾向：{chinese[answer.polarity]}（{answer.polarity_score:+.2f}）" in shown["zh"]
    assert f"Polarity: {english[answer.polarity]} ({answer.polarity_score:+.2f})" in shown["en"]
    for language, names in (("zh", chinese), ("en", english)):
        assert f'<p class="label">{names[best]} ' in shown[language]
        assert all(f'<th scope="row">{names[label]}</th>' in shown[language] for label in answers.classifier.label_names)
    assert not any(label in shown["zh"] for label in ("sadness", "happiness", "surprise", "negative", "positive"))
    assert english[best] in answers.of_post(POST, "en").spoken


def test_bars_are_sorted_and_changes_are_points_between_the_two_panels(answers: Answers) -> None:
    whole, without = answers.of_post(POST, "en").html.split('<section class="reasons">')[0].split('<div class="panel">')[1:]
    names = answers.classifier.label_names
    (left, right) = answers.classifier.predict([POST, "今天又加班 "])
    for panel, scores in ((whole, left), (without, right)):
        rows = ROW.findall(panel)
        expected = [f"{score:.1%}" for score in sorted(scores, reverse=True)]
        assert [share for _, share, _ in rows] == expected
        assert panel.index(f'class="label">{rows[0][0]} ') < panel.index("<table")
    changes = {name: change for name, _, change in ROW.findall(whole)}
    shown = shown_names(names, "en")
    for name, change in zip(names, 100 * (left - right), strict=True):
        assert abs(float(changes[shown[name]].removesuffix(" pts")) - change) < 0.06
    assert not any(change for _, _, change in ROW.findall(without))


def test_contributions_are_those_of_the_classifier_and_stand_beside_attention(answers: Answers) -> None:
    reasons = answers.of_post(POST, "en").html.split('<section class="reasons">')[1]
    (answer,) = answers.classifier.answers([POST], contributions=True)
    best = answers.classifier.label_names[int(answer.probabilities.argmax())]
    signed = {entry["token"]: entry["contributions"][best] for entry in answer.contributions}
    assert {word: float(value) for word, value, _ in ROW.findall(reasons)} == pytest.approx(signed, abs=0.006)
    for word, value in signed.items():
        side = "for" if value > 0 else "against"
        assert f'<th scope="row">{word}</th><td class="track {side}">' in reasons
    assert "Attention" in reasons and "outlined" in reasons


def test_the_app_says_that_words_and_emoji_disagree_if_one_is_positive_and_the_other_negative(tmp_path: Path) -> None:
    hints = [TEXTS[language].disagree for language in ("zh", "en")]
    # Happiness and like, disgust and anger, and at last happiness and anger.
    posts = {"外婆今天出院了[爱你]": False, "真恶心[怒]": False, "今天真的好开心，太棒了[怒]": True}
    built_in = Answers(BUILT_IN_MODEL)
    for post, disagree in posts.items():
        for language, hint in zip(("zh", "en"), hints, strict=True):
            assert (hint in built_in.of_post(post, language).html) == disagree
    folder = tmp_path / "model"
    shutil.copytree(BUILT_IN_MODEL, folder)
    (folder / "checksums.json").unlink()
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"polarity_of_labels": None}), encoding="utf-8")
    shown = Answers(folder).of_post("外婆今天出院了[爱你]", "en").html
    assert "Words and emoji, each alone, get different labels." in shown and "irony" not in shown


def test_a_long_post_has_no_contributions_and_says_so(answers: Answers) -> None:
    html = answers.of_post("今天 " * (MAX_WORDS_OF_REASONS + 1), "zh").html
    assert f"超过 {MAX_WORDS_OF_REASONS} 个词" in html and 'class="bars signed"' not in html


def test_the_model_line_says_what_the_model_was_trained_on(answers: Answers) -> None:
    chinese, english = answers.model_line("zh"), answers.model_line("en")
    assert answers.name in chinese and "自己的语料" in chinese and str(len(answers.classifier.label_names)) in chinese
    assert "its owner's corpus" in html.unescape(english) and "macro-F1" in english


def test_a_search_finds_the_emoji_that_the_model_knows(model_folder: Path, answers: Answers) -> None:
    known = {one.written for one in answers.emoji}
    first = emoji_buttons(str(model_folder), " ", "zh")
    assert re.findall(r'data-text="(.*?)"', first) == [*FIRST]
    assert 'data-text="😂" aria-label="笑哭了"' in first
    for query, expected in (("泪", "[泪]"), ("heart", "💔")):
        found = re.findall(r'data-text="(.*?)"', emoji_buttons(str(model_folder), query, "en"))
        assert expected in found and set(found) <= known and len(found) <= MAX_SHOWN
    assert "没有找到" in emoji_buttons(str(model_folder), "<b>没有的", "zh")
