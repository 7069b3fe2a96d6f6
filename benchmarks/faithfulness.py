"""Measures how well each kind of reason names the words and emoji that an answer depends on.

Run it as ``python -m benchmarks.faithfulness --model DIR --dataset nlpcc2014 --data_dir DIR``. Every kind ranks the words and
emoji of a post by how much they speak for the model's answer. Comprehensiveness is how far the probability of the answer falls
when the highest are left out, more being better; sufficiency is how far it falls when all others are, less being better
(DeYoung et al. 2020, ERASER, arXiv:1911.03429). Both are shown for 20 % of the entries, and as the mean over 1, 5, 10, 20 and
50 %. A share is rounded up to whole entries, and a post of which nothing is left is the empty text. The posts are those rows of
a split whose label is an emotion, and that have two entries or more.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
import torch
import transformers

from aslstm.commands.flags import CommandParser, add_settings, make_settings, run
from aslstm.data.corpora import SPLITS, CorpusSource, load_split
from aslstm.errors import UserError
from aslstm.prediction.classifier import Classifier, scores_of
from aslstm.prediction.torch_backend import TorchBackend
from modeling_aslstm.contributions_aslstm import Entry, entries_of_post, rows_without_entries
from modeling_aslstm.results_aslstm import FUSIONS_WITH_WEIGHTS, NEUTRAL_LABELS

SHARES = (0.01, 0.05, 0.1, 0.2, 0.5)
SHOWN_SHARE = 0.2
NUM_CHANCES = 5
NUM_PERMUTATIONS = 20
Scores = list[np.ndarray]


class Post(NamedTuple):
    """Holds a post as the model reads it: its ids, its words and emoji, and the number of the label that it gets."""

    ids: list[int]
    entries: list[Entry]
    answer: int


class Reader:
    """Reads rows of ids with the model of a classifier; each row is read once.

    Args:
        classifier: The classifier, with the backend torch.
    """

    def __init__(self, classifier: Classifier) -> None:
        self.classifier = classifier
        self.unk_token_id = classifier.encoder.unk_token_id

    def probabilities(self, rows: Sequence[Sequence[int]]) -> np.ndarray:
        """Return the probabilities (num_rows, num_labels) of rows of ids, an empty one being the empty text."""
        found = np.zeros((len(rows), len(self.classifier.label_names)))
        order = sorted(range(len(rows)), key=lambda i: -len(rows[i]))
        for start in range(0, len(order), self.classifier.batch_size):
            places = order[start : start + self.classifier.batch_size]
            batch = [rows[i] or [self.unk_token_id] for i in places]
            found[places] = scores_of(self.classifier.backend.run(batch)["logits"], self.classifier.config.problem_type)
        return found

    def log_odds(self, posts: Sequence[Post], kept: Sequence[Sequence[int]]) -> np.ndarray:
        """Return the log-odds (num_rows,) of the answer of each post when only the entries of these numbers are kept."""
        probabilities = self.probabilities([with_entries(post, numbers) for post, numbers in zip(posts, kept, strict=True)])
        of_answer = probabilities[np.arange(len(posts)), [post.answer for post in posts]].clip(1e-12, 1 - 1e-12)
        return np.log(of_answer) - np.log1p(-of_answer)


def with_entries(post: Post, numbers: Iterable[int]) -> list[int]:
    """Return the ids of the entries of these numbers, in the order of the text."""
    return [post.ids[i] for number in sorted(numbers) for i in post.entries[number].positions]


def read_posts(classifier: Classifier, texts: Sequence[str]) -> list[Post]:
    """Return the posts that have two entries or more."""
    encoder = classifier.encoder
    encoded = encoder.encode_with_offsets(texts, max_length=encoder.model_max_length)
    answers = Reader(classifier).probabilities([post.ids for post in encoded]).argmax(1).tolist()
    posts = [
        Post(post.ids, entries_of_post(post.spans, post.ids, classifier.config), answer)
        for post, answer in zip(encoded, answers, strict=True)
    ]
    return [post for post in posts if len(post.entries) > 1]


def sums_of_entries(post: Post, values: np.ndarray) -> np.ndarray:
    """Return for each entry the sum of the values of its tokens."""
    return np.array([values[list(entry.positions)].sum() for entry in post.entries])


def attention(reader: Reader, posts: Sequence[Post]) -> Scores:
    """Score entries by the weight that the emoji give to a word; an emoji has none."""
    run = reader.classifier.backend.run
    return [sums_of_entries(post, run([post.ids], ("attention_weights",))["attention_weights"][0]) for post in posts]


def marginals(reader: Reader, posts: Sequence[Post], *, alone: bool) -> Scores:
    """Score entries by the change of the log-odds when each is left out of the post, or is all that is left of it."""
    repeated = [post for post in posts for _ in post.entries]
    numbers = [(i, len(post.entries)) for post in posts for i in range(len(post.entries))]
    kept = [[i] if alone else [j for j in range(count) if j != i] for i, count in numbers]
    changes = reader.log_odds(repeated, kept)
    base = reader.log_odds(posts, [[] if alone else list(range(len(post.entries))) for post in posts])
    pieces = np.split(changes, np.cumsum([len(post.entries) for post in posts])[:-1])
    return [piece - start if alone else start - piece for piece, start in zip(pieces, base, strict=True)]


def leave_one_out(reader: Reader, posts: Sequence[Post]) -> Scores:
    """Score entries by what the post loses without each of them."""
    return marginals(reader, posts, alone=False)


def leave_one_in(reader: Reader, posts: Sequence[Post]) -> Scores:
    """Score entries by what each of them adds to the empty text."""
    return marginals(reader, posts, alone=True)


def mean_of_both(reader: Reader, posts: Sequence[Post]) -> Scores:
    """Score entries by the mean of the two above."""
    both = zip(leave_one_out(reader, posts), leave_one_in(reader, posts), strict=True)
    return [(out + alone) / 2 for out, alone in both]


def greedy(reader: Reader, posts: Sequence[Post]) -> Scores:
    """Score entries by when they are removed: in each step the one whose removal then costs the most."""
    left = [list(range(len(post.entries))) for post in posts]
    scores = [np.zeros(len(post.entries)) for post in posts]
    while any(left):
        steps = [(place, number) for place, numbers in enumerate(left) for number in numbers]
        kept = [[j for j in left[place] if j != number] for place, number in steps]
        found = reader.log_odds([posts[place] for place, _ in steps], kept)
        best: dict[int, tuple[float, int]] = {}
        for (place, number), value in zip(steps, found.tolist(), strict=True):
            best[place] = min(best.get(place, (math.inf, -1)), (value, number))
        for place, (_, number) in best.items():
            scores[place][number] = len(left[place])
            left[place].remove(number)
    return scores


def shapley(reader: Reader, posts: Sequence[Post]) -> Scores:
    """Score entries by the mean of what they add behind those before them, over random orders: sampled Shapley values."""
    generator = np.random.default_rng(0)
    scores = [np.zeros(len(post.entries)) for post in posts]
    for _ in range(NUM_PERMUTATIONS):
        orders = [generator.permutation(len(post.entries)).tolist() for post in posts]
        repeated = [post for post in posts for _ in range(len(post.entries) + 1)]
        kept = [order[:count] for order in orders for count in range(len(order) + 1)]
        found = reader.log_odds(repeated, kept)
        pieces = np.split(found, np.cumsum([len(order) + 1 for order in orders])[:-1])
        for score, order, piece in zip(scores, orders, pieces, strict=True):
            score[order] += np.diff(piece)
    return scores


def bag_of_words(reader: Reader, posts: Sequence[Post]) -> Scores:
    """Score entries by the scores that the bag of words has for them."""
    model = cast(TorchBackend, reader.classifier.backend).model
    table = model.bag_of_words.scores.weight.detach().numpy()
    return [sums_of_entries(post, table[post.ids, post.answer]) for post in posts]


def gradient_times_input(reader: Reader, posts: Sequence[Post]) -> Scores:
    """Score entries by the gradient of the log-odds by their vectors, times these; and by the bag of words in the same way."""
    model = cast(TorchBackend, reader.classifier.backend).model
    scores = []
    for post in posts:
        ids = torch.tensor([post.ids])
        vectors = model.get_input_embeddings()(ids).detach().requires_grad_()
        logits = model(input_ids=ids, inputs_embeds=vectors).logits[0]
        others = torch.cat([logits[: post.answer], logits[post.answer + 1 :]])
        (gradient,) = torch.autograd.grad(logits[post.answer] - others.logsumexp(0), vectors)
        scores.append(sums_of_entries(post, (gradient * vectors).sum(-1)[0].detach().numpy()))
    return scores


def chance(reader: Reader, posts: Sequence[Post]) -> Scores:
    """Score entries by random numbers."""
    generator = np.random.default_rng(0)
    return [generator.random(len(post.entries)) for post in posts]


KINDS: dict[str, Callable[[Reader, Sequence[Post]], Scores]] = {
    "attention": attention,
    "leave-one-out": leave_one_out,
    "leave-one-in": leave_one_in,
    "mean of both": mean_of_both,
    "greedy removal": greedy,
    "Shapley values": shapley,
    "bag of words": bag_of_words,
    "gradient x input": gradient_times_input,
    "chance": chance,
}


def falls(reader: Reader, posts: Sequence[Post], scores: Scores) -> np.ndarray:
    """Return (2, num_shares): the mean comprehensiveness and the mean sufficiency of scores, for each of SHARES."""
    orders = [np.argsort(-score, kind="stable").tolist() for score in scores]
    answers = [post.answer for post in posts]
    whole = reader.probabilities([post.ids for post in posts])[np.arange(len(posts)), answers]
    found = np.zeros((2, len(SHARES)))
    for column, share in enumerate(SHARES):
        counts = [math.ceil(share * len(order)) for order in orders]
        for row, kept in enumerate(
            ([order[n:] for order, n in zip(orders, counts)], [order[:n] for order, n in zip(orders, counts)])
        ):
            rows = [with_entries(post, numbers) for post, numbers in zip(posts, kept, strict=True)]
            found[row, column] = (whole - reader.probabilities(rows)[np.arange(len(posts)), answers]).mean()
    return found


def main() -> None:
    """Measure each kind of reason on the emotional posts of a split and print the table."""
    parser = CommandParser("faithfulness", "How well reasons name what an answer depends on.")
    parser.add_argument("--model", type=Path, required=True, help="a model folder")
    parser.add_argument("--split", choices=SPLITS, default="validation")
    parser.add_argument("--max_posts", type=int, default=400, help="how many posts are read at most, the first of the split")
    add_settings(parser, CorpusSource)
    arguments = parser.parse_args()
    transformers.utils.logging.disable_progress_bar()
    rows = load_split(make_settings(CorpusSource, arguments), arguments.split)
    texts = [row["text"] for row in rows if row["label"] not in NEUTRAL_LABELS][: arguments.max_posts]
    classifier = Classifier(arguments.model, backend="torch")
    reader = Reader(classifier)
    posts = read_posts(classifier, texts)
    print(f"{len(posts)} posts")
    for name, kind in KINDS.items():
        import time
        t = time.time()
        if name == "bag of words" and not classifier.config.use_bag_of_words: continue
        found = falls(reader, posts, kind(reader, posts))
        print(f"{name:<20}", found[0, 3].round(3), found[0].mean().round(3), found[1, 3].round(3), found[1].mean().round(3), round(time.time() - t, 1), flush=True)


if __name__ == "__main__":
    run(main)
