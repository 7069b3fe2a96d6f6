"""Measures how fast posts are encoded and answered beside what a user would pick instead; each figure is a ratio in one run."""

import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, pairwise
from pathlib import Path

import jieba
import numpy as np
import rjieba
import torch
from transformers import BertConfig, BertForSequenceClassification

from aslstm.data.corpora import CorpusSource, load_split
from aslstm.errors import UserError
from aslstm.metrics import compute_metrics
from aslstm.prediction.classifier import Classifier
from benchmarks.measuring import Result, seconds_of_each
from tokenization import ASLSTMTokenizer
from tokenization.word_segmentation import WordSegmenter

NUM_THREADS = 2
BATCH_SIZE = 256
BERT_BATCH_SIZE = 64
# BERT reads a few posts per second, so it gets only the first of them. The ratio compares posts per second.
NUM_BERT_POSTS = 128
BERT_VOCABULARY = 21_128  # This is the size of the vocabulary of bert-base-chinese.
LENGTHS = (10, 100, 1_000, 10_000)
# So many ids are read at once for each of the lengths, so that all of them have the same work.
IDS_AT_ONCE = 20_000
OTHERS = {  # The figures that must be reached and that are aimed for beside each.
    "jionlp": (1.0, 2.0),
    "pysenti": (13.0, 20.0),
    "SnowNLP": (130.0, 200.0),
    "BERT-base": (2_500.0, 4_000.0),
    "fastText": (0.5, 1.0),
}


class Bert:
    """Classifies posts with a BERT-base of random weights, which is as fast as a trained one; a Chinese character is a token.

    Args:
        posts: The posts, of which only the lengths matter.
    """

    def __init__(self, posts: list[str]) -> None:
        self.model = BertForSequenceClassification(BertConfig(vocab_size=BERT_VOCABULARY)).eval()
        self.lengths = sorted((min(len(post) + 2, 512) for post in posts), reverse=True)

    @torch.inference_mode()
    def classify(self, batch_size: int = BERT_BATCH_SIZE) -> None:
        """Classify every post once, in batches of similar length."""
        for start in range(0, len(self.lengths), batch_size):
            lengths = torch.tensor(self.lengths[start : start + batch_size])
            mask = torch.arange(int(lengths.max())) < lengths[:, None]
            self.model(input_ids=torch.randint(BERT_VOCABULARY, mask.shape), attention_mask=mask.long()).logits.argmax(1)


class FastText:
    """Classifies posts with fastText's supervised model, trained on the words of NLPCC 2014 that rjieba cuts.

    Args:
        data_dir: The folder of NLPCC 2014, or one that contains it.
    """

    def __init__(self, data_dir: Path) -> None:
        # Imported here and not above: only this row needs it.
        import fasttext

        train = load_split(CorpusSource("nlpcc2014", data_dir), "train")
        with tempfile.TemporaryDirectory() as folder:
            lines = Path(folder, "train.txt")
            written = (f"__label__{row['label']} {self._words(row['text'])}\n" for row in train)
            lines.write_text("".join(written), encoding="utf-8")
            self.model = fasttext.train_supervised(input=str(lines), verbose=0, thread=NUM_THREADS)

    def classify(self, posts: list[str]) -> object:
        """Return the label of each post."""
        return self.model.predict([self._words(post) for post in posts])

    def _words(self, post: str) -> str:
        return " ".join(rjieba.cut(post)).replace("\n", " ")


def rust_classifier(folder: Path, num_threads: int = NUM_THREADS) -> Classifier:
    """Return the classifier of the int8 graph whose encoder cuts with rjieba, whatever the folder names."""
    classifier = Classifier(folder, backend="onnx", batch_size=BATCH_SIZE, num_threads=num_threads)
    classifier.encoder = ASLSTMTokenizer.from_pretrained(folder, segmenter="rjieba").post_encoder
    return classifier


def label_all(classifier: Classifier, posts: list[str]) -> list[str]:
    """Return the label of each post."""
    return [classifier.label_names[i] for i in classifier.predict(posts).argmax(axis=1).tolist()]


def measure_encoding(folder: Path, posts: list[str], data_dir: Path) -> Iterator[Result]:
    """Measure encoding of texts to lists of ids and to padded tensors, compared with ``jieba.lcut`` alone, on one core.

    The bound is that of cutting alone, by the same segmenter.
    """
    raw, ours = jieba.Tokenizer(), WordSegmenter()
    python, rust = (ASLSTMTokenizer.from_pretrained(folder, segmenter=name) for name in ("jieba", "rjieba"))
    batches = [posts[i : i + 1000] for i in range(0, len(posts), 1000)]
    ways: dict[str, Callable[[], object]] = {
        "raw": lambda: [raw.lcut(post) for post in posts],
        "raw, Rust": lambda: [rjieba.cut(post) for post in posts],
        "ours": lambda: [ours.cut_roughly(post) for post in posts],
        "jieba": lambda: [python.encode_batch(batch) for batch in batches],
        "rjieba": lambda: [rust.encode_batch(batch) for batch in batches],
        "tensors": lambda: [rust(batch, padding=True, return_tensors="pt") for batch in batches],
    }
    seconds = seconds_of_each(ways)
    best = seconds["raw"] / seconds["raw, Rust"]
    yield Result("encode, rjieba, beside raw jieba.lcut", seconds["raw"] / seconds["rjieba"], 6.0, bound=best)
    title = "encode, jieba, beside raw jieba.lcut"
    yield Result(title, seconds["raw"] / seconds["jieba"], 0.9, bound=seconds["raw"] / seconds["ours"])
    yield Result("padded tensors, beside encode (rjieba)", seconds["rjieba"] / seconds["tensors"], 0.6, bound=1.0)


def measure_inference(folder: Path, posts: list[str], data_dir: Path) -> Iterator[Result]:
    """Measure the posts per second from raw text to label.

    The bound of the int8 rows is the figure if encoding and the graph took the time that they take alone on one thread, shared
    by both threads, and nothing else took any. That of the torch row counts encoding by jieba alone, which needs the
    interpreter all the time.
    """
    import jionlp
    import pysenti
    import snownlp

    bert, rules, lexicon = Bert(posts[:NUM_BERT_POSTS]), pysenti.RuleClassifier(), jionlp.sentiment.LexiconSentiment()
    fast = FastText(data_dir)
    onnx, alone = rust_classifier(folder), rust_classifier(folder, num_threads=1)
    in_torch = Classifier(folder, backend="torch", batch_size=BATCH_SIZE, num_threads=NUM_THREADS)
    python = ASLSTMTokenizer.from_pretrained(folder, segmenter="jieba").post_encoder
    in_torch.encoder = python
    rows = sorted(alone.encoder.encode_batch(posts, max_length=512), key=len)
    batches = [rows[i : i + BATCH_SIZE] for i in range(0, len(rows), BATCH_SIZE)]
    few = posts[: max(1, len(posts) // 8)]
    seconds = seconds_of_each(
        {
            "int8": lambda: label_all(onnx, posts),
            "torch": lambda: label_all(in_torch, posts),
            "encoding": lambda: alone.encoder.encode_batch(posts, max_length=512),
            "encoding, jieba": lambda: python.encode_batch(posts, max_length=512),
            "graph": lambda: [alone.backend.run(batch) for batch in batches],
            "BERT-base": bert.classify,
            "SnowNLP": lambda: [snownlp.SnowNLP(post).sentiments for post in few if post.strip()],
            "pysenti": lambda: [rules.classify(post) for post in posts],
            "jionlp": lambda: [lexicon(post) for post in posts],
            "fastText": lambda: fast.classify(posts),
        }
    )
    seconds["BERT-base"] *= len(posts) / len(bert.lengths)
    seconds["SnowNLP"] *= len(posts) / len(few)
    best = (seconds["encoding"] + seconds["graph"]) / NUM_THREADS
    for other, (target, aim) in OTHERS.items():
        title = f"raw text to label, int8 ONNX and rjieba, beside {other}"
        yield Result(title, seconds[other] / seconds["int8"], target, aim=aim, bound=seconds[other] / best)
    title = "raw text to label, torch and jieba, beside SnowNLP"
    best_torch = seconds["SnowNLP"] / seconds["encoding, jieba"]
    yield Result(title, seconds["SnowNLP"] / seconds["torch"], 20.0, aim=30.0, bound=best_torch)
    for name, ours in (("int8 ONNX and rjieba", "int8"), ("torch and jieba", "torch")):
        yield Result(f"raw text to label, {name}, posts a second", len(posts) / seconds[ours])
    for name in ("encoding", "graph"):
        yield Result(f"{name} alone on one thread, posts a second", len(posts) / seconds[name])


def measure_latency(folder: Path, posts: list[str], data_dir: Path) -> Iterator[Result]:
    """Measure the seconds of one post, compared with BERT-base; the first posts only warm up.

    The bound is the graph alone. Both come after BERT-base, whose weights then fill the caches: without it a post takes a
    fifth of the time.
    """
    onnx, bert = rust_classifier(folder), Bert(posts)
    ours, berts, graph = [], [], []
    for post in posts[:5] + posts:
        bert.lengths = [min(len(post) + 2, 512)]
        berts.append(_seconds(bert.classify))
        ours.append(_seconds(partial(label_all, onnx, [post])))
        (row,) = onnx.encoder.encode_batch([post], max_length=512)
        bert.classify()
        graph.append(_seconds(partial(onnx.backend.run, [row])))
    for share in (50, 99):
        whole, best = (float(np.percentile(part[5:], share) / np.percentile(berts[5:], share)) for part in (ours, graph))
        yield Result(f"latency of one post, p{share}", whole, 0.008, True, 0.004, best)


def measure_growth(folder: Path, posts: list[str], data_dir: Path) -> Iterator[Result]:
    """Measure the time for 8 times the rows compared with 8 times the time, and the same for the length of a post.

    The bound is 1, the time that grows as the work does.
    """
    onnx = rust_classifier(folder)
    seconds = seconds_of_each({str(n): partial(onnx.predict, posts * n) for n in (1, 8)})
    yield Result("8 x the rows, time beside 8 x", seconds["8"] / (8 * seconds["1"]), 1.1, True, bound=1.0)
    ids = list(chain.from_iterable(onnx.encoder.encode_batch(posts)))
    seconds = seconds_of_each({str(n): partial(onnx.backend.run, _rows_of(ids, n)) for n in LENGTHS})
    for short, long in pairwise(LENGTHS):
        title = f"posts of {long} tokens, time per token beside that of {short}"
        yield Result(title, seconds[str(long)] / seconds[str(short)], 1.05, True, bound=1.0)


def measure_loss(folder: Path, posts: list[str], data_dir: Path) -> Iterator[Result]:
    """Measure the macro-F1 on validation of NLPCC 2014 that int8 and rjieba lose beside the weights in torch and jieba.

    The bound is 0, the same answers.
    """
    rows = load_split(CorpusSource("nlpcc2014", data_dir), "validation")
    exact, fast = Classifier(folder, backend="torch"), rust_classifier(folder)
    names = sorted(set(rows["label"]))
    if sorted(exact.label_names) != names:
        raise UserError(f"{folder}: expected a model of the labels {', '.join(names)}, found others; leave out --only loss")
    gold = np.array([names.index(label) for label in rows["label"]])
    scores = []
    for classifier in (exact, fast):
        given = np.array([names.index(label) for label in label_all(classifier, rows["text"][:])])
        scores.append(compute_metrics(gold, given, names)["macro_f1"])
    yield Result("macro-F1 lost on validation by int8 and rjieba", scores[0] - scores[1], 0.003, True, 0.0, 0.0)


def _rows_of(ids: list[int], length: int) -> list[list[int]]:
    rows: list[list[int]] = np.resize(ids, (IDS_AT_ONCE // length, length)).tolist()
    return rows


def _seconds(way: Callable[[], object]) -> float:
    start = time.perf_counter()
    way()
    return time.perf_counter() - start
