"""The versions that work: makes environments, carries model folders between them, prints a table (``make test-matrix``).

For each interpreter and each release of transformers an environment with ``torch transformers jieba emoji``: in it
``travelling_folder.py`` builds model folders, and then each of these environments loads the folders of all. For each
interpreter also the whole package with the newest dependencies that setup.cfg allows, and on the oldest Python with the lowest;
a part of the suite runs there. Ends with 1 where a row fails. Needs the standard library alone.
"""

import argparse
import configparser
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent
ENVIRONMENTS = ROOT / ".venv-matrix"
TRAVELLING_FOLDER = ROOT / "tests" / "travelling_folder.py"
EXTRAS = ("fast", "onnx", "report", "tracking")
# Together they use every dependency of the package and of these extras.
TESTS = (
    "train", "evaluate_model", "predict", "hub_roundtrip", "model_folder", "push_to_hub", "export_onnx", "train_vectors",
    "rare_words", "show_attention", "report", "describe_corpus", "metrics", "batch_encoding",
)  # fmt: skip
VERSIONS = "import importlib.metadata as m, json; print(json.dumps([m.version(p) for p in ('transformers', 'torch')]))"


class Row:
    """A line of the table, and the environment that it is about.

    Args:
        starter: the interpreter that makes the environment.
        python: its version.
        title: what is installed, as the table says it.
        name: of the files of this row in ENVIRONMENTS.
    """

    def __init__(self, starter: str, python: str, title: str, name: str) -> None:
        self.starter = starter
        self.python = python
        self.title = title
        self.log = ENVIRONMENTS / f"{name}.log"
        self.cache = ENVIRONMENTS / f"{name}-cache"
        self.environment = ENVIRONMENTS / name
        self.search_path: list[Path] = []
        self.versions = ["", ""]
        self.result = ""
        self.has_failed = False
        self.seconds = 0.0

    def run(self, *command: str | Path, cwd: Path = ROOT, search_path: tuple[Path, ...] = ()) -> str:
        """Run a Python command in the environment, with no other row's caches.

        Args:
            command: what follows ``python``.
            cwd: where.
            search_path: folders of modules, behind those of the row.

        Returns:
            The last line that it printed.

        Raises:
            subprocess.CalledProcessError: it failed.
        """
        environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
        if paths := [*self.search_path, *search_path]:
            environment["PYTHONPATH"] = os.pathsep.join(map(str, paths))
        environment |= {"HF_HUB_OFFLINE": "1", "HF_HOME": str(self.cache), "OMP_NUM_THREADS": "1"}
        with self.log.open("a+", encoding="utf-8") as log:
            print("$ python", *command, file=log, flush=True)
            python = self.environment / "bin" / "python"
            subprocess.run([python, *command], stdout=log, stderr=subprocess.STDOUT, cwd=cwd, env=environment, check=True)
            log.seek(0)
            return log.read().splitlines()[-1]

    def install(self, *arguments: str | Path) -> None:
        """Install packages, torch in the version of constraints.txt, into the environment, which is made first."""
        if not self.environment.exists():
            subprocess.run([self.starter, "-m", "venv", self.environment], check=True)
        self.run("-m", "pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt", *arguments)

    def attempt(self, work: Callable[..., str], *arguments: object) -> None:
        """Do a part of the row's work, one of its methods; note how it ended and how long it took."""
        print(f"Python {self.python}, {self.title}, {work.__name__}: ", end="", flush=True)
        start = time.monotonic()
        try:
            self.result = work(*arguments)
        except subprocess.CalledProcessError:
            self.result, self.has_failed = f"FAILED, see {self.log.relative_to(ROOT)}", True
        self.seconds += time.monotonic() - start
        print(self.result, flush=True)


class FolderRow(Row):
    """What a user of a published model has: the rows of one interpreter share its torch, each has its own transformers."""

    def __init__(self, starter: str, python: str, release: str, name: str) -> None:
        super().__init__(starter, python, f"bare, transformers{release}", name)
        self.release = release
        self.environment = ENVIRONMENTS / f"python-{python}"
        self.search_path = [ENVIRONMENTS / f"{name}-site"]
        self.models = ENVIRONMENTS / f"{name}-models"

    def build(self) -> str:
        """Make the environment and build model folders in it, with the packages of this repository."""
        self.install("torch", "jieba", "emoji")
        self.install("--target", *self.search_path, f"transformers{self.release}")
        self.versions = json.loads(self.run("-c", VERSIONS))
        self.run(TRAVELLING_FOLDER, "build", self.models, search_path=(ROOT,))
        return "built"

    def load(self, models: list[Path]) -> str:
        """Load model folders in a fresh process, away from the repository."""
        with tempfile.TemporaryDirectory() as elsewhere:
            found = json.loads(self.run(TRAVELLING_FOLDER, "load", *models, cwd=Path(elsewhere)))
        return f"{found['folders']} folders, largest difference {found['difference']:.0e}"


class SuiteRow(Row):
    """The whole package, with the newest versions that it allows, but for those in ``pins``."""

    def __init__(self, starter: str, python: str, title: str, name: str, pins: list[str]) -> None:
        super().__init__(starter, python, title, name)
        self.pins = pins

    def test(self) -> str:
        """Make the environment and run a part of the suite in it."""
        self.install("--editable", f"{ROOT}[{','.join(EXTRAS)}]", "pytest", "hypothesis", *self.pins)
        self.versions = json.loads(self.run("-c", VERSIONS))
        return self.run("-m", "pytest", "-p", "no:cacheprovider", *(ROOT / "tests" / f"test_{name}.py" for name in TESTS))


def version_of(interpreter: str) -> str | None:
    """The version of an interpreter, or None where it is not there or only a name of what is not."""
    try:
        command = [interpreter, "-c", "import platform; print(platform.python_version())"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def pin_lowest(requirement: str) -> str:
    """A requirement with the lowest version that it allows.

    >>> pin_lowest("transformers>=5.5,<6"), pin_lowest("onnx")
    ('transformers==5.5', 'onnx')
    """
    return re.sub(r">=([\w.]+).*", r"==\1", requirement)


def read_setup() -> tuple[str, list[str]]:
    """The oldest Python that setup.cfg allows, and the requirements of the package with EXTRAS."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    listed = [config["options"]["install_requires"], *(config["options.extras_require"][extra] for extra in EXTRAS)]
    requirements = [line for text in listed for line in text.splitlines() if line and not line.startswith("#")]
    return config["options"]["python_requires"].removeprefix(">="), requirements


def main() -> None:
    """Run every row, print the table, end with 1 where one failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pythons", nargs="+", required=True, help="names or paths of interpreters")
    parser.add_argument("--transformers", nargs="*", required=True, help="releases, such as ==5.5.*; none: the suite alone")
    arguments = parser.parse_args()
    oldest, requirements = read_setup()
    shutil.rmtree(ENVIRONMENTS, ignore_errors=True)
    ENVIRONMENTS.mkdir()
    found = {starter: version_of(starter) for starter in arguments.pythons}
    folder_rows, suite_rows = [], []
    for starter, python in found.items():
        if python is None:
            continue
        name = f"python-{python}"
        for number, release in enumerate(arguments.transformers, start=1):
            folder_rows.append(FolderRow(starter, python, release, f"{name}-transformers-{number}"))
        suite_rows.append(SuiteRow(starter, python, "package, newest", f"{name}-newest", []))
        if python.startswith(f"{oldest}."):
            pins = [pin_lowest(requirement) for requirement in requirements]
            suite_rows.append(SuiteRow(starter, python, "package, lowest", f"{name}-lowest", pins))
    for row in folder_rows:
        row.attempt(row.build)
    built = [row for row in folder_rows if not row.has_failed]
    for row in built:
        row.attempt(row.load, [one.models for one in built])
    for suite_row in suite_rows:
        suite_row.attempt(suite_row.test)
    rows: list[Row] = [*folder_rows, *suite_rows]
    print("| Python | environment | transformers | torch | result | seconds |\n|---|---|---|---|---|---|")
    for one in rows:
        print("|", " | ".join((one.python, one.title, *one.versions, one.result, f"{one.seconds:.0f}")), "|")
    absent = [starter for starter, python in found.items() if python is None]
    for starter in absent:
        print(f"| {starter} | | | | skipped: no such interpreter | |")
    failed = sum(one.has_failed for one in rows)
    print(f"{len(rows) - failed} rows passed, {failed} failed, {len(absent)} interpreters skipped")
    sys.exit(1 if failed or not rows else 0)


if __name__ == "__main__":
    main()
