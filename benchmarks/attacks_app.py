"""Registers attacks on the app, on charts, on push, and on commands in poor surroundings."""

import json
import shutil
import subprocess
import threading
import time
from pathlib import Path

from aslstm.files import write_checksums
from tests.support.app_visitor import Visitor, served_app

from .attacking import TIMEOUT_SECONDS, Arena, attack, expect, expect_refusal, last_line

SECONDS = 3
FEW_REPORTS, MANY_REPORTS = 20, 300
GROWTH_MB = 200
UPLOADS: dict[str, bytes] = {
    "wide.csv": ",".join(f"column{i}" for i in range(60_000)).encode() + b"\n" + b"," * 59_999,
    "long.txt": "今天".encode() * 3_000_000,
    "ligatures.txt": "ﷺ".encode() * 100_000,
    "blank.txt": b"\n" * 19_000_000,
    "posts.csv": b"text\n" + "今天又加班[泪]\n".encode() * 20_000,
}
NAMES = ("constructor", "toString", "a\u2028b", "坏\x00人", "\x01\x08\x1b[2J", "\ufffe")
TELLS = "\nimport json, os\nopen({path!r}, 'w').write(json.dumps(dict(os.environ)))\n"


def memory_of(pid: int) -> float:
    """Return the memory of a process in MB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(status.split("VmRSS:")[1].split()[0]) / 1000


@attack(
    21, "one upload against all visitors", f"{len(UPLOADS)} hostile uploads, then {MANY_REPORTS} reports of as many visitors"
)
def upload(arena: Arena) -> str:
    """Upload what costs much, and ask for an answer as another visitor meanwhile."""
    slowest = 0.0
    with served_app(arena.model, **arena.environment) as (address, process):
        for name, content in UPLOADS.items():
            (arena.folder / name).write_bytes(content)
            hostile, other = Visitor(address, arena.model), Visitor(address, arena.model)
            file = hostile.upload(arena.folder / name)
            work = threading.Thread(target=hostile.report, kwargs={"file": file})
            work.start()
            while work.is_alive():
                started = time.monotonic()
                expect("panel" in other.answer("今天又加班[泪]"), f"{name}: no answer")
                slowest = max(slowest, time.monotonic() - started)
        expect(slowest < SECONDS, f"another visitor waited {slowest:.1f} s")
        for number in range(1, MANY_REPORTS + 1):
            expect("<iframe" in Visitor(address, arena.model).report(lines="好[泪]\n坏[怒]"), "no report")
            if number == FEW_REPORTS:
                before = memory_of(process.pid)
        grown = memory_of(process.pid) - before
    told = f"{grown:.0f} MB more after {MANY_REPORTS} reports of as many visitors than after {FEW_REPORTS}"
    expect(grown < GROWTH_MB, told)
    return f"another visitor waited {slowest:.1f} s at most; {told}"


@attack(23, "names in charts", "a report whose labels and words end the renderer, or are members of every JavaScript object")
def draw(arena: Arena) -> str:
    """Draw hostile names."""
    rows = [
        {"text": name, "label": name, "score": 1, "attention": [
            {"token": name, "weight": 1, "start": 0, "end": len(name), "is_emoji": False}]}
        for name in NAMES for _ in range(2)
    ]  # fmt: skip
    path = arena.folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    result = arena.run(arena.command("report", "--input", path, "--output", arena.folder / "report"))
    expect(result.returncode == 0, f"exit code {result.returncode}, {last_line(result.stderr)}")
    return f"{len(list((arena.folder / 'report').glob('*.png')))} charts"


@attack(26, "the code of a stranger", "a whole folder with more code is verified by push --dry_run and shown by try")
def run_code(arena: Arena) -> str:
    """Verify a hostile folder."""
    folder, told = arena.folder / "model", arena.folder / "told"
    shutil.copytree(arena.model, folder, ignore=shutil.ignore_patterns("__pycache__"))
    with (folder / "modeling_aslstm.py").open("a", encoding="utf-8") as file:
        file.write(TELLS.format(path=str(told)))
    write_checksums(folder)
    push = arena.command("push", "--model", folder, "--repo", "a/b", "--dry_run")
    for command in (push, arena.command("try", folder)):
        expect_refusal(arena.run(command), command[3], "modeling_aslstm.py", "--trust_code")
    expect(not told.exists(), "the code ran")
    arena.environment["HF_TOKEN"] = arena.environment["MY_SECRET"] = "hf_secret"
    result = arena.run([*push, "--trust_code"])
    expect(result.returncode == 0 and "hf_secret" not in told.read_text(encoding="utf-8"), last_line(result.stderr))
    return "named and not run; where it is trusted, without secrets"


@attack(27, "posts that travel", "a table of new words with a post for each is pushed without sending")
def send_posts(arena: Arena) -> str:
    """Look whether the command says what goes out."""
    result = arena.run(arena.command("push", "--model", arena.model, "--repo", "a/b", "--dry_run"))
    expect("vocab.txt holds words and characters of the posts" in result.stdout, last_line(result.stderr))
    return "files with words are named"


@attack(30, "poor surroundings", "output in GBK and ASCII, no home, a cache that cannot be written")
def be_poor(arena: Arena) -> str:
    """Run a command in each."""
    surroundings: list[dict[str, str]] = [
        {"PYTHONIOENCODING": "gbk"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, {"HOME": "/proc"},
        {"HF_HOME": "/proc/none"},
    ]  # fmt: skip
    for variables in surroundings:
        there = Arena(arena.folder, arena.model, {**arena.environment, **variables})
        command = there.predict("--input", there.posts("posts.txt", "今天😂", 2), "--output", there.folder / "out.jsonl")
        for one in ([*command, "--input_format", "txt", "--overwrite"], there.command("try", there.model, "今天😂")):
            # The output is not UTF-8 everywhere.
            result = subprocess.run(one, capture_output=True, env=there.environment, timeout=TIMEOUT_SECONDS)
            expect(result.returncode == 0, f"{variables}: {last_line(result.stderr.decode(errors='replace'))}")
    return "no traceback"
