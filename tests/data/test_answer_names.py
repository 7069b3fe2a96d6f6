"""Columns and labels in the reader's language, and back."""

from aslstm.data.answer_names import AnswerNames, as_answered
from aslstm.data.cleaning import Cleaned


def test_a_row_in_chinese_becomes_the_row_of_the_model() -> None:
    names = AnswerNames("zh", ["sadness", "none", "glee"], "p_")
    answer = {"p_label": "sadness", "p_score": 0.5, "p_polarity": "negative", "p_scores": {"sadness": 0.5}}
    shown = {names.column(name): names.value(name, value) for name, value in answer.items()}
    assert shown == {"p_标签": "悲伤", "p_得分": 0.5, "p_情感倾向": "负面", "p_各标签得分": {"sadness": 0.5}}
    assert as_answered({"text": "好"} | shown, "text", "p_") == ({"text": "好"} | answer, Cleaned("好", "", ()))
    assert names.value("p_label", "glee") == "glee" and names.value("p_label", "") == ""


def test_a_column_of_somebody_elses_keeps_its_name() -> None:
    row = {"text": "好", "标签": "悲伤", "label": "none"}
    assert as_answered(row, "text")[0] == row


def test_the_text_is_the_one_that_was_answered() -> None:
    cleaned = {"text": "好//@a:b", "label": "none", "answered_text": "好"}
    assert as_answered(cleaned, "text") == (cleaned | {"text": "好"}, Cleaned("好//@a:b", "", ()))
    # Somebody else's answer, or one that was asked for with its leftovers.
    row = {"text": "好//@a:b", "label": "none"}
    assert as_answered(row, "text")[0]["text"] == "好"
    assert as_answered(row, "text", cleans=False)[0] == row
    with_places = row | {"attention": [{"token": "好", "start": 0, "end": 1}]}
    assert as_answered(with_places, "text")[0] == with_places
