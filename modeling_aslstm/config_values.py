"""Takes the values of a model's config by name and says in one line which of them no model can have.

Config, pipelines and commands share it. It needs neither torch nor transformers.
"""

import math
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

EMOJI_FUSIONS = ("none", "concat", "context", "attention", "hierarchical")
ATTENTION_KEYS = ("embedding", "hidden")
CLASSIFIER_INPUTS = ("attention_and_query", "attention")
# The decision rule chooses one label among several, so these problems have none.
PROBLEMS_WITHOUT_RULE = ("regression", "multi_label_classification")
# A probability of neutral labels above this makes an answer neutral, unless another threshold was fitted.
POLARITY_THRESHOLD = 0.5
POLARITIES = ("negative", "neutral", "positive")
PROBLEM_TYPES = (None, "single_label_classification", *PROBLEMS_WITHOUT_RULE)
DTYPES = ("None", "auto", "float64", "float32", "float16", "bfloat16")

_CHOICES = {
    "emoji_fusion": EMOJI_FUSIONS,
    "attention_key": ATTENTION_KEYS,
    "classifier_input": CLASSIFIER_INPUTS,
    "problem_type": PROBLEM_TYPES,
}
# The largest sizes are far above those of any useful model. A config that asks for more would take hours or all of the memory.
_LARGEST = {
    "vocab_size": 10_000_000,
    "num_emoji_tokens": 10_000_000,
    "embedding_size": 16_384,
    "hidden_size": 16_384,
    "num_hidden_layers": 100,
    "num_labels": 100_000,
}
_MOST_PARAMETERS = 1 << 32
_SWITCHES = ("bidirectional", "use_max_pooling", "use_bag_of_words")


def labels_by_id(id2label: Mapping[Any, Any]) -> dict[int, Any]:
    """Return the labels of a config in the order of their ids, whatever the order of the file.

    >>> labels_by_id({"1": "sad", "0": "glad"})
    {0: 'glad', 1: 'sad'}
    """
    return dict(sorted((int(key), label) for key, label in id2label.items()))


def check_config(values: Mapping[str, Any]) -> None:
    """Check the values of a config.

    Args:
        values: The values by their names; names that are missing are passed over.

    Raises:
        ValueError: A value is one that no model can have.
    """
    for name, choices in _CHOICES.items():
        if name in values and values[name] not in choices:
            expected = ", ".join(map(str, choices))
            raise ValueError(f"{name}: expected one of {expected}, found {values[name]!r:.100}")
    for name in ("dtype", "torch_dtype"):
        if str(values.get(name)).removeprefix("torch.") not in DTYPES:
            raise ValueError(f"{name}: expected one of {', '.join(DTYPES[2:])}, found {values[name]!r:.100}")
    for name in _SWITCHES:
        if values.get(name, True) not in (True, False):
            raise ValueError(f"{name}: expected true or false, found {values[name]!r:.100}")
    _check_labels(values)
    _check_sizes(values)
    _check_ids(values)
    _check_numbers(values)
    _check_decision_rule(values)
    _check_polarity(values)


def _is_whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def _check_labels(values: Mapping[str, Any]) -> None:
    labels = values.get("id2label")
    if labels is None:
        return
    ids = [str(key) for key in labels] if isinstance(labels, Mapping) else []
    if not ids or len(ids) > _LARGEST["num_labels"] or sorted(ids) != sorted(map(str, range(len(ids)))):
        raise ValueError(f"id2label: expected a label for each number from 0 on, found {labels!r:.100}")
    if len({str(label) for label in labels.values()}) < len(ids):
        raise ValueError(f"id2label: expected labels that differ, found {list(labels.values())!r:.100}; give each its own name")


def _check_sizes(values: Mapping[str, Any]) -> None:
    for name, largest in _LARGEST.items():
        value: Any = values.get(name)
        if name not in values or (name == "num_labels" and value is None):
            continue
        if not _is_whole(value) or value < 1:
            raise ValueError(f"{name}: expected a whole number of 1 or more, found {value!r:.100}")
        if value > largest:
            raise ValueError(f"{name}: expected {largest} or less, found {value}; choose a smaller model")
    if not {"vocab_size", "embedding_size", "hidden_size", "num_hidden_layers"} <= values.keys():
        return
    embedding, hidden = values["embedding_size"], values["hidden_size"]
    directions = 2 if values.get("bidirectional", True) else 1
    inputs = embedding + (values["num_hidden_layers"] - 1) * directions * hidden
    lstm = directions * 4 * hidden * (inputs + values["num_hidden_layers"] * hidden)
    if (found := values["vocab_size"] * embedding + lstm) > _MOST_PARAMETERS:
        raise ValueError(f"sizes: expected a model of {_MOST_PARAMETERS} weights or less, found {found}; choose smaller sizes")


def _check_ids(values: Mapping[str, Any]) -> None:
    names = ("pad_token_id", "emoji_token_offset", "num_emoji_tokens", "vocab_size")
    if not set(names) <= values.keys():
        return
    pad, offset, length, vocab_size = (values[name] for name in names)
    if not _is_whole(pad) or not _is_whole(offset) or not 0 <= pad < offset or offset + length > vocab_size:
        end = offset + length if _is_whole(offset) else "?"
        raise ValueError(
            "emoji range: expected pad_token_id < emoji_token_offset and the range within vocab_size, found "
            f"pad_token_id {pad!r:.100}, range {offset!r:.100} to {end}, vocab_size {vocab_size}"
        )
    ends = values.get("clause_end_token_ids", [])
    if not isinstance(ends, list) or not all(_is_whole(i) and 0 <= i < offset for i in ends):
        raise ValueError(f"clause_end_token_ids: expected ids of words, found {ends!r:.100}")


def _check_numbers(values: Mapping[str, Any]) -> None:
    dropout, spread = values.get("hidden_dropout_prob", 0.0), values.get("initializer_range", 0.0)
    if not _is_number(dropout) or not 0.0 <= dropout < 1.0:
        raise ValueError(f"hidden_dropout_prob: expected 0 or more and less than 1, found {dropout!r:.100}")
    if not _is_number(spread) or spread < 0.0:
        raise ValueError(f"initializer_range: expected a number of 0 or more, found {spread!r:.100}")


def _check_decision_rule(values: Mapping[str, Any]) -> None:
    prior, weight = values.get("label_prior"), values.get("decision_prior_weight", 0.0)
    temperature = values.get("temperature", 1.0)
    if not _is_number(temperature) or temperature <= 0.0:
        raise ValueError(f"temperature: expected a number above 0, found {temperature!r:.100}")
    if not _is_number(weight):
        raise ValueError(f"decision_prior_weight: expected a finite number, found {weight!r:.100}")
    if weight and prior is None:
        raise ValueError(f"decision_prior_weight: expected 0 without a label_prior, found {weight}")
    if prior is None:
        return
    if values.get("problem_type") in PROBLEMS_WITHOUT_RULE:
        raise ValueError(f"label_prior: expected none with problem_type {values['problem_type']}, found {prior!r:.100}")
    count = len(values.get("id2label") or (0, 1))
    if not isinstance(prior, list) or len(prior) != count or not all(_is_number(p) and 0.0 < p <= 1.0 for p in prior):
        raise ValueError(f"label_prior: expected {count} shares above 0 (one for each label), found {prior!r:.100}")


def _check_polarity(values: Mapping[str, Any]) -> None:
    threshold, polarities = values.get("polarity_threshold", POLARITY_THRESHOLD), values.get("polarity_of_labels")
    if not _is_number(threshold) or not 0.0 <= threshold <= 1.0:
        raise ValueError(f"polarity_threshold: expected a number from 0 to 1, found {threshold!r:.100}")
    if polarities is None:
        return
    labels = [str(label) for label in (values.get("id2label") or {0: "LABEL_0", 1: "LABEL_1"}).values()]
    if values.get("problem_type") in PROBLEMS_WITHOUT_RULE or len(labels) < 2:
        raise ValueError(
            f"polarity_of_labels: expected none without one label among several as the answer, found {polarities!r:.100}"
        )
    if (
        not isinstance(polarities, Mapping)
        or {*map(str, polarities)} != {*labels}
        or any(one not in POLARITIES for one in polarities.values())
    ):
        raise ValueError(
            f"polarity_of_labels: expected one of {', '.join(POLARITIES)} for each of the labels {', '.join(labels)}, "
            f"found {polarities!r:.200}"
        )
