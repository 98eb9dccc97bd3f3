"""A model hub on the loopback: the parts of Hugging Face's and of ModelScope's API by which files
are sent. It keeps repositories in memory and notes every request."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha1, sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Repository:
    private: bool
    files: dict[str, bytes] = field(default_factory=dict)
    commits: int = 0
    license: str = ""


@dataclass
class StandinHub:
    address: str = ""
    repositories: dict[str, Repository] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, path, `Authorization`."""
    refuses: int = 0
    """A status with which every commit is answered."""

    def puts(self) -> int:
        return sum(method == "PUT" for method, _, _ in self.requests)


@contextmanager
def standin_hub() -> Iterator[StandinHub]:
    hub = StandinHub()

    class Handler(_Handler):
        of = hub

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


def _oid(content: bytes, lfs: bool) -> str:
    if lfs:
        return sha256(content).hexdigest()
    return sha1(b"blob %d\0%b" % (len(content), content), usedforsecurity=False).hexdigest()


def _is_lfs(path: str) -> bool:
    return path.endswith((".safetensors", ".gguf"))


class _Handler(BaseHTTPRequestHandler):
    of: StandinHub

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""

    def _answer(self, found: object, status: int = 200) -> None:
        content = json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _note(self) -> str:
        path = self.path.partition("?")[0]
        self.of.requests.append((self.command, path, self.headers.get("Authorization") or ""))
        return path

    def do_GET(self) -> None:
        path = self._note()
        if match := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/main)?", path):
            self._hugging_face_info(match[1])
        elif match := re.fullmatch(r"/(?:openapi|api)/v1/models/([^/]+/[^/]+)", path):
            self._modelscope_info(match[1])
        elif match := re.fullmatch(r"/api/v1/models/([^/]+/[^/]+)/repo/files", path):
            files = self.of.repositories[match[1]].files
            told = [
                {"Path": name, "Size": len(content), "Sha256": sha256(content).hexdigest()}
                for name, content in files.items()
            ]
            self._answer({"Code": 200, "Success": True, "Data": {"Files": told}})
        else:
            self._answer({"error": "not found"}, 404)

    def do_HEAD(self) -> None:
        self._note()
        self.send_response(404)
        self.end_headers()

    def do_PUT(self) -> None:
        path = self._note()
        self.of.blobs[path.rpartition("/")[2]] = self._body()
        self._answer({"Code": 200, "Success": True, "Data": {}})

    def do_POST(self) -> None:
        path, body = self._note(), self._body()
        if path == "/api/repos/create":
            self._create_hugging_face(json.loads(body))
        elif path == "/api/validate-yaml":
            self._answer({"errors": [], "warnings": []})
        elif path == "/api/v1/models":
            self._create_modelscope(json.loads(body))
        elif match := re.fullmatch(r"/api/models/([^/]+/[^/]+)/preupload/main", path):
            self._preupload(match[1], json.loads(body)["files"])
        elif path.endswith("/info/lfs/objects/batch"):
            self._batch(json.loads(body)["objects"])
        elif match := re.fullmatch(r"/api/models/([^/]+/[^/]+)/commit/main", path):
            self._commit(match[1], body)
        elif match := re.fullmatch(r"/api/v1/repos/models/([^/]+/[^/]+)/commit/\w+", path):
            self._commit_modelscope(match[1], json.loads(body))
        else:
            self._answer({"error": "not found"}, 404)

    def _hugging_face_info(self, name: str) -> None:
        if (found := self.of.repositories.get(name)) is None:
            self._answer({"error": "Repository not found"}, 404)
            return
        told = {"id": name, "private": found.private, "sha": f"{found.commits:040x}"}
        self._answer({**told, "siblings": [{"rfilename": each} for each in found.files]})

    def _modelscope_info(self, name: str) -> None:
        if (found := self.of.repositories.get(name)) is None:
            self._answer({"Code": 404, "Success": False, "Message": "not found"}, 404)
            return
        visibility = 1 if found.private else 5
        data = {
            "Name": name.split("/")[1],
            "Path": name.split("/", maxsplit=1)[0],
            "Visibility": visibility,
        }
        self._answer({"Code": 200, "Success": True, "success": True, "Data": data, "data": data})

    def _create_hugging_face(self, asked: dict[str, Any]) -> None:
        owner = asked.get("organization") or "me"
        name = f"{owner}/{asked['name']}"
        there = name in self.of.repositories
        if not there:
            private = asked.get("private") or asked.get("visibility") == "private"
            self.of.repositories[name] = Repository(bool(private))
        url = f"{self.of.address}/{name}"
        self._answer({"url": url, "name": name, "id": name}, 409 if there else 200)

    def _create_modelscope(self, asked: dict[str, Any]) -> None:
        name = f"{asked['Path']}/{asked['Name']}"
        if name in self.of.repositories:
            self._answer({"Code": 10010101001, "Success": False, "Message": "exists"}, 400)
            return
        self.of.repositories[name] = Repository(asked["Visibility"] == 1, license=asked["License"])
        self._answer({"Code": 200, "Success": True, "Data": {"Name": asked["Name"]}})

    def _preupload(self, name: str, files: list[dict[str, Any]]) -> None:
        there = self.of.repositories[name].files
        told = [
            {
                "path": each["path"],
                "uploadMode": "lfs" if _is_lfs(each["path"]) else "regular",
                "shouldIgnore": False,
                "oid": _oid(there[each["path"]], _is_lfs(each["path"]))
                if each["path"] in there
                else None,
            }
            for each in files
        ]
        self._answer({"files": told})

    def _batch(self, objects: list[dict[str, Any]]) -> None:
        told = []
        for each in objects:
            found = {"oid": each["oid"], "size": each["size"]}
            if each["oid"] not in self.of.blobs:
                # As a store apart from the hub: another name of the same machine.
                address = self.of.address.replace("127.0.0.1", "localhost")
                found["actions"] = {"upload": {"href": f"{address}/blobs/{each['oid']}"}}
            told.append(found)
        self._answer({"Code": 200, "transfer": "basic", "objects": told, "Data": {"objects": told}})

    def _commit(self, name: str, body: bytes) -> None:
        if self.of.refuses:
            self._answer({"error": "You have no access to this repository"}, self.of.refuses)
            return
        repository = self.of.repositories[name]
        for line in body.splitlines():
            told = json.loads(line)
            value = told["value"]
            if told["key"] == "file":
                repository.files[value["path"]] = base64.b64decode(value["content"])
            elif told["key"] == "lfsFile":
                repository.files[value["path"]] = self.of.blobs[value["oid"]]
        repository.commits += 1
        oid = f"{repository.commits:040x}"
        url = f"{self.of.address}/{name}/commit/{oid}"
        self._answer({"commitUrl": url, "commitOid": oid, "success": True})

    def _commit_modelscope(self, name: str, asked: dict[str, Any]) -> None:
        if self.of.refuses:
            self._answer({"Code": 403, "Success": False, "Message": "no access"}, self.of.refuses)
            return
        repository = self.of.repositories[name]
        for each in asked["actions"]:
            content = (
                self.of.blobs[each["sha256"]]
                if each["type"] == "lfs"
                else base64.b64decode(each["content"])
            )
            repository.files[each["path"]] = content
        repository.commits += 1
        self._answer({"Code": 200, "Success": True, "Data": {"oid": str(repository.commits)}})
