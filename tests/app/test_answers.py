"""What the app shows of one post, without a browser."""

from pathlib import Path

import pytest

from aslstm.data.known_corpora import label_names

pytest.importorskip("altair", reason="needs altair, of the extra report")

from aslstm.app.answers import Answers

POST = "今天又加班[泪]"


def test_an_answer_shows_polarity_and_labels_in_the_language_of_the_page(model_folder: Path) -> None:
    answers = Answers(model_folder)
    (answer,) = answers.classifier.answers([POST])
    best = answers.classifier.label_names[int(answer.probabilities.argmax())]
    chinese, english = label_names("zh"), label_names("en")
    shown = {language: answers.of_post(POST, language) for language in ("zh", "en")}
    assert f"情感倾向：{chinese[answer.polarity]}（{answer.polarity_score:+.2f}）" in shown["zh"]
    assert f"Polarity: {english[answer.polarity]} ({answer.polarity_score:+.2f})" in shown["en"]
    for language, names in (("zh", chinese), ("en", english)):
        assert f'<p class="label">{names[best]} ' in shown[language]
        assert all(f"<th>{names[label]}</th>" in shown[language] for label in answers.classifier.label_names)
    assert not any(label in shown["zh"] for label in ("sadness", "happiness", "surprise", "negative", "positive"))
