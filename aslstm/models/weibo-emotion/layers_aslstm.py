"""Takes vectors of tokens and gives vectors of posts: the LSTM encoder, the additive score, clauses, fusions and bag of words.

Each of the five fusions takes the vectors of a batch of posts (:class:`PostVectors`) and the encoder. It gives one vector for
each post, together with the weights that it gave to the words (:class:`FusedPosts`). In shapes, ``batch`` counts the posts and
``seq_len`` the tokens including padding.
"""

from functools import reduce
from typing import NamedTuple

import torch
from torch import Tensor, nn


class PostVectors(NamedTuple):
    """Holds a batch of posts; every tensor is in the order of ``placement``.

    Attributes:
        placement: The order of the tokens, of which the LSTM reads the first.
        tokens: The vectors of words and emoji, (batch, seq_len, embedding_size).
        is_word: Which tokens are neither emoji nor padding, (batch, seq_len) bool.
        is_emoji: Which tokens are emoji, (batch, seq_len) bool.
        clause_index: The number of each token's clause, counted from 0 within the post, (batch, seq_len) int64; None for a
            fusion that reads none.
        no_emoji: The query of a post or clause without emoji, (embedding_size,).
        query: The mean of the emoji of each post, or ``no_emoji``, (batch, embedding_size).
        keys: What :meth:`AdditiveScore.project_keys` makes of the tokens, (batch, seq_len, attention_size), where it is known
            beforehand, or None.
    """

    placement: "Placement"
    tokens: Tensor
    is_word: Tensor
    is_emoji: Tensor
    clause_index: Tensor | None
    no_emoji: Tensor
    query: Tensor
    keys: Tensor | None = None


class FusedPosts(NamedTuple):
    """Holds what a fusion computes for a batch.

    Attributes:
        pooled: The vector of each post, (batch, encoder output size); zeros for a post without words.
        hidden: The LSTM outputs in the order of the placement, (batch, seq_len, encoder output size); any numbers behind it.
        word_weights: The weights of the words, (batch, seq_len), or None. They sum to 1 in a post with words and are zero on
            emoji and padding.
        clause_weights: The weights of the clauses, (batch, seq_len), with clause k in column k, or None.
    """

    pooled: Tensor
    hidden: Tensor
    word_weights: Tensor | None = None
    clause_weights: Tensor | None = None


def masked_mean(vectors: Tensor, mask: Tensor, otherwise: Tensor) -> Tensor:
    """Return the mean over the true places of each row, or ``otherwise`` where a row has none.

    Args:
        vectors: The vectors, (batch, seq_len, size).
        mask: The places that count, (batch, seq_len) bool; a mask (batch, num_clauses, seq_len) gives a mean for each clause.
        otherwise: The vector for a row without true places, (size,).
    """
    weights = mask.to(vectors.dtype)
    count = weights.sum(-1, keepdim=True)
    total = (weights.unsqueeze(-2) @ vectors).squeeze(-2) if mask.dim() == 2 else weights @ vectors
    return torch.where(count > 0, total / count.clamp(min=1), otherwise.to(vectors.dtype))


def masked_max(vectors: Tensor, mask: Tensor) -> Tensor:
    """Return the largest value of each column over the true places of a row; zeros where there is none.

    Args:
        vectors: The vectors, (batch, seq_len, size).
        mask: The places that count, (batch, seq_len) bool.
    """
    # One number is added to a vector, because onnxruntime adds many times as fast as it fills by a mask.
    counts = mask.to(vectors.dtype)
    lowered = (counts - 1) * torch.finfo(vectors.dtype).max
    # The steps of an LSTM come first in memory, so the largest over steps is taken along the first axis.
    return (vectors.transpose(0, 1) + lowered.t()[:, :, None]).amax(0) * counts.amax(1, keepdim=True)


def masked_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """Return the softmax over the true places of the last axis; zeros where there is none, and never NaN."""
    scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    return torch.softmax(scores, dim=-1) * mask


def clause_indices(is_word: Tensor, is_emoji: Tensor, is_clause_end: Tensor) -> Tensor:
    """Number the clauses of each post; models and corpus selections share this one definition.

    A clause ends behind a run of closing punctuation and emoji, so "好累！[泪]" keeps its emoji; a run at the start of the post
    joins the clause that follows it.

    Args:
        is_word: Which tokens are words, including punctuation, (batch, seq_len) bool.
        is_emoji: Which tokens are emoji, (batch, seq_len) bool.
        is_clause_end: Which tokens are closing punctuation, (batch, seq_len) bool.

    Returns:
        The number of each token's clause, (batch, seq_len) int64; padding has the number of the last clause.

    >>> words = torch.tensor([[True, True, False, True]])  # 累 ！ [泪] 走
    >>> clause_indices(words, ~words, torch.tensor([[False, True, False, False]])).tolist()
    [[0, 0, 0, 1]]
    """
    is_plain = is_word & ~is_clause_end
    is_closer = is_emoji | (is_word & is_clause_end)
    seen_plain = is_plain.long().cumsum(1) > 0
    opens = is_plain[:, 1:] & is_closer[:, :-1] & seen_plain[:, :-1]
    return nn.functional.pad(opens.long(), (1, 0)).cumsum(1)


class Placement(NamedTuple):
    """Holds an order of each post's tokens (``order``, (batch, seq_len)) and how many of them count (``lengths``, (batch,))."""

    order: Tensor
    lengths: Tensor

    def mask(self) -> Tensor:
        """Return which places count, (batch, seq_len) bool."""
        return torch.arange(self.order.size(1), device=self.order.device) < self.lengths[:, None]

    def place(self, vectors: Tensor) -> Tensor:
        """Put vectors (batch, seq_len, size) or numbers (batch, seq_len) into this order."""
        return _take(vectors, self.order)

    def restore(self, vectors: Tensor) -> Tensor:
        """Put vectors or numbers of this order back into the order of the text."""
        if vectors.dim() == 2:
            return vectors.scatter(1, self.order, vectors)  # Every place is written.
        return _take(vectors, self.order.argsort(1))


def _take(vectors: Tensor, order: Tensor) -> Tensor:
    if vectors.dim() == 2:
        return vectors.gather(1, order)
    # One look-up moves whole rows; gather would move single numbers, each by an index of its own.
    first_rows = torch.arange(vectors.size(0), device=order.device)[:, None] * vectors.size(1)
    return nn.functional.embedding(order + first_rows, vectors.flatten(0, 1))


def place_first(*groups: Tensor) -> Placement:
    """Return the order with the first group's tokens in front, then the second's, then the rest, each in text order.

    Args:
        groups: The groups, each (batch, seq_len) bool; no token is in two of them.
    """
    seq_len = groups[0].size(1)
    rank = len(groups) - sum((len(groups) - i) * group.long() for i, group in enumerate(groups))
    # All keys are distinct, so that the sort need not be stable.
    keys = rank * seq_len + torch.arange(seq_len, device=groups[0].device)
    return Placement(keys.argsort(1), reduce(torch.add, (group.sum(1) for group in groups)))


class Dropout(nn.Dropout):
    """Acts as the stock layer does, with uniform numbers: on a CPU torch draws Bernoulli numbers singly, 12 % of a step."""

    def forward(self, inputs: Tensor) -> Tensor:
        """Zero each number with probability ``p`` in training and scale the others up."""
        if not self.training or self.p == 0:
            return inputs
        kept = torch.rand(inputs.shape, device=inputs.device) >= self.p
        return inputs * kept.to(inputs.dtype).div_(1 - self.p)


class EncodedWords(NamedTuple):
    """Holds LSTM outputs (batch, seq_len, size), any numbers behind the end, and last states (batch, size).

    The last state is zeros without words.
    """

    outputs: Tensor
    last: Tensor


class LSTMEncoder(nn.Module):
    """Reads tokens with a stacked LSTM whose results do not depend on padding.

    Each direction is an LSTM of its own; the backward one reads every row from its own last word. That equals a packed
    bidirectional ``nn.LSTM``, runs without lengths on the host, and exports to ONNX.
    """

    def __init__(self, *, input_size: int, hidden_size: int, num_layers: int, bidirectional: bool, dropout: float) -> None:
        super().__init__()
        self.output_size = hidden_size * (2 if bidirectional else 1)
        sizes = [input_size] + [self.output_size] * (num_layers - 1)
        self.forward_layers = nn.ModuleList(nn.LSTM(size, hidden_size, batch_first=True) for size in sizes)
        self.backward_layers = nn.ModuleList(
            nn.LSTM(size, hidden_size, batch_first=True) for size in (sizes if bidirectional else [])
        )
        self.dropout = Dropout(dropout)

    def forward(self, inputs: Tensor, placement: Placement) -> EncodedWords:
        """Encode ``inputs`` (batch, seq_len, input_size), of which the first ``placement.lengths`` of a row count."""
        mask = placement.mask()
        steps = torch.arange(inputs.size(1), device=inputs.device).expand(mask.shape)
        reverse = torch.where(mask, placement.lengths[:, None] - 1 - steps, steps)
        last_step = (placement.lengths - 1).clamp(min=0)[:, None]
        outputs, last = inputs, inputs[:, 0]
        for i, forward_layer in enumerate(self.forward_layers):
            layer_inputs = outputs if i == 0 else self.dropout(outputs)
            outputs, _ = forward_layer(layer_inputs)
            last = _take(outputs, last_step).squeeze(1)
            if self.backward_layers:
                backward, _ = self.backward_layers[i](_take(layer_inputs, reverse))
                last = torch.cat([last, _take(backward, last_step).squeeze(1)], dim=-1)
                outputs = torch.cat([outputs, _take(backward, reverse)], dim=-1)
        return EncodedWords(outputs, last * (placement.lengths > 0)[:, None])


class AdditiveScore(nn.Module):
    """Computes ``s(k, q) = v · tanh(N(W_k k) + N(W_q q))`` (Bahdanau et al. 2015, arXiv:1409.0473); N is a layer norm.

    A linear score of [k; q] would not work: softmax ignores what is added to all scores, so the query would cancel. Near zero
    tanh is linear, so the query almost cancels there as well: in trained models without N the weights hardly changed with the
    emoji. N, which has gain and bias, keeps both parts at a size where tanh bends (Ba et al. 2016, arXiv:1607.06450).
    """

    def __init__(self, *, key_size: int, query_size: int, attention_size: int) -> None:
        super().__init__()
        self.key = nn.Linear(key_size, attention_size, bias=False)
        self.query = nn.Linear(query_size, attention_size, bias=False)
        self.key_norm = nn.LayerNorm(attention_size)
        self.query_norm = nn.LayerNorm(attention_size)
        self.score = nn.Linear(attention_size, 1, bias=False)

    def project_keys(self, keys: Tensor) -> Tensor:
        """Return N(W_k k), (..., attention_size), of keys (..., key_size)."""
        return self.key_norm(self.key(keys))

    def forward(self, projected_keys: Tensor, queries: Tensor) -> Tensor:
        """Return scores (...) of projected keys (..., attention_size) against queries (..., query_size).

        The leading axes broadcast.
        """
        return self.score(torch.tanh(projected_keys + self.query_norm(self.query(queries)))).squeeze(-1)


def _projected_keys(posts: PostVectors, keys: Tensor, score: AdditiveScore) -> Tensor:
    return score.project_keys(keys) if posts.keys is None else posts.keys


class LastStateFusion(nn.Module):
    """Takes the last state of the LSTM over what stands first: a = last state of LSTM(x); zeros without words.

    Without emoji (``none``) these are the words; in ``concat`` the emoji stand in front of them, and have outputs too.
    """

    def forward(self, posts: PostVectors, encoder: LSTMEncoder) -> FusedPosts:
        """Fuse a batch."""
        encoded = encoder(posts.tokens, posts.placement)
        return FusedPosts(encoded.last, encoded.outputs)


class ContextFusion(nn.Module):
    """Lets every word look at the emoji before the LSTM reads it.

    α_tj = softmax_j s(e_j, x_t), c_t = Σ_j α_tj e_j, a = last state of LSTM(ReLU(W [x_t; c_t])). A post without emoji has
    the learned "no emoji" vector as its only emoji.
    """

    def __init__(self, *, embedding_size: int, attention_size: int) -> None:
        super().__init__()
        self.emoji_score = AdditiveScore(key_size=embedding_size, query_size=embedding_size, attention_size=attention_size)
        self.mix = nn.Linear(2 * embedding_size, embedding_size)

    def forward(self, posts: PostVectors, encoder: LSTMEncoder) -> FusedPosts:
        """Fuse a batch."""
        words = posts.tokens
        emoji_placement = place_first(posts.is_emoji)
        # All pairs of word and emoji are scored, so there are only as many columns as the post with most emoji has, but one at
        # least.
        num_emoji = emoji_placement.lengths.max().clamp(min=1)
        emoji_vectors = emoji_placement.place(posts.tokens)[:, :num_emoji]
        has_emoji = (emoji_placement.lengths > 0)[:, None, None]
        emoji_vectors = torch.where(has_emoji, emoji_vectors, posts.no_emoji.to(emoji_vectors.dtype))
        mask = torch.arange(emoji_vectors.size(1), device=words.device) < emoji_placement.lengths.clamp(min=1)[:, None]
        scores = self.emoji_score(self.emoji_score.project_keys(emoji_vectors)[:, None], words[:, :, None])
        contexts = masked_softmax(scores, mask[:, None]) @ emoji_vectors
        mixed = torch.relu(self.mix(torch.cat([words, contexts], dim=-1)))
        encoded = encoder(mixed, posts.placement)
        return FusedPosts(encoded.last, encoded.outputs)


class AttentionFusion(nn.Module):
    """Lets the emoji ask which words matter: α_t = softmax_t s(k_t, ē), a = Σ_t α_t h_t over the words.

    ē is the mean of the post's emoji; k_t is the word's vector x_t, or the LSTM output h_t (``key_is_hidden``).
    """

    def __init__(self, *, embedding_size: int, encoder_size: int, attention_size: int, key_is_hidden: bool) -> None:
        super().__init__()
        self.key_is_hidden = key_is_hidden
        key_size = encoder_size if key_is_hidden else embedding_size
        self.word_score = AdditiveScore(key_size=key_size, query_size=embedding_size, attention_size=attention_size)

    def forward(self, posts: PostVectors, encoder: LSTMEncoder) -> FusedPosts:
        """Fuse a batch."""
        hidden = encoder(posts.tokens, posts.placement).outputs
        keys = _projected_keys(posts, hidden if self.key_is_hidden else posts.tokens, self.word_score)
        weights = masked_softmax(self.word_score(keys, posts.query[:, None]), posts.is_word)
        pooled = (weights[:, None] @ hidden).squeeze(1)
        return FusedPosts(pooled, hidden, posts.placement.restore(weights))


class HierarchicalFusion(nn.Module):
    """Attends to the words inside each clause with the clause's own ē, then to the clauses.

    Clause vectors are scored against the post's ē; the weight of a word is its weight in the clause times the clause's weight.
    """

    def __init__(self, *, embedding_size: int, encoder_size: int, attention_size: int, key_is_hidden: bool) -> None:
        super().__init__()
        self.key_is_hidden = key_is_hidden
        key_size = encoder_size if key_is_hidden else embedding_size
        self.word_score = AdditiveScore(key_size=key_size, query_size=embedding_size, attention_size=attention_size)
        self.clause_score = AdditiveScore(key_size=encoder_size, query_size=embedding_size, attention_size=attention_size)

    def forward(self, posts: PostVectors, encoder: LSTMEncoder) -> FusedPosts:
        """Fuse a batch."""
        if posts.clause_index is None:
            raise ValueError("clause_index: expected the clauses of the tokens, found none")
        hidden = encoder(posts.tokens, posts.placement).outputs
        # There are only as many clauses as the post with most clauses has.
        num_clauses = posts.clause_index.max() + 1
        seq_len = posts.tokens.size(1)
        clauses = torch.arange(seq_len, device=hidden.device)[:num_clauses, None]
        # These masks (batch, clauses, seq_len) say which emoji and which words a clause has.
        is_of = posts.clause_index[:, None] == clauses
        emoji_of, words_of = is_of & posts.is_emoji[:, None], is_of & posts.is_word[:, None]
        clause_queries = masked_mean(posts.tokens, emoji_of, posts.no_emoji)
        keys = _projected_keys(posts, hidden if self.key_is_hidden else posts.tokens, self.word_score)
        scores = self.word_score(keys, _take(clause_queries, posts.clause_index))
        weights_in_clause = masked_softmax(scores[:, None].expand(words_of.shape), words_of)
        clause_vectors = weights_in_clause @ hidden
        clause_keys = self.clause_score.project_keys(clause_vectors)
        clause_weights = masked_softmax(self.clause_score(clause_keys, posts.query[:, None]), words_of.any(-1))
        pooled = (clause_weights[:, None] @ clause_vectors).squeeze(1)
        word_weights = (clause_weights[:, None] @ weights_in_clause).squeeze(1)
        clause_weights = nn.functional.pad(clause_weights, (0, seq_len - clause_weights.size(1)))
        return FusedPosts(pooled, hidden, posts.placement.restore(word_weights), clause_weights)


class BagOfWords(nn.Module):
    """Scores a post by its words and emoji without their order: their scores are added and divided by the post's norm.

    Args:
        vocab_size: The number of words and emoji.
        num_labels: The number of scores of each.
    """

    def __init__(self, vocab_size: int, num_labels: int) -> None:
        super().__init__()
        self.scores = nn.Embedding(vocab_size, num_labels)
        self.squared_norms = nn.Embedding(vocab_size, 1)

    def forward(self, input_ids: Tensor, is_token: Tensor) -> Tensor:
        """Return scores (batch, num_labels).

        Args:
            input_ids: The ids of words and emoji, (batch, seq_len) int64.
            is_token: Which places are no padding, (batch, seq_len) bool.
        """
        counts = is_token[..., None].to(self.scores.weight.dtype)
        squared_norm = (self.squared_norms(input_ids) * counts).sum(1)
        # A token that counts has a norm of 1 or more; a post without such tokens has scores of 0.
        return (self.scores(input_ids) * counts).sum(1) / squared_norm.clamp(min=1.0).sqrt()

    def resize(self, vocab_size: int) -> None:
        """Add tokens whose scores are 0, or remove the last ones."""
        for table in (self.scores, self.squared_norms):
            added = vocab_size - table.num_embeddings
            table.weight = nn.Parameter(nn.functional.pad(table.weight.detach(), (0, 0, 0, added)))
            table.num_embeddings = vocab_size
