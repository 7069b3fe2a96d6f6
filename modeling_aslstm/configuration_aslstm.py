"""Takes keyword arguments or a ``config.json`` and gives :class:`ASLSTMConfig`, the checked choices of a model.

Only the model reads the configuration; the layers take plain values.
"""

import math
from collections.abc import Sequence
from typing import Any

from transformers import PretrainedConfig

from .results_aslstm import FOLDER_FORMAT, check_format

EMOJI_FUSIONS = ("none", "concat", "context", "attention", "hierarchical")
ATTENTION_KEYS = ("embedding", "hidden")
CLASSIFIER_INPUTS = ("attention_and_query", "attention")


# transformers fills "auto_map" only for the class that is saved, but a folder must load through each of these classes.
AUTO_MAP = {
    "AutoConfig": "configuration_aslstm.ASLSTMConfig",
    "AutoModel": "modeling_aslstm.ASLSTMModel",
    "AutoModelForSequenceClassification": "modeling_aslstm.ASLSTMForSequenceClassification",
}


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
        pad_token_id: The id of padding.
        kwargs: What every config of transformers takes, for example ``id2label``, and the ``folder_format`` of the folder
            that the config comes from.

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
        pad_token_id: int = 0,
        **kwargs: Any,
    ) -> None:
        check_format(kwargs)
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
        self.clause_end_token_ids = list(clause_end_token_ids)
        self.hidden_dropout_prob = hidden_dropout_prob
        self.initializer_range = initializer_range
        self.label_prior = None if label_prior is None else list(label_prior)
        self.decision_prior_weight = decision_prior_weight
        self.temperature = temperature
        self.custom_pipelines = {
            "text-classification": {
                "impl": "pipeline_aslstm.ASLSTMPipeline",
                "pt": ["AutoModelForSequenceClassification"],
            }
        }
        labels = kwargs.get("id2label")
        if labels is not None and list(labels.values()) != list((self.id2label or {}).values()):
            self._end_decision_rule()  # `num_labels` was given besides the labels of the saved config.
        self._validate()

    def __setattr__(self, key: str, value: Any) -> None:
        """Set a value; labels that differ from those before (``num_labels=3`` on loading) reset the fitted decision rule."""
        if key == "id2label" and value is not None:
            before = self.__dict__.get("id2label")
            if before is not None and list(before.values()) != list(value.values()):
                self._end_decision_rule()
        super().__setattr__(key, value)

    def _end_decision_rule(self) -> None:
        self.label_prior, self.decision_prior_weight, self.temperature = None, 0.0, 1.0

    def _validate(self) -> None:
        for name, choices in (
            ("emoji_fusion", EMOJI_FUSIONS),
            ("attention_key", ATTENTION_KEYS),
            ("classifier_input", CLASSIFIER_INPUTS),
        ):
            if getattr(self, name) not in choices:
                raise ValueError(f"{name}: expected one of {', '.join(choices)}, found {getattr(self, name)!r}")
        for name in ("vocab_size", "num_emoji_tokens", "embedding_size", "hidden_size", "num_hidden_layers"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{name}: expected a whole number of 1 or more, found {value!r}")
        end = self.emoji_token_offset + self.num_emoji_tokens
        if not 0 <= self.pad_token_id < self.emoji_token_offset or end > self.vocab_size:
            raise ValueError(
                f"emoji range: expected pad_token_id < emoji_token_offset and the range within vocab_size, found "
                f"pad_token_id {self.pad_token_id}, range {self.emoji_token_offset} to {end}, vocab_size {self.vocab_size}"
            )
        if not all(0 <= i < self.emoji_token_offset for i in self.clause_end_token_ids):
            raise ValueError(f"clause_end_token_ids: expected ids of words, found {self.clause_end_token_ids}")
        if not 0.0 <= self.hidden_dropout_prob < 1.0:
            raise ValueError(f"hidden_dropout_prob: expected 0 or more and less than 1, found {self.hidden_dropout_prob}")
        if not 0.0 < self.temperature < math.inf:
            raise ValueError(f"temperature: expected a number above 0, found {self.temperature}")
        if not math.isfinite(self.decision_prior_weight):
            raise ValueError(f"decision_prior_weight: expected a finite number, found {self.decision_prior_weight}")
        if self.label_prior is not None and (
            len(self.label_prior) != self.num_labels or not all(0.0 < share <= 1.0 for share in self.label_prior)
        ):
            raise ValueError(
                f"label_prior: expected {self.num_labels} shares above 0 (one for each label), found {self.label_prior}"
            )
        if self.decision_prior_weight and self.label_prior is None:
            raise ValueError(f"decision_prior_weight: expected 0 without a label_prior, found {self.decision_prior_weight}")
