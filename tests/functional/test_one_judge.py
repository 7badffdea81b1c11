"""Roll-up, operations report and `status` are asked about the same reports, and say the same."""

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import boto3
import pytest
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from cost_reporting.approvals import Held, held_key
from cost_reporting.contracts import Outcome, Run, RunAsked
from cost_reporting.domain.report_status import MISSING, STATUSES
from cost_reporting.ledger import Entry, fingerprint, report_key
from cost_reporting.operations.generate_ops_report import generate_ops_report
from cost_reporting.operations.list_clients import list_clients, what_is_asked
from cost_reporting.operations.record_outcome import write_outcome
from cost_reporting.operations.report_facts import FIELDS
from cost_reporting.operations.status import reports_of
from cost_reporting.operations.watch_deliveries import roll_call
from cost_reporting.outcomes import failed
from cost_reporting.periods import parse
from cost_reporting.schedules import due_by
from cost_reporting.store.accounts import AccountStore
from cost_reporting.store.approvals import ApprovalStore
from cost_reporting.store.clients import ClientStore
from cost_reporting.store.executions import Execution
from cost_reporting.store.ledger import LedgerStore
from cost_reporting.store.objects import ObjectStore
from cost_reporting.store.runs import RunStore
from tests.builders import a_client
from tests.functional.conftest import NOW, World

ZONE = ZoneInfo("Europe/Berlin")
DUE = next(due for due in due_by(NOW + timedelta(hours=4), ZONE) if due.issue == "final")
EVERYONE = RunAsked(request={"cadence": "monthly"}, execution_id="arn:…:all", started_at=NOW)
NAMED = RunAsked(
    request={"cadence": "monthly", "client_ids": ["acme"]},
    execution_id="arn:…:named",
    started_at=NOW + timedelta(hours=1),
)
ANNA, BERT, OLD = "anna@acme.example", "bert@acme.example", "old@acme.example"


class Said(NamedTuple):
    """What one door says of a report."""

    status: str
    detail: str
    remedy: str


class Facts(NamedTuple):
    """What happened to the monthly report of acme, as the tables have it. Ages are hours since the run began."""

    look: float = 30
    recipients: tuple[str, ...] = (ANNA,)
    client: str = "active"
    everyone: bool = True
    named: bool = False
    outcomes: tuple[Outcome, ...] = ()
    mails: tuple[tuple[str, str, float], ...] = ()
    held: tuple[str, float] | None = None


@pytest.fixture
def doors(world: World, monkeypatch: pytest.MonkeyPatch) -> "Doors":
    monkeypatch.setattr(RunStore, "since", lambda self: datetime.fromisoformat("2026-01-01T00:00:00+00:00"))
    return Doors(world)


class Doors:
    """The tables, filled with facts, and the three doors that are asked about them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.runs, self.ledger, self.approvals = (
            RunStore("outcomes"),
            LedgerStore("outcomes"),
            ApprovalStore("outcomes"),
        )
        self.clients, self.objects = ClientStore("clients"), ObjectStore(world.bucket)

    def answers(self, facts: Facts) -> dict[str, Said]:
        """What each door says; a door that knows of no such report is left out."""
        self._clear()
        asked = self._happen(facts)
        at = NOW + timedelta(hours=facts.look)
        return {
            door: Said(found.status, found.detail, found.remedy)
            for door, found in (
                ("roll-up", self._roll_up(at)),
                ("ops report", self._ops_report(at)),
                ("status", self._status(at, asked)),
            )
            if found is not None
        }

    def _happen(self, facts: Facts) -> list[RunAsked]:
        self.world.add(a_client(client_id="acme", recipients=facts.recipients), a_client(client_id="globex"))
        asked = [one for one, was in ((EVERYONE, facts.everyone), (NAMED, facts.named)) if was]
        begun = [self._begin(one) for one in asked]
        run = begun[-1] if begun else what_is_asked(EVERYONE, ZONE)[1]
        for each, outcome in zip(begun, facts.outcomes, strict=False):
            self._end(each, outcome)
        for to, state, hours in facts.mails:
            assert self.ledger.begin(_entry(run, to, state, NOW + timedelta(hours=hours)), replacing=None)
        if facts.held is not None:
            state, hours = facts.held
            held = _held(run, state, NOW + timedelta(hours=hours))
            assert self.approvals.hold(held_key(run), held, replacing=None)
        if facts.client == "removed":
            boto3.resource("dynamodb").Table("clients").delete_item(Key={"client_id": "acme"})
        else:
            self.world.add(a_client(client_id="acme", recipients=facts.recipients, status=facts.client))
        return asked

    def _begin(self, asked: RunAsked) -> Run:
        worklist = list_clients(
            asked,
            zone=ZONE,
            test_domains=("consultancy.example",),
            concurrent_clients=5,
            looks=2,
            clients=self.clients,
            accounts=AccountStore("outcomes"),
            runs=self.runs,
            approvals=ApprovalStore("outcomes"),
            objects=self.objects,
            executions=SimpleNamespace(under_way=lambda arn: False),  # type: ignore[arg-type]
        )
        return worklist.run

    def _end(self, run: Run, outcome: Outcome) -> None:
        write_outcome(run, outcome, runs=self.runs, now=lambda: run.nominal_at + timedelta(minutes=5))

    def _roll_up(self, at: datetime) -> Any:
        rows = {str(row.get("client_id")): row for row in self.clients.rows(*FIELDS)}
        call = roll_call(DUE, rows, runs=self.runs, ledger=self.ledger, objects=self.objects, at=at)
        return next((each for each in call.clients if each.client_id == "acme"), None)

    def _ops_report(self, at: datetime) -> Any:
        report = generate_ops_report(
            "monthly",
            parse("2026-11"),
            runs=self.runs,
            ledger=self.ledger,
            clients=self.clients,
            objects=self.objects,
            executions=SimpleNamespace(began=lambda start, end: []),  # type: ignore[arg-type]
            metrics=SimpleNamespace(sums=lambda names, period: {}),  # type: ignore[arg-type]
            now=lambda: at,
            progress=lambda what, done, of: None,
        )
        return next((line for line in report.reports if line.client_id == "acme"), None)

    def _status(self, at: datetime, asked: list[RunAsked]) -> Any:
        executions = [
            Execution(
                arn=one.execution_id, name="x", status="FAILED", started_at=one.started_at, input=dict(one.request)
            )
            for one in reversed(asked)
        ]
        found = reports_of(
            "acme",
            executions=SimpleNamespace(recent=lambda among: executions),  # type: ignore[arg-type]
            runs=self.runs,
            clients=self.clients,
            objects=self.objects,
            approvals=self.approvals,
            ledger=self.ledger,
            zone=ZONE,
            now=at,
            period=(DUE.period, "monthly"),
        )
        return next((each for each in found if each.issue == "final"), None)

    def _clear(self) -> None:
        for name, keys in (("outcomes", ("pk", "sk")), ("clients", ("client_id",))):
            table = boto3.resource("dynamodb").Table(name)
            for item in table.scan()["Items"]:
                table.delete_item(Key={key: item[key] for key in keys})


def _entry(run: Run, to: str, state: str, at: datetime) -> Entry:
    return Entry.model_validate(
        {"report": report_key(run, "acme"), "recipient": fingerprint(to), "state": state, "try_id": "try-0001"}
        | {"attempt": 1, "run_id": run.run_id, "report_sha256": "0" * 64, "updated_at": at}
    )


def _held(run: Run, state: str, at: datetime) -> Held:
    decided = {} if state == "HELD" else {"by": "an operator", "decided_at": at + timedelta(hours=1)}
    return Held.model_validate(
        {"client_id": "acme", "report": report_key(run, "acme"), "state": state, "pdf_key": "k", "pdf_sha256": "0" * 64}
        | {"run_id": run.run_id, "nominal_at": run.nominal_at, "at": at}
        | decided
    )


def outcome(status: str, error: str | None = None, recipients: int = 0) -> Outcome:
    if status == "FAILED":
        return failed("acme", "Send Email", error or "RenderFailed", "what went wrong")
    return Outcome.model_validate(
        {"client_id": "acme", "status": status, "error": error, "recipients": recipients, "message": "a reason"}
    )


UNCERTAIN = outcome("FAILED", "DeliveryUncertain")
SENT_TO_ONE, SENT_TO_TWO = outcome("SENT", recipients=1), outcome("SENT", recipients=2)


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        pytest.param(
            Facts(outcomes=(UNCERTAIN,), mails=((ANNA, "DELIVERED", 0.2),)), "delivered", id="delivered after uncertain"
        ),
        pytest.param(Facts(outcomes=(UNCERTAIN,), mails=((ANNA, "SENDING", 0.1),)), "uncertain", id="uncertain still"),
        pytest.param(Facts(outcomes=(SENT_TO_ONE,), mails=((ANNA, "COMPLAINED", 9),)), "complained", id="complained"),
        pytest.param(
            Facts(
                recipients=(ANNA, BERT),
                outcomes=(SENT_TO_TWO,),
                mails=((ANNA, "DELIVERED", 0.1), (BERT, "BOUNCED", 0.1)),
            ),
            "bounced",
            id="delivered and bounced",
        ),
        pytest.param(
            Facts(look=49, outcomes=(SENT_TO_ONE,), mails=((ANNA, "DELAYED", 0.1),)), "unconfirmed", id="delayed 2 days"
        ),
        pytest.param(
            Facts(look=49, outcomes=(SENT_TO_ONE,), mails=((ANNA, "SENT", 0.1),)), "unconfirmed", id="sent 2 days ago"
        ),
        pytest.param(
            Facts(outcomes=(SENT_TO_ONE,), mails=((ANNA, "REJECTED", 0.1),)), "rejected_by_ses", id="rejected by SES"
        ),
        pytest.param(
            Facts(outcomes=(outcome("REJECTED"),), held=("REJECTED", 0.1)), "closed", id="rejected by an operator"
        ),
        pytest.param(Facts(look=10, outcomes=(outcome("HELD"),), held=("HELD", 0.1)), "held", id="held"),
        pytest.param(Facts(look=25, outcomes=(outcome("HELD"),), held=("HELD", 0.1)), "undecided", id="held for a day"),
        pytest.param(Facts(look=2.5, outcomes=(outcome("LATE", "CostsNotReady"),)), "underway", id="late"),
        pytest.param(Facts(outcomes=(outcome("LATE", "CostsNotReady"),)), "failed", id="late, and not looked at again"),
        pytest.param(Facts(outcomes=(outcome("LEFT_OUT"),), client="suspended"), "left_out", id="left out"),
        pytest.param(Facts(outcomes=(outcome("LEFT_OUT"),)), "not_included", id="left out, and active again"),
        pytest.param(Facts(outcomes=(outcome("REMOVED"),), client="removed"), "removed", id="removed"),
        pytest.param(Facts(outcomes=(outcome("FAILED"),)), "failed", id="failed"),
        pytest.param(Facts(outcomes=(outcome("FAILED"), SENT_TO_ONE), named=True), "unconfirmed", id="failed, sent"),
        pytest.param(Facts(), "missing", id="no outcome"),
        pytest.param(Facts(look=8), "underway", id="no outcome yet"),
        pytest.param(Facts(everyone=False, named=True), "missing", id="run by its id, no outcome"),
    ],
)  # fmt: skip
def test_three_doors_say_the_same_of_a_report(doors: Doors, facts: Facts, status: str) -> None:
    answers = doors.answers(facts)
    assert set(answers) == {"roll-up", "ops report", "status"}
    assert {door: said.status for door, said in answers.items()} == dict.fromkeys(answers, status)
    assert len(set(answers.values())) == 1, answers


def test_a_recipient_added_since_is_named_by_every_door(doors: Doors) -> None:
    facts = Facts(recipients=(ANNA, BERT), outcomes=(SENT_TO_ONE,), mails=((ANNA, "DELIVERED", 0.1),))
    for said in doors.answers(facts).values():
        assert (said.status, fingerprint(BERT) in said.detail) == ("delivered", True)
        assert "report.py resend --missing --client-id acme" in said.remedy
        assert "@" not in said.detail + said.remedy


STATES = ("SENDING", "SENT", "DELAYED", "DELIVERED", "BOUNCED", "COMPLAINED", "REJECTED", "REFUSED")
OUTCOMES = st.sampled_from(
    [
        UNCERTAIN, SENT_TO_ONE, SENT_TO_TWO, outcome("FAILED"), outcome("HELD"), outcome("LATE", "CostsNotReady"),
        outcome("LEFT_OUT"), outcome("REMOVED"), outcome("FAILED", "an error of another version"),
    ]
)  # fmt: skip
HOURS = st.sampled_from([0.1, 1.2, 5.0, 24.0])


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    """States that the product can reach: a held outcome has its item, and a mail its report."""
    everyone = draw(st.booleans())
    named = draw(st.booleans()) or not everyone
    ends = tuple(draw(st.lists(OUTCOMES, max_size=everyone + named)))
    if ends and ends[0].status == "SENT":
        ends, named = ends[:1], named and not everyone  # a client that has its report is listed no more
    held = any(end.status == "HELD" for end in ends)
    to = st.tuples(st.sampled_from([ANNA, BERT, OLD]), st.sampled_from(STATES), HOURS)
    return Facts(
        look=draw(st.sampled_from([3.5, 8.0, 26.0, 60.0])),
        recipients=draw(st.sampled_from([(ANNA,), (ANNA, BERT)])),
        client=draw(st.sampled_from(["active", "active", "suspended", "removed"])),
        everyone=everyone,
        named=named,
        outcomes=ends,
        mails=tuple(draw(st.lists(to, max_size=3, unique_by=lambda mail: mail[0]))),
        held=(draw(st.sampled_from(["HELD", "APPROVED", "REJECTED"])), draw(HOURS)) if held else None,
    )


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(facts())
@example(Facts(outcomes=(UNCERTAIN,), mails=((ANNA, "DELIVERED", 0.2),)))
@example(
    Facts(recipients=(ANNA, BERT), outcomes=(UNCERTAIN,), mails=((ANNA, "DELIVERED", 0.2), (BERT, "SENDING", 0.1)))
)
def test_whatever_happened_the_doors_agree(doors: Doors, facts: Facts) -> None:
    answers = doors.answers(facts)
    assert len(set(answers.values())) == 1, answers
    assert set(answers) == {"roll-up", "ops report", "status"}
    status = answers["status"].status
    event(status)
    assert status in STATUSES
    assert answers["status"].remedy or status not in MISSING
