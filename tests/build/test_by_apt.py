"""On Debian, apt itself fetches: with the proxy and the credentials that it is set up with."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from layer_build import fetching
from layer_build.faults import NotSound
from layer_build.lock import Entry
from layer_build.mirror import Mirrors

pytestmark = pytest.mark.skipif(
    not fetching.APT_HELPER.exists(), reason="no apt here: elsewhere than on Debian and its relatives Python fetches"
)
BODY = b"a package" * 1000
HOST = "http://deb.example.org"


class Proxy(BaseHTTPRequestHandler):
    """Has one file of the mirror deb.example.org, and nothing else."""

    def do_GET(self) -> None:
        asked.append(self.path)
        there = self.path.startswith(f"{HOST}/debian/pool/main/g/lib")
        self.send_response(200 if there else 404)
        self.send_header("Content-Length", str(len(BODY) if there else 0))
        self.end_headers()
        if there:
            self.wfile.write(BODY)

    def log_message(self, *_: object) -> None:
        pass


asked: list[str] = []


@pytest.fixture
def proxied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """apt set up with a proxy of this process."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = tmp_path / "apt.conf"
    settings.write_text(f'Acquire::http::Proxy "http://127.0.0.1:{server.server_port}";\n')
    monkeypatch.setenv("APT_CONFIG", str(settings))
    asked.clear()
    yield asked
    server.shutdown()
    server.server_close()


def an_entry(name: str) -> Entry:
    return Entry("lib", "1+b", "debian", f"pool/main/g/{name}", len(BODY), hashlib.sha256(BODY).hexdigest())


def a_mirror() -> Mirrors:
    return Mirrors({"debian": (f"{HOST}/debian",), "debian-security": ()}, by_apt=True)


def test_the_proxy_of_apt_is_used(proxied: list[str], tmp_path: Path) -> None:
    entry = an_entry("lib+_1+b_amd64.deb")
    assert fetching.fetched([entry], tmp_path / "cache", a_mirror)[entry].read_bytes() == BODY
    assert proxied[0].startswith(f"{HOST}/debian/pool/")
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [entry.sha256]


def test_what_is_gone_from_apt_s_mirror_is_named_with_make_lock(proxied: list[str], tmp_path: Path) -> None:
    with pytest.raises(
        NotSound, match=r"lib 1\+b \(gone\.deb\) cannot be had; .*no longer in the archive: `make lock`"
    ):
        fetching.fetched([an_entry("gone.deb")], tmp_path / "cache", a_mirror)
    assert not list((tmp_path / "cache").iterdir())
