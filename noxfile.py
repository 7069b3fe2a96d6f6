"""The versions that work: ``make test-matrix`` makes environments, carries model folders between them, and prints a table.

For each interpreter and each release of transformers, ``folders`` builds model folders in an environment with
``torch transformers jieba emoji`` (and OpenCC, for the build alone), and ``load`` reads the folders of all with it. ``package``
runs a part of the suite with the newest dependencies that setup.cfg allows and, on the oldest Python, with the lowest.
``summary`` ends with 1 where none passed.
PYTHONS and TRANSFORMERS name the interpreters and the releases; an interpreter that is not there is skipped.
"""

import configparser
import json
import os
import re
import shutil
from pathlib import Path

import nox

ROOT = Path(__file__).parent
TRAVELLING_FOLDER = ROOT / "tests" / "versions" / "travelling_folder.py"
PYTHONS = os.environ.get("PYTHONS", "python3.11 python3.12 python3.13").split()
RELEASES = os.environ.get("TRANSFORMERS", "==4.57.* ==5.5.* ==5.12.* >=5.5,<6").split()
# Together they use every dependency of the package and of its extras but these.
TESTS = (
    "commands", "end_to_end/test_train.py", "end_to_end/test_hub_roundtrip.py", "model_folder", "prediction", "report",
    "test_metrics.py", "tokenization/test_batch_encoding.py", "training/test_publishing.py", "training/test_rare_words.py",
)  # fmt: skip
NOT_TESTED = ("all", "app", "demo", "dev", "engines", "finders", "fuzz", "serve", "speed")
VERSIONS = "import importlib.metadata as m, json, platform as p; print(json.dumps([p.python_version(), *map(m.version, {})]))"
BARE = {"PYTHONPATH": None, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}

nox.options.envdir = str(ROOT / ".venv-matrix")
nox.options.error_on_missing_interpreters = False
nox.options.download_python = "never"
nox.options.default_venv_backend = "venv"

# What sessions leave to later ones of the same run: the Python of each environment with folders, and the table.
built: dict[tuple[str, str], Path] = {}
table: list[str] = []


def pin_lowest(requirement: str) -> str:
    """Return a requirement with the lowest version that it allows.

    >>> pin_lowest("transformers>=5.5,<6"), pin_lowest("onnx")
    ('transformers==5.5', 'onnx')
    """
    return re.sub(r">=([\w.]+).*", r"==\1", requirement)


def read_requirements(path: Path, extras: list[str] | None = None) -> list[str]:
    """Return the requirements of the package with some extras, or with all but those of ``NOT_TESTED``, each once.

    Args:
        path: A ``setup.cfg``; an extra may name others as ``aslstm[other]``.
        extras: Names of extras.
    """
    config = configparser.ConfigParser()
    config.read(path, encoding="utf-8")
    listed = config["options.extras_require"]
    open_extras = [name for name in listed if name not in NOT_TESTED] if extras is None else list(extras)
    lines = config["options"]["install_requires"].splitlines()
    seen: set[str] = set()
    while open_extras:
        extra = open_extras.pop(0)
        if extra in seen:
            continue
        seen.add(extra)
        for line in listed[extra].splitlines():
            if others := re.fullmatch(rf"{config['metadata']['name']}\[(.+)\]", line):
                open_extras += [name.strip() for name in others[1].split(",")]
            else:
                lines.append(line)
    return list(dict.fromkeys(line for line in lines if line and not line.startswith("#")))


def oldest_python(path: Path) -> str:
    """Return the oldest Python that a ``setup.cfg`` allows, such as 3.11."""
    config = configparser.ConfigParser()
    config.read(path, encoding="utf-8")
    return config["options"]["python_requires"].removeprefix(">=")


def install(session: nox.Session, *arguments: str) -> None:
    """Install packages, torch in the version of constraints.txt."""
    session.install("--constraint", str(ROOT / "constraints.txt"), *arguments)


def note(session: nox.Session, python: Path, title: str, result: str) -> None:
    """Add a row to the table, with the versions in an environment."""
    asked = VERSIONS.format(("transformers", "torch"))
    versions = json.loads(str(session.run(str(python), "-c", asked, silent=True, external=True, env=BARE)))
    table.append(f"| {versions[0]} | {title} | {versions[1]} | {versions[2]} | {result} |")


def share_torch(session: nox.Session, environments: Path) -> None:
    """Give an environment the torch of its interpreter, which takes gigabytes and is there once for all releases."""
    shared = environments / re.sub(r"\W+", "-", f"torch-{session.python}")
    if not shared.exists():
        install(session, "--target", str(shared), "torch", "jieba", "emoji")
    purelib = session.run("python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", silent=True)
    # Behind the packages of the environment itself, so that those that both have are those of the release.
    (Path(str(purelib).strip()) / "torch.pth").write_text(f"{shared}\n", encoding="utf-8")


@nox.session(python=PYTHONS)
@nox.parametrize("transformers", RELEASES)
def folders(session: nox.Session, transformers: str) -> None:
    """Build model folders, with the packages of this repository, in what a user of a published model has."""
    location = Path(session.virtualenv.location).resolve()
    share_torch(session, location.parent)
    install(session, f"transformers{transformers}")
    # Making a tokenizer needs the converter of scripts; `load`, like a user of the model, does not have it.
    converter = location / "converter"
    install(session, "--target", str(converter), "opencc")
    shutil.rmtree(location / "models", ignore_errors=True)
    environment = BARE | {"HF_HOME": str(location / "cache"), "PYTHONPATH": os.pathsep.join([str(ROOT), str(converter)])}
    session.run("python", str(TRAVELLING_FOLDER), "build", str(location / "models"), env=environment)
    built[str(session.python), transformers] = location


@nox.session(venv_backend="none")
@nox.parametrize("transformers", RELEASES)
@nox.parametrize("interpreter", PYTHONS)
def load(session: nox.Session, interpreter: str, transformers: str) -> None:
    """Load the folders that all built, away from the repository, and compare the answers; in an environment of ``folders``."""
    location = built.get((interpreter, transformers))
    if location is None:
        session.skip("its folders were not built in this run")
    python = location / "bin" / "python"
    models = [str(other / "models") for other in built.values()]
    session.chdir(session.create_tmp())
    environment = BARE | {"HF_HOME": str(location / "cache")}
    command = (str(python), str(TRAVELLING_FOLDER), "load", *models)
    found = json.loads(str(session.run(*command, silent=True, external=True, env=environment, stderr=None)).splitlines()[-1])
    result = f"{found['folders']} folders, largest difference {found['difference']:.0e}"
    note(session, python, f"bare, transformers{transformers}", result)


@nox.session(python=PYTHONS)
@nox.parametrize("versions", ["newest", "lowest"])
def package(session: nox.Session, versions: str) -> None:
    """Run a part of the suite with the newest dependencies that setup.cfg allows, or with the lowest."""
    oldest = oldest_python(ROOT / "setup.cfg")
    python = str(session.run("python", "-c", "import platform; print(platform.python_version())", silent=True)).strip()
    if versions == "lowest" and not python.startswith(f"{oldest}."):
        session.skip(f"the lowest versions are those of Python {oldest}")
    requirements = read_requirements(ROOT / "setup.cfg")
    pins = [pin_lowest(requirement) for requirement in requirements] if versions == "lowest" else requirements
    install(session, "--editable", str(ROOT), "pytest", "hypothesis", *pins)
    environment = BARE | {"HF_HOME": str(Path(session.virtualenv.location).resolve() / "cache")}
    session.run("pytest", "-p", "no:cacheprovider", *(str(ROOT / "tests" / name) for name in TESTS), env=environment)
    note(session, Path(session.bin) / "python", f"package, {versions}", "passed")


@nox.session(venv_backend="none")
def summary(session: nox.Session) -> None:
    """Print what passed; end with an error where nothing did."""
    print("| Python | environment | transformers | torch | result |\n|---|---|---|---|---|", *table, sep="\n")
    if not table:
        session.error("expected a row that passed, found none")
