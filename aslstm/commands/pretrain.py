r"""Takes the flags of ``aslstm pretrain`` and writes a model folder that was pre-trained on posts without labels.

aslstm pretrain --input posts.jsonl.gz --output_dir outputs/pretrained
aslstm pretrain --input a.jsonl.gz b.csv --text_column text review --vectors vectors.bin \
    --also_learn smp2020_ewect weibo_senti_100k --data_dir DIR --output_dir outputs/pretrained
aslstm train --dataset nlpcc2014 --data_dir DIR --init_from outputs/pretrained

The model learns to predict the emoji of a post from its words (DeepMoji, Felbo et al. 2017). It can also learn the labels of
known corpora. Each of these tasks has its own output layer, which is not saved.
"""

from collections.abc import Sequence

from accelerate import PartialState

from aslstm.data.text_sources import TextSource
from aslstm.training.pretraining import pretrain
from aslstm.training.settings import ModelSettings, PretrainingSettings, PretrainSettings

from .flags import CommandParser, add_settings, make_settings
from .train import set_up_logging


def parse_settings(given: Sequence[str] | None = None) -> PretrainSettings:
    """Read and check the command line.

    Raises:
        UserError: A flag or a value is not possible.
    """
    parser = CommandParser("pretrain", "Pre-train by emoji prediction.")
    add_settings(parser, TextSource, PretrainingSettings, ModelSettings)
    arguments = parser.parse_args(given)
    return PretrainSettings(
        texts=make_settings(TextSource, arguments),
        pretraining=make_settings(PretrainingSettings, arguments),
        model=make_settings(ModelSettings, arguments),
    )


def main(given: Sequence[str] | None = None) -> None:
    """Pre-train a model and print the folder where it is saved."""
    settings = parse_settings(given)
    set_up_logging()
    folder = pretrain(settings)
    if PartialState().is_main_process:
        print(f"saved {folder}")
