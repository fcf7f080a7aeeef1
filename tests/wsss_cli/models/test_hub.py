"""To the hub and back, with a server of this machine in its place."""

import base64
import json
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from wsss_cli.errors import WsssError
from wsss_cli.models.hub import pull, push, pushed, repository

COMMIT = "a" * 40


class Hub(BaseHTTPRequestHandler):
    """Repositories of small files: made, committed to, read."""

    files: ClassVar[dict[str, bytes]] = {}
    made: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.endswith("/api/repos/create"):
            asked = json.loads(body)
            self.made.append(f"{asked.get('organization', 'me')}/{asked['name']}")
            self._json({"url": f"{self.server_url}/{self.made[-1]}"})
        elif "/preupload/" in self.path:
            names = [file["path"] for file in json.loads(body)["files"]]
            self._json({"files": [{"path": n, "uploadMode": "regular", "shouldIgnore": False} for n in names]})
        elif "/commit/" in self.path:
            name = self.path.partition("/api/models/")[2].partition("/commit/")[0]
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    self.files[f"{name}/{line['value']['path']}"] = base64.b64decode(line["value"]["content"])
            self._json({"commitUrl": f"{self.server_url}/{name}/commit/{COMMIT}", "commitOid": COMMIT})
        elif self.path.endswith("/api/validate-yaml"):
            self._json({"errors": [], "warnings": []})
        else:
            self.send_error(404)

    def do_HEAD(self) -> None:
        self._file(with_body=False)

    def do_GET(self) -> None:
        self._file(with_body=True)

    def _file(self, with_body: bool) -> None:
        repository, _, file = self.path.partition("/resolve/main/" if "/resolve/main/" in self.path else COMMIT + "/")
        found = self.files.get(f"{repository.strip('/').removesuffix('/resolve')}/{file}")
        if found is None:
            self.send_error(404)
            return
        self.send_response(200)
        for key, value in {"ETag": f'"{hash(found)}"', "X-Repo-Commit": COMMIT, "Content-Length": len(found)}.items():
            self.send_header(key, str(value))
        self.end_headers()
        if with_body:
            self.wfile.write(found)

    def _json(self, content: object) -> None:
        data = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    @property
    def server_url(self) -> str:
        host, port = self.server.server_address[:2]
        return f"http://{host!s}:{port}"

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hub]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    here = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", here)
    template = here + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_TOKEN", "hf_test")
    Hub.files.clear()
    Hub.made.clear()
    yield Hub
    server.shutdown()
    server.server_close()


def test_there_and_back(hub: type[Hub], tmp_path: Path) -> None:
    folder = tmp_path / "net"
    folder.mkdir()
    (folder / "model.json").write_text('{"format": 1}')
    (folder / "model.safetensors").write_bytes(bytes(range(256)))
    with pushed("hf://lab/net") as aside:
        shutil.copytree(folder, aside, dirs_exist_ok=True)
    assert hub.made == ["lab/net"] and not aside.exists()
    assert push(folder, "hf://lab/net").endswith(f"/lab/net/commit/{COMMIT}")
    taken = pull("hf://lab/net")
    for name in ("model.json", "model.safetensors"):
        assert (taken / name).read_bytes() == (folder / name).read_bytes()


def test_without_a_network_what_is_here_is_used(hub: type[Hub], monkeypatch: pytest.MonkeyPatch) -> None:
    hub.files |= {"lab/net/model.json": b"{}", "lab/net/model.safetensors": b"weights"}
    taken = pull("hf://lab/net")
    monkeypatch.setattr("wsss_cli.models.hub.unreachable", lambda urls: ["Name or service not known"])
    assert pull("hf://lab/net") == taken
    with pytest.raises(WsssError, match=r"hf://lab/other could not be downloaded \(http://127.*: Name or service"):
        pull("hf://lab/other")
    with pytest.raises(WsssError, match=r"could not be uploaded to hf://lab/net: http://127.*: Name or service"):
        push(taken, "hf://lab/net")


def test_what_is_not_there_is_told(hub: type[Hub]) -> None:
    with pytest.raises(WsssError, match="hf://lab/none could not be downloaded"):
        pull("hf://lab/none")


@pytest.mark.parametrize("address", ["hf://net", "hf://a/b/c", "hf://", "hf://lab/../net"])
def test_what_names_no_model_is_refused(address: str) -> None:
    with pytest.raises(WsssError, match="write hf://OWNER/NAME"):
        repository(address)
