"""A weekly report has one issue, on every day, and what older versions have stored as ``final`` is that report."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from cost_reporting import wiring
from cost_reporting.contracts import ClientDue, ReportRendered, ReportSent, Run, RunAsked
from cost_reporting.ledger import fingerprint, issue_key, report_key, report_tag
from cost_reporting.operations.approve import approve, find_held, request_for
from cost_reporting.operations.list_clients import what_is_asked
from cost_reporting.outcomes import RunListed
from cost_reporting.store.ledger import LedgerStore
from cost_reporting.store.runs import RunStore
from tests.builders import a_client, a_run
from tests.contract.documents import EVENTS
from tests.functional.conftest import PDF, Clock, Costs, World
from tests.functional.test_fetch_costs import BAKERY, of_account
from tests.functional.test_list_clients import deliver, due, listed

Invoke = Callable[[str, Any], Any]
CLIENT, TO = "northwind-retail", "finance@northwind.example"
WEEK = "2026-W42"
CLOSES = datetime(2026, 11, 8, tzinfo=UTC)
OLD = f"{CLIENT}#weekly#{WEEK}#final#live"
NEW = f"{CLIENT}#weekly#{WEEK}#preliminary#live"
DAYS = [
    "2026-10-20T06:00:00Z",
    "2026-11-07T23:59:59Z",
    "2026-11-08T00:00:00Z",
    "2026-11-10T06:00:00Z",
    "2027-03-01T00:00:00Z",
]


def old_entry(state: str = "SENT", *, to: str = TO, report: str = OLD, try_id: str = "try-of-old") -> None:
    """An entry as a version wrote it that called a weekly report final from the 8th on."""
    item = {
        "pk": f"LEDGER#{report}",
        "sk": f"TO#{fingerprint(to)}",
        "issue": "#".join(report.split("#")[1:4]),
        "report": report,
        "recipient": fingerprint(to),
        "state": state,
        "try_id": try_id,
        "attempt": 1,
        "run_id": "weekly-2026-W42-final-0ld",
        "report_sha256": "0" * 64,
        "updated_at": "2026-11-08T06:00:00+00:00",
    }
    put(item)


def put(item: dict[str, Any]) -> None:
    boto3.resource("dynamodb").Table("outcomes").put_item(Item=item)


def send(invoke: Invoke, baton: ReportRendered) -> list[str]:
    answer = ReportSent.model_validate(invoke("send_email", baton))
    return [each.state for each in answer.delivery.deliveries]


def a_week(**changes: Any) -> Run:
    return a_run(WEEK, **changes)


@pytest.mark.parametrize("at", DAYS)
def test_the_same_input_means_the_same_weekly_report_on_every_day(at: str, invoke: Invoke, world: World) -> None:
    world.add(a_client(client_id="acme", cadences=("weekly",)))
    request = {"cadence": "weekly", "period": WEEK}
    worklist, lines = listed(invoke, world, request, started_at=at)
    assert [line.client_id for line in lines] == ["acme"]
    assert issue_key(worklist.run) == f"weekly#{WEEK}#preliminary"
    deliver("acme", WEEK)
    assert [due(invoke, world, request, started_at=day) for day in DAYS] == [[]] * len(DAYS)


def test_a_week_that_was_mailed_before_the_eighth_is_not_mailed_again_after_it(
    invoke: Invoke, world: World, clock: Clock
) -> None:
    """`report.py run --cadence weekly --period W` on both sides of an 8th: one mail."""
    world.add(a_client())
    for at in DAYS:
        asked = RunAsked(
            request={"cadence": "weekly", "period": WEEK}, execution_id=at, started_at=datetime.fromisoformat(at)
        )
        send(invoke, world.rendered(run=what_is_asked(asked, wiring.settings().zone)[1]))
        clock.pass_by(days=5)
    assert len(world.attempts()) == 1
    assert [item["pk"] for item in world.outcomes("LEDGER#")] == [f"LEDGER#{NEW}"]


def test_a_month_has_both_issues_as_before(invoke: Invoke, world: World) -> None:
    world.add(a_client(client_id="acme", preliminary=True))
    for at, issue in (("2026-11-03T06:00:00Z", "preliminary"), ("2026-11-08T06:00:00Z", "final")):
        worklist, _ = listed(invoke, world, {"cadence": "monthly"}, started_at=at)
        assert (worklist.run.issue, worklist.client_count) == (issue, 1)
        deliver("acme", issue=issue)


# -- over the upgrade -------------------------------------------------------------------------------------------------


def test_what_executions_and_lists_of_older_versions_say_is_read_as_the_one_issue() -> None:
    old = a_week().model_dump(mode="json") | {"issue": "final"}
    assert Run.model_validate(old) == a_week(run_id=old["run_id"])
    baton = ClientDue.model_validate({"run": old, "client_id": "acme"})
    assert report_key(baton.run, "acme") == f"acme#weekly#{WEEK}#preliminary#live"
    listed = RunListed(
        run_id="one", cadence="weekly", period=WEEK, issue="final", mode="live", client_count=1,
        execution_id="arn", started_at=CLOSES,
    )  # fmt: skip
    assert listed.issue == "preliminary"


def test_the_id_of_an_old_execution_s_run_is_the_one_that_its_records_have(environment: None) -> None:
    request = {"cadence": "weekly", "period": WEEK}
    asked = RunAsked(request=request, execution_id="arn:of:old", started_at=CLOSES)
    run = what_is_asked(asked, wiring.settings().zone)[1]
    assert run.run_id.startswith(f"weekly-{WEEK}-final-")
    assert run.issue == "preliminary"


def test_a_client_that_an_older_version_has_marked_is_not_listed(invoke: Invoke, world: World) -> None:
    world.add(a_client(client_id="acme"), a_client(client_id="globex"))
    mark = {"run_id": "old", "report_key": "k", "recipients": 1, "at": "2026-11-09T06:00:00+00:00"}
    put({"pk": f"DELIVERED#weekly#{WEEK}#final", "sk": "acme"} | mark)
    assert due(invoke, world, {"cadence": "weekly", "period": WEEK}) == ["globex"]
    runs = RunStore("outcomes")
    delivered = runs.delivered_at("weekly", a_week().period, "preliminary", "acme")
    assert delivered is not None
    assert delivered.run_id == "old"
    assert list(runs.marks(f"weekly#{WEEK}#preliminary")) == ["acme"]


@pytest.mark.parametrize("state", ["SENT", "DELAYED", "DELIVERED", "BOUNCED", "COMPLAINED"])
def test_a_recipient_whom_an_older_version_has_mailed_the_final_is_not_mailed_again(
    state: str, invoke: Invoke, world: World
) -> None:
    world.add(a_client())
    old_entry(state)
    assert send(invoke, world.rendered(run=a_week())) == ["ALREADY_SENT"]
    assert world.attempts() == []


@pytest.mark.parametrize("state", ["REFUSED", "REJECTED"])
def test_what_an_older_version_could_not_mail_is_mailed_once(state: str, invoke: Invoke, world: World) -> None:
    world.add(a_client())
    old_entry(state)
    assert send(invoke, world.rendered(run=a_week())) == ["SENT"]
    assert send(invoke, world.rendered(run=a_week(run_id="another"))) == ["ALREADY_SENT"]
    assert len(world.outcomes("LEDGER#")) == 1


def test_of_two_old_entries_the_one_that_went_counts(invoke: Invoke, world: World) -> None:
    world.add(a_client())
    old_entry("SENT")
    old_entry("REFUSED", report=NEW)
    assert send(invoke, world.rendered(run=a_week())) == ["ALREADY_SENT"]
    ledger = LedgerStore("outcomes")
    assert [each.state for each in ledger.of_report(NEW)] == ["SENT"]
    assert [(each.report, each.state) for each in ledger.of_issue(f"weekly#{WEEK}#preliminary")] == [(NEW, "SENT")]


def test_an_old_weekly_mail_is_forced_moved_and_read_under_the_name_that_it_has(
    invoke: Invoke, world: World, clock: Clock
) -> None:
    world.add(a_client())
    old_entry()
    forced = a_week(run_id="forced", force_send={"reason": "they deleted it"})
    assert send(invoke, world.rendered(run=forced)) == ["SENT"]
    ledger = LedgerStore("outcomes")
    (item,) = world.outcomes("LEDGER#")
    assert (item["report"], item["attempt"], item["issue"]) == (OLD, 2, f"weekly#{WEEK}#final")
    tags = {tag["Name"]: [tag["Value"]] for tag in world.attempts()[0]["EmailTags"]}
    assert tags["report_id"] == [report_tag(OLD)]
    for tried, kind in (("try-of-old", "Delivery"), (item["try_id"], "Reject")):
        for report in (OLD, NEW):
            event = EVENTS["record_delivery"]
            mail = event["detail"]["mail"] | {
                "destination": [TO],
                "tags": event["detail"]["mail"]["tags"] | {"report_id": [report_tag(report)], "try_id": [tried]},
            }
            invoke("record_delivery", event | {"detail": event["detail"] | {"eventType": kind, "mail": mail}})
    (entry,) = ledger.of_report(NEW)
    assert (entry.state, entry.try_id) == ("DELIVERED", "try-of-old")
    assert ledger.find(NEW, fingerprint(TO)) == entry
    clock.pass_by(hours=1)
    assert send(invoke, world.rendered(run=a_week(run_id="another"))) == ["ALREADY_SENT"]


def test_the_watch_sees_old_marks_losses_and_mails_once(world: World) -> None:
    issue, runs = f"weekly#{WEEK}#preliminary", RunStore("outcomes")
    loss = {"error": "ClientAccessDenied", "run_id": "old"}
    put({"pk": f"FAILED#weekly#{WEEK}#final", "sk": "acme", "at": "2026-11-09T06:00:00+00:00"} | loss)
    put({"pk": f"FAILED#{issue}", "sk": "acme", "at": "2026-10-20T06:00:00+00:00"} | loss | {"run_id": "older"})
    put({"pk": f"EXPECTED#weekly#{WEEK}#final", "sk": "by-hand", "at": "2026-11-09T06:00:00+00:00"})
    put({"pk": f"HELD#weekly#{WEEK}#final", "sk": "globex", "state": "HELD"})
    old_entry()
    assert runs.ends(issue)["acme"].run_id == "old"
    assert list(runs.expected(issue)) == ["by-hand"]
    assert {client_id: hold.state for client_id, hold in runs.held(issue).items()} == {"globex": "HELD"}
    assert [mail.report for mail in LedgerStore("outcomes").of_issue(issue)] == [NEW]


@pytest.mark.parametrize("issue", [None, "final", "preliminary"])
def test_a_report_that_an_older_version_holds_as_final_is_approved_and_goes_once(
    issue: Any, invoke: Invoke, world: World, clock: Clock
) -> None:
    world.add(a_client(approve_first=3))
    baton = world.rendered(run=a_week())
    key = f"reports/{CLIENT}/weekly/{WEEK}/final/report.pdf"
    held = {
        "client_id": CLIENT,
        "report": OLD,
        "state": "HELD",
        "pdf_key": key,
        "pdf_sha256": world.put(key, PDF).sha256,
        "run_id": "weekly-2026-W42-final-0ld",
        "nominal_at": "2026-11-08T06:00:00+00:00",
        "at": "2026-11-08T06:01:00+00:00",
    }
    put({"pk": f"HELD#weekly#{WEEK}#final", "sk": CLIENT} | held)
    old_entry("SENT", to="operators@consultancy.example", report=OLD.replace("live", f"held-{held['pdf_sha256'][:12]}"))
    assert send(invoke, baton) == ["HELD"]
    found = find_held(CLIENT, WEEK, cadence=None, issue=issue, sha256=None, approvals=wiring.approvals())
    assert found.report == OLD
    approve(found, by="ada", reason=None, approvals=wiring.approvals(), now=clock)
    assert wiring.approvals().approved(CLIENT) == {NEW}
    asked = RunAsked(request=request_for(found), execution_id="one", started_at=clock())
    run = what_is_asked(asked, wiring.settings().zone)[1]
    assert [send(invoke, world.rendered(run=run)) for _ in range(2)] == [["SENT"], ["ALREADY_SENT"]]


def test_other_bytes_than_an_older_version_holds_are_held_anew_under_the_one_name(invoke: Invoke, world: World) -> None:
    world.add(a_client(approve_first=3))
    held = {
        "client_id": CLIENT,
        "report": OLD,
        "state": "APPROVED",
        "pdf_key": "k",
        "pdf_sha256": "1" * 64,
        "run_id": "old",
        "nominal_at": "2026-11-08T06:00:00+00:00",
        "at": "2026-11-08T06:01:00+00:00",
    }
    put({"pk": f"HELD#weekly#{WEEK}#final", "sk": CLIENT} | held)
    assert send(invoke, world.rendered(run=a_week())) == ["HELD"]
    found = find_held(CLIENT, WEEK, cadence=None, issue=None, sha256=None, approvals=wiring.approvals())
    assert (found.report, found.state) == (NEW, "HELD")


def test_costs_that_an_older_version_has_paid_for_are_found(invoke: Invoke, world: World, costs: Costs) -> None:
    world.add(of_account(BAKERY), client_id=CLIENT)
    run = a_week()
    first = invoke("fetch_costs", ClientDue(run=run, client_id=CLIENT))
    key = first["costs"]["document"]["key"]
    s3 = boto3.client("s3")
    s3.copy_object(Bucket=world.bucket, Key=key.replace("preliminary", "final"), CopySource=f"{world.bucket}/{key}")
    world.delete(key)
    paid = costs.paid
    again = invoke("fetch_costs", ClientDue(run=run, client_id=CLIENT))
    assert costs.paid == paid
    assert again["costs"]["document"]["key"] == key.replace("preliminary", "final")
