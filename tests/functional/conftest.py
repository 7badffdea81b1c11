"""One handler at a time, with its AWS calls emulated: moto, and Cost Explorer by our own emulator on the loopback."""

import json
import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cache
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any, NamedTuple

import boto3
import pytest
from botocore import endpoint
from botocore.exceptions import ReadTimeoutError
from moto import mock_aws
from moto.iam.models import get_account_id_from
from pydantic import BaseModel

from cost_reporting import settings, wiring
from cost_reporting.clients import Attachment, Client
from cost_reporting.contracts import ReportRendered, StoredObject
from local.accounts import ACCOUNTS, Account
from local.cost_explorer import CostExplorer
from tests.builders import report_rendered
from tests.contract.documents import resources
from tests.contract.handlers import app
from tests.contract.policies import Request, asked, decide, statements_of

NOW = datetime(2026, 11, 8, 6, 0, 3, tzinfo=UTC)
ENVIRONMENT = {
    "CLIENTS_TABLE": "clients",
    "OUTCOMES_TABLE": "outcomes",
    "BUCKET": "reports-of-a-test",
    "SENDER": "reports@consultancy.example",
    "OPERATORS": "operations@consultancy.example",
    "CONFIGURATION_SET": "cost-reporting",
    "CONSULTANCY": "Cloudwright Advisory",
    "LINK_ROLE_ARN": "arn:aws:iam::123456789012:role/report-links",
    "TIME_ZONE": "Europe/Berlin",
    "CONCURRENT_CLIENTS": "5",
    "LOOK_AGAIN_SECONDS": "1800,7200",
    "STATE_MACHINE_ARN": "arn:aws:states:eu-central-1:123456789012:stateMachine:cost-reporting",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "eu-central-1",
}
PDF, MAIL = b"%PDF-1.7 a report", {"subject": "[Acme] AWS costs", "text": "Total: 12", "html": "<p>Total: 12</p>"}
Json = dict[str, Any]


class Clock:
    """The time, which passes only when a test says so."""

    def __init__(self) -> None:
        self.time = NOW

    def __call__(self) -> datetime:
        return self.time

    def pass_by(self, **duration: float) -> None:
        self.time += timedelta(**duration)


class Call(NamedTuple):
    """A call of an AWS operation, ``sesv2.SendEmail``, with its parameters."""

    operation: str
    parameters: Json


class Answer(NamedTuple):
    """What AWS answers instead of what the emulator would."""

    status: int
    body: Json


def refusal(code: str, status: int = 400, message: str = "no") -> Answer:
    """An error as AWS answers it."""
    return Answer(status, {"Error": {"Code": code, "Message": message}})


class Wire:
    """Every AWS call of a test in order, and what was ordered to happen to some of them.

    ``sent`` counts what really went out, botocore's own tries included; ``silent`` operations never hear an answer.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.sent: Counter[str] = Counter()
        self.silent: set[str] = set()
        self.others: dict[int, Call] = {}
        self._ordered: defaultdict[str, deque[Answer | BaseException | None]] = defaultdict(deque)

    @contextmanager
    def another(self) -> Iterator[None]:
        """The calls in here are another process's, and none of the function that is under way."""
        before = len(self.calls)
        try:
            yield
        finally:
            self.others |= {id(call): call for call in self.calls[before:]}

    def order(self, operation: str, *answers: Answer | BaseException | None) -> None:
        """The next calls of ``operation`` get these answers, one each; None lets a call through."""
        self._ordered[operation].extend(answers)

    def forget(self, operation: str) -> None:
        """What was ordered for ``operation`` and has not happened yet will not happen."""
        self._ordered.pop(operation, None)

    def count(self, *operations: str) -> int:
        """How often any of the operations was called."""
        return sum(call.operation in operations for call in self.calls)

    def note(self, params: Json, model: Any, **_: Any) -> None:
        """Remember a call."""
        self.calls.append(Call(f"{model.service_model.service_name}.{model.name}", dict(params)))

    def answer(self, model: Any, **_: Any) -> tuple[Any, Json] | None:
        """What was ordered, in the shape in which botocore takes an answer without asking AWS."""
        ordered = self._ordered[f"{model.service_model.service_name}.{model.name}"]
        answer = ordered.popleft() if ordered else None
        if isinstance(answer, BaseException):
            raise answer
        if answer is None:
            return None
        return SimpleNamespace(status_code=answer.status), answer.body | {
            "ResponseMetadata": {"HTTPStatusCode": answer.status}
        }

    def send(self, event_name: str, request: Any, **_: Any) -> None:
        """Let a request go out, and lose its answer if the operation is silent."""
        operation = event_name.removeprefix("before-send.")
        self.sent[operation] += 1
        if operation in self.silent:
            raise ReadTimeoutError(endpoint_url=request.url)


class World:
    """The AWS account of a test: rows, documents and mails."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._dynamodb = boto3.resource("dynamodb")
        self._s3 = boto3.client("s3")
        self.bucket = ENVIRONMENT["BUCKET"]
        for logical_id, name in (("ClientsTable", "clients"), ("OutcomesTable", "outcomes")):
            of_template = resources("AWS::DynamoDB::Table")[logical_id]
            keys = {"AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes"} & of_template.keys()
            self._dynamodb.create_table(TableName=name, **{key: of_template[key] for key in keys})
        self._s3.create_bucket(
            Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": ENVIRONMENT["AWS_DEFAULT_REGION"]}
        )
        boto3.client("sesv2").create_email_identity(EmailIdentity=ENVIRONMENT["SENDER"])

    def add(self, *clients: Client, **changes: Any) -> None:
        """Put the records of ``clients`` into the table, each with ``changes``."""
        for client in clients:
            self.add_row(client.model_dump(mode="json", exclude_none=True) | changes)

    def add_row(self, row: Json) -> None:
        """Put a row into the clients table, sound or not."""
        with self._wire.another():
            self._dynamodb.Table("clients").put_item(Item=row)

    def outcomes(self, pk: str) -> list[Json]:
        """The items of the outcomes table whose pk starts so."""
        return [item for item in self._dynamodb.Table("outcomes").scan()["Items"] if item["pk"].startswith(pk)]

    def put(self, key: str, body: bytes) -> StoredObject:
        """Store a document."""
        with self._wire.another():
            answer = self._s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        digest = sha256(body).hexdigest()
        return StoredObject(key=key, size=len(body), sha256=digest, version_id=answer.get("VersionId"))

    def get(self, key: str) -> bytes:
        """Read a document."""
        return self._s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def keys(self) -> list[str]:
        """Every key in the bucket."""
        return [each["Key"] for each in self._s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])]

    def delete(self, key: str) -> None:
        """Lose a document."""
        self._s3.delete_object(Bucket=self.bucket, Key=key)

    def rendered(
        self,
        client_id: str = "northwind-retail",
        run: Any = None,
        *,
        files: Mapping[Attachment, bytes] | None = None,
        words: Json = MAIL,
    ) -> ReportRendered:
        """A baton whose report is in the bucket, with ``files`` beside it."""
        bodies = files or {}
        baton = report_rendered(client_id, run, attachments=tuple(bodies))
        pdf = self.put(baton.report.pdf.key, PDF)
        mail = self.put(baton.report.mail.key, json.dumps(words).encode())
        attachments = tuple(
            each.model_copy(update={"document": self.put(each.document.key, body)})
            for each, body in zip(baton.report.attachments, bodies.values(), strict=True)
        )
        stored = {"pdf": pdf, "mail": mail, "attachments": attachments}
        return baton.model_copy(update={"report": baton.report.model_copy(update=stored)})

    def attempts(self) -> list[Json]:
        """What SES was asked to send, in order, accepted or not."""
        return [call.parameters for call in self._wire.calls if call.operation == "sesv2.SendEmail"]

    def mails(self) -> list[EmailMessage]:
        """The messages that SES was asked to send, in order, accepted or not."""
        return [message_from_bytes(asked["Content"]["Raw"]["Data"], policy=policy.default) for asked in self.attempts()]


class Costs:
    """The Cost Explorer of every account, and the faults that were ordered for it.

    ``tamper`` changes answers, those to the account ``tampered`` alone if one is named: they are asked side by side.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.faults: deque[tuple[int, Json]] = deque()
        self.tamper: Callable[[Json, Json], Json] = lambda request, body: body
        self.tampered = ""
        self._refusal: tuple[int, tuple[int, Json]] | None = None
        self.emulate()

    def emulate(self, *accounts: Account, page_size: int = 1000) -> None:
        """Start anew, with ``accounts`` in the place of those with the same ids."""
        known = ACCOUNTS | {account.id: account for account in accounts}
        self._explorer = CostExplorer(known, self._clock, page_size)

    def refuse_after(self, answered: int, answer: tuple[int, Json]) -> None:
        """Answer so many requests, and every later one with ``answer``."""
        self._refusal = (answered, answer)

    def answer(self, operation: str, request: Json, account: str) -> tuple[int, Json]:
        if self.faults:
            return self.faults.popleft()
        if self._refusal and self.paid >= self._refusal[0]:
            return self._refusal[1]
        status, body = self._explorer.answer(operation, request, account)
        return status, self.tamper(request, body) if status == 200 and self.tampered in ("", account) else body

    @property
    def paid(self) -> int:
        """How many requests were answered, and so paid."""
        return sum(status == 200 for _, _, status in self._explorer.calls)


class _Loopback(ThreadingHTTPServer):
    costs: Costs


class _Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Loopback

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key = self.headers["Authorization"].partition("Credential=")[2].partition("/")[0]
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        status, body = self.server.costs.answer(operation, request, get_account_id_from(key))
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("x-amzn-RequestId", f"paid-{len(content)}")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Tests are silent."""


@pytest.fixture(scope="session")
def loopback() -> Iterator[_Loopback]:
    with _Loopback(("127.0.0.1", 0), _Door) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, loopback: _Loopback) -> None:
    """A function's environment, nothing remembered of the test before, and no waiting between botocore's tries."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL_COST_EXPLORER", f"http://127.0.0.1:{loopback.server_port}")
    monkeypatch.setattr(endpoint, "time", SimpleNamespace(sleep=lambda seconds: None))
    settings.settings.cache_clear()
    for part in vars(wiring).values():
        if hasattr(part, "cache_clear") and part is not wiring.renderer:
            part.cache_clear()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(wiring, "now", clock)
    return clock


@cache
def _session() -> boto3.Session:
    """One for all tests, since it keeps the services' models that it has read."""
    return boto3.Session()


@pytest.fixture
def wire(environment: None) -> Iterator[Wire]:
    wire, events = Wire(), _session().events
    taps = {"provide-client-params": wire.note, "before-call": wire.answer, "before-send": wire.send}
    with mock_aws():
        boto3.DEFAULT_SESSION = _session()
        for event, tap in taps.items():
            events.register(event, tap)
        yield wire
        for event, tap in taps.items():
            events.unregister(event, tap)


@pytest.fixture
def world(wire: Wire, clock: Clock) -> World:
    world = World(wire)
    wire.calls.clear()
    return world


@pytest.fixture
def costs(loopback: _Loopback, clock: Clock) -> Costs:
    loopback.costs = Costs(clock)
    return loopback.costs


ASKED: defaultdict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
"""How often each function has asked for an action on a family of keys, for the count at the end of a session."""


LATEST: defaultdict[str, list[Request]] = defaultdict(list)
"""What each function has asked of its role in this test."""


def hold_against_the_role(function: str, calls: list[Call]) -> None:
    """Fail if the role that the template gives to a function does not allow one of its calls.

    Cost Explorer is asked with a client's credentials; every other call is the role's own.
    """
    statements = statements_of(function)
    for call in calls:
        if call.operation.startswith("ce."):
            continue
        for request in asked(*call):
            ASKED[function][request.action, request.family] += 1
            LATEST[function].append(request)
            decision = decide(statements, request)
            assert decision == "Allow", f"template.yaml: the role of {function} does not allow {request}: {decision}"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How many calls were held against how many roles."""
    if ASKED:
        calls = sum(sum(each.values()) for each in ASKED.values())
        terminalreporter.write_line(f"roles: {calls} requests of {len(ASKED)} functions held against their policies")


@pytest.fixture
def invoke(world: World, wire: Wire) -> Callable[[str, Any], Any]:
    """Call a function as the state machine does: JSON in, JSON out, or the error by its name.

    Each of its calls is held against the role that the template gives to the function.
    """
    LATEST.clear()

    def invoke(function: str, event: Any) -> Any:
        payload = json.loads(event.model_dump_json() if isinstance(event, BaseModel) else json.dumps(event))
        before = len(wire.calls)
        try:
            answer = app(function).handler(payload, SimpleNamespace(aws_request_id="request-1"))
        finally:
            own = [call for call in wire.calls[before:] if id(call) not in wire.others]
            wire.others |= {id(call): call for call in own}  # a function that is called in the middle of another
            hold_against_the_role(function, own)
        return json.loads(json.dumps(answer))

    return invoke
