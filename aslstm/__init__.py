"""Emotion and sentiment of Chinese social media posts, with their emoji: the library and the command line.

Names are imported at first use, so that ``import aslstm`` is light.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .data.corpora import load_corpus
    from .model_folder.choosing import model_path
    from .prediction.analysis import Analysis, Analyzer, analyze, load
    from .prediction.attention_view import show_attention, show_contributions
    from .prediction.classifier import Classifier
    from .prediction.onnx_pipeline import OnnxPipeline
    from .prediction.predictor import BatchPredictor
    from .words.new_words import discover_words

__version__ = "0.9.2"

_HOMES = {
    "Analysis": "prediction.analysis",
    "Analyzer": "prediction.analysis",
    "BatchPredictor": "prediction.predictor",
    "Classifier": "prediction.classifier",
    "OnnxPipeline": "prediction.onnx_pipeline",
    "analyze": "prediction.analysis",
    "discover_words": "words.new_words",
    "load": "prediction.analysis",
    "load_corpus": "data.corpora",
    "model_path": "model_folder.choosing",
    "show_attention": "prediction.attention_view",
    "show_contributions": "prediction.attention_view",
}

__all__ = [
    "Analysis",
    "Analyzer",
    "BatchPredictor",
    "Classifier",
    "OnnxPipeline",
    "analyze",
    "discover_words",
    "load",
    "load_corpus",
    "model_path",
    "show_attention",
    "show_contributions",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value
