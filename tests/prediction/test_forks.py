"""Answers in processes that were forked after the first answer, when the parent already had threads."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commands import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")

# Many short batches, so that the threads are used. A child that hangs is ended by its alarm.
FORK = """
import json, multiprocessing, os, signal, sys
from aslstm import OnnxPipeline
from aslstm.prediction.classifier import Classifier

folder, way = sys.argv[1:]
posts = ["今天又加班[泪]", "今天又加班[太开心]", "气死我了[怒]"] * 40
classify = OnnxPipeline(folder, num_threads=2)
classifier = Classifier(folder, backend="onnx", batch_size=16, num_threads=2)

def answer():
    return [classify(posts, batch_size=16), classifier.predict(posts).round(6).tolist()]

def child(results):
    signal.alarm(60)
    results.send(answer())

before = answer()
receive, send = multiprocessing.Pipe(duplex=False)
if way == "multiprocessing":
    process = multiprocessing.get_context("fork").Process(target=child, args=(send,))
    process.start()
    found = receive.recv() if receive.poll(60) else "no answer"
    process.join()
    code = process.exitcode
else:
    pid = os.fork()
    if pid == 0:
        child(send)
        grandchild = os.fork()
        if grandchild == 0:
            child(send)
            os._exit(0)
        os._exit(os.waitstatus_to_exitcode(os.waitpid(grandchild, 0)[1]))
    found = receive.recv() if receive.poll(60) else "no answer"
    again = receive.recv() if receive.poll(60) else "no answer"
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert again == found
print(json.dumps([code, found == before, answer() == before]))
"""


@pytest.mark.parametrize("way", ["os.fork", "multiprocessing"])
def test_a_forked_process_answers_as_its_parent_does(onnx_folder: Path, way: str) -> None:
    command = [sys.executable, "-c", FORK, str(onnx_folder), way]
    result = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=ROOT, check=True, timeout=300)
    assert json.loads(result.stdout.splitlines()[-1]) == [0, True, True]
