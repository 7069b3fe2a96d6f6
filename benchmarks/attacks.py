"""Attacks the commands as a careless user, a full day or a power cut would, and prints which of them held.

python -m benchmarks.attacks
python -m benchmarks.attacks --only 18 22

A tiny model is trained first; all takes some minutes on two cores. The exit code is 1 if any attack broke something.
To add attacks, register them in a module as ``attacks_on_runs.py`` does, and import it here.
"""

import sys
import tempfile
import time
from pathlib import Path

from aslstm.commands.flags import CommandParser, run
from aslstm.errors import UserError
from aslstm.printing import table_text

from . import attacks_app, attacks_on_files, attacks_on_runs  # noqa: F401 (they register their attacks)
from .attacking import ATTACKS, TINY, Arena, Attack, BrokenError, last_line


def make_model(folder: Path) -> Path:
    """Train a tiny model with ONNX graphs.

    Raises:
        UserError: That failed.
    """
    arena = Arena(folder, folder / "model")
    for command in (
        arena.command("train", "--output_dir", arena.model, *TINY, "--num_train_epochs", "1"),
        arena.command("export-onnx", "--model", arena.model),
    ):
        result = arena.run(command)
        if result.returncode:
            raise UserError(f"expected a model to attack, found: {last_line(result.stderr)}")
    return arena.model


def attack_once(one: Attack, model: Path) -> tuple[str, bool, float]:
    """Return what came out of an attack, whether the project held, and the seconds."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        try:
            found, held = one.run(Arena(Path(name), model)), True
        except BrokenError as error:
            found, held = str(error), False
    return found, held, time.perf_counter() - started


def main() -> None:
    """Attack, print the table and tell the result by the exit code."""
    parser = CommandParser("attacks", "Attack the commands.")
    parser.add_argument("--only", type=int, nargs="+", default=[], help="the numbers of the attacks; default: all")
    only = parser.parse_args().only
    if unknown := set(only) - {one.number for one in ATTACKS}:
        raise UserError(f"`only`: expected numbers of attacks, found {', '.join(map(str, sorted(unknown)))}")
    chosen = sorted((one for one in ATTACKS if not only or one.number in only), key=lambda one: one.number)
    rows, all_held = [], True
    with tempfile.TemporaryDirectory() as name:
        model = make_model(Path(name))
        for one in chosen:
            found, held, seconds = attack_once(one, model)
            result = "held" if held else "BROKEN"
            rows.append([str(one.number), one.name, one.done, found, result, f"{seconds:.0f}"])
            print(f"{one.number} {one.name}: {result}", file=sys.stderr, flush=True)
            all_held &= held
    header = ["number", "attack", "what is done", "what came out", "result", "seconds"]
    print(table_text(header, rows, left=(1, 2, 3, 4)))
    sys.exit(0 if all_held else 1)


if __name__ == "__main__":
    run(main)
