"""Takes ids of words and emoji and gives vectors (:class:`ASLSTMModel`) or logits (``ASLSTMFor…``)."""

from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from .calls_aslstm import ASLSTMClassifierOutput, ASLSTMModelOutput, checked_ids, counted_tokens, in_shape
from .config_values import PROBLEMS_WITHOUT_RULE
from .configuration_aslstm import ASLSTMConfig
from .contributions_aslstm import contributions_of_posts  # noqa: F401
from .layers_aslstm import (
    AttentionFusion,
    BagOfWords,
    ContextFusion,
    Dropout,
    HierarchicalFusion,
    LastStateFusion,
    LSTMEncoder,
    PostVectors,
    clause_indices,
    masked_max,
    masked_mean,
    place_first,
)

# These two imports and that of the contributions are not used here. The saved folder must hold the pipeline's file. And when a
# folder on disk is loaded, transformers 4.57 to 5.5 copies the files that this file imports directly, but not the files that
# those import.
from .pipeline_aslstm import ASLSTMPipeline  # noqa: F401
from .results_aslstm import check_tokenizer  # noqa: F401


class ASLSTMPreTrainedModel(PreTrainedModel):
    """Gives the models loading, saving and fresh weights.

    Attributes:
        fresh_weights: The names of the weights that the loaded folder did not have and that were not trained since.
    """

    config_class = ASLSTMConfig
    base_model_prefix = "aslstm"
    fresh_weights: tuple[str, ...] = ()

    def __init__(self, config: ASLSTMConfig) -> None:
        config.check()
        super().__init__(config)

    @classmethod
    def from_pretrained(cls, *args: Any, output_loading_info: bool = False, **kwargs: Any) -> Any:
        """Load a model as the base class does, and remember which weights the folder does not have.

        The weights may be missing on purpose, as in fine-tuning, so only what answers with the model refuses them.
        """
        loading: Any = super().from_pretrained(*args, output_loading_info=True, **kwargs)
        model, loaded = loading
        mismatched = [entry[0] if isinstance(entry, tuple) else entry for entry in loaded.get("mismatched_keys", ())]
        model.fresh_weights = tuple(sorted({*loaded["missing_keys"], *mismatched}))
        return (model, loaded) if output_loading_info else model

    def train(self, mode: bool = True) -> "ASLSTMPreTrainedModel":
        """Switch between training and answering as the base class does; a model in training has no fresh weights any more."""
        if mode:
            self.fresh_weights = ()
        return super().train(mode)

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
    if config.emoji_fusion in ("none", "concat"):
        return LastStateFusion()
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
        self.register_buffer("key_table", None, persistent=False)
        self.pooled_size = num_pools * self.encoder.output_size + (config.embedding_size if self.reads_query else 0)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """Return the layer with the vectors of words and emoji."""
        return self.word_embeddings

    def set_input_embeddings(self, value: nn.Embedding) -> None:  # type: ignore[override]
        """Replace the layer with the vectors of words and emoji."""
        self.word_embeddings = value

    @torch.no_grad()
    def tabulate_keys(self, is_wanted: bool = True) -> None:
        """Compute once what the attention makes of each token of the vocabulary, or forget it; only for a model in use.

        Where a key is a token's vector, it does not depend on the post. The table takes as much memory as ``hidden_size``
        numbers for each token, and it is not saved.

        Args:
            is_wanted: False forgets the table, which must be done before any weight changes.
        """
        if not is_wanted:
            self.key_table = None
        elif isinstance(self.fusion, AttentionFusion | HierarchicalFusion) and not self.fusion.key_is_hidden:
            self.key_table = self.fusion.word_score.project_keys(self.word_embeddings.weight)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        return_dict: bool | None = None,
        *,
        inputs_embeds: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> ASLSTMModelOutput | tuple[Tensor, ...]:
        """Encode a batch.

        Args:
            input_ids: The ids of words and emoji in the order of the text, (batch, seq_len) int64.
            attention_mask: A mask that is 0 on padding, (batch, seq_len); by default every id except ``pad_token_id`` counts.
            return_dict: Whether the output has named fields; with False it is a tuple without the fields that are None. By
                default the config says it.
            inputs_embeds: The vectors of the tokens, (batch, seq_len, embedding_size), in place of those of ``input_ids``; the
                ids still say which tokens are emoji.
            token_type_ids: Zeros (batch, seq_len), because a post has one part, or None.
            output_attentions: False or None, because no token attends to every other.
            output_hidden_states: False or None, because the output always has the last hidden states.

        Raises:
            ValueError: An argument asks for what this model does not have.
        """
        config = self.config
        input_ids = checked_ids(config, input_ids, token_type_ids, output_attentions, output_hidden_states)
        counts = counted_tokens(config, input_ids, attention_mask)
        end = config.emoji_token_offset + config.num_emoji_tokens
        is_emoji = counts & (input_ids >= config.emoji_token_offset) & (input_ids < end)
        is_word = counts ^ is_emoji
        has_clauses = config.emoji_fusion == "hierarchical"
        placement = place_first(is_emoji, is_word) if config.emoji_fusion == "concat" else place_first(is_word)
        # The ids are put in order and not their vectors, which would be copied once more.
        ids = placement.place(input_ids)
        tokens = self.dropout(self.word_embeddings(ids) if inputs_embeds is None else placement.place(inputs_embeds))
        no_emoji = tokens.new_zeros(config.embedding_size) if self.no_emoji is None else self.no_emoji
        placed_emoji = placement.place(is_emoji)
        posts = PostVectors(
            placement=placement,
            tokens=tokens,
            is_word=placement.place(is_word),
            is_emoji=placed_emoji,
            clause_index=placement.place(self._clauses(input_ids, is_word, is_emoji)) if has_clauses else None,
            no_emoji=no_emoji,
            query=masked_mean(tokens, placed_emoji, no_emoji),
            keys=None if self.key_table is None or inputs_embeds is not None else nn.functional.embedding(ids, self.key_table),
        )
        fused = self.fusion(posts, self.encoder)
        pools = [fused.pooled]
        if config.use_max_pooling:
            pools.append(masked_max(fused.hidden, posts.is_word))
        if self.reads_query:
            pools.append(posts.query)
        output = ASLSTMModelOutput(
            last_hidden_state=placement.restore(fused.hidden * placement.mask()[:, :, None]),
            pooled_output=torch.cat(pools, dim=-1),
            attention_weights=fused.word_weights,
            clause_attention_weights=fused.clause_weights,
            emoji_query=posts.query,
        )
        return in_shape(output, config, return_dict)

    def _clauses(self, input_ids: Tensor, is_word: Tensor, is_emoji: Tensor) -> Tensor:
        """Return the number of each token's clause, (batch, seq_len) int64."""
        # The ids are compared with every such id at once, which exports to ONNX as it is.
        ends = torch.tensor(self.config.clause_end_token_ids, dtype=input_ids.dtype, device=input_ids.device)
        return clause_indices(is_word, is_emoji, (input_ids[:, :, None] == ends).any(-1))


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
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        return_dict: bool | None = None,
        *,
        inputs_embeds: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
    ) -> ASLSTMClassifierOutput | tuple[Tensor, ...]:
        """Classify a batch: ``logits = (z + decision_prior_weight · log π) / temperature``; a bag of words is part of z.

        Args:
            input_ids: The ids of words and emoji in the order of the text, (batch, seq_len) int64.
            attention_mask: A mask that is 0 on padding, (batch, seq_len); by default every id except ``pad_token_id`` counts.
            labels: The right labels, or None: (batch,) int64 for one label among several; (batch, num_labels) numbers from 0
                to 1 for several at once; (batch,) or (batch, num_labels) float for regression.
            return_dict: As :class:`ASLSTMModel` takes it, like the following arguments.
            inputs_embeds: The vectors of the tokens.
            token_type_ids: Zeros or None.
            output_attentions: False or None.
            output_hidden_states: False or None.

        Raises:
            ValueError: An argument asks for what this model does not have.
        """
        encoded = self.aslstm(
            input_ids,
            self._mask(input_ids, attention_mask),
            return_dict=True,
            inputs_embeds=inputs_embeds,
            token_type_ids=token_type_ids,
            output_attentions=output_attentions,
            output_hidden_states=output_hidden_states,
        )
        z = self.classifier(self.dropout(encoded.pooled_output))
        if self.bag_of_words is not None and input_ids is not None:
            is_token = counted_tokens(self.config, input_ids, self._mask(input_ids, attention_mask))
            z = z + self.bag_of_words(input_ids, is_token)
        loss = None if labels is None else self._loss(z.float(), labels)
        output = ASLSTMClassifierOutput(
            loss=loss,
            logits=self._decide(z),
            attention_weights=encoded.attention_weights,
            clause_attention_weights=encoded.clause_attention_weights,
            emoji_query=encoded.emoji_query,
        )
        return in_shape(output, self.config, return_dict)

    def _mask(self, input_ids: Tensor | None, attention_mask: Tensor | None) -> Tensor | None:
        """Return the mask of the tokens that are read."""
        return attention_mask

    def _loss(self, z: Tensor, labels: Tensor) -> Tensor:
        """Return the loss that ``problem_type`` asks for, or else the labels, as in the stock sequence classifiers."""
        config = self.config
        if config.problem_type is None and (self.num_labels == 1 or labels.is_floating_point()):
            # The config keeps it, because the pipeline turns the logits of each kind of problem into other scores.
            config.problem_type = "regression" if self.num_labels == 1 else "multi_label_classification"
        if config.problem_type not in PROBLEMS_WITHOUT_RULE:
            return nn.functional.cross_entropy(z, labels.view(-1))
        targets = labels.to(z.dtype).reshape(z.shape)
        regression = config.problem_type == "regression"
        return nn.functional.mse_loss(z, targets) if regression else nn.functional.binary_cross_entropy_with_logits(z, targets)

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

    def _mask(self, input_ids: Tensor | None, attention_mask: Tensor | None) -> Tensor | None:
        """Return the mask of the words: the emoji are to be predicted."""
        config = self.config
        if input_ids is None:
            return attention_mask
        end = config.emoji_token_offset + config.num_emoji_tokens
        is_emoji = (input_ids >= config.emoji_token_offset) & (input_ids < end)
        return counted_tokens(config, input_ids, attention_mask) & ~is_emoji
