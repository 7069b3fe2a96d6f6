from collections import Counter
from itertools import pairwise

import pytest
import torch
from accelerate import Accelerator
from accelerate.data_loader import prepare_data_loader
from torch.nn.functional import cross_entropy, log_softmax
from torch.utils.data import DataLoader

from aslstm.training.pretraining_tasks import MultiTaskModel, TaskCollator, TaskDataset, TaskRows, TaskSampler, emoji_task
from aslstm.training.steps import usable_precision
from modeling_aslstm import ASLSTMConfig, ASLSTMForEmojiPrediction, ASLSTMForSequenceClassification
from tests.support.commands import TEXTS
from tokenization import ASLSTMTokenizer

POSTS = [
    "今天又加班[泪]",
    "真的好累[泪][泪]",
    "奖金到手[太开心][泪]😂",
    "单曲循环😂",
    "下次还来👍🏽👍",
    "[泪][太开心]",
    "明天下午三点开会",
    "气死我了[没见过]",
    "[没见过]",
    "",
]


def encode(tokenizer: ASLSTMTokenizer, posts: list[str]) -> list[list[int]]:
    return [tokenizer(post)["input_ids"] for post in posts]


def rows_of(task: TaskRows) -> list[tuple[list[int], str]]:
    return [(ids, task.label_names[label]) for ids, label in zip(task.input_ids, task.labels, strict=True)]


# ---- posts to rows ----


def test_a_post_gives_a_row_for_each_kind_of_its_emoji(tokenizer: ASLSTMTokenizer) -> None:
    rows = rows_of(emoji_task(encode(tokenizer, POSTS), tokenizer, 1))
    expected = [
        ("今天又加班[泪]", "[泪]"),
        ("真的好累[泪][泪]", "[泪]"),
        ("奖金到手[太开心][泪]😂", "[太开心]"),
        ("奖金到手[太开心][泪]😂", "[泪]"),
        ("奖金到手[太开心][泪]😂", "😂"),
        ("单曲循环😂", "😂"),
        ("下次还来👍🏽👍", "👍"),
    ]
    found = sorted((tuple(ids), name) for ids, name in rows)
    assert found == sorted((tuple(tokenizer(post)["input_ids"]), name) for post, name in expected)


@pytest.mark.parametrize(
    ("min_count", "names"),
    [(1, {"[泪]", "[太开心]", "😂", "👍"}), (2, {"[泪]", "😂"}), (3, {"[泪]"}), (4, set())],
)
def test_an_emoji_of_too_few_posts_with_words_is_left_out(tokenizer: ASLSTMTokenizer, min_count: int, names: set[str]) -> None:
    task = emoji_task(encode(tokenizer, POSTS), tokenizer, min_count)
    assert set(task.label_names) == names
    assert len(task.label_names) == len(names)
    assert {name for _, name in rows_of(task)} == names


def test_posts_without_words_or_without_known_emoji_give_no_row(tokenizer: ASLSTMTokenizer) -> None:
    task = emoji_task(
        encode(tokenizer, ["[泪][太开心]", "😂", "明天下午三点开会", "气死我了[没见过]", "[没见过]"]), tokenizer, 1
    )
    assert task == TaskRows([], [], [])


def test_no_post_at_all_gives_no_row(tokenizer: ASLSTMTokenizer) -> None:
    assert emoji_task([], tokenizer, 1) == TaskRows([], [], [])


def test_labels_are_numbers_of_names_from_zero(tokenizer: ASLSTMTokenizer) -> None:
    task = emoji_task(encode(tokenizer, TEXTS), tokenizer, 1)
    assert set(task.labels) == set(range(len(task.label_names)))
    assert all(tokenizer.emoji_token_offset <= tokenizer.get_vocab()[name] for name in task.label_names)


def test_the_same_posts_in_another_order_give_the_same_labels(tokenizer: ASLSTMTokenizer) -> None:
    posts = encode(tokenizer, POSTS)
    one, other = emoji_task(posts, tokenizer, 2), emoji_task(posts[::-1], tokenizer, 2)
    assert one.label_names == other.label_names
    assert Counter((tuple(ids), name) for ids, name in rows_of(one)) == Counter(
        (tuple(ids), name) for ids, name in rows_of(other)
    )


# ---- rows to batches ----


def task_of(count: int, num_labels: int = 2, first: int = 5) -> TaskRows:
    """Rows of which none equals another."""
    ids = [[first + i] * (1 + i % 7) for i in range(count)]
    return TaskRows(ids, [i % num_labels for i in range(count)], [f"label {i}" for i in range(num_labels)])


def task_of_row(tasks: list[TaskRows], row: int) -> int:
    dataset = TaskDataset(tasks)
    return dataset[row]["task"]


@pytest.mark.parametrize("counts", [(40, 25, 9), (8,), (8, 7), (3, 17), (800, 90)])
def test_every_batch_is_full_and_of_one_task_and_has_each_row_at_most_once(counts: tuple[int, ...]) -> None:
    tasks = [task_of(count) for count in counts]
    dataset, sampler = TaskDataset(tasks), TaskSampler(tasks, 8, seed=0)
    for epoch in (0, 1):
        sampler.set_epoch(epoch)
        batches = list(sampler)
        assert len(batches) == len(sampler) == sum(count // 8 for count in counts)
        assert all(len(batch) == 8 for batch in batches)
        assert all(len({dataset[row]["task"] for row in batch}) == 1 for batch in batches)
        rows = Counter(dataset[row]["task"] for batch in batches for row in set(batch))
        assert rows == {task: count // 8 * 8 for task, count in enumerate(counts) if count >= 8}
        assert len({row for batch in batches for row in batch}) == rows.total()


def test_every_row_comes_up_over_the_epochs() -> None:
    tasks = [task_of(20), task_of(13)]
    sampler = TaskSampler(tasks, 8, seed=0)
    seen: set[int] = set()
    for epoch in range(20):
        sampler.set_epoch(epoch)
        seen |= {row for batch in sampler for row in batch}
    assert seen == set(range(33))


def test_a_task_of_less_than_a_batch_gives_none() -> None:
    sampler = TaskSampler([task_of(7), task_of(5)], 8, seed=0)
    assert len(sampler) == 0 and list(sampler) == []


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    tasks = [task_of(200), task_of(100)]

    def order(seed: int, epoch: int) -> list[list[int]]:
        sampler = TaskSampler(tasks, 8, seed=seed)
        torch.manual_seed(seed + 7 * epoch)
        list(sampler)
        sampler.set_epoch(epoch)
        return list(sampler)

    assert order(0, 0) == order(0, 0)
    assert order(3, 2) == order(3, 2)
    assert len({str(order(seed, epoch)) for seed in (0, 1) for epoch in (0, 1)}) == 4
    assert {frozenset(batch) for batch in order(0, 0)} != {frozenset(batch) for batch in order(0, 1)}


def test_the_tasks_take_turns_in_no_fixed_order() -> None:
    tasks = [task_of(200), task_of(200)]
    turns = [task_of_row(tasks, batch[0]) for batch in TaskSampler(tasks, 8, seed=0)]
    assert turns not in (sorted(turns), sorted(turns, reverse=True))
    assert 10 < sum(one != other for one, other in pairwise(turns)) < 45


def test_the_rows_of_a_dataset_are_those_of_its_tasks_one_after_the_other() -> None:
    tasks = [task_of(3), task_of(2, first=90)]
    dataset = TaskDataset(tasks)
    assert len(dataset) == 5
    assert [dataset[i]["task"] for i in range(5)] == [0, 0, 0, 1, 1]
    assert [dataset[i]["row"] for i in range(5)] == list(range(5))
    assert [dataset[i]["input_ids"] for i in range(5)] == tasks[0].input_ids + tasks[1].input_ids
    assert [dataset[i]["labels"] for i in range(5)] == tasks[0].labels + tasks[1].labels


def test_a_batch_has_its_task_beside_what_any_batch_has(tokenizer: ASLSTMTokenizer) -> None:
    tasks = [task_of(3), task_of(2)]
    dataset = TaskDataset(tasks)
    batch = TaskCollator(tokenizer)([dataset[3], dataset[4]])
    assert batch["task"].shape == () and batch["task"].item() == 1
    assert batch["row"].tolist() == [3, 4] and batch["labels"].tolist() == tasks[1].labels
    assert batch["input_ids"].shape == batch["attention_mask"].shape == (2, 2)


def test_a_prepared_loader_follows_set_epoch(tokenizer: ASLSTMTokenizer) -> None:
    tasks = [task_of(100), task_of(60)]
    loader = DataLoader(TaskDataset(tasks), batch_sampler=TaskSampler(tasks, 8, seed=0), collate_fn=TaskCollator(tokenizer))
    prepared = Accelerator(cpu=True).prepare(loader)
    orders = []
    for epoch in (0, 1, 0):
        prepared.set_epoch(epoch)
        orders.append([(batch["task"].item(), *batch["row"].tolist()) for batch in prepared])
    assert orders[0] == orders[2] != orders[1]
    assert all(len(order) == len(prepared) == 100 // 8 + 60 // 8 for order in orders)


@pytest.mark.parametrize("counts", [(96, 32), (97, 30), (88, 40, 9)])
def test_two_processes_have_as_many_full_batches_of_one_task_each(tokenizer: ASLSTMTokenizer, counts: tuple[int, ...]) -> None:
    tasks = [task_of(count) for count in counts]
    shares = []
    for process in range(2):
        sampler = TaskSampler(tasks, 8, seed=0)
        loader = DataLoader(TaskDataset(tasks), batch_sampler=sampler, collate_fn=TaskCollator(tokenizer))
        share = prepare_data_loader(loader, num_processes=2, process_index=process, put_on_device=False)
        share.set_epoch(3)
        shares.append([batch["row"].tolist() for batch in share])
    assert len(shares[0]) == len(shares[1])
    assert all(len(batch) == 8 for share in shares for batch in share)
    assert all(len({task_of_row(tasks, row) for row in batch}) == 1 for share in shares for batch in share)


def test_two_processes_follow_set_epoch(tokenizer: ASLSTMTokenizer) -> None:
    tasks = [task_of(96), task_of(64)]
    loader = DataLoader(TaskDataset(tasks), batch_sampler=TaskSampler(tasks, 8, seed=0), collate_fn=TaskCollator(tokenizer))
    share = prepare_data_loader(loader, num_processes=2, process_index=1, put_on_device=False)
    orders = []
    for epoch in (0, 1):
        share.set_epoch(epoch)
        orders.append([batch["row"].tolist() for batch in share])
    assert orders[0] != orders[1]


# ---- the model ----

NUM_LABELS = (4, 3, 2)
# Ids 1 to 19 are words, 20 to 29 emoji, 0 is padding.
IDS = torch.tensor([[3, 4, 5, 21], [4, 6, 22, 0], [7, 24, 0, 0]])


@pytest.fixture
def model() -> MultiTaskModel:
    torch.manual_seed(0)
    config = ASLSTMConfig(
        vocab_size=30,
        emoji_token_offset=20,
        num_emoji_tokens=10,
        embedding_size=6,
        hidden_size=5,
        hidden_dropout_prob=0.0,
        id2label={i: f"emoji {i}" for i in range(NUM_LABELS[0])},
    )
    return MultiTaskModel(ASLSTMForEmojiPrediction(config), NUM_LABELS[1:], label_smoothing=0.0)


def loss_of(model: MultiTaskModel, task: int, ids: torch.Tensor = IDS, *, labels: torch.Tensor | None = None) -> torch.Tensor:
    labels = torch.arange(len(ids)) % NUM_LABELS[task] if labels is None else labels
    return model(input_ids=ids, attention_mask=(ids != 0).long(), labels=labels, task=torch.tensor(task))


def without_emoji(ids: torch.Tensor) -> torch.Tensor:
    return torch.where((ids >= 20) & (ids < 30), 0, ids)


@pytest.mark.parametrize("task", range(3))
def test_the_loss_is_the_cross_entropy_of_the_tasks_own_outputs(model: MultiTaskModel, task: int) -> None:
    encoder = model.emoji_model.aslstm
    if task == 0:
        logits = model.emoji_model.classifier(encoder(without_emoji(IDS)).pooled_output)
    else:
        logits = model.heads[task - 1](encoder(IDS).pooled_output)
    labels = torch.arange(3) % NUM_LABELS[task]
    by_hand = -log_softmax(logits, -1)[torch.arange(3), labels].mean()
    torch.testing.assert_close(loss_of(model, task), by_hand)


@pytest.mark.parametrize("task", range(3))
def test_label_smoothing_is_that_of_every_task(model: MultiTaskModel, task: int) -> None:
    smooth = MultiTaskModel(model.emoji_model, NUM_LABELS[1:], label_smoothing=0.3)
    smooth.load_state_dict(model.state_dict())
    encoder = model.emoji_model.aslstm
    pooled = encoder(IDS if task else without_emoji(IDS)).pooled_output
    logits = (model.emoji_model.classifier, *model.heads)[task](pooled)
    expected = cross_entropy(logits, torch.arange(3) % NUM_LABELS[task], label_smoothing=0.3)
    torch.testing.assert_close(loss_of(smooth, task), expected)


@pytest.mark.parametrize("task", range(3))
def test_every_parameter_has_a_gradient_for_every_task(model: MultiTaskModel, task: int) -> None:
    loss_of(model, task).backward()
    assert [name for name, parameter in model.named_parameters() if parameter.grad is None] == []


@pytest.mark.parametrize("task", range(3))
def test_the_outputs_of_the_other_tasks_do_not_move(model: MultiTaskModel, task: int) -> None:
    loss_of(model, task).backward()
    for i, layer in enumerate((model.emoji_model.classifier, *model.heads)):
        moves = any(parameter.grad.abs().max() > 0 for parameter in layer.parameters())
        assert moves == (i == task)


def test_the_emoji_task_does_not_see_the_emoji_and_the_others_do(model: MultiTaskModel) -> None:
    other = torch.where(IDS >= 20, 29, IDS)
    torch.testing.assert_close(loss_of(model, 0), loss_of(model, 0, other), rtol=0, atol=0)
    for task in (1, 2):
        assert (loss_of(model, task) - loss_of(model, task, other)).abs() > 1e-4


@pytest.mark.parametrize("bidirectional", [True, False])
def test_the_loss_of_words_is_that_of_the_next_word_in_each_direction(model: MultiTaskModel, bidirectional: bool) -> None:
    config = model.emoji_model.config
    config.bidirectional = bidirectional
    model = MultiTaskModel(ASLSTMForEmojiPrediction(config), NUM_LABELS[1:], label_smoothing=0.3, predicts_words=True)
    encoder, size = model.emoji_model.aslstm, config.hidden_size
    assert len(model.word_heads) == 1 + bidirectional
    # The words of IDS in order; a post of one word has nothing to predict.
    losses: list[list[torch.Tensor]] = [[] for _ in model.word_heads]
    for words in ([3, 4, 5], [4, 6]):
        for head, direction, in_order in zip(model.word_heads, losses, (words, words[::-1]), strict=False):
            for i in range(1, len(words)):
                # What was read before the word, and nothing else.
                seen = in_order[:i] if head is model.word_heads[0] else in_order[:i][::-1]
                states = encoder(torch.tensor([seen])).last_hidden_state[0]
                state = states[-1, :size] if head is model.word_heads[0] else states[0, size:]
                direction.append(-head.log_prob(state[None])[0, in_order[i]])
    expected = torch.stack([torch.stack(direction).mean() for direction in losses]).mean()
    torch.testing.assert_close(loss_of(model, 3, labels=torch.zeros(3, dtype=torch.long)), expected)


@pytest.mark.skipif(usable_precision("bf16") == "no", reason="this processor has no LSTM in bf16")
def test_words_are_predicted_in_float32_whatever_the_precision(model: MultiTaskModel) -> None:
    # On CUDA torch's adaptive softmax fails where its parts have two types, and in bf16 a loss of 10 has two digits.
    model = MultiTaskModel(model.emoji_model, NUM_LABELS[1:], label_smoothing=0.0, predicts_words=True)
    mask = (IDS != 0).long()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = model._loss_of_words(IDS, mask)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, model._loss_of_words(IDS, mask), rtol=1e-2, atol=0)


def test_posts_of_one_word_have_nothing_to_predict(model: MultiTaskModel) -> None:
    model = MultiTaskModel(model.emoji_model, NUM_LABELS[1:], label_smoothing=0.0, predicts_words=True)
    loss = loss_of(model, 3, torch.tensor([[3, 21], [22, 0]]), labels=torch.zeros(2, dtype=torch.long))
    loss.backward()
    assert loss.item() == 0.0


@pytest.mark.parametrize("emoji_fusion", ["none", "concat", "context", "attention", "hierarchical"])
@pytest.mark.parametrize("attention_key", ["embedding", "hidden"])
def test_emoji_prediction_sees_words_and_places_of_words_alone(emoji_fusion: str, attention_key: str) -> None:
    torch.manual_seed(0)
    config = ASLSTMConfig(
        vocab_size=32,
        emoji_token_offset=20,
        num_emoji_tokens=10,
        embedding_size=6,
        hidden_size=5,
        emoji_fusion=emoji_fusion,
        attention_key=attention_key,
        clause_end_token_ids=[4],
    )
    model = ASLSTMForEmojiPrediction(config).eval()
    classifier = ASLSTMForSequenceClassification(config).eval()
    classifier.load_state_dict(model.state_dict())
    ids = torch.tensor([[3, 21, 4, 5, 22, 31], [20, 20, 29, 7, 0, 0], [21, 0, 0, 0, 0, 0]])
    words = torch.tensor([[3, 4, 5, 31], [7, 0, 0, 0], [0, 0, 0, 0]])
    mask = (ids != 0).long()
    torch.testing.assert_close(model(ids).logits, classifier(words).logits)
    torch.testing.assert_close(model(ids, mask).logits, model(ids).logits, rtol=0, atol=0)
    # Padding that the mask alone tells.
    torch.testing.assert_close(model(torch.where(mask == 0, 9, ids), mask).logits, model(ids).logits)
    labels = torch.tensor([0, 1, 0])
    torch.testing.assert_close(model(ids, labels=labels).loss, cross_entropy(model(ids).logits, labels))
