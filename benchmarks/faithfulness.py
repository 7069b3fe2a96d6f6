"""Measures how well each kind of reason names the words and emoji that an answer depends on.

Run it as ``python -m benchmarks.faithfulness --model DIR --dataset nlpcc2014 --data_dir DIR``. Every kind ranks the words and
emoji of a post by how much they speak for the model's answer. Comprehensiveness is how far the probability of the answer falls
when the highest are left out, more being better; sufficiency is how far it falls when all others are, less being better
(DeYoung et al. 2020, ERASER, arXiv:1911.03429). Both are shown for 20 % of the entries, and as the mean over 1, 5, 10, 20 and
50 %. A share is rounded up to whole entries, and a post of which nothing is left is the empty text. The posts are those rows of
a split whose label is an emotion, and that have two words and emoji or more.

"leave-one-out" is what ``Classifier.answers(…, contributions=True)`` gives. Log-odds and log-probability rank its words alike,
because both rise with the probability of the answer.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple, cast

import numpy as np
import torch
import transformers

from aslstm.commands.flags import CommandParser, add_settings, make_settings, run
from aslstm.data.corpora import SPLITS, CorpusSource, load_split
from aslstm.errors import UserError
from aslstm.prediction.answers import scores_of
from aslstm.prediction.classifier import Classifier
from aslstm.prediction.torch_backend import TorchBackend
from modeling_aslstm.contributions_aslstm import Entry, entries_of_post
from modeling_aslstm.results_aslstm import FUSIONS_WITH_WEIGHTS, NEUTRAL_LABELS

SHARES = (0.01, 0.05, 0.1, 0.2, 0.5)
SHOWN_SHARE = 0.2
NUM_ORDERS = 20
Scores = list[np.ndarray]


class Post(NamedTuple):
    """Holds a post: its text, its ids, its words and emoji, and the number of the label that the model gives it."""

    text: str
    ids: list[int]
    entries: list[Entry]
    answer: int


class Reader:
    """Reads rows of ids with the model of a classifier.

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
        Post(text, post.ids, entries_of_post(post.spans, post.ids, classifier.config), answer)
        for text, post, answer in zip(texts, encoded, answers, strict=True)
    ]
    return [post for post in posts if len(post.entries) > 1]


def sums_of_entries(post: Post, values: np.ndarray) -> np.ndarray:
    """Return for each entry the sum of the values of its tokens."""
    return np.array([values[list(entry.positions)].sum() for entry in post.entries])


def attention(reader: Reader, posts: Sequence[Post]) -> Scores:
    """Score entries by the weight that the emoji give to a word; an emoji has none."""
    run = reader.classifier.backend.run
    return [sums_of_entries(post, run([post.ids], ("attention_weights",))["attention_weights"][0]) for post in posts]


def leave_one_out(reader: Reader, posts: Sequence[Post]) -> Scores:
    """Score entries by what the log-odds lose without each of them: the contributions that users see."""
    answers = reader.classifier.answers([post.text for post in posts], contributions=True)
    labels = [reader.classifier.label_names[post.answer] for post in posts]
    return [
        np.array([entry["contributions"][label] for entry in answer.contributions or ()])
        for answer, label in zip(answers, labels, strict=True)
    ]


def leave_one_in(reader: Reader, posts: Sequence[Post]) -> Scores:
    """Score entries by what each of them alone adds to the log-odds of the empty text."""
    counts = [len(post.entries) for post in posts]
    alone = reader.log_odds([post for post in posts for _ in post.entries], [[i] for count in counts for i in range(count)])
    empty = reader.log_odds(posts, [[] for _ in posts])
    pieces = np.split(alone, np.cumsum(counts)[:-1])
    return [piece - nothing for piece, nothing in zip(pieces, empty, strict=True)]


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
    for _ in range(NUM_ORDERS):
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
    bag = cast(TorchBackend, reader.classifier.backend).model.bag_of_words
    if bag is None:
        raise UserError("bag of words: expected a model that has one, found none")
    table = bag.scores.weight.detach().numpy()
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
    "mean of these two": mean_of_both,
    "greedy removal": greedy,
    "Shapley values": shapley,
    "bag of words": bag_of_words,
    "gradient x input": gradient_times_input,
    "chance": chance,
}


def kinds_of(config: SimpleNamespace) -> list[str]:
    """Return the kinds of reasons that a model can give."""
    missing = {"attention"} if config.emoji_fusion not in FUSIONS_WITH_WEIGHTS else set()
    missing |= set() if getattr(config, "use_bag_of_words", False) else {"bag of words"}
    return [name for name in KINDS if name not in missing]


def falls(reader: Reader, posts: Sequence[Post], scores: Scores) -> np.ndarray:
    """Return (2, num_shares): the mean comprehensiveness and the mean sufficiency of scores, for each of SHARES."""
    orders = [np.argsort(-score, kind="stable").tolist() for score in scores]
    answers = [post.answer for post in posts]

    def of_answers(rows: list[list[int]]) -> np.ndarray:
        return reader.probabilities(rows)[np.arange(len(posts)), answers]

    whole = of_answers([post.ids for post in posts])
    found = np.zeros((2, len(SHARES)))
    for column, share in enumerate(SHARES):
        counts = [math.ceil(share * len(order)) for order in orders]
        triples = list(zip(posts, orders, counts, strict=True))
        found[0, column] = (whole - of_answers([with_entries(post, order[n:]) for post, order, n in triples])).mean()
        found[1, column] = (whole - of_answers([with_entries(post, order[:n]) for post, order, n in triples])).mean()
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
    if not posts:
        raise UserError(f"--split {arguments.split}: expected emotional posts of two words or more, found none; choose another")
    entries = sum(len(post.entries) for post in posts) / len(posts)
    print(f"{len(posts)} emotional posts of {arguments.split}, {entries:.1f} words and emoji each")
    print(f"{'':<19}{'comprehensiveness (more is better)':>36}{'sufficiency (less is better)':>36}")
    print(f"{'reason':<19}" + f"{f'{SHOWN_SHARE:.0%}':>18}{'mean of shares':>18}" * 2)
    for name in kinds_of(classifier.config):
        found = falls(reader, posts, KINDS[name](reader, posts))
        columns = [value for row in found for value in (row[SHARES.index(SHOWN_SHARE)], row.mean())]
        print(f"{name:<19}" + "".join(f"{value:>18.3f}" for value in columns), flush=True)


if __name__ == "__main__":
    run(main)
