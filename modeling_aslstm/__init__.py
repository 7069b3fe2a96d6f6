"""From ids to logits: the configuration, the layers, the models and their pipeline."""

from .configuration_aslstm import ASLSTMConfig
from .modeling_aslstm import (
    ASLSTMForEmojiPrediction,
    ASLSTMForSequenceClassification,
    ASLSTMModel,
    ASLSTMPreTrainedModel,
)
from .pipeline_aslstm import ASLSTMPipeline

# This file never travels with a saved model, so the registrations that fill "auto_map" belong here.
ASLSTMConfig.register_for_auto_class("AutoConfig")
ASLSTMModel.register_for_auto_class("AutoModel")
ASLSTMForSequenceClassification.register_for_auto_class("AutoModelForSequenceClassification")

__all__ = [
    "ASLSTMConfig",
    "ASLSTMForEmojiPrediction",
    "ASLSTMForSequenceClassification",
    "ASLSTMModel",
    "ASLSTMPipeline",
    "ASLSTMPreTrainedModel",
]
