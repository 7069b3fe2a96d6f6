"""Takes the JSON of requests and gives checked values, or says in one line what is wrong; holds what the OpenAPI page shows."""

import json
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool

from aslstm.data.row_checks import MAX_TEXT_CHARACTERS


def _checked(texts: Any) -> Any:
    """Return a text or a list of texts as it is.

    Raises:
        ValueError: It is neither, or an entry cannot be answered.
    """
    if not isinstance(texts, str | list):
        raise ValueError(f"expected a text or a list of texts, found {_shown(texts)}")
    for number, text in enumerate([texts] if isinstance(texts, str) else texts, start=1):
        if fault := _fault(text):
            raise ValueError(f"text {number}: {fault}")
    return texts


def _fault(text: Any) -> str:
    """Return what is wrong with a text, or "" if nothing is."""
    if not isinstance(text, str):
        return f"expected a text, found {_shown(text)}"
    if len(text) > MAX_TEXT_CHARACTERS:
        return f"expected at most {MAX_TEXT_CHARACTERS:,} characters, found {len(text):,}; cut it"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "expected Unicode, found half of a surrogate pair; send UTF-8"
    return ""


class Posts(BaseModel):
    """Holds the posts of a request and what is asked of each."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"texts": ["今天又加班[泪]", "好耶🎉"], "contributions": True}]}
    )

    texts: Annotated[str | list[str], BeforeValidator(_checked), Field(description="a post, or a list of posts")]
    attention: StrictBool = Field(False, description="whether to give the weight of every word and emoji")
    contributions: StrictBool = Field(False, description="whether to give how much every word and emoji speaks for each label")
    emoji_effect: StrictBool = Field(False, description="whether to give what the emoji did to the answer")


class PostAnswer(BaseModel):
    """Says what the model answers to a post."""

    label: str = Field(description="the answer, which is the label of the highest probability")
    score: float = Field(description="its probability")
    scores: dict[str, float] = Field(description="the probability of each label, the highest first")
    polarity: str | None = Field(description="negative, neutral or positive; null if the model gives no polarity")
    polarity_score: float | None = Field(description="from -1 to 1; null without a polarity")
    emoji: list[str] = Field(description="the emoji of the post, as they are written in it")
    attention: list[dict[str, Any]] | None = Field(None, description="where it was asked for")
    contributions: list[dict[str, Any]] | None = Field(None, description="where it was asked for")
    emoji_effect: dict[str, Any] | None = Field(None, description="where it was asked for; null for a post without emoji")


class Answers(BaseModel):
    """Holds the answers to the posts of a request, in their order."""

    answers: list[PostAnswer]


class Health(BaseModel):
    """Says whether the service takes requests, and with which model."""

    status: str = Field(description="ok, or stopping")
    model: str = Field(description="the name of the model folder")
    backend: str = Field(description="what runs the model: torch or onnx")
    labels: list[str] = Field(description="the labels that it answers with")
    version: str = Field(description="the version of this package")


class Fault(BaseModel):
    """Says what is wrong."""

    error: str = Field(description="what was expected, what was found and what to do, in one line")


def explain(errors: Sequence[Any]) -> str:
    """Return in one line what is wrong with the JSON of a request.

    Args:
        errors: What pydantic found, of which the first counts.
    """
    error = errors[0]
    place = [str(part) for part in error["loc"] if part != "body"]
    if error["type"] == "json_invalid":
        return f"expected JSON, found: {error['ctx']['error']} at character {error['loc'][-1]}"
    if isinstance(error["input"], bytes):  # Nothing is parsed that is not said to be JSON, such as a form.
        return (
            "expected JSON, found a body of another kind; send it with Content-Type: application/json (curl --json), such as "
            '{"texts": ["今天又加班[泪]"]}'
        )
    if error["type"] == "missing":
        found = error["input"] if isinstance(error["input"], dict) else {}
        return f'expected `texts`, found {", ".join(map(repr, found)) or "nothing"}; send {{"texts": […]}}'
    if error["type"] == "extra_forbidden":
        return f"expected one of {', '.join(Posts.model_fields)}, found {place[-1]!r:.60}"
    if error["type"] == "bool_type":
        return f"`{place[0]}`: expected true or false, found {_shown(error['input'])}"
    if error["type"] == "value_error":
        return f"`{place[0]}`: {error['ctx']['error']}"
    shown = _shown(error["input"])
    return f'expected a JSON object with `texts`, found {shown}; send {{"texts": […]}} as application/json'


def _shown(value: Any) -> str:
    """Return the beginning of a value as JSON writes it.

    >>> _shown(None), _shown(["好"] * 100)[:12]
    ('null', '["好", "好", "')
    """
    return json.dumps(value, ensure_ascii=False)[:60]
