import pytest

from aslstm.errors import UserError
from aslstm.training.pretraining import check_batches
from aslstm.training.pretraining_tasks import TaskRows, TaskSampler, words_task


def check(*counts: int) -> None:
    tasks = [TaskRows([[5, 6]] * count, [0] * count, ["😂"]) for count in counts]
    check_batches(TaskSampler(tasks, 8, seed=0), tasks)


@pytest.mark.parametrize("counts", [(8,), (8, 8), (40, 9)])
def test_tasks_that_fill_a_batch_pass(counts: tuple[int, ...]) -> None:
    check(*counts)


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ((7,), "^`input`: expected 8 posts with words and emoji or more, to fill a batch, found 7; "),
        ((7, 80), "^`input`: expected 8 posts with words and emoji or more, to fill a batch, found 7; "),
        ((80, 80, 3), "^`also_learn`: expected 8 rows of each corpus or more, to fill a batch, found 3; "),
    ],
)
def test_a_task_that_fills_no_batch_is_refused_although_others_do(counts: tuple[int, ...], message: str) -> None:
    with pytest.raises(UserError, match=message):
        check(*counts)


def test_too_few_posts_for_a_batch_of_words_are_refused() -> None:
    tasks = [TaskRows([[5, 6]] * 8, [0] * 8, ["😂"]), words_task([[5, 6]] * 4)]
    with pytest.raises(UserError, match=r"^`input`: expected 8 posts or more, to fill a batch, found 4; "):
        check_batches(TaskSampler(tasks, 8, seed=0), tasks)
