"""This package takes ids and gives logits: it holds the configuration, the layers, the models and their pipeline.

Every file of this folder except this one travels with a model. Names are imported when they are first used, because the code
that the ONNX pipeline shares needs no torch, which takes seconds to import.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .configuration_aslstm import ASLSTMConfig
    from .modeling_aslstm import (
        ASLSTMForEmojiPrediction,
        ASLSTMForSequenceClassification,
        ASLSTMModel,
        ASLSTMPreTrainedModel,
    )
    from .pipeline_aslstm import ASLSTMPipeline

_HOMES = {
    "ASLSTMConfig": "configuration_aslstm",
    "ASLSTMForEmojiPrediction": "modeling_aslstm",
    "ASLSTMForSequenceClassification": "modeling_aslstm",
    "ASLSTMModel": "modeling_aslstm",
    "ASLSTMPipeline": "pipeline_aslstm",
    "ASLSTMPreTrainedModel": "modeling_aslstm",
}

# This file never travels with a saved model, so the registrations that fill "auto_map" belong here. All of them are made when
# the first name is used, because a model that is saved takes its configuration with it.
_AUTO_CLASSES = {
    "ASLSTMConfig": "AutoConfig",
    "ASLSTMModel": "AutoModel",
    "ASLSTMForSequenceClassification": "AutoModelForSequenceClassification",
}

__all__ = [
    "ASLSTMConfig",
    "ASLSTMForEmojiPrediction",
    "ASLSTMForSequenceClassification",
    "ASLSTMModel",
    "ASLSTMPipeline",
    "ASLSTMPreTrainedModel",
]


def _value(name: str) -> Any:
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if _HOMES[name] in ("configuration_aslstm", "modeling_aslstm"):
        for registered, auto_class in _AUTO_CLASSES.items():
            _value(registered).register_for_auto_class(auto_class)
    globals()[name] = value = _value(name)
    return value
