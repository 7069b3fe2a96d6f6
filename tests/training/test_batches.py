import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator
from accelerate.data_loader import prepare_data_loader
from datasets import Dataset

from aslstm.training.batches import Collator, LengthBucketSampler, encode_rows
from aslstm.training.steps import make_loader
from aslstm.words.vocabulary import Vocabulary, build_tokenizer, build_vocabulary
from tests.support.commands import ROOT, TEXTS
from tokenization import ASLSTMTokenizer

CODE_TEXT = "今天又加班[太开心]真的[泪]好累😂"


def random_lengths(count: int, seed: int = 0) -> list[int]:
    chooser = random.Random(seed)
    return [min(1 + int(chooser.expovariate(0.1)), 200) for _ in range(count)]


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize(("count", "batch_size"), [(1, 8), (7, 8), (8, 8), (1001, 8), (430, 4), (401, 1)])
def test_an_epoch_has_every_row_once_in_batches_of_the_given_size(count: int, batch_size: int, shuffle: bool) -> None:
    sampler = LengthBucketSampler(random_lengths(count), batch_size, shuffle=shuffle)
    batches = list(sampler)
    assert sorted(row for batch in batches for row in batch) == list(range(count))
    assert len(batches) == len(sampler) == -(-count // batch_size)
    assert all(len(batch) == batch_size for batch in batches[:-1])


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    lengths = random_lengths(500)

    def order(seed: int, epoch: int) -> list[list[int]]:
        sampler = LengthBucketSampler(lengths, 8, shuffle=True, seed=seed)
        random.seed(random.random())
        sampler.set_epoch(epoch)
        return list(sampler)

    assert order(0, 0) == order(0, 0)
    assert order(3, 2) == order(3, 2)
    assert order(0, 0) != order(0, 1)
    assert order(0, 0) != order(1, 0)
    assert {frozenset(batch) for batch in order(0, 0)} != {frozenset(batch) for batch in order(0, 1)}


def test_set_epoch_changes_the_order_and_back() -> None:
    sampler = LengthBucketSampler(random_lengths(300), 8, shuffle=True)
    first = list(sampler)
    sampler.set_epoch(1)
    second = list(sampler)
    sampler.set_epoch(0)
    assert second != first == list(sampler)


def test_rows_of_a_batch_have_similar_lengths() -> None:
    lengths = random_lengths(4000)
    buckets = list(LengthBucketSampler(lengths, 16, shuffle=True))
    shuffled = random.Random(0).sample(range(4000), 4000)
    plain = [shuffled[i : i + 16] for i in range(0, 4000, 16)]

    def padding(batches: list[list[int]]) -> int:
        return sum(len(batch) * max(lengths[i] for i in batch) - sum(lengths[i] for i in batch) for batch in batches)

    assert padding(buckets) < 0.15 * padding(plain)


def test_shuffled_batches_are_not_in_the_order_of_their_lengths() -> None:
    lengths = random_lengths(4000)
    longest = [max(lengths[i] for i in batch) for batch in LengthBucketSampler(lengths, 16, shuffle=True)]
    assert longest[:50] != sorted(longest[:50], reverse=True)


def test_without_shuffling_the_longest_rows_come_first() -> None:
    lengths = random_lengths(300)
    ordered = [lengths[i] for batch in LengthBucketSampler(lengths, 8, shuffle=False) for i in batch]
    assert ordered == sorted(lengths, reverse=True)


def encoded_rows(tokenizer: ASLSTMTokenizer, count: int) -> Dataset:
    texts = [TEXTS[i % len(TEXTS)] + "好" * (i % 11) for i in range(count)]
    return encode_rows(Dataset.from_dict({"text": texts, "label": ["ab"[i % 2] for i in range(count)]}), tokenizer, ["a", "b"])


def test_a_prepared_loader_follows_set_epoch(tokenizer: ASLSTMTokenizer) -> None:
    loader = make_loader(encoded_rows(tokenizer, 120), Collator(tokenizer), 8, shuffle=True)
    prepared = Accelerator(cpu=True).prepare(loader)
    orders = []
    for epoch in (0, 1, 0):
        prepared.set_epoch(epoch)
        orders.append([row for batch in prepared for row in batch["row"].tolist()])
    assert orders[0] == orders[2] != orders[1]
    assert all(sorted(order) == list(range(120)) for order in orders)


@pytest.mark.parametrize("count", [96, 97, 121])
def test_two_processes_share_an_epoch_in_as_many_batches_each(tokenizer: ASLSTMTokenizer, count: int) -> None:
    rows = encoded_rows(tokenizer, count)
    shares = []
    for process in range(2):
        loader = make_loader(rows, Collator(tokenizer), 8, shuffle=True)
        share = prepare_data_loader(loader, num_processes=2, process_index=process, put_on_device=False)
        share.set_epoch(3)
        shares.append([batch["row"].tolist() for batch in share])
    assert len(shares[0]) == len(shares[1])
    assert {row for share in shares for batch in share for row in batch} == set(range(count))


def test_encoded_rows_have_ids_label_numbers_and_places(tokenizer: ASLSTMTokenizer) -> None:
    rows = Dataset.from_dict({"text": [*TEXTS[:3], ""], "label": ["like", "anger", "like", "none"], "other": [1, 2, 3, 4]})
    encoded = encode_rows(rows, tokenizer, ["anger", "like", "none"])
    assert set(encoded.column_names) == {"input_ids", "labels", "row"}
    assert encoded["input_ids"][:] == [tokenizer(text)["input_ids"] for text in [*TEXTS[:3], ""]]
    assert encoded["labels"][:] == [1, 0, 1, 2]
    assert encoded["row"][:] == [0, 1, 2, 3]


ENCODE = """
from datasets import Dataset
from aslstm.training.batches import count_tokens, encode_rows
from aslstm.words.vocabulary import build_tokenizer, build_vocabulary

def generate():
    yield {"text": "今天[泪]", "label": "a"}

rows = Dataset.from_generator(generate)
count_tokens(rows, user_words=[], use_hmm=True, segmenter="jieba")
encode_rows(rows, build_tokenizer(build_vocabulary(["今天[泪]"])), ["a"])
"""


def test_what_is_cached_is_used_again_until_the_code_that_cuts_texts_changes(tmp_path: Path) -> None:
    code = tmp_path / "code"
    for package in ("tokenization", "modeling_aslstm", "aslstm"):
        shutil.copytree(ROOT / package, code / package)
    (tmp_path / "script.py").write_text(ENCODE, encoding="utf-8")
    environment = {**os.environ, "HF_HOME": str(tmp_path / "cache"), "PYTHONPATH": str(code)}
    cached = []
    for change in ("", "", "# another rule\n"):
        with (code / "tokenization" / "emoji_splitting.py").open("a", encoding="utf-8") as source:
            source.write(change)
        subprocess.run([sys.executable, tmp_path / "script.py"], env=environment, check=True, capture_output=True)
        cached.append(sorted(path.name for path in tmp_path.glob("cache/datasets/**/cache-*.arrow")))
    assert [len(names) for names in cached] == [2, 2, 4]
    assert cached[0] == cached[1]


def test_encoding_truncates_to_the_longest_post(tokenizer: ASLSTMTokenizer) -> None:
    short = build_tokenizer(build_vocabulary(TEXTS), model_max_length=6)
    encoded = encode_rows(Dataset.from_dict({"text": ["今天" * 20 + "[泪]"], "label": ["a"]}), short, ["a", "b"])
    assert len(encoded["input_ids"][0]) == 6
    assert short.convert_ids_to_tokens(encoded["input_ids"][0])[-1] == "[泪]"


def test_the_collator_pads_and_masks(tokenizer: ASLSTMTokenizer) -> None:
    rows = [{"input_ids": ids, "labels": i % 2, "row": 10 + i} for i, ids in enumerate([[5, 6, 7], [8], [9, 5]])]
    batch = Collator(tokenizer)(rows)
    pad = tokenizer.pad_token_id
    assert batch["input_ids"].tolist() == [[5, 6, 7], [8, pad, pad], [9, 5, pad]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0], [1, 1, 0]]
    assert batch["labels"].tolist() == [0, 1, 0]
    assert batch["row"].tolist() == [10, 11, 12]
    assert {tensor.dtype for tensor in batch.values()} == {torch.int64}


def ids_after(collator: Collator, ids: list[int], row: int) -> list[int]:
    batch = collator([{"input_ids": ids, "labels": 0, "row": row}])
    return batch["input_ids"][0].tolist()


def test_no_emoji_is_spelled_without_a_probability(tokenizer: ASLSTMTokenizer) -> None:
    ids = tokenizer(CODE_TEXT)["input_ids"]
    assert all(ids_after(Collator(tokenizer), ids, row) == ids for row in range(20))


def test_spelled_ids_are_those_of_a_tokenizer_with_the_same_tokens_that_never_saw_the_codes(
    tokenizer: ASLSTMTokenizer,
) -> None:
    known = build_vocabulary(TEXTS)
    unseen = Vocabulary(known.words, [e for e in known.emoji if not e.startswith("[")], [])
    expected = build_tokenizer(unseen).tokenize(CODE_TEXT)
    spelled = ids_after(Collator(tokenizer, emoji_spelling_prob=1.0), tokenizer(CODE_TEXT)["input_ids"], 0)
    assert tokenizer.convert_ids_to_tokens(spelled) == expected
    assert expected.count("<unk_emoji>") == 2 and "😂" in expected


def test_a_spelled_code_equals_an_unseen_code_of_the_same_characters(tokenizer: ASLSTMTokenizer) -> None:
    spelled = ids_after(Collator(tokenizer, emoji_spelling_prob=1.0), tokenizer("[太开心]")["input_ids"], 0)
    unseen = tokenizer("[心开太]")["input_ids"]
    assert tokenizer.convert_ids_to_tokens(unseen)[0] == "<unk_emoji>"
    assert [spelled[0], *reversed(spelled[1:])] == unseen


def test_about_the_given_share_of_codes_is_spelled(tokenizer: ASLSTMTokenizer) -> None:
    collator = Collator(tokenizer, emoji_spelling_prob=0.2)
    code = tokenizer("[泪]")["input_ids"]
    share = sum(ids_after(collator, code, row) != code for row in range(2000)) / 2000
    assert share == pytest.approx(0.2, abs=0.03)


def test_spelling_depends_on_seed_epoch_and_row_alone(tokenizer: ASLSTMTokenizer) -> None:
    ids = tokenizer("[泪]" * 12)["input_ids"]

    def spell(seed: int, epoch: int, row: int) -> list[int]:
        collator = Collator(tokenizer, emoji_spelling_prob=0.5, seed=seed)
        collator.epoch = epoch
        return ids_after(collator, ids, row)

    assert spell(1, 2, 3) == spell(1, 2, 3)
    assert len({tuple(spell(*where)) for where in [(1, 2, 3), (0, 2, 3), (1, 0, 3), (1, 2, 0)]}) == 4


def test_spelling_does_not_depend_on_the_other_rows_of_a_batch(tokenizer: ASLSTMTokenizer) -> None:
    collator = Collator(tokenizer, emoji_spelling_prob=0.5)
    rows = [{"input_ids": tokenizer("[泪][太开心]" * 4)["input_ids"], "labels": 0, "row": i} for i in range(6)]
    batch = collator(rows)
    for i, row in enumerate(rows):
        alone = collator([row])["input_ids"][0].tolist()
        together = batch["input_ids"][i][batch["attention_mask"][i].bool()].tolist()
        assert alone == together
