"""No role may do less than its function asks for, nor more: each allowance of the template is used by a call.

Every test of this folder holds each call of a function against its role (``invoke`` in conftest.py). Here the functions
do once all that they do, and then the template is spoilt, one pattern at a time: some call must be refused.
"""

import copy
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest

from cost_reporting.clients import Client
from cost_reporting.contracts import CostsFetched, ForceSend, ReportRendered, ReportSent, Run, SettleAsked, Worklist
from cost_reporting.errors import CredentialsRejected, InvalidRequest, RunIncomplete
from cost_reporting.operations.back_up_tables import KEPT
from tests.builders import a_client, a_client_due, a_failure, client_ended
from tests.contract.documents import EVENTS, FUNCTIONS
from tests.contract.policies import NAMES, Request, Statement, decide, several, statements_of
from tests.functional.conftest import ENVIRONMENT, LATEST, NOW, Answer, Clock, Costs, Json, Wire, World
from tests.functional.test_check_health import VERIFIED, account
from tests.functional.test_send_email import TOO_LARGE

Invoke = Callable[[str, Any], Any]
STATES = "arn:aws:states:eu-central-1:123456789012:execution:cost-reporting"
ROLE = {"kind": "role", "role_arn": "arn:aws:iam::210000000002:role/reader", "external_id": "our-external-id"}
KEYS = {"access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "very-secret"}
ASKED_BY_S3 = {
    (function, part) for function in ("fetch_costs", "render_pdf") for part in ("s3:ListBucket", NAMES["Bucket.Arn"])
}
"""With it, an object that is not there is 404, without it 403 (S3 API Reference, HeadObject): no call names it."""


@pytest.fixture
def asked(invoke: Invoke, world: World, wire: Wire, clock: Clock, costs: Costs) -> dict[str, list[Request]]:
    """What each function asks of its role while all of them do all that they do."""
    boto3.client("s3").put_bucket_versioning(Bucket=world.bucket, VersioningConfiguration={"Status": "Enabled"})
    wire.calls.clear()
    secret = boto3.client("secretsmanager").create_secret(
        Name="cost-reporting/clients/keys", SecretString=json.dumps(KEYS)
    )
    logo = {"colour": "#0b4f6c", "logo": "logo.png"}
    other = ROLE | {"role_arn": "arn:aws:iam::210000000003:role/reader"}
    with_keys = {"kind": "secret", "secret_arn": secret["ARN"]}
    bakery = a_client(client_id="bakery", access=ROLE, branding=logo, attachments=("csv", "xlsx"))
    world.add(
        bakery,
        a_client(client_id="credits", access=other, branding=logo | {"logo": "logo.svg"}, approve_first=1),
        a_client(client_id="keys", access=with_keys, branding=logo),
        a_client(client_id="silent", access=ROLE | {"role_arn": "arn:aws:iam::210000000005:role/reader"}),
    )
    invoke("watch_deliveries", {"scheduled_at": NOW.isoformat()})
    worklist = listed(invoke, wire)
    first = reported(invoke, "bakery", worklist.run.model_copy(update={"issue": "preliminary"}))
    reported(invoke, "bakery", worklist.run)
    reported(invoke, "credits", worklist.run)
    with pytest.raises(CredentialsRejected):
        invoke("fetch_costs", a_client_due("keys", worklist.run))
    as_stored = worklist.run.model_copy(update={"issue": "preliminary", "force_send": forced(first)})
    reported(invoke, "bakery", as_stored)
    invoke("send_email", world.rendered("bakery", files={"csv": b"a,b", "xlsx": b"PK"}, words=TOO_LARGE))
    another_recipient(invoke, world, bakery, first)
    a_test_report_goes_out(invoke, worklist)
    world.add(bakery, status="suspended")
    invoke("send_email", world.rendered("bakery", worklist.run))  # its mails have begun to go out, says the ledger
    settled(invoke, worklist)
    invoke("record_delivery", an_event(wire))
    clock.pass_by(hours=12)
    invoke("watch_deliveries", {"scheduled_at": clock.time.isoformat()})
    wire.order("sesv2.GetAccount", account())
    wire.order("sesv2.GetEmailIdentity", VERIFIED)
    invoke("check_health", EVENTS["check_health"])
    for week in range(KEPT + 1):
        invoke("back_up_tables", {"scheduled_at": (NOW + timedelta(weeks=week)).isoformat()})
    wire.order("stepfunctions.StartExecution", Answer(200, {"executionArn": f"{STATES}:lambda-1", "startDate": NOW}))
    wire.order("stepfunctions.DescribeExecution", standing("lambda-1", "SUCCEEDED"))
    invoke("cost_reporting_lambda", {"cadence": "monthly"})
    return LATEST


def listed(invoke: Invoke, wire: Wire) -> Worklist:
    """The runs of two schedules, one of which was started twice."""
    for cadence in ("weekly", "monthly"):
        request = {"cadence": cadence, "scheduled_at": NOW.isoformat()}
        started = {"request": request, "started_at": NOW.isoformat()}
        worklist = invoke("list_clients", started | {"execution_id": f"{STATES}:{cadence}"})
    wire.order("stepfunctions.DescribeExecution", standing("monthly", "RUNNING"))
    invoke("list_clients", started | {"execution_id": f"{STATES}:twice"})
    return Worklist.model_validate(worklist)


def standing(name: str, status: str) -> Answer:
    ended = {} if status == "RUNNING" else {"stopDate": NOW, "output": "{}"}
    return Answer(200, {"executionArn": f"{STATES}:{name}", "status": status, "startDate": NOW, "input": "{}"} | ended)


def reported(invoke: Invoke, client_id: str, run: Run) -> ReportSent:
    """From the costs to the outcome."""
    fetched = CostsFetched.model_validate(invoke("fetch_costs", a_client_due(client_id, run)))
    rendered = ReportRendered.model_validate(invoke("render_pdf", fetched))
    sent = ReportSent.model_validate(invoke("send_email", rendered))
    invoke("record_outcome", client_ended(sent))
    return sent


def another_recipient(invoke: Invoke, world: World, client: Client, sent: ReportSent) -> None:
    """Of a report whose documents were replaced after its first mail: they get the version that was mailed."""
    world.add(client, recipients=[*client.recipients, "late@northwind.example"])
    for document in (sent.report.pdf, sent.report.mail, *(each.document for each in sent.report.attachments)):
        world.put(document.key, b"made anew")
    invoke("send_email", {name: value for name, value in sent.model_dump(mode="json").items() if name != "delivery"})


def a_test_report_goes_out(invoke: Invoke, worklist: Worklist) -> None:
    """A test report to an operator, and one to the client itself before its first report is approved."""
    request = {"test_report": True, "client_id": "credits", "cadence": "monthly", "period": "2026-10"}
    started = {"started_at": NOW.isoformat(), "execution_id": f"{STATES}:test"}
    with pytest.raises(InvalidRequest):
        invoke("list_clients", started | {"request": request | {"recipients": ["finance@northwind.example"]}})
    to_us = invoke("list_clients", started | {"request": request | {"recipients": [ENVIRONMENT["OPERATORS"]]}})
    reported(invoke, "credits", Worklist.model_validate(to_us).run)


def forced(sent: ReportSent) -> ForceSend:
    return ForceSend(reason="the recipient deleted it by mistake", pdf_sha256=sent.report.pdf.sha256)


def settled(invoke: Invoke, worklist: Worklist) -> None:
    """A client fails, one leaves no outcome, one's failure comes too late to count, and the run is redriven."""
    run = worklist.run
    for client_id in ("keys", "bakery"):
        invoke("record_outcome", client_ended(a_client_due(client_id, run), a_failure()))
    asked = SettleAsked(worklist=worklist, redrives=0, entered_at=NOW)
    with pytest.raises(RunIncomplete):
        invoke("settle_run", asked)
    invoke("settle_run", asked.model_copy(update={"redrives": 1}))


def an_event(wire: Wire) -> Json:
    """The delivery of the last mail that was sent."""
    mail = next(call.parameters for call in reversed(wire.calls) if call.operation == "sesv2.SendEmail")
    event = copy.deepcopy(EVENTS["record_delivery"])
    event["detail"]["mail"]["destination"] = mail["Destination"]["ToAddresses"]
    event["detail"]["mail"]["tags"] |= {tag["Name"]: [tag["Value"]] for tag in mail["EmailTags"]}
    return event


def spoilt(statements: list[Statement]) -> Iterator[tuple[str, list[Statement]]]:
    """The statements with one action, resource, key or attribute less, and what that was."""
    for at, statement in enumerate(statements):
        for element in ("Action", "Resource"):
            for each in several(statement[element]):
                others = [other for other in several(statement[element]) if other != each]
                yield each, [*statements[:at], {**statement, element: others}, *statements[at + 1 :]]
        for operator, tests in statement.get("Condition", {}).items():
            if operator == "Null":
                continue
            for key, wanted in tests.items():
                for each in several(wanted):
                    fewer = copy.deepcopy(dict(statement))
                    fewer["Condition"][operator][key] = [other for other in several(wanted) if other != each]
                    yield f"{key}: {each}", [*statements[:at], fewer, *statements[at + 1 :]]


def test_each_allowance_of_a_role_is_needed_and_without_it_a_call_is_refused(asked: dict[str, list[Request]]) -> None:
    assert sorted(asked) == FUNCTIONS, "all functions were called"
    superfluous = []
    for function in FUNCTIONS:
        statements = list(statements_of(function))
        for part, fewer in spoilt(statements):
            if all(decide(fewer, request) == "Allow" for request in asked[function]):
                superfluous.append((function, part))
    assert set(superfluous) == ASKED_BY_S3
