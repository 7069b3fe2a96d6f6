"""Takes encoded rows and their labels and gives the weights of :class:`modeling_aslstm.layers_aslstm.BagOfWords`.

These are the scores that words and emoji have by themselves, from a logistic regression over tokens and their characters. The
weights that it learns for characters and pairs of characters are added up once for each token, so that a model only looks
them up. The regression makes other errors than an LSTM does, and both together are better than either (a linear model beside a
deep one: Cheng et al. 2016, arXiv:1606.07792; here they are trained separately, like the members of an ensemble).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import csr_matrix, diags
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from modeling_aslstm import ASLSTMForSequenceClassification
from modeling_aslstm.layers_aslstm import BagOfWords
from tokenization import ASLSTMTokenizer
from tokenization.vocabulary_files import PIECE_PREFIX

# A feature that occurs in one row only says nothing about others. The SVM of the baselines has the same limit.
MIN_ROWS = 2
INVERSE_REGULARIZATION = 2.0  # 1 and 4 are a little worse on the validation split of NLPCC 2014.
MAX_STEPS = 1000


def token_features(token: str) -> set[str]:
    """Return the features of a token: itself, its characters, pairs of neighbouring ones and the pieces of an emoji's name.

    A rare word shares characters with common ones. An emoji that training never showed is spelled in name pieces, which it
    shares with the emoji that training did show.

    >>> sorted(token_features("太开心"))
    ['太', '太开', '太开心', '开', '开心', '心']
    >>> sorted(token_features("[泪]")), sorted(token_features("##泪"))
    (['##泪', '[泪]', '泪'], ['##泪', '泪'])
    """
    is_code = token.startswith("[") and token.endswith("]")
    text = token[1:-1] if is_code else token.removeprefix(PIECE_PREFIX)
    pieces = [PIECE_PREFIX + character for character in text] if is_code else []
    return {token, *pieces, *text, *(text[i : i + 2] for i in range(len(text) - 1))}


@dataclass(frozen=True)
class TokenWeights:
    """Holds the weights of a regression, added up for each token.

    Attributes:
        scores: The score of each token for each label, (vocab_size, num_labels) float.
        squared_norms: The squared norm of each token's features, (vocab_size,) float; the scores of a post are divided by the
            root of the sum over its tokens.
        bias: The bias of each label, (num_labels,) float.
    """

    scores: np.ndarray
    squared_norms: np.ndarray
    bias: np.ndarray


def fit_token_weights(tokenizer: ASLSTMTokenizer, rows: Sequence[Sequence[int]], labels: np.ndarray) -> TokenWeights:
    """Fit the regression.

    Args:
        tokenizer: The tokenizer that made the ids.
        rows: The ids of each row.
        labels: The label of each row, (num_rows,) int; every label occurs.
    """
    special = set(tokenizer.all_special_tokens)
    # In the order of a set, which is another in every process, sums would be rounded otherwise, and the regression, which stops
    # when it hardly improves, would stop elsewhere: the same seed would give another model.
    vectorizer = CountVectorizer(analyzer=lambda token: [token] if token in special else sorted(token_features(token)))
    features = vectorizer.fit_transform(tokenizer.convert_ids_to_tokens(list(range(len(tokenizer)))))
    row_numbers = np.repeat(np.arange(len(rows)), [len(ids) for ids in rows])
    places = (row_numbers, np.concatenate([np.asarray(ids, dtype=int) for ids in rows]))
    tokens = csr_matrix((np.ones(len(row_numbers)), places), shape=(len(rows), len(tokenizer)))
    counts = tokens @ features
    num_rows = np.bincount(counts.indices, minlength=counts.shape[1])
    # These are scikit-learn's inverse document frequencies, except that rare features weigh nothing.
    weights = np.where(num_rows < MIN_ROWS, 0.0, np.log((1 + len(rows)) / (1 + num_rows)) + 1.0)
    squared_norms = features @ weights**2
    norms = np.sqrt(np.maximum(tokens @ squared_norms, 1.0))
    regression = LogisticRegression(C=INVERSE_REGULARIZATION, max_iter=MAX_STEPS)
    regression.fit(diags(1 / norms) @ counts @ diags(weights), labels)
    coefficients, bias = regression.coef_, regression.intercept_
    if len(coefficients) == 1:  # For two labels scikit-learn gives the scores of the second only.
        coefficients, bias = np.concatenate([-coefficients, coefficients]) / 2, np.concatenate([-bias, bias]) / 2
    return TokenWeights(features @ (weights[:, None] * coefficients.T), squared_norms, bias)


@torch.no_grad()
def add_bag_of_words(
    model: ASLSTMForSequenceClassification,
    tokenizer: ASLSTMTokenizer,
    rows: Sequence[Sequence[int]],
    labels: np.ndarray,
    *,
    weight: float,
    logit_adjustment: float,
) -> None:
    """Fit a bag of words beside a trained model and put it into the model, in place.

    Args:
        model: The trained model, whose logits leave out ``logit_adjustment`` times the log label shares.
        tokenizer: The tokenizer of the model, which made the ids.
        rows: The ids of each training row.
        labels: The label of each row, (num_rows,) int; every label occurs.
        weight: The weight of the bag of words; that of the model is ``1 - weight``.
        logit_adjustment: How much of the log label shares the scores of the bag of words leave out too.
    """
    fitted = fit_token_weights(tokenizer, rows, labels)
    bag_of_words = BagOfWords(len(tokenizer), len(fitted.bias))
    bag_of_words.scores.weight.copy_(torch.from_numpy(weight * fitted.scores))
    bag_of_words.squared_norms.weight.copy_(torch.from_numpy(fitted.squared_norms[:, None]))
    if model.config.emoji_fusion == "none":  # Such a model reads no emoji.
        emoji = slice(tokenizer.emoji_token_offset, tokenizer.emoji_token_offset + tokenizer.num_emoji_tokens)
        for table in (bag_of_words.scores, bag_of_words.squared_norms):
            table.weight[emoji] = 0.0
    bias = torch.from_numpy(fitted.bias - logit_adjustment * np.log(np.bincount(labels) / len(labels)))
    model.classifier.weight.mul_(1 - weight)
    model.classifier.bias.mul_(1 - weight).add_(weight * bias.to(model.classifier.bias))
    model.bag_of_words = bag_of_words.to(model.device)
    model.config.use_bag_of_words = True
