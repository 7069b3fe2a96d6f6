"""Takes a model folder and gives its model, loaded by this project's own code; no weight is missing or NaN."""

from pathlib import Path

from safetensors import SafetensorError
from transformers.utils import logging

from aslstm.errors import UserError
from modeling_aslstm import ASLSTMForSequenceClassification
from modeling_aslstm.results_aslstm import check_weights


def load_model(folder: Path) -> ASLSTMForSequenceClassification:
    """Load the model of a folder, ready to answer.

    Args:
        folder: A model folder that was checked.

    Raises:
        UserError: A weight is missing or NaN, is of another size than the config says, or cannot be read.
    """
    # The weights of a small model load so fast that a progress bar would tell nothing. What the library would log about missing
    # weights is said below in one line.
    logging.disable_progress_bar()
    before = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        model = ASLSTMForSequenceClassification.from_pretrained(folder)
        check_weights(model.fresh_weights)
    except (OSError, RuntimeError, SafetensorError, ValueError) as error:
        found = str(error).splitlines()[0]
        raise UserError(f"{folder / 'model.safetensors'}: expected the weights of the model, found: {found}") from error
    finally:
        logging.set_verbosity(before)
    if names := [name for name, weight in model.state_dict().items() if weight.isnan().any()]:
        found = f"NaN in {', '.join(names)[:200]}"
        raise UserError(
            f"{folder / 'model.safetensors'}: expected finite weights, found {found}; train or fetch the model again"
        )
    return model.eval()
