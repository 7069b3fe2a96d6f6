"""Takes the arguments of a call of a model and refuses by name what it cannot do; gives the shapes of its outputs."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor
from transformers.utils import ModelOutput


@dataclass
class ASLSTMModelOutput(ModelOutput):
    """Holds the output of :class:`ASLSTMModel`.

    Attributes:
        last_hidden_state: The LSTM outputs, (batch, seq_len, encoder size) float; a place that the LSTM did not read has zeros.
        pooled_output: The classifier's input, (batch, pooled size) float.
        attention_weights: The weights of the words, (batch, seq_len) float, which sum to 1 over the words of a post; None where
            the fusion has none.
        clause_attention_weights: The weights of the clauses, (batch, seq_len) float, with clause k in column k; only
            ``hierarchical`` has them.
        emoji_query: The mean of the emoji of a post, or the "no emoji" vector, (batch, embedding_size) float; zeros in
            ``none`` and ``concat``, which have no query.
    """

    last_hidden_state: Tensor | None = None
    pooled_output: Tensor | None = None
    attention_weights: Tensor | None = None
    clause_attention_weights: Tensor | None = None
    emoji_query: Tensor | None = None


@dataclass
class ASLSTMClassifierOutput(ModelOutput):
    """Holds the output of :class:`ASLSTMForSequenceClassification`; :class:`ASLSTMModelOutput` describes the other fields.

    Attributes:
        loss: The loss before the decision rule, () float; None where no labels are given.
        logits: The scores after the decision rule, (batch, num_labels) float.
    """

    loss: Tensor | None = None
    logits: Tensor | None = None
    attention_weights: Tensor | None = None
    clause_attention_weights: Tensor | None = None
    emoji_query: Tensor | None = None


def counted_tokens(config: Any, input_ids: Tensor, attention_mask: Tensor | None) -> Tensor:
    """Return which places are no padding, (batch, seq_len) bool."""
    return input_ids != config.pad_token_id if attention_mask is None else attention_mask.bool()


def checked_ids(
    config: Any,
    input_ids: Tensor | None,
    token_type_ids: Tensor | None,
    output_attentions: bool | None,
    output_hidden_states: bool | None,
) -> Tensor:
    """Return the ids, and refuse by name what other models of transformers take and this one cannot do."""
    if input_ids is None:
        raise ValueError("input_ids: expected the ids of a batch, found none; inputs_embeds alone do not say what is an emoji")
    if token_type_ids is not None and bool(token_type_ids.any()):
        raise ValueError("token_type_ids: expected zeros, found others; a post has one part, so give each text alone")
    if config.output_attentions if output_attentions is None else output_attentions:
        raise ValueError(
            "output_attentions: expected False, found True; the weights of the words are always in attention_weights"
        )
    if config.output_hidden_states if output_hidden_states is None else output_hidden_states:
        raise ValueError("output_hidden_states: expected False, found True; ASLSTMModel always gives last_hidden_state")
    return input_ids


def in_shape(output: Any, config: Any, return_dict: bool | None) -> Any:
    """Return an output as it is, or as a tuple where the caller or else the config asks for one."""
    return output if (config.return_dict if return_dict is None else return_dict) else output.to_tuple()
