"""Registers attacks on long runs: pipes, two runs at once, neighbours of outputs, damage, Ctrl-C, and data that changes."""

import json
import os
import shutil
import signal
from pathlib import Path

from aslstm.data.known_corpora import SAMPLE_FOLDER

from .attacking import TINY, Arena, attack, expect, expect_refusal, last_line, wait_for

NUM_ROWS = 20_000
NAMES_BESIDE = ("out.jsonl.errors.jsonl", "out.jsonl.counts.json")


def texts_of(path: Path) -> list[str]:
    """Return the texts of the answers in a file."""
    return [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()]


@attack(16, "Ctrl-C", "SIGINT to a prediction and to a training with states, then both are resumed")
def interrupt(arena: Arena) -> str:
    """Interrupt a prediction and a training."""
    posts, output = arena.posts("posts.txt", "今天", 2 * NUM_ROWS), arena.folder / "out.jsonl"
    command = arena.predict("--input", posts, "--output", output)
    training = arena.command("train", "--output_dir", arena.folder / "model", *TINY, "--num_train_epochs", "12")
    training += ["--checkpointing_steps", "2", "--early_stopping_patience", "12"]
    for one, begun in ((command, "out.jsonl.parts/00000000.jsonl"), (training, "model-checkpoints/step-00000002")):
        process = arena.start(one)
        wait_for(process, (arena.folder / begun).exists)
        process.send_signal(signal.SIGINT)
        said = process.communicate()[1]
        expect(process.returncode == 130 and "Traceback" not in said, f"exit code {process.returncode}, {last_line(said)}")
        expect("stopped by Ctrl-C" in last_line(said), last_line(said))
    result = arena.run([*command, "--resume"])
    expect(result.returncode == 0, last_line(result.stderr))
    expect(texts_of(output) == posts.read_text(encoding="utf-8").splitlines(), "the resumed prediction lost rows")
    result = arena.run([*training, "--resume_from_checkpoint"])
    expect(result.returncode == 0 and "resumed in epoch" in result.stderr, last_line(result.stderr))
    return "one line, exit code 130, both went on"


@attack(18, "pipes as input", f"{NUM_ROWS} posts through <(cat …), standard input and a named pipe")
def pipe(arena: Arena) -> str:
    """Feed predictions through pipes."""
    posts, output = arena.posts("posts.txt", "今天", NUM_ROWS), arena.folder / "out.jsonl"
    named = arena.folder / "named"
    os.mkfifo(named)
    flags = " ".join(arena.predict("--input_format", "txt", "--output", output, "--overwrite", "--input"))
    for shell in (f"{flags} <(cat {posts})", f"cat {posts} | {flags} -", f"cat {posts} > {named} & {flags} {named}"):
        result = arena.run(["bash", "-c", shell])
        expect(result.returncode == 0, f"exit code {result.returncode}, {last_line(result.stderr)}")
        found = texts_of(output)
        expect(found == posts.read_text(encoding="utf-8").splitlines(), f"{len(found)} rows of {NUM_ROWS}, exit code 0")
    return f"{NUM_ROWS} rows each time"


@attack(19, "two runs on one output", "a second prediction and a second training start while the first ones work")
def run_twice(arena: Arena) -> str:
    """Start two runs on one output."""
    first, second = (arena.posts(f"{name}.txt", name, NUM_ROWS) for name in ("first", "second"))
    output = arena.folder / "out.jsonl"
    process = arena.start(arena.predict("--input", first, "--output", output))
    wait_for(process, (arena.folder / "out.jsonl.parts" / "00000000.jsonl").exists)
    for again in ("--overwrite", "--resume"):
        result = arena.run(arena.predict("--input", second, "--output", output, again))
        expect_refusal(result, f"a second prediction with {again}", f"process {process.pid}")
    expect(process.wait() == 0, "the first prediction ended with an error")
    expect(texts_of(output) == first.read_text(encoding="utf-8").splitlines(), "rows of both runs in one output")
    training = arena.command("train", "--output_dir", arena.folder / "model", *TINY, "--checkpointing_steps", "2")
    training += ["--num_train_epochs", "1000", "--early_stopping_patience", "1000"]
    process = arena.start(training)
    wait_for(process, (arena.folder / "model-checkpoints" / "step-00000002").exists)
    expect_refusal(arena.run([*training, "--resume_from_checkpoint"]), "a second training", f"process {process.pid}")
    expect(process.poll() is None, "the first training ended")
    process.kill()
    process.communicate()
    return "the second ones are refused and name the first"


@attack(
    20,
    "neighbours of the output",
    "files stand at all places that a prediction writes, one of them is the input, one is a link",
)
def neighbours(arena: Arena) -> str:
    """Put files where a prediction writes."""
    posts, output = arena.posts("posts.txt", "今天", 10), arena.folder / "out.jsonl"
    for name in NAMES_BESIDE:
        beside = arena.folder / name
        beside.write_text('{"text": "mine"}\n', encoding="utf-8")
        expect_refusal(arena.run(arena.predict("--input", posts, "--output", output)), name, name)
        flags = ("--input", beside, "--input_format", "jsonl", "--output", output, "--overwrite")
        expect_refusal(arena.run(arena.predict(*flags)), f"{name} as the input", "found the same")
        expect(beside.read_text(encoding="utf-8") == '{"text": "mine"}\n', f"{name} was replaced")
        beside.unlink()
    for link in (output.symlink_to, output.hardlink_to):
        link(posts)
        result = arena.run(arena.predict("--input", posts, "--output", output, "--overwrite"))
        expect_refusal(result, "a link to the input as the output", "found the same")
        output.unlink()
    output.symlink_to(arena.folder / "target")
    result = arena.run(arena.predict("--input", posts, "--output", output))
    expect(result.returncode == 0 and output.is_symlink(), f"a link was replaced, {last_line(result.stderr)}")
    return "refused, and the link stayed"


@attack(22, "power cut", "a killed prediction's parts, notes and state are cut, zeroed and changed, then it is resumed")
def damage(arena: Arena) -> str:
    """Damage the parts of a killed run."""
    posts, output, unbroken = arena.posts("posts.txt", "今天", NUM_ROWS), arena.folder / "out.jsonl", arena.folder / "a.jsonl"
    expect(arena.run(arena.predict("--input", posts, "--output", unbroken)).returncode == 0, "the prediction failed")
    command = arena.predict("--input", posts, "--output", output)
    process, parts, kept = arena.start(command), arena.folder / "out.jsonl.parts", arena.folder / "kept"
    wait_for(process, (parts / "00000001.jsonl").exists)
    process.kill()
    process.communicate()
    shutil.copytree(parts, kept)
    for name in ("00000000.jsonl", "00000000.json", "state.json"):
        content = (kept / name).read_bytes()
        middle = len(content) // 2
        flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        for changed in (content[:-9], bytes(len(content)), b"", flipped):
            shutil.rmtree(parts, ignore_errors=True)
            output.unlink(missing_ok=True)
            output.with_name("out.jsonl.counts.json").unlink(missing_ok=True)
            shutil.copytree(kept, parts)
            (parts / name).write_bytes(changed)
            result = arena.run([*command, "--resume"])
            if name == "state.json":
                expect_refusal(result, "a damaged state", "--overwrite")
                result = arena.run([*command, "--overwrite"])
            expect(result.returncode == 0, f"{name}: {last_line(result.stderr)}")
            expect(output.read_bytes() == unbroken.read_bytes(), f"a damaged {name} got into the output, exit code 0")
    return "parts are answered again, a state is refused and --overwrite gets out"


@attack(
    25, "other data than it says", "labels are shuffled between a kill and the resume; a corpus is replaced, size and time kept"
)
def change_data(arena: Arena) -> str:
    """Change the rows under a training."""
    for split in ("train", "validation"):
        lines = (SAMPLE_FOLDER / f"{split}.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)[:400]
        (arena.folder / f"{split}.jsonl").write_text("".join(lines), encoding="utf-8")
    train = arena.folder / "train.jsonl"
    command = arena.command("train", "--train_file", train, "--validation_file", arena.folder / "validation.jsonl", *TINY[:4])
    resumed = [*command, "--output_dir", str(arena.folder / "model"), "--checkpointing_steps", "2"]
    process = arena.start(resumed)
    wait_for(process, (arena.folder / "model-checkpoints" / "step-00000002").exists)
    process.kill()
    process.communicate()
    # Each row gets the label of the next one, and the file the size and the time of before.
    rows, status = [json.loads(line) for line in train.read_text(encoding="utf-8").splitlines()], train.stat()
    labels = [row["label"] for row in rows]
    moved = [row | {"label": label} for row, label in zip(rows, labels[1:] + labels[:1], strict=True)]
    content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in moved).encode()
    expect(len(content) == status.st_size, "the attack itself changed the size")
    train.write_bytes(content)
    os.utime(train, ns=(status.st_atime_ns, status.st_mtime_ns))
    expect_refusal(arena.run([*resumed, "--resume_from_checkpoint"]), "resumed on other labels", "contents of train")
    fresh = {}
    for name, cache in (("cached", {}), ("fresh", {"HF_HOME": str(arena.folder / "cache")})):
        run = Arena(arena.folder, arena.model, arena.environment | cache).run
        expect(run([*command, "--output_dir", str(arena.folder / name)]).returncode == 0, "a training failed")
        fresh[name] = (arena.folder / name / "model.safetensors").read_bytes()
    expect(fresh["cached"] == fresh["fresh"], "trained on the labels of before, which were cached")
    return "refused at the resume; a new training reads the new rows"
