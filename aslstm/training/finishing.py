"""Takes a model folder that another program saved, for example the stock ``Trainer``, and adds what a complete folder has.

What the folder holds stays as it is: weights, config, tokenizer, and whatever else lies in it.
"""

import tempfile
from pathlib import Path

from huggingface_hub import ModelCard

from aslstm.disk import locked, put_file
from aslstm.errors import UserError
from aslstm.files import CHECKSUMS, json_text
from aslstm.model_folder.layout import CARD, REQUIRED_FILES, check_model_folder, checksums_of
from aslstm.model_folder.loading import load_model
from tokenization import ASLSTMTokenizer

from .publishing import OutputFolder, TrainingRecord


def finish_folder(folder: Path) -> list[str]:
    """Add the files that a model folder lacks: a card, code, an empty table of figures, and the checksums of all.

    A card that another program wrote keeps its text and gets the metadata that it lacks.

    Args:
        folder: A folder with weights, config and tokenizer.

    Returns:
        The names of the files that were added or changed; none for a folder that was complete.

    Raises:
        UserError: The folder cannot be loaded or written.
    """
    if (folder / CHECKSUMS).is_file():
        check_model_folder(folder)
        return []
    check_model_folder(folder)
    folder = folder.absolute()
    model, tokenizer = load_model(folder), ASLSTMTokenizer.from_pretrained(folder)
    try:
        with locked(folder, name="model"), tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as beside:
            made = Path(beside) / folder.name
            OutputFolder(made).publish(model, tokenizer, TrainingRecord("files", script=""))
            if (folder / CARD).is_file():
                _complete_card(folder / CARD, made / CARD)
            lacking = [name for name in REQUIRED_FILES if not (folder / name).is_file() and name != CHECKSUMS]
            lacking += [path.name for path in made.glob("*.py") if not (folder / path.name).is_file()]
            added = sorted({*lacking, CARD})
            for name in added:
                put_file(made / name, folder / name)
            # These name what a model folder holds and nothing else: a pickle that lies in it is no part of the model.
            (made / CHECKSUMS).write_text(json_text(checksums_of(folder)), encoding="utf-8")
            put_file(made / CHECKSUMS, folder / CHECKSUMS)
    except OSError as error:
        raise UserError(f"{folder}: expected a place to write, found: {error.strerror}; make room, then run again") from error
    check_model_folder(folder)
    return [*added, CHECKSUMS]


def _complete_card(written: Path, made: Path) -> None:
    """Give the card that another program wrote the metadata of the made one that it lacks, and put it in the place of that."""
    card, own = ModelCard.load(written, ignore_metadata_errors=True), ModelCard.load(made)
    for name, value in own.data.to_dict().items():
        if name == "tags":
            card.data.tags = list(dict.fromkeys([*(card.data.tags or ()), *value]))
        elif name != "model-index" and not card.data.get(name):
            card.data[name] = value
    card.data.model_name = card.data.get("model_name") or made.parent.name
    card.save(made)
