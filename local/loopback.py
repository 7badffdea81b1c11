"""Cost Explorer in this process: enough of AWS for a :class:`CostExplorerSource`, by a clock that one sets.

For pictures and measurements that must come out the same on any day. It lets everybody in: what an account refuses is
the emulated account's business (`emulator.py`).
"""

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, override
from unittest import mock
from urllib.parse import parse_qs

from local.accounts import ACCOUNTS
from local.cost_explorer import CostExplorer
from local.deployment import REGION, credentials

_ASSUMED = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>{account}</AccessKeyId><SecretAccessKey>local</SecretAccessKey><SessionToken>local</SessionToken>
<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    cost_explorer: CostExplorer


class _Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if "X-Amz-Target" in self.headers:
            account = self.headers["Authorization"].partition("Credential=")[2].partition("/")[0]
            operation = self.headers["X-Amz-Target"].rpartition(".")[2]
            status, document = self.server.cost_explorer.answer(operation, json.loads(body), account)
            self._answer(status, "application/x-amz-json-1.1", json.dumps(document))
        else:
            (role,) = parse_qs(body)["RoleArn"]
            self._answer(200, "text/xml", _ASSUMED.format(account=role.split(":")[4]))

    def _answer(self, status: int, content_type: str, text: str) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("x-amzn-RequestId", "loopback")
        self.end_headers()
        self.wfile.write(content)

    @override
    def log_message(self, *_: Any) -> None:
        """Silent."""


@contextmanager
def cost_explorer(now: Callable[[], datetime]) -> Iterator[CostExplorer]:
    """The accounts of the demo by the clock ``now``, for clients that boto3 makes within; each role is let in."""
    with _Server(("127.0.0.1", 0), _Door) as server:
        server.cost_explorer = CostExplorer(ACCOUNTS, now)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        endpoint = f"http://127.0.0.1:{server.server_port}"
        environment = {
            **credentials(),
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL_COST_EXPLORER": endpoint,
            "AWS_ENDPOINT_URL_STS": endpoint,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }
        ours = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        try:
            with mock.patch.dict(os.environ, ours | environment, clear=True):
                yield server.cost_explorer
        finally:
            server.shutdown()
            thread.join()
