"""AWS as a shell with production keys reaches it: a proxy that ends TLS, so that hosts and signatures are AWS's.

It describes the stacks that it was given in their regions, says whose keys it gets, and refuses all else; ``asked`` is
what reached it.
"""

import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


class Stack(NamedTuple):
    """A deployed stack, as CloudFormation describes it."""

    name: str
    account: str
    region: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]


class Asked(NamedTuple):
    """A request: the host that it was sent to, and the action that it asks for."""

    host: str
    action: str


def described(stack: Stack) -> bytes:
    """CloudFormation's answer about a stack."""
    parameters = "".join(
        f"<member><ParameterKey>{name}</ParameterKey><ParameterValue>{value}</ParameterValue></member>"
        for name, value in stack.parameters.items()
    )
    outputs = "".join(
        f"<member><OutputKey>{name}</OutputKey><OutputValue>{value}</OutputValue></member>"
        for name, value in stack.outputs.items()
    )
    identity = f"arn:aws:cloudformation:{stack.region}:{stack.account}:stack/{stack.name}/1a2b"
    return (
        "<DescribeStacksResponse><DescribeStacksResult><Stacks><member>"
        f"<StackName>{stack.name}</StackName><StackId>{identity}</StackId><StackStatus>CREATE_COMPLETE</StackStatus>"
        f"<CreationTime>2026-11-01T06:00:00Z</CreationTime><Parameters>{parameters}</Parameters>"
        f"<Outputs>{outputs}</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>"
    ).encode()


def refused(code: str, content_type: str, message: str = "no") -> bytes:
    """An error as services with JSON or XML answer it."""
    if "json" in content_type:
        return json.dumps({"__type": code, "message": message}).encode()
    return f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>".encode()


class Aws(ThreadingHTTPServer):
    """The proxy. ``environment`` is what a shell needs to reach AWS through it; ``heed`` is told of each request."""

    daemon_threads = True

    def __init__(self, folder: Path, *stacks: Stack) -> None:
        super().__init__(("127.0.0.1", 0), _Door)
        self.stacks = stacks
        self.asked: list[Asked] = []
        self.heed: Callable[[Asked], None] = lambda asked: None
        self._bundle = folder / "aws.pem"
        self.tls = _certified(self._bundle)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "HTTPS_PROXY": f"http://127.0.0.1:{self.server_address[1]}",
            "NO_PROXY": "127.0.0.1,localhost",
            "AWS_CA_BUNDLE": str(self._bundle),
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "production",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A shell that hangs up is no trouble."""

    def answer(self, host: str, body: str, content_type: str) -> tuple[int, bytes]:
        """What AWS says, to a request about a stack or any other."""
        form = parse_qs(body)
        (name,), (action,) = form.get("StackName", [""]), form.get("Action", [""])
        for stack in self.stacks:
            asked = (f"cloudformation.{stack.region}.amazonaws.com", "DescribeStacks", stack.name)
            if (host, action, name) == asked:
                return 200, described(stack)
        if action == "DescribeStacks":
            return 400, refused("ValidationError", content_type, f"Stack with id {name} does not exist")
        if action == "GetCallerIdentity":
            account = self.stacks[0].account
            who = f"<Arn>arn:aws:iam::{account}:user/operator</Arn><UserId>A</UserId><Account>{account}</Account>"
            result = f"<GetCallerIdentityResult>{who}</GetCallerIdentityResult>"
            return 200, f"<GetCallerIdentityResponse>{result}</GetCallerIdentityResponse>".encode()
        return 400, refused("AccessDeniedException", content_type)


class _Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Aws

    def do_CONNECT(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", buffering=0)
        self.close_connection = False

    def finish(self) -> None:
        super().finish()
        if self.connection is not self.request:
            self.connection.close()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode(errors="replace")
        host, content_type = str(self.headers["Host"]), self.headers.get("Content-Type") or ""
        action = self.headers.get("X-Amz-Target") or parse_qs(body).get("Action", [f"{self.command} {self.path}"])[0]
        asked = Asked(host, action.rpartition(".")[2])
        self.server.asked.append(asked)
        self.server.heed(asked)
        status, answer = self.server.answer(host, body, content_type)
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_PUT = do_DELETE = do_HEAD = do_POST  # noqa: N815 - names that http.server looks for

    def log_message(self, *_: Any) -> None:
        """Tests are silent."""


@contextmanager
def aws(folder: Path, *stacks: Stack) -> Iterator[Aws]:
    """AWS with these stacks, until the context ends."""
    with Aws(folder, *stacks) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.shutdown()


def _certified(bundle: Path) -> ssl.SSLContext:
    """A context with a certificate for AWS's hosts; ``bundle`` gets it, for those who are to believe it."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "AWS of a test")])
    regions = ("eu-central-1", "eu-west-1", "eu-west-2", "eu-west-3", "us-east-1")
    below = ("", *(f"{region}." for region in regions), *(f"s3.{region}." for region in regions))
    hosts = [x509.DNSName(f"*.{each}amazonaws.com") for each in below]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    bundle.write_bytes(public)
    both = bundle.with_suffix(".key")
    both.write_bytes(private + public)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context
