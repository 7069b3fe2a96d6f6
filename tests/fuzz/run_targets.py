"""Run the fuzz targets one after the other, within a number of inputs and a time, and say what came out.

``make fuzz`` runs it. What it finds stays in ``outputs/fuzz``: a corpus and a log for each target, and the inputs that broke
something. A later run goes on from the corpus. Ends with 1 where anything broke.
"""

import argparse
import re
import subprocess
import sys
import time
from pathlib import Path

from atheris import FuzzedDataProvider

from tests.fuzz.fuzzed_posts import SEEDS, input_of, make_post

ROOT = Path(__file__).parent.parent.parent
OUTPUT = ROOT / "outputs" / "fuzz"
TARGETS = ("fuzz_splitting", "fuzz_tokenizer", "fuzz_answers")
# An input takes milliseconds; seconds would be a catastrophic regular expression.
SECONDS_AN_INPUT = 20
LONGEST_INPUT = 300


def write_seeds(corpus: Path) -> None:
    """Write the posts to start from as inputs."""
    corpus.mkdir(parents=True, exist_ok=True)
    for i, post in enumerate(SEEDS):
        if make_post(FuzzedDataProvider(input_of(post))) != post:
            raise ValueError(f"expected seed {i} to come back from its bytes; adapt input_of to how atheris reads")
        (corpus / f"seed-{i:02d}").write_bytes(input_of(post))


def run_target(name: str, num_inputs: int, seconds: int) -> tuple[int, str | None]:
    """Fuzz one target.

    Returns:
        The number of inputs that ran, and what broke, or None.
    """
    write_seeds(OUTPUT / name)
    log = OUTPUT / f"{name}.log"
    options = {"artifact_prefix": f"{OUTPUT}/{name}-", "runs": num_inputs, "max_total_time": seconds, "print_final_stats": 1}
    options |= {"timeout": SECONDS_AN_INPUT, "max_len": LONGEST_INPUT}
    command = [sys.executable, "-m", f"tests.fuzz.{name}", str(OUTPUT / name), *(f"-{key}={options[key]}" for key in options)]
    with log.open("w", encoding="utf-8") as file:
        result = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, cwd=ROOT)
    text = log.read_text(encoding="utf-8", errors="replace")
    executed = re.search(r"number_of_executed_units: (\d+)", text)
    if result.returncode == 0 and executed:
        return int(executed[1]), None
    print("".join(text.splitlines(keepends=True)[-40:]))
    written = re.search(r"Test unit written to (\S+)", text)
    broke = f"broke; python -m tests.fuzz.{name} {written[1]} shows it" if written else f"ended with {result.returncode}"
    return int(executed[1]) if executed else 0, f"{broke}, see {log}"


def main() -> int:
    """Run all targets: each may take its share of what the ones before have left."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--num_inputs", type=int, default=1_000_000, help="inputs of all targets together")
    parser.add_argument("--minutes", type=float, default=10.0, help="time of all targets together")
    arguments = parser.parse_args()
    inputs, end = arguments.num_inputs, time.monotonic() + 60 * arguments.minutes
    lines = [f"{'target':<16}{'inputs':>10}{'seconds':>9}  result"]
    has_broken = False
    for i, name in enumerate(TARGETS):
        remaining = len(TARGETS) - i
        start = time.monotonic()
        executed, broke = run_target(name, inputs // remaining, max(1, round((end - start) / remaining)))
        inputs -= executed
        has_broken |= broke is not None
        lines.append(f"{name:<16}{executed:>10,}{time.monotonic() - start:>9.0f}  {broke or 'nothing broke'}")
    print("\n".join([*lines, f"{'all':<16}{arguments.num_inputs - inputs:>10,}"]))
    return int(has_broken)


if __name__ == "__main__":
    sys.exit(main())
