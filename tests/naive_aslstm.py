"""The five fusions one post at a time, written from the formulas of the design: the reference of the batched model."""

import torch
from torch import Tensor

from modeling_aslstm import ASLSTMForSequenceClassification


def run_lstm(model: ASLSTMForSequenceClassification, vectors: Tensor) -> tuple[Tensor, Tensor]:
    """All outputs (n, size) and the last state (size,) of one row without padding."""
    encoder = model.aslstm.encoder
    outputs, last = vectors, torch.zeros(encoder.output_size)
    for i, forward_layer in enumerate(encoder.forward_layers):
        ahead = forward_layer(outputs[None])[0][0]
        if len(encoder.backward_layers):
            back = encoder.backward_layers[i](outputs.flip(0)[None])[0][0]
            last = torch.cat([ahead[-1], back[-1]])
            outputs = torch.cat([ahead, back.flip(0)], dim=-1)
        else:
            last, outputs = ahead[-1], ahead
    return outputs, last


def score(layer: torch.nn.Module, key: Tensor, query: Tensor) -> Tensor:
    """S(k, q) = v · tanh(W_k k + W_q q + b)."""
    hidden = torch.tanh(layer.key.weight @ key + layer.key.bias + layer.query.weight @ query)
    return layer.score.weight[0] @ hidden


def clauses_of(ids: list[int], is_emoji: list[bool], ends: list[int]) -> list[list[int]]:
    """Positions of each clause."""
    clauses: list[list[int]] = [[]]
    has_word = False
    for i, token_id in enumerate(ids):
        plain = not is_emoji[i] and token_id not in ends
        if plain and has_word and (is_emoji[i - 1] or ids[i - 1] in ends):
            clauses.append([])
        has_word = has_word or plain
        clauses[-1].append(i)
    return clauses


def classify(model: ASLSTMForSequenceClassification, ids: list[int]) -> tuple[Tensor, list[float] | None]:
    """Logits (num_labels,) and the weight of every token of one post, None where the fusion has none."""
    config, base = model.config, model.aslstm
    end = config.emoji_token_offset + config.num_emoji_tokens
    is_emoji = [config.emoji_token_offset <= i < end for i in ids]
    vectors = base.word_embeddings.weight[torch.tensor(ids)]
    words = [i for i in range(len(ids)) if not is_emoji[i]]
    emoji = [i for i in range(len(ids)) if is_emoji[i]]
    query = vectors[emoji].mean(0) if emoji else base.no_emoji
    fused = torch.zeros(base.encoder.output_size)
    weights: list[float] | None = [0.0] * len(ids)
    if config.emoji_fusion == "none":
        fused, weights = (run_lstm(model, vectors[words])[1] if words else fused), None
    elif config.emoji_fusion == "concat":
        fused, weights = run_lstm(model, vectors[emoji + words])[1], None
    elif config.emoji_fusion == "context":
        choices = vectors[emoji] if emoji else base.no_emoji[None]
        mixed = []
        for i in words:
            alpha = torch.softmax(torch.stack([score(base.fusion.emoji_score, e, vectors[i]) for e in choices]), dim=0)
            mixed.append(torch.relu(base.fusion.mix(torch.cat([vectors[i], alpha @ choices]))))
        fused, weights = (run_lstm(model, torch.stack(mixed))[1] if words else fused), None
    elif words:
        hidden = run_lstm(model, vectors[words])[0]
        keys = hidden if config.attention_key == "hidden" else vectors[words]
        groups = [list(range(len(ids)))]
        if config.emoji_fusion == "hierarchical":
            groups = clauses_of(ids, is_emoji, config.clause_end_token_ids)
        groups = [group for group in groups if any(i in words for i in group)]
        group_vectors, group_weights = [], []
        for group in groups:
            own = [i for i in group if is_emoji[i]]
            own_query = query
            if config.emoji_fusion == "hierarchical":
                own_query = vectors[own].mean(0) if own else base.no_emoji
            places = [words.index(i) for i in group if i in words]
            alpha = torch.softmax(torch.stack([score(base.fusion.word_score, keys[p], own_query) for p in places]), dim=0)
            group_vectors.append(alpha @ hidden[places])
            group_weights.append({words[p]: a for p, a in zip(places, alpha, strict=True)})
        beta = torch.ones(1)
        if config.emoji_fusion == "hierarchical":
            beta = torch.softmax(torch.stack([score(base.fusion.clause_score, c, query) for c in group_vectors]), dim=0)
        fused = beta @ torch.stack(group_vectors)
        for share, group in zip(beta, group_weights, strict=True):
            for i, alpha_i in group.items():
                weights[i] = float(share * alpha_i)
    reads_query = config.emoji_fusion in ("context", "attention", "hierarchical")
    if reads_query and config.classifier_input == "attention_and_query":
        fused = torch.cat([fused, query])
    z = model.classifier.weight @ fused + model.classifier.bias
    if config.label_prior is not None:
        z = z + config.decision_prior_weight * torch.tensor(config.label_prior).log()
    return z / config.temperature, weights
