"""A report from Fetch Costs to the words of its mail, by the functions as they are deployed, over any Cost Explorer.

Bucket and tables are moto's. What Cost Explorer and STS are asked is answered as bytes at botocore's door, so that
their answers are parsed as AWS's would be. All that is known of the product stands in the first block.
"""

import io
import json
import logging
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html import unescape
from re import sub
from types import SimpleNamespace
from typing import Any, Final, NamedTuple, Protocol, Self
from unittest.mock import patch
from urllib.parse import parse_qs

import boto3
import botocore.session
from botocore import endpoint
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from moto import mock_aws

from cost_reporting import records
from tests.contract.documents import resources
from tests.contract.handlers import app

# -- what is known of the product --------------------------------------------------------------------------------------

FETCH, RENDER = "fetch_costs", "render_pdf"
"""The functions: functions/<name>/app.py. Their ``wiring`` has the clock and remembers the parts of a process."""
PRINTER: Final = "cost_reporting.report.pdf.Printer.print"
"""What turns the finished HTML into pages, the slowest part of a report by far."""


def faults(record: Mapping[str, Any]) -> str:
    """What the product's own check of a client's file finds wrong with it; nothing, if it is sound."""
    read = records.read(json.dumps(record).encode())
    return "; ".join(f"{each.field}: {each.expected}" for each in read) if isinstance(read, tuple) else ""


def name_of(error: Exception) -> str | None:
    """The error's name in the state machine, if it is one that the product has given a name and a remedy."""
    return getattr(error, "name", None) if getattr(error, "remedy", "") else None


# ----------------------------------------------------------------------------------------------------------------------

ENVIRONMENT: Final = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ENDPOINT_URL_COST_EXPLORER": "http://cost-explorer.invalid",  # a host that moto does not answer for as well
    "CLIENTS_TABLE": "clients",
    "OUTCOMES_TABLE": "outcomes",
    "BUCKET": "reports-of-a-stage",
    "SENDER": "reports@consultancy.example",
    "OPERATORS": "operations@consultancy.example",
    "CONFIGURATION_SET": "cost-reporting",
    "CONSULTANCY": "Cloudwright Advisory",
    "LINK_ROLE_ARN": "arn:aws:iam::123456789012:role/report-links",
    "TIME_ZONE": "UTC",
    "CONCURRENT_CLIENTS": "5",
    "LOOK_AGAIN_SECONDS": "1800,7200",
    "STATE_MACHINE_ARN": "arn:aws:states:eu-central-1:123456789012:stateMachine:cost-reporting",
}
_NOT_SET: Final = ("AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION", "AWS_ENDPOINT_URL")
_TABLES: Final = {"ClientsTable": "clients", "OutcomesTable": "outcomes"}
_KEYS: Final = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>AKIA{account}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>
<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"""
Json = dict[str, Any]


class CostExplorer(Protocol):
    """Whatever answers questions about costs."""

    def answer(self, operation: str, question: Json, account: str) -> tuple[int, Json]:
        """Status and body."""
        ...


class Report(NamedTuple):
    """What a client is told. ``pages`` are PDF, or HTML where they were not printed; ``costs`` is as stored."""

    mail: Mapping[str, str]
    pages: bytes
    files: Mapping[str, bytes]
    costs: Json

    @property
    def words(self) -> str:
        """Subject, mail, pages and CSV as a reader meets them, with ordinary spaces."""
        pages = _of_pdf(self.pages) if self.pages.startswith(b"%PDF") else _of_html(self.pages.decode())
        files = "".join(body.decode("utf-8-sig") for name, body in self.files.items() if name.endswith(".csv"))
        return plain(f"Subject: {self.mail['subject']}\n\n{self.mail['text']}\n{pages}\n{files}")


class Refused(NamedTuple):
    """An error that operators know by its name."""

    name: str
    words: str


class Broke(NamedTuple):
    """An error without a name."""

    words: str


Told = Report | Refused | Broke


class Stage:
    """Two functions and what is around them. ``printed``: with real pages, and else the HTML takes their place."""

    def __init__(self, *, printed: bool = True) -> None:
        self._printed = printed
        self._on: ExitStack
        self._asked: CostExplorer
        self._tries = 0

    def __enter__(self) -> Self:
        with ExitStack() as on:
            there = {name: value for name, value in os.environ.items() if name not in _NOT_SET}
            on.enter_context(patch.dict(os.environ, there | ENVIRONMENT, clear=True))
            on.enter_context(patch.object(endpoint, "time", SimpleNamespace(sleep=lambda seconds: None)))
            logging.disable(logging.CRITICAL)  # a line for each step of hundreds of reports tells nothing
            on.callback(logging.disable, logging.NOTSET)
            on.enter_context(mock_aws())
            session = botocore.session.get_session()
            session.register("before-send.cost-explorer", self._answered)
            session.register("before-send.sts.AssumeRole", _let_in)
            on.enter_context(patch.object(boto3, "DEFAULT_SESSION", boto3.Session(botocore_session=session)))
            if not self._printed:
                on.enter_context(patch(PRINTER, lambda printer, html, **_: html.encode()))
            self._clients = _table("ClientsTable")
            _table("OutcomesTable")
            self._bucket = boto3.resource("s3").create_bucket(
                Bucket=ENVIRONMENT["BUCKET"],
                CreateBucketConfiguration={"LocationConstraint": ENVIRONMENT["AWS_DEFAULT_REGION"]},
            )
            self._wiring = app(FETCH).wiring
            on.enter_context(patch.object(self._wiring, "now", lambda: self.now))
            self._forget()
            on.callback(self._forget)
            self._on = on.pop_all()
        return self

    def __exit__(self, *failure: object) -> None:
        self._on.close()

    def tell(
        self,
        record: Json,
        cost_explorer: CostExplorer,
        *,
        now: datetime,
        period: str,
        issue: str = "final",
        last_look: bool = True,
        known: Report | None = None,
    ) -> Told:
        """What becomes of the report about ``period`` at the moment ``now``; what is stored of it is asked anew.

        If the costs are those of the ``known`` report, it is the same one: it is made of nothing else.
        """
        if wrong := faults(record):
            return Refused("WrongRecord", wrong)
        self.now, self._asked = now.astimezone(UTC), cost_explorer
        self._tries += 1
        self._clients.put_item(Item=json.loads(json.dumps(record), parse_float=Decimal))
        run = {
            "run_id": f"stage-{self._tries}",
            "cadence": "weekly" if "W" in period else "monthly",
            "period": dict(zip(("start", "end"), _days_of(period), strict=True)),
            "issue": issue,
            "mode": "live",
            "nominal_at": self.now.isoformat(),
            "refresh": True,
        }
        try:
            fetched = _call(FETCH, {"run": run, "client_id": record["client_id"], "last_look": last_look})
            costs = json.loads(self._get(fetched["costs"]["document"]["key"]))
            if known is not None and known.costs == costs:
                return known
            report = _call(RENDER, fetched)["report"]
        except Exception as error:  # noqa: BLE001 - which errors have no name is what a test wants to know
            said, name = f"{type(error).__name__}: {error}", name_of(error)
            return Refused(name, said) if name else Broke(said)
        attached = {each["file_name"]: self._get(each["document"]["key"]) for each in report["attachments"]}
        return Report(
            mail=json.loads(self._get(report["mail"]["key"])),
            pages=self._get(report["pdf"]["key"]),
            files=attached,
            costs=costs,
        )

    def _get(self, key: str) -> bytes:
        return bytes(self._bucket.Object(key).get()["Body"].read())

    def _answered(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        operation = _text(request.headers["X-Amz-Target"]).rpartition(".")[2]
        account = _text(request.headers["Authorization"]).partition("Credential=AKIA")[2].partition("/")[0]
        status, body = self._asked.answer(operation, json.loads(request.body), account)
        return _response(request, status, "application/x-amz-json-1.1", json.dumps(body))

    def _forget(self) -> None:
        """The parts of a process are made of its environment and clock; the renderer reads fonts, and is kept."""
        for name, part in vars(self._wiring).items():
            if name != "renderer" and hasattr(part, "cache_clear"):
                part.cache_clear()


def plain(text: str) -> str:
    """``text`` with each run of spaces, however wide or unbreakable, as one."""
    return sub(r"[ \u00a0\u202f]+", " ", text)


def _days_of(period: str) -> Iterator[str]:
    year, _, rest = period.partition("-")
    if rest.startswith("W"):
        first = date.fromisocalendar(int(year), int(rest[1:]), 1)
        end = first + timedelta(days=7)
    else:
        first = date(int(year), int(rest), 1)
        end = (first + timedelta(days=31)).replace(day=1)
    yield first.isoformat()
    yield end.isoformat()


def _call(function: str, event: Json) -> Json:
    answer = app(function).handler(json.loads(json.dumps(event)), SimpleNamespace(aws_request_id="stage"))
    return dict(json.loads(json.dumps(answer)))


def _table(logical_id: str) -> Any:
    properties = resources("AWS::DynamoDB::Table")[logical_id]
    keys = {"AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes"} & properties.keys()
    of_template = {key: properties[key] for key in keys}
    return boto3.resource("dynamodb").create_table(TableName=_TABLES[logical_id], **of_template)


def _let_in(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
    account = parse_qs(_text(request.body))["RoleArn"][0].split(":")[4]
    return _response(request, 200, "text/xml", _KEYS.format(account=account))


class _Raw(io.BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def _response(request: AWSPreparedRequest, status: int, kind: str, body: str) -> AWSResponse:
    return AWSResponse(request.url, status, {"Content-Type": kind, "x-amzn-RequestId": "staged"}, _Raw(body.encode()))


def _text(header: str | bytes) -> str:
    return header.decode() if isinstance(header, bytes) else header


def _of_pdf(pages: bytes) -> str:
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        file.write(pages)
        file.flush()
        done = subprocess.run(["pdftotext", "-layout", file.name, "-"], capture_output=True, check=True)
    return done.stdout.decode()


def _of_html(pages: str) -> str:
    """A line for each row of a table, heading, paragraph and entry of a list, as on the page."""
    body = " ".join(pages.partition("<body")[2].partition(">")[2].split())
    body = sub(r"<(style|script)\b.*?</\1>", "", body)
    body = sub(r"</(?:tr|p|li|h\d|div|caption|dt|dd|text|title|desc|figcaption)>|<br ?/?>", "\n", body)
    return unescape(sub(r"<[^>]+>", " ", body))
