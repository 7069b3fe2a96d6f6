r"""Takes the flags of ``aslstm distil``: lets teachers answer posts, trains a student on the answers, and writes its folder.

aslstm distil --teachers outputs/a outputs/b --input posts.txt.gz --output_dir outputs/student
aslstm distil --teachers outputs/a outputs/b --input posts.csv --text_column content \
    --dataset nlpcc2014 --data_dir DIR --init_from outputs/pretrained --output_dir outputs/student

The posts need no labels. The student also learns the rows of a corpus, as ``aslstm train`` does, whose flags this command
takes too; its decision rule is fitted on the validation rows of that corpus. The answers of each teacher stay in
``OUTPUT_DIR-teachers``, so that a second run with other flags of training (and ``--overwrite``), or one after a kill, does not
repeat them.
"""

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, replace
from pathlib import Path

from aslstm.data.corpora import CorpusSource
from aslstm.data.text_sources import TextSource
from aslstm.errors import UserError
from aslstm.files import replacing, sha256
from aslstm.model_folder.layout import check_model_folder
from aslstm.prediction.parts import Parts
from aslstm.prediction.predict_settings import PredictSettings
from aslstm.prediction.running import predict_file
from aslstm.settings import check_settings, setting, setting_like
from aslstm.training.run import output_folders, train

from .flags import CommandParser, add_settings, make_settings
from .train import PARTS, make_train_settings, print_results, set_up_logging

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DistilSettings:
    """Says which models teach, and what posts they answer.

    Raises:
        UserError: Two teachers are the same.
    """

    teachers: tuple[Path, ...] = setting(
        MISSING, "model folders with the labels of the corpus; the mean of their answers is learned"
    )
    input: tuple[str, ...] = setting_like(TextSource, "input", MISSING)
    input_columns: tuple[str, ...] | None = setting(
        None, "the column of the texts in --input; of several the first that a row has; default: found"
    )

    def __post_init__(self) -> None:
        check_settings(self)
        object.__setattr__(self, "teachers", tuple(map(Path, self.teachers)))
        if len(set(self.teachers)) < len(self.teachers):
            raise UserError("`teachers`: expected different folders, found one twice; leave out one of them")


def _source_of(settings: DistilSettings, corpus: CorpusSource) -> TextSource:
    return TextSource(settings.input, settings.input_columns, encoding=corpus.encoding, no_clean=corpus.no_clean)


def answers_of_teachers(settings: DistilSettings, corpus: CorpusSource, folder: Path) -> tuple[Path, ...]:
    """Let every teacher answer the distinct posts, and return the files of answers.

    The name of a file tells of its teacher's weights and of the posts, so that a file of another teacher or of other posts is
    never taken for it.

    Args:
        settings: The teachers and the posts.
        corpus: The corpus of the student, which says how files are read.
        folder: The folder for the posts and the answers, created if missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    posts = folder / "posts.jsonl"
    texts = dict.fromkeys(_source_of(settings, corpus).texts())
    with replacing(posts) as staging, staging.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts)
    answers = []
    for teacher in settings.teachers:
        check_model_folder(teacher)
        made_of = hashlib.sha256(f"{sha256(posts)} {sha256(teacher / 'model.safetensors')}".encode()).hexdigest()[:12]
        answers.append(folder / f"{teacher.name}-{made_of}.jsonl")
        if not answers[-1].exists():
            logger.info("%s answers %d posts", teacher, len(texts))
            # The posts are cleaned already; without places of their own, all teachers answer the same text.
            resume = Parts(answers[-1], "jsonl").folder.exists()
            given = PredictSettings(
                teacher, (str(posts),), answers[-1], "jsonl", text_column="text", no_clean=True, resume=resume
            )
            predict_file(given)
    return tuple(answers)


def main(given: Sequence[str] | None = None) -> None:
    """Let the teachers answer, train and save the student, and print its figures."""
    parser = CommandParser("distil", "Train a model on the answers of other models to posts without labels.")
    add_settings(parser, DistilSettings, *PARTS, leave_out=("soft_labels", "streaming", "steps_per_epoch"))
    arguments = parser.parse_args(given)
    settings = make_train_settings(arguments)
    set_up_logging()
    output_folders(settings)  # A place that cannot be written is refused before the teachers answer.
    folder = settings.output_dir.with_name(f"{settings.output_dir.name}-teachers")
    answers = answers_of_teachers(make_settings(DistilSettings, arguments), settings.corpus, folder)
    train(replace(settings, data=replace(settings.data, soft_labels=answers)), report=print_results)
