"""Takes keyword arguments or a ``config.json`` and gives :class:`ASLSTMConfig`, the checked choices of a model.

Only the model reads the configuration; the layers take plain values.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from transformers import PretrainedConfig

from .config_values import (
    ATTENTION_KEYS,
    CLASSIFIER_INPUTS,
    EMOJI_FUSIONS,
    POLARITY_THRESHOLD,
    PROBLEMS_WITHOUT_RULE,
    check_config,
    labels_by_id,
)
from .results_aslstm import FOLDER_FORMAT, check_format

__all__ = ["ATTENTION_KEYS", "CLASSIFIER_INPUTS", "EMOJI_FUSIONS", "ASLSTMConfig"]

# transformers fills "auto_map" only for the class that is saved, but a folder must load through each of these classes.
AUTO_MAP = {
    "AutoConfig": "configuration_aslstm.ASLSTMConfig",
    "AutoModel": "modeling_aslstm.ASLSTMModel",
    "AutoModelForSequenceClassification": "modeling_aslstm.ASLSTMForSequenceClassification",
}


def _as_list(values: Any) -> Any:
    """Return a sequence as a list, which JSON can hold; anything else is returned as it is, and the check refuses it."""
    return list(values) if isinstance(values, Sequence) else values


class ASLSTMConfig(PretrainedConfig):
    """Holds the configuration of the emoji-attention LSTM.

    Args:
        vocab_size: The number of rows of the embedding, including those of emoji and added tokens.
        emoji_token_offset: The first id of the emoji range; every smaller id is a word.
        num_emoji_tokens: The length of the emoji range; the ids behind it are words that were given to ``add_tokens``.
        embedding_size: The size of the vectors of words and emoji.
        hidden_size: The number of units of one LSTM direction, as in ``torch.nn.LSTM``.
        num_hidden_layers: The number of LSTM layers.
        bidirectional: Whether a second LSTM reads the words backwards.
        emoji_fusion: How emoji meet words: ``none``, ``concat``, ``context``, ``attention`` or ``hierarchical``.
        attention_key: What the emoji are compared with: word vectors (``embedding``) or LSTM outputs (``hidden``).
        classifier_input: What the classifier reads: the attended words and the emoji query (``attention_and_query``), or the
            words alone (``attention``). It changes nothing for ``none`` and ``concat``, which have no query.
        use_max_pooling: Whether the classifier also reads the largest value of each LSTM output over the words.
        use_bag_of_words: Whether the scores that each word and emoji has by itself are added to the logits.
        clause_end_token_ids: The ids of the punctuation that ends a clause.
        hidden_dropout_prob: The dropout probability for embeddings, between LSTM layers and before the classifier.
        initializer_range: The standard deviation of fresh embeddings.
        label_prior: The share of each label in training, in the order of ``id2label``, or None.
        decision_prior_weight: How much of ``log(label_prior)`` is added to the logits; it is fitted after training.
        temperature: The number that the logits are then divided by; it is fitted after training.
        polarity_of_labels: The polarity of each label (``negative``, ``neutral`` or ``positive``), or None for a model without.
        polarity_threshold: The probability of all neutral labels above which an answer is neutral; it is fitted after training.
        pad_token_id: The id of padding.
        kwargs: What every config of transformers takes, for example ``id2label`` and ``problem_type``, and the
            ``folder_format`` of the folder that the config comes from.

    Raises:
        ValueError: A value is one that no model can have, or the folder has a newer format.
    """

    model_type = "aslstm"
    keys_to_ignore_at_inference = [  # noqa: RUF012 (the base class's shape)
        "last_hidden_state",
        "pooled_output",
        "attention_weights",
        "clause_attention_weights",
        "emoji_query",
    ]

    # This field is declared because text generation has a parameter of this name: transformers refuses to save a config that
    # sets it unless it is a field of the config's own class.
    temperature: float = 1.0

    def __init__(
        self,
        vocab_size: int = 4,
        emoji_token_offset: int = 3,
        num_emoji_tokens: int = 1,
        embedding_size: int = 128,
        hidden_size: int = 128,
        num_hidden_layers: int = 1,
        bidirectional: bool = True,
        emoji_fusion: str = "attention",
        attention_key: str = "embedding",
        classifier_input: str = "attention_and_query",
        use_max_pooling: bool = True,
        use_bag_of_words: bool = False,
        clause_end_token_ids: Sequence[int] = (),
        hidden_dropout_prob: float = 0.3,
        initializer_range: float = 0.1,
        label_prior: Sequence[float] | None = None,
        decision_prior_weight: float = 0.0,
        temperature: float = 1.0,
        polarity_of_labels: Mapping[str, str] | None = None,
        polarity_threshold: float = POLARITY_THRESHOLD,
        pad_token_id: int = 0,
        **kwargs: Any,
    ) -> None:
        check_format(kwargs)
        check_config(kwargs)
        kwargs.pop("custom_pipelines", None)
        kwargs["auto_map"] = AUTO_MAP | kwargs.get("auto_map", {})
        kwargs["folder_format"] = FOLDER_FORMAT  # A saved config has the format that this code writes.
        # This call comes first, because in transformers 4 it sets pad_token_id and temperature (of text generation) by itself.
        super().__init__(**kwargs)
        self.pad_token_id = pad_token_id
        self.vocab_size = vocab_size
        self.emoji_token_offset = emoji_token_offset
        self.num_emoji_tokens = num_emoji_tokens
        self.embedding_size = embedding_size
        self.hidden_size = hidden_size
        self.num_hidden_layers = num_hidden_layers
        self.bidirectional = bidirectional
        self.emoji_fusion = emoji_fusion
        self.attention_key = attention_key
        self.classifier_input = classifier_input
        self.use_max_pooling = use_max_pooling
        self.use_bag_of_words = use_bag_of_words
        self.clause_end_token_ids = _as_list(clause_end_token_ids)
        self.hidden_dropout_prob = hidden_dropout_prob
        self.initializer_range = initializer_range
        self.label_prior = _as_list(label_prior)
        self.decision_prior_weight = decision_prior_weight
        self.temperature = temperature
        self.polarity_of_labels = dict(polarity_of_labels) if isinstance(polarity_of_labels, Mapping) else polarity_of_labels
        self.polarity_threshold = polarity_threshold
        self.custom_pipelines = {
            "text-classification": {
                "impl": "pipeline_aslstm.ASLSTMPipeline",
                "pt": ["AutoModelForSequenceClassification"],
            }
        }
        labels = kwargs.get("id2label")
        if labels is not None and labels_by_id(labels) != labels_by_id(self.id2label or {}):
            self._end_decision_rule()  # `num_labels` was given besides the labels of the saved config.
        self.check()

    def __setattr__(self, key: str, value: Any) -> None:
        """Set a value; labels are sorted by their ids.

        Other labels or another kind of problem reset the decision rule and the polarity.
        """
        if key == "id2label" and value is not None:
            value = labels_by_id(value)
            if self.__dict__.get("id2label") not in (None, value):
                self._end_decision_rule()
        if key == "problem_type" and value in PROBLEMS_WITHOUT_RULE:
            self._end_decision_rule()
        super().__setattr__(key, value)

    def _end_decision_rule(self) -> None:
        self.label_prior, self.decision_prior_weight, self.temperature = None, 0.0, 1.0
        self.polarity_of_labels, self.polarity_threshold = None, POLARITY_THRESHOLD

    def check(self) -> None:
        """Check every value; a model calls this when it is made, because values can be set after the config was made.

        Raises:
            ValueError: A value is one that no model can have.
        """
        check_config(vars(self))
