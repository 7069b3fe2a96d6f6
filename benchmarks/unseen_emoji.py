"""Measures whether emoji that training never showed change the answer as similar known emoji do.

Run it as ``python -m benchmarks.unseen_emoji --model DIR --dataset nlpcc2014 --data_dir DIR``. It takes the test posts with an
emoji, replaces the emoji by others, and prints how often the answer stays the same and how far the probabilities move.
"""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import transformers

from aslstm.commands.flags import CommandParser, add_settings, make_settings, run
from aslstm.data.corpora import CorpusSource, load_split
from aslstm.errors import UserError
from aslstm.prediction.classifier import Classifier
from aslstm.prediction.settings import InferenceSettings


def main() -> None:
    """Replace the emoji, predict and print the table."""
    parser = CommandParser("unseen_emoji", "Unseen emoji in the place of a seen one.")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--emoji", default="[泪]", help="that the posts have")
    parser.add_argument("--others", nargs="+", default=["[泪流满面]", "[泪崩]", "🥲", "[太开心]", "[开心死了]", "🥳"])
    add_settings(parser, CorpusSource, InferenceSettings)
    arguments = parser.parse_args()
    source = make_settings(CorpusSource, arguments)
    transformers.utils.logging.disable_progress_bar()
    classifier = Classifier(arguments.model, **asdict(make_settings(InferenceSettings, arguments)))
    vocabulary = classifier.encoder.table
    texts = [text for text in load_split(source, "test")["text"] if arguments.emoji in text]
    if not texts:
        raise UserError(f"--emoji {arguments.emoji}: expected test posts with it, found none; name another")
    reference = classifier.predict(texts)
    print(f"{len(texts)} posts with {arguments.emoji}; total variation: 0, the same probabilities; 1, nothing in common")
    print(f"{'instead':<14}{'in the vocabulary':>18}{'same answer':>13}{'total variation':>17}  commonest answer")
    for other in ["", *arguments.others]:
        changed = classifier.predict([text.replace(arguments.emoji, other) for text in texts])
        same = (changed.argmax(1) == reference.argmax(1)).mean()
        moved = np.abs(changed - reference).sum(1).mean() / 2
        commonest = classifier.label_names[int(np.bincount(changed.argmax(1)).argmax())]
        known = "–" if not other else "yes" if other in vocabulary else "no"
        print(f"{other or '(none)':<14}{known:>18}{same:>13.2f}{moved:>17.2f}  {commonest}")


if __name__ == "__main__":
    run(main)
