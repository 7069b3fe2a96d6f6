"""The scores that words and emoji have by themselves: a logistic regression over tokens and their characters.

Takes encoded rows and their labels, gives the weights of :class:`modeling_aslstm.layers_aslstm.BagOfWords`: what the regression
learns of characters and of pairs of them is added up for each token once, so that a model only looks it up. It errs in other
places than an LSTM does, and both together are better than either (a linear model beside a deep one: Cheng et al. 2016,
arXiv:1606.07792; here they are trained apart, as the members of an ensemble are).
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

# As the SVM of the baselines has it: a feature of one row says nothing of others.
MIN_ROWS = 2
INVERSE_REGULARIZATION = 2.0  # on the validation split of NLPCC 2014, 1 and 4 are a little worse
MAX_STEPS = 1000


def token_features(token: str) -> set[str]:
    """What the regression knows of a token: itself, its characters, pairs of neighbouring ones, the pieces of an emoji's name.

    A rare word shares characters with common ones, and an emoji that training never showed, which is spelled in name pieces,
    shares these with the emoji that it did show.

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
    """A regression, added up for each token.

    Attributes:
        scores: (vocab_size, num_labels) float.
        squared_norms: (vocab_size,) float; a post's scores are divided by the root of their sum.
        bias: (num_labels,) float.
    """

    scores: np.ndarray
    squared_norms: np.ndarray
    bias: np.ndarray


def fit_token_weights(tokenizer: ASLSTMTokenizer, rows: Sequence[Sequence[int]], labels: np.ndarray) -> TokenWeights:
    """Fit the regression.

    Args:
        tokenizer: made the ids.
        rows: ids of each row.
        labels: (num_rows,) int, every label among them.
    """
    special = set(tokenizer.all_special_tokens)
    vectorizer = CountVectorizer(analyzer=lambda token: {token} if token in special else token_features(token))
    features = vectorizer.fit_transform(tokenizer.convert_ids_to_tokens(list(range(len(tokenizer)))))
    row_numbers = np.repeat(np.arange(len(rows)), [len(ids) for ids in rows])
    places = (row_numbers, np.concatenate([np.asarray(ids, dtype=int) for ids in rows]))
    tokens = csr_matrix((np.ones(len(row_numbers)), places), shape=(len(rows), len(tokenizer)))
    counts = tokens @ features
    num_rows = np.bincount(counts.indices, minlength=counts.shape[1])
    # Inverse document frequencies as scikit-learn has them; rare features weigh nothing.
    weights = np.where(num_rows < MIN_ROWS, 0.0, np.log((1 + len(rows)) / (1 + num_rows)) + 1.0)
    squared_norms = features @ weights**2
    norms = np.sqrt(np.maximum(tokens @ squared_norms, 1.0))
    regression = LogisticRegression(C=INVERSE_REGULARIZATION, max_iter=MAX_STEPS)
    regression.fit(diags(1 / norms) @ counts @ diags(weights), labels)
    coefficients, bias = regression.coef_, regression.intercept_
    if len(coefficients) == 1:  # two labels: scores of the second
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
        model: trained, its logits without ``logit_adjustment`` times the log label shares.
        tokenizer: of the model; it made the ids.
        rows: ids of each training row.
        labels: (num_rows,) int, every label among them.
        weight: of the bag of words; that of the model is ``1 - weight``.
        logit_adjustment: how much of the log label shares the bag of words leaves out too.
    """
    fitted = fit_token_weights(tokenizer, rows, labels)
    bag_of_words = BagOfWords(len(tokenizer), len(fitted.bias))
    bag_of_words.scores.weight.copy_(torch.from_numpy(weight * fitted.scores))
    bag_of_words.squared_norms.weight.copy_(torch.from_numpy(fitted.squared_norms[:, None]))
    if model.config.emoji_fusion == "none":  # which reads no emoji
        emoji = slice(tokenizer.emoji_token_offset, tokenizer.emoji_token_offset + tokenizer.num_emoji_tokens)
        for table in (bag_of_words.scores, bag_of_words.squared_norms):
            table.weight[emoji] = 0.0
    bias = torch.from_numpy(fitted.bias - logit_adjustment * np.log(np.bincount(labels) / len(labels)))
    model.classifier.weight.mul_(1 - weight)
    model.classifier.bias.mul_(1 - weight).add_(weight * bias.to(model.classifier.bias))
    model.bag_of_words = bag_of_words.to(model.device)
    model.config.use_bag_of_words = True
