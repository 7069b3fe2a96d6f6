"""Takes the HTTP requests of the true ``huggingface_hub`` client and answers as the Hub would, from memory.

The server listens on the loopback interface. It has what the client needs to push, tag and load: repositories with commits,
branches, tags and the files of each revision. A test can make it fail with a status, with no answer, or with a closed
connection.
"""

import base64
import hashlib
import json
import re
import socket
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

MAIN = "main"
LARGE = (".safetensors", ".onnx")  # The Hub's own .gitattributes lists these.


@dataclass(frozen=True)
class Commit:
    sha: str
    parent: str | None
    files: dict[str, bytes]


@dataclass
class Repo:
    is_private: bool = False
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def commit(self, files: dict[str, bytes]) -> Commit:
        """Add a commit as the new head of main."""
        parent = self.branches.get(MAIN)
        content = json.dumps([parent, {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}])
        commit = Commit(hashlib.sha1(content.encode()).hexdigest(), parent, files)
        self.commits[commit.sha] = commit
        self.branches[MAIN] = commit.sha
        return commit

    @property
    def head(self) -> Commit:
        return self.commits[self.branches[MAIN]]


@dataclass
class Refusal(Exception):
    """Is raised for an answer other than 200.

    Attributes:
        status: The HTTP status.
        message: The message for people.
        code: The code that tells the client what is missing.
        also: Further fields of the body.
    """

    status: int
    message: str
    code: str = ""
    also: dict[str, str] = field(default_factory=dict)


def oid_of(name: str, content: bytes) -> str:
    """Return the SHA-256 of a large file, or git's SHA-1 of any other."""
    if name.endswith(LARGE):
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class FakeHub:
    """Runs the server while its context is entered.

    Args:
        tokens: For each token, the owners whose repositories it may write.
    """

    def __init__(self, tokens: dict[str, set[str]]) -> None:
        self.tokens = tokens
        self.repos: dict[str, Repo] = {}
        self.blobs: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.meetings: dict[str, threading.Barrier] = {}
        self._failures: dict[str, list[int | str]] = defaultdict(list)
        self._lock = threading.Lock()
        self.is_closing = threading.Event()

    def fail(self, route: str, kind: int | str, *, times: int = 1) -> None:
        """Make the next requests of a route fail.

        Args:
            route: The name of the route in ``ROUTES``.
            kind: A status to answer with, ``hang`` to give no answer, ``drop`` to close the connection in the middle of the
                request, or ``drop_after`` to do what is asked and then close it.
            times: The number of requests that fail.
        """
        self._failures[route] += [kind] * times

    def meet(self, route: str, parties: int) -> None:
        """Make requests of a route wait until ``parties`` of them have come."""
        self.meetings[route] = threading.Barrier(parties)

    def next_failure(self, route: str) -> int | str | None:
        with self._lock:
            return self._failures[route].pop(0) if self._failures[route] else None

    def __enter__(self) -> "FakeHub":
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": self}))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_closing.set()
        self.server.shutdown()
        self.server.server_close()

    # Each route takes the token, the body and the groups of the path, and returns JSON or a file.

    def _readable(self, name: str, token: str | None) -> Repo:
        repo = self.repos.get(name)
        if repo is None or (repo.is_private and name.split("/")[0] not in self.tokens.get(token or "", set())):
            raise Refusal(404 if token else 401, "Repository not found", "RepoNotFound")
        return repo

    def _writable(self, name: str, token: str | None) -> Repo:
        repo = self._readable(name, token)
        self._check_owner(name.split("/")[0], token)
        return repo

    def _check_owner(self, owner: str, token: str | None) -> None:
        if token is None:
            raise Refusal(401, "Invalid username or password.")
        if owner not in self.tokens[token]:
            raise Refusal(403, f"You don't have the rights to write under the namespace {owner}")

    def _commit_of(self, repo: Repo, revision: str) -> Commit:
        revision = unquote(revision)
        sha = repo.branches.get(revision) or repo.tags.get(revision) or revision
        if sha not in repo.commits:
            raise Refusal(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return repo.commits[sha]

    def create(self, token: str | None, body: bytes) -> Any:
        asked = json.loads(body)
        name = f"{asked['organization']}/{asked['name']}"
        self._check_owner(asked["organization"], token)
        if name in self.repos:
            raise Refusal(409, "You already created this model repo", also={"url": f"{self.url}/{name}"})
        self.repos[name] = Repo(is_private=asked.get("visibility") == "private")
        self.repos[name].commit({".gitattributes": "".join(f"*{end} filter=lfs\n" for end in LARGE).encode()})
        return {"url": f"{self.url}/{name}"}

    def validate_yaml(self, token: str | None, body: bytes) -> Any:
        content = json.loads(body)["content"]
        metadata = yaml.safe_load(content.split("---")[1]) if content.startswith("---") else None
        if not isinstance(metadata, dict):
            raise Refusal(400, "no metadata")
        return {"errors": [], "warnings": []}

    def info(self, token: str | None, body: bytes, name: str, revision: str | None) -> Any:
        repo = self._readable(name, token)
        commit = self._commit_of(repo, revision or MAIN)
        siblings = [{"rfilename": path} for path in commit.files]
        return {"id": name, "sha": commit.sha, "private": repo.is_private, "siblings": siblings, "tags": [],
                "pipeline_tag": "text-classification"}  # fmt: skip

    def tree(self, token: str | None, body: bytes, name: str, revision: str, folder: str | None) -> Any:
        commit = self._commit_of(self._readable(name, token), revision)
        entries = [
            {"type": "file", "path": path, "size": len(content), "oid": oid_of(path, content)}
            for path, content in commit.files.items()
            if not folder or path.startswith(f"{folder}/")
        ]
        if folder and not entries:
            raise Refusal(404, f"{folder} does not exist", "EntryNotFound")
        return entries

    def preupload(self, token: str | None, body: bytes, name: str, revision: str) -> Any:
        files = self._commit_of(self._writable(name, token), revision).files
        return {
            "files": [
                {
                    "path": path,
                    "uploadMode": "lfs" if path.endswith(LARGE) else "regular",
                    "shouldIgnore": False,
                    **({"oid": oid_of(path, files[path])} if path in files else {}),
                }
                for path in (file["path"] for file in json.loads(body)["files"])
            ]
        }

    def lfs_batch(self, token: str | None, body: bytes, name: str) -> Any:
        self._writable(name, token)
        objects = json.loads(body)["objects"]
        for entry in objects:
            if entry["oid"] not in self.blobs:
                entry["actions"] = {"upload": {"href": f"{self.url}/lfs/{entry['oid']}"}}
        return {"objects": objects}

    def lfs_put(self, token: str | None, body: bytes, oid: str) -> Any:
        if hashlib.sha256(body).hexdigest() != oid:
            raise Refusal(400, "not the content of that name")
        self.blobs[oid] = body
        return {}

    def commit(self, token: str | None, body: bytes, name: str, revision: str) -> Any:
        repo = self._writable(name, token)
        lines = [json.loads(line) for line in body.splitlines()]
        (header,) = (line["value"] for line in lines if line["key"] == "header")
        if header.get("parentCommit") not in (None, repo.head.sha):
            raise Refusal(412, "A commit has happened since. Please refresh and try again.")
        files = dict(repo.head.files)
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                if value["oid"] not in self.blobs:
                    raise Refusal(400, f"{value['path']} was not uploaded")
                files[value["path"]] = self.blobs[value["oid"]]
            elif line["key"] == "deletedFile":
                del files[value["path"]]
        commit = repo.commit(files)
        return {"commitUrl": f"{self.url}/{name}/commit/{commit.sha}", "commitOid": commit.sha}

    def tag(self, token: str | None, body: bytes, name: str, revision: str) -> Any:
        repo = self._writable(name, token)
        tag = json.loads(body)["tag"]
        if tag in repo.tags:
            raise Refusal(409, f"Tag {tag} exists already")
        repo.tags[tag] = self._commit_of(repo, revision).sha
        return {}

    def resolve(self, token: str | None, body: bytes, name: str, revision: str, path: str) -> Any:
        commit = self._commit_of(self._readable(name, token), revision)
        if unquote(path) not in commit.files:
            raise Refusal(404, "Entry not found", "EntryNotFound")
        content = commit.files[unquote(path)]
        return content, {"ETag": f'"{oid_of(path, content)}"', "X-Repo-Commit": commit.sha}


REPO = r"([^/]+/[^/]+)"
ROUTES: dict[str, tuple[str, Callable[..., Any]]] = {
    "create": (r"POST /api/repos/create", FakeHub.create),
    "validate": (r"POST /api/validate-yaml", FakeHub.validate_yaml),
    "info": (rf"GET /api/models/{REPO}(?:/revision/([^/]+))?", FakeHub.info),
    "tree": (rf"GET /api/models/{REPO}/tree/([^/]+)(?:/(.+))?", FakeHub.tree),
    "preupload": (rf"POST /api/models/{REPO}/preupload/([^/]+)", FakeHub.preupload),
    "lfs_batch": (rf"POST /{REPO}\.git/info/lfs/objects/batch", FakeHub.lfs_batch),
    "lfs_put": (r"PUT /lfs/(\w+)", FakeHub.lfs_put),
    "commit": (rf"POST /api/models/{REPO}/commit/([^/]+)", FakeHub.commit),
    "tag": (rf"POST /api/models/{REPO}/tag/([^/]+)", FakeHub.tag),
    "resolve": (rf"(?:GET|HEAD) /{REPO}/resolve/([^/]+)/(.+)", FakeHub.resolve),
}


class _Handler(BaseHTTPRequestHandler):
    """Reads a request and sends the answer of its route, or the failure that a test asked for."""

    hub: FakeHub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def _drop(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _answer(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json"} | headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def do_GET(self) -> None:
        """Handle a request of any method."""
        hub, request = self.hub, f"{self.command} {urlsplit(self.path).path}"
        hub.requests.append(request)
        matches = ((route, re.fullmatch(pattern, request), answer) for route, (pattern, answer) in ROUTES.items())
        found = next(((route, match.groups(), answer) for route, match, answer in matches if match), None)
        failure = hub.next_failure(found[0]) if found else None
        length = int(self.headers.get("Content-Length") or 0)
        if failure == "drop":
            self.rfile.read(length // 2)
            return self._drop()
        body = self.rfile.read(length)
        if failure == "hang":
            hub.is_closing.wait(60)
            return self._drop()
        try:
            if isinstance(failure, int):
                raise Refusal(failure, f"failing as told, {self.headers.get('Authorization')}")
            if found is None:
                raise Refusal(404, f"no such route: {request}")
            content, headers = self._run(*found, body)
        except Refusal as refusal:
            content = json.dumps({"error": refusal.message} | refusal.also).encode()
            headers = {"X-Error-Message": refusal.message} | ({"X-Error-Code": refusal.code} if refusal.code else {})
            return self._answer(refusal.status, content, headers)
        if failure == "drop_after":
            return self._drop()
        return self._answer(200, content, headers)

    do_POST = do_PUT = do_HEAD = do_GET

    def _run(
        self, route: str, groups: tuple[str, ...], answer: Callable[..., Any], body: bytes
    ) -> tuple[bytes, dict[str, str]]:
        hub, authorization = self.hub, self.headers.get("Authorization")
        token = authorization.removeprefix("Bearer ") if authorization else None
        if token is not None and token not in hub.tokens:
            raise Refusal(401, "Invalid credentials in Authorization header")
        if route in hub.meetings:
            hub.meetings[route].wait(60)
        with hub._lock:
            result = answer(hub, token, body, *groups)
        return result if isinstance(result, tuple) else (json.dumps(result).encode(), {})
