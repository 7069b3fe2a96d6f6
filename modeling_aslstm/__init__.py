"""From ids to logits: the configuration, the layers, the models, their pipelines and a view of their answers.

Names are imported at first use: serving with ONNX needs no torch, which takes seconds to import.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .attention_view import show_attention
    from .configuration_aslstm import ASLSTMConfig
    from .modeling_aslstm import (
        ASLSTMForEmojiPrediction,
        ASLSTMForSequenceClassification,
        ASLSTMModel,
        ASLSTMPreTrainedModel,
    )
    from .onnx_pipeline_aslstm import ASLSTMOnnxPipeline
    from .pipeline_aslstm import ASLSTMPipeline

_HOMES = {
    "ASLSTMConfig": "configuration_aslstm",
    "ASLSTMForEmojiPrediction": "modeling_aslstm",
    "ASLSTMForSequenceClassification": "modeling_aslstm",
    "ASLSTMModel": "modeling_aslstm",
    "ASLSTMOnnxPipeline": "onnx_pipeline_aslstm",
    "ASLSTMPipeline": "pipeline_aslstm",
    "ASLSTMPreTrainedModel": "modeling_aslstm",
    "show_attention": "attention_view",
}

# This file never travels with a saved model, so the registrations that fill "auto_map" belong here. All are made with the
# first: a model that is saved takes its configuration with it.
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
    "ASLSTMOnnxPipeline",
    "ASLSTMPipeline",
    "ASLSTMPreTrainedModel",
    "show_attention",
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
