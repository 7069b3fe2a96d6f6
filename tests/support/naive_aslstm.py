"""Computes the five fusions one post at a time from the formulas of the design; the batched model is compared with it."""

import torch
from torch import Tensor

from modeling_aslstm import ASLSTMForSequenceClassification


def run_lstm(model: ASLSTMForSequenceClassification, vectors: Tensor) -> tuple[Tensor, Tensor]:
    """Return all outputs (n, size) and the last state (size,) of one row without padding."""
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
    """Return S(k, q) = v · tanh(N(W_k k) + N(W_q q)), where N makes the mean 0 and the variance 1 and applies gain and bias."""
    parts = []
    for linear, norm, vector in ((layer.key, layer.key_norm, key), (layer.query, layer.query_norm, query)):
        x = linear.weight @ vector
        x = (x - x.mean()) / (x.var(unbiased=False) + norm.eps).sqrt()
        parts.append(norm.weight * x + norm.bias)
    return layer.score.weight[0] @ torch.tanh(parts[0] + parts[1])


def clauses_of(ids: list[int], is_emoji: list[bool], ends: list[int]) -> list[list[int]]:
    """Return the positions of each clause."""
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
    """Return the logits (num_labels,) and the weight of every token of one post, None if the fusion has no weights."""
    config, base = model.config, model.aslstm
    end = config.emoji_token_offset + config.num_emoji_tokens
    is_emoji = [config.emoji_token_offset <= i < end for i in ids]
    vectors = base.word_embeddings.weight[torch.tensor(ids)]
    outputs = torch.zeros(0, base.encoder.output_size)
    words = [i for i in range(len(ids)) if not is_emoji[i]]
    emoji = [i for i in range(len(ids)) if is_emoji[i]]
    query = vectors[emoji].mean(0) if emoji else base.no_emoji
    fused = torch.zeros(base.encoder.output_size)
    weights: list[float] | None = [0.0] * len(ids)
    if config.emoji_fusion == "none":
        if words:
            outputs, fused = run_lstm(model, vectors[words])
        weights = None
    elif config.emoji_fusion == "concat":
        outputs, fused = run_lstm(model, vectors[emoji + words])
        outputs, weights = outputs[len(emoji) :], None
    elif config.emoji_fusion == "context":
        choices = vectors[emoji] if emoji else base.no_emoji[None]
        mixed = []
        for i in words:
            alpha = torch.softmax(torch.stack([score(base.fusion.emoji_score, e, vectors[i]) for e in choices]), dim=0)
            mixed.append(torch.relu(base.fusion.mix(torch.cat([vectors[i], alpha @ choices]))))
        if words:
            outputs, fused = run_lstm(model, torch.stack(mixed))
        weights = None
    elif words:
        hidden = outputs = run_lstm(model, vectors[words])[0]
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
    if config.use_max_pooling:
        largest = torch.stack([column.max() for column in outputs.T]) if len(outputs) else torch.zeros_like(fused)
        fused = torch.cat([fused, largest])
    reads_query = config.emoji_fusion in ("context", "attention", "hierarchical")
    if reads_query and config.classifier_input == "attention_and_query":
        fused = torch.cat([fused, query])
    z = model.classifier.weight @ fused + model.classifier.bias
    if model.bag_of_words is not None:
        scores = sum((model.bag_of_words.scores.weight[i] for i in ids), torch.zeros_like(z))
        squared_norm = sum(float(model.bag_of_words.squared_norms.weight[i]) for i in ids)
        z = z + scores / max(1.0, squared_norm) ** 0.5
    if config.label_prior is not None:
        z = z + config.decision_prior_weight * torch.tensor(config.label_prior).log()
    return z / config.temperature, weights
