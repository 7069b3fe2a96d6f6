"""Takes ids of words and emoji and gives vectors (:class:`ASLSTMModel`) or logits (``ASLSTMFor…``)."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.utils import ModelOutput

from .configuration_aslstm import ASLSTMConfig
from .layers_aslstm import (
    AttentionFusion,
    BagOfWords,
    ConcatFusion,
    ContextFusion,
    Dropout,
    HierarchicalFusion,
    LSTMEncoder,
    NoFusion,
    PostVectors,
    clause_indices,
    masked_max,
    masked_mean,
)

# These two imports are not used here. The saved folder must hold the pipeline's file. And when a folder on disk is loaded,
# transformers 4.57 to 5.5 copies the files that this file imports directly, but not the files that those import.
from .pipeline_aslstm import ASLSTMPipeline  # noqa: F401
from .results_aslstm import check_tokenizer  # noqa: F401


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


class ASLSTMPreTrainedModel(PreTrainedModel):
    """Gives the models loading, saving and fresh weights."""

    config_class = ASLSTMConfig
    base_model_prefix = "aslstm"

    def _init_weights(self, module: nn.Module) -> None:
        # Only nn.init functions are used, because transformers 5 makes them leave loaded weights alone; other writes would not.
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.LSTM):
            for name, parameter in module.named_parameters():
                if name.startswith("weight_ih"):
                    nn.init.xavier_uniform_(parameter)
                elif name.startswith("weight_hh"):
                    nn.init.orthogonal_(parameter)
                else:
                    nn.init.zeros_(parameter)
        elif isinstance(module, nn.LayerNorm):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=self.config.initializer_range)
            # A slice of a weight does not carry the mark that the weight was loaded, so the mark is looked up here.
            if module.padding_idx is not None and not getattr(module.weight, "_is_hf_initialized", False):
                nn.init.zeros_(module.weight[module.padding_idx])
        elif isinstance(module, ASLSTMModel) and module.no_emoji is not None:
            nn.init.normal_(module.no_emoji, std=self.config.initializer_range)


def _build_fusion(config: ASLSTMConfig, encoder_size: int) -> nn.Module:
    if config.emoji_fusion == "none":
        return NoFusion()
    if config.emoji_fusion == "concat":
        return ConcatFusion()
    if config.emoji_fusion == "context":
        return ContextFusion(embedding_size=config.embedding_size, attention_size=config.hidden_size)
    fusion = AttentionFusion if config.emoji_fusion == "attention" else HierarchicalFusion
    return fusion(
        embedding_size=config.embedding_size,
        encoder_size=encoder_size,
        attention_size=config.hidden_size,
        key_is_hidden=config.attention_key == "hidden",
    )


class ASLSTMModel(ASLSTMPreTrainedModel):
    """Encodes posts: an LSTM reads the words of a post, and its emoji weigh them."""

    def __init__(self, config: ASLSTMConfig) -> None:
        super().__init__(config)
        self.word_embeddings = nn.Embedding(config.vocab_size, config.embedding_size, padding_idx=config.pad_token_id)
        self.dropout = Dropout(config.hidden_dropout_prob)
        # A fusion without a query has no such vector, because a weight that no loss reaches stops distributed training.
        has_query = config.emoji_fusion not in ("none", "concat")
        self.no_emoji = nn.Parameter(torch.empty(config.embedding_size)) if has_query else None
        self.encoder = LSTMEncoder(
            input_size=config.embedding_size,
            hidden_size=config.hidden_size,
            num_layers=config.num_hidden_layers,
            bidirectional=config.bidirectional,
            dropout=config.hidden_dropout_prob,
        )
        self.fusion = _build_fusion(config, self.encoder.output_size)
        self.reads_query = has_query and config.classifier_input == "attention_and_query"
        num_pools = 2 if config.use_max_pooling else 1
        self.pooled_size = num_pools * self.encoder.output_size + (config.embedding_size if self.reads_query else 0)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """Return the layer with the vectors of words and emoji."""
        return self.word_embeddings

    def set_input_embeddings(self, value: nn.Embedding) -> None:  # type: ignore[override]
        """Replace the layer with the vectors of words and emoji."""
        self.word_embeddings = value

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, return_dict: bool | None = None
    ) -> ASLSTMModelOutput | tuple[Tensor, ...]:
        """Encode a batch.

        Args:
            input_ids: The ids of words and emoji in the order of the text, (batch, seq_len) int64.
            attention_mask: A mask that is 0 on padding, (batch, seq_len); by default every id except ``pad_token_id`` counts.
            return_dict: Whether the output has named fields; with False it is a tuple without the fields that are None.
        """
        config = self.config
        counts = input_ids != config.pad_token_id if attention_mask is None else attention_mask.bool()
        end = config.emoji_token_offset + config.num_emoji_tokens
        is_emoji = counts & (input_ids >= config.emoji_token_offset) & (input_ids < end)
        is_word = counts & ~is_emoji
        # The ids are compared with every such id at once, which exports to ONNX as it is.
        ends = torch.tensor(config.clause_end_token_ids, dtype=input_ids.dtype, device=input_ids.device)
        is_clause_end = (input_ids[:, :, None] == ends).any(-1)
        tokens = self.dropout(self.word_embeddings(input_ids))
        posts = PostVectors(
            tokens=tokens,
            is_word=is_word,
            is_emoji=is_emoji,
            clause_index=clause_indices(is_word, is_emoji, is_clause_end),
            no_emoji=tokens.new_zeros(config.embedding_size) if self.no_emoji is None else self.no_emoji,
        )
        fused = self.fusion(posts, self.encoder)
        query = masked_mean(posts.tokens, is_emoji, posts.no_emoji)
        pools = [fused.pooled]
        if config.use_max_pooling:
            pools.append(masked_max(fused.hidden, fused.placement.place(is_word)))
        if self.reads_query:
            pools.append(query)
        output = ASLSTMModelOutput(
            last_hidden_state=fused.placement.restore(fused.hidden),
            pooled_output=torch.cat(pools, dim=-1),
            attention_weights=fused.word_weights,
            clause_attention_weights=fused.clause_weights,
            emoji_query=query,
        )
        return output.to_tuple() if return_dict is False else output


class ASLSTMForSequenceClassification(ASLSTMPreTrainedModel):
    """Gives each post one label. The decision rule is part of ``forward``, so every way of calling gives the same answer."""

    def __init__(self, config: ASLSTMConfig) -> None:
        super().__init__(config)
        self.num_labels = len(config.id2label or {})
        self.aslstm = ASLSTMModel(config)
        self.dropout = Dropout(config.hidden_dropout_prob)
        self.classifier = nn.Linear(self.aslstm.pooled_size, self.num_labels)
        self.bag_of_words = BagOfWords(config.vocab_size, self.num_labels) if config.use_bag_of_words else None
        self.post_init()

    def resize_token_embeddings(self, *args: Any, **kwargs: Any) -> nn.Embedding:
        """Resize the vectors as the base class does; the bag of words grows with them."""
        vectors = super().resize_token_embeddings(*args, **kwargs)
        if self.bag_of_words is not None:
            self.bag_of_words.resize(vectors.num_embeddings)
        return vectors

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        return_dict: bool | None = None,
    ) -> ASLSTMClassifierOutput | tuple[Tensor, ...]:
        """Classify a batch: ``logits = (z + decision_prior_weight · log π) / temperature``; a bag of words is part of z.

        Args:
            input_ids: The ids of words and emoji in the order of the text, (batch, seq_len) int64.
            attention_mask: A mask that is 0 on padding, (batch, seq_len); by default every id except ``pad_token_id`` counts.
            labels: The right labels, (batch,) int64, or None.
            return_dict: Whether the output has named fields; with False it is a tuple without the fields that are None.
        """
        encoded = self.aslstm(input_ids, attention_mask)
        z = self.classifier(self.dropout(encoded.pooled_output))
        if self.bag_of_words is not None:
            is_token = input_ids != self.config.pad_token_id if attention_mask is None else attention_mask.bool()
            z = z + self.bag_of_words(input_ids, is_token)
        loss = None if labels is None else nn.functional.cross_entropy(z.float(), labels)
        output = ASLSTMClassifierOutput(
            loss=loss,
            logits=self._decide(z),
            attention_weights=encoded.attention_weights,
            clause_attention_weights=encoded.clause_attention_weights,
            emoji_query=encoded.emoji_query,
        )
        return output.to_tuple() if return_dict is False else output

    def _decide(self, z: Tensor) -> Tensor:
        if self.config.label_prior is not None and self.config.decision_prior_weight:
            log_prior = torch.tensor(self.config.label_prior, dtype=z.dtype, device=z.device).log()
            z = z + self.config.decision_prior_weight * log_prior
        return z / self.config.temperature


class ASLSTMForEmojiPrediction(ASLSTMForSequenceClassification):
    """Predicts from its words which emoji a post had: pre-training as in DeepMoji (Felbo et al. 2017, arXiv:1708.00524).

    This is a classifier whose labels are emoji and which reads no emoji, so a post can be in the batch as it is. Its folder
    also loads as :class:`ASLSTMForSequenceClassification`, which then sees the emoji as well.
    """

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        return_dict: bool | None = None,
    ) -> ASLSTMClassifierOutput | tuple[Tensor, ...]:
        """Predict the emoji of a batch. The arguments are as in the base class; ``labels`` index the emoji of ``id2label``."""
        config = self.config
        end = config.emoji_token_offset + config.num_emoji_tokens
        counts = input_ids != config.pad_token_id if attention_mask is None else attention_mask.bool()
        is_word = counts & ~((input_ids >= config.emoji_token_offset) & (input_ids < end))
        return super().forward(input_ids, is_word, labels, return_dict)
