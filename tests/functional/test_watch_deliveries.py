"""Watch Deliveries: who should have a report, who has it, and who has to be told."""

import json
import re
from collections.abc import Callable
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any

import pytest

from cost_reporting.contracts import DeliveriesWatched, Failure, Run
from cost_reporting.errors import RollUpNotSent
from cost_reporting.ledger import Entry, fingerprint, report_key
from cost_reporting.store.ledger import LedgerStore
from cost_reporting.store.runs import RunStore
from tests.builders import a_client, a_client_due, client_ended, report_sent
from tests.contract.documents import EVENTS
from tests.functional.conftest import ENVIRONMENT, NOW, Answer, Clock, Wire, World, refusal

Invoke = Callable[[str, Any], Any]
FIRST_LOOK = NOW.replace(hour=8, second=0)
"""Three hours after the monthly schedule's moment on 8 November, 06:00 in Berlin."""
LATER = FIRST_LOOK + timedelta(hours=12)
"""When no run can still be at work."""
CREATED = datetime.fromisoformat("2026-11-07T12:00:00+00:00")
"""When the system was set up: before the monthly schedule's moment, after all others."""


@pytest.fixture
def born(wire: Wire) -> None:
    described = {"Table": {"TableName": "outcomes", "CreationDateTime": CREATED}}
    wire.order("dynamodb.DescribeTable", *[Answer(200, described)] * 500)


@pytest.fixture
def watch(invoke: Invoke, clock: Clock, born: None) -> Callable[..., DeliveriesWatched]:
    def watch(at: datetime = LATER) -> DeliveriesWatched:
        clock.time = at
        return DeliveriesWatched.model_validate(invoke("watch_deliveries", {"scheduled_at": at.isoformat()}))

    return watch


Watch = Callable[..., DeliveriesWatched]


def listed(invoke: Invoke, **request: Any) -> Run:
    """The run of the monthly schedule, begun."""
    asked = {"request": {"cadence": "monthly"} | request, "execution_id": "arn:…:1", "started_at": NOW.isoformat()}
    return Run.model_validate(invoke("list_clients", asked)["run"])


def mailed(run: Run, client_id: str, state: str = "DELIVERED", *, to: str = "finance@northwind.example") -> None:
    """The mail to one recipient, as far as ``state``."""
    entry = Entry.model_validate(
        {"report": report_key(run, client_id), "recipient": fingerprint(to), "state": state, "try_id": "try-0001"}
        | {"attempt": 1, "run_id": run.run_id, "report_sha256": "0" * 64, "updated_at": NOW}
    )
    assert LedgerStore("outcomes").begin(entry, replacing=None)


def sent(invoke: Invoke, run: Run, client_id: str, state: str = "DELIVERED") -> None:
    mailed(run, client_id, state)
    invoke("record_outcome", client_ended(report_sent(client_id, run)))


def failed(invoke: Invoke, run: Run, client_id: str, error: str = "ClientAccessDenied") -> None:
    cause = json.dumps({"errorMessage": "role: AccessDenied"})
    invoke("record_outcome", client_ended(a_client_due(client_id, run), Failure(error=error, cause=cause)))


def counts(watched: DeliveriesWatched) -> dict[str, int]:
    (report,) = watched.reports
    return report.counts


def test_every_client_of_a_run_is_counted_once(invoke: Invoke, world: World, watch: Watch) -> None:
    names = ("acme", "bounced-co", "denied-corp", "globex", "initech", "lost-ltd")
    world.add(*(a_client(client_id=name) for name in names))
    run = listed(invoke)
    for name, state in (("acme", "DELIVERED"), ("globex", "SENT"), ("bounced-co", "BOUNCED")):
        sent(invoke, run, name, state)
    failed(invoke, run, "denied-corp")
    mailed(run, "initech", "SENDING")
    watched = watch()
    assert counts(watched) == {
        "delivered": 1, "accepted": 1, "bounced": 1, "failed": 1, "uncertain": 1, "missing": 1
    }  # fmt: skip
    assert (watched.missing, watched.bounced, watched.roll_up) == (3, 1, "mailed")
    assert (watched.reports[0].fired, watched.reports[0].period, watched.reports[0].issue) == (True, "2026-10", "final")


def test_a_schedule_that_never_fired_is_noticed_and_everybody_due_is_missing(world: World, watch: Watch) -> None:
    world.add(a_client(client_id="acme"), a_client(client_id="weekly-only", cadences=("weekly",)))
    world.add(a_client(client_id="asleep", status="suspended"))
    world.add_row({"client_id": "half-a-record"})
    watched = watch(FIRST_LOOK)
    assert (counts(watched), watched.reports[0].fired, watched.missing) == ({"missing": 2}, False, 2)
    (letter,) = world.mails()
    body = letter.get_body(("plain",))
    assert body is not None
    assert "no run for all clients was started" in body.get_content()


def test_nobody_is_missed_while_the_time_of_grace_lasts(world: World, watch: Watch) -> None:
    world.add(a_client(client_id="acme"))
    watched = watch(FIRST_LOOK - timedelta(seconds=1))
    assert (watched.reports, watched.missing, watched.roll_up, world.mails()) == ((), 0, "nothing_new", [])


def test_what_was_due_before_the_system_was_there_is_not_missed(wire: Wire, world: World, invoke: Invoke) -> None:
    world.add(a_client(client_id="acme"))
    described = {"Table": {"TableName": "outcomes", "CreationDateTime": LATER}}
    wire.order("dynamodb.DescribeTable", *[Answer(200, described)] * 5)
    watched = invoke("watch_deliveries", {"scheduled_at": LATER.isoformat()})
    assert (watched["missing"], watched["reports"]) == (0, [])


def test_a_run_for_some_clients_is_not_the_run_of_the_schedule(invoke: Invoke, world: World, watch: Watch) -> None:
    world.add(a_client(client_id="acme"), a_client(client_id="globex"))
    run = listed(invoke, client_ids=["acme"])
    sent(invoke, run, "acme")
    assert counts(watch()) == {"delivered": 1, "missing": 1}


@pytest.mark.parametrize("request_", [{"dry_run": True}, {"client_ids": ["acme"]}], ids=["dry run", "some"])
def test_only_a_live_run_for_everybody_is_written_down_as_expected(
    request_: dict[str, Any], invoke: Invoke, world: World
) -> None:
    world.add(a_client(client_id="acme"))
    listed(invoke, **request_)
    assert world.outcomes("EXPECTED#") == []
    run = listed(invoke)
    assert list(RunStore("outcomes").expected("monthly#2026-10#final")) == [run.run_id]


def test_a_client_removed_or_suspended_since_is_left_out_and_a_new_one_is_no_loss(
    invoke: Invoke, world: World, watch: Watch
) -> None:
    world.add(a_client(client_id="acme"))
    listed(invoke)
    world.add(a_client(client_id="acme", status="suspended"), a_client(client_id="newcomer"))
    watched = watch()
    assert (counts(watched), watched.missing) == ({"left_out": 1, "not_included": 1}, 0)


def test_a_rerun_that_succeeds_ends_the_loss_and_one_that_fails_tells_the_newer_reason(
    invoke: Invoke, world: World, watch: Watch
) -> None:
    world.add(a_client(client_id="acme"))
    run = listed(invoke)
    failed(invoke, run, "acme")
    failed(invoke, run.model_copy(update={"run_id": "again"}), "acme", "CostExplorerDisabled")
    assert RunStore("outcomes").ends("monthly#2026-10#final")["acme"].error == "CostExplorerDisabled"
    assert watch().missing == 1
    sent(invoke, run.model_copy(update={"run_id": "third"}), "acme")
    assert watch().missing == 0


def test_a_client_that_waits_for_an_approval_is_held(invoke: Invoke, world: World, watch: Watch) -> None:
    world.add(a_client(client_id="acme"))
    listed(invoke)
    pk = "HELD#monthly#2026-10#final"
    RunStore("outcomes")._put(pk, "acme", {"state": "HELD", "at": NOW.isoformat()})
    assert (counts(watch()), watch().missing) == ({"held": 1}, 0)


def test_a_report_that_waits_for_a_day_counts_as_missing_and_the_roll_up_names_the_command(
    invoke: Invoke, world: World, watch: Watch
) -> None:
    world.add(a_client(client_id="acme"))
    listed(invoke)
    held = {"state": "HELD", "at": (LATER - timedelta(hours=24)).isoformat()}
    RunStore("outcomes")._put("HELD#monthly#2026-10#final", "acme", held)
    watched = watch()
    assert (counts(watched), watched.missing, watched.roll_up) == ({"undecided": 1}, 1, "mailed")
    (letter,) = world.mails()
    body = letter.get_body(("plain",))
    assert body is not None
    assert "report.py approve --client-id acme --period 2026-10 --cadence monthly --issue final" in body.get_content()


def test_a_recipient_added_since_is_told_once_and_is_not_missing(invoke: Invoke, world: World, watch: Watch) -> None:
    world.add(a_client(client_id="acme"))
    run = listed(invoke)
    mailed(run, "acme")
    invoke("record_outcome", client_ended(report_sent("acme", run)))
    watch()
    world.add(a_client(client_id="acme", recipients=("finance@northwind.example", "new@northwind.example")))
    told = [watch(LATER + timedelta(hours=hours)) for hours in (1, 2, 26)]
    assert [each.roll_up for each in told] == ["mailed", "nothing_new", "nothing_new"]
    assert (told[0].missing, counts(told[0])) == (0, {"delivered": 1})
    assert world.mails()[-1]["Subject"] == "[Cost reports] 1 to look at: 1 report due"


def test_a_client_that_was_run_by_its_id_and_left_no_outcome_is_missing(
    invoke: Invoke, world: World, watch: Watch
) -> None:
    listed(invoke)
    world.add(a_client(client_id="acme"))
    listed(invoke, client_ids=["acme"])
    assert counts(watch()) == {"missing": 1}


def test_a_worklist_that_is_gone_leaves_everybody_expected(invoke: Invoke, world: World, watch: Watch) -> None:
    world.add(a_client(client_id="acme"))
    run = listed(invoke)
    world.delete(f"runs/{run.run_id}/worklist-1.jsonl")
    assert counts(watch()) == {"missing": 1}


# -- the roll-up ------------------------------------------------------------------------------------------------------


def test_the_same_is_mailed_once_a_day_while_something_is_missing(world: World, watch: Watch) -> None:
    world.add(a_client(client_id="acme"))
    told = [watch(FIRST_LOOK + timedelta(hours=hours)).roll_up for hours in range(49)]
    assert [hour for hour, each in enumerate(told) if each == "mailed"] == [0, 24, 48]
    assert set(told) == {"mailed", "nothing_new"}
    assert len(world.mails()) == 3


def test_when_all_is_well_it_is_mailed_once_and_not_every_day(invoke: Invoke, world: World, watch: Watch) -> None:
    world.add(a_client(client_id="acme"))
    sent(invoke, listed(invoke), "acme", "SENT")
    assert [watch(LATER + timedelta(hours=hours)).roll_up for hours in (0, 1)] == ["mailed", "nothing_new"]
    assert len(world.mails()) == 1


def test_what_changes_is_mailed_the_same_day(invoke: Invoke, world: World, watch: Watch) -> None:
    world.add(a_client(client_id="acme"), a_client(client_id="globex"))
    run = listed(invoke)
    sent(invoke, run, "acme")
    failed(invoke, run, "globex")
    first = watch(LATER)
    sent(invoke, run, "globex")
    second = watch(LATER + timedelta(minutes=1))
    assert [(each.roll_up, each.missing) for each in (first, second)] == [("mailed", 1), ("mailed", 0)]
    assert [mail["Subject"] for mail in world.mails()] == [
        "[Cost reports] 1 without a report: 2 reports due",
        "[Cost reports] all is well: 2 reports due",
    ]


def test_it_goes_to_the_operators_with_every_client_in_a_file_that_is_stored_as_well(
    invoke: Invoke, world: World, watch: Watch
) -> None:
    world.add(a_client(client_id="acme", client_name="<b>Acme</b>\u202e & Söhne"))
    failed(invoke, listed(invoke), "acme")
    watch()
    (asked,), (letter,) = world.attempts(), world.mails()
    assert asked["Destination"] == {"ToAddresses": [ENVIRONMENT["OPERATORS"]]}
    (file,) = letter.iter_attachments()
    whole = json.loads(file.get_content())
    assert [(each["client_id"], each["status"]) for each in whole] == [("acme", "failed")]
    (key,) = filter(re.compile("runs/watch/").match, world.keys())
    assert json.loads(world.get(key)) == whole
    html = letter.get_body(("html",))
    assert html is not None
    assert "&lt;b&gt;Acme&lt;/b&gt;" in html.get_content()
    assert "<b>Acme</b>" not in html.get_content()


def test_what_becomes_of_the_letter_is_written_down_like_that_of_any_other(
    invoke: Invoke, world: World, watch: Watch
) -> None:
    world.add(a_client(client_id="acme"))
    watch()
    (asked,) = world.attempts()
    event = deepcopy(EVENTS["record_delivery"])
    tags = {tag["Name"]: [tag["Value"]] for tag in asked["EmailTags"]}
    event["detail"]["mail"] |= {"destination": asked["Destination"]["ToAddresses"], "tags": tags}
    assert invoke("record_delivery", event)["state"] == "DELIVERED"
    (item,) = world.outcomes("LEDGER#OPERATORS#roll-up#2026-11-08#")
    assert (item["state"], "issue" in item) == ("DELIVERED", False)


def test_if_ses_refuses_the_function_fails_and_the_counts_are_told_all_the_same(
    invoke: Invoke, world: World, wire: Wire, watch: Watch, capsys: pytest.CaptureFixture[str]
) -> None:
    world.add(a_client(client_id="acme"))
    wire.order("sesv2.SendEmail", refusal("MessageRejected"))
    with pytest.raises(RollUpNotSent, match="DeliveryRejected"):
        watch()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    (metrics,) = [line for line in lines if "_aws" in line]
    assert (metrics["MissingReports"], metrics["ReportsBounced"]) == ([1.0], [0.0])
    assert watch().roll_up == "mailed"


def test_a_letter_that_may_have_gone_is_not_sent_again_that_day(
    world: World, wire: Wire, watch: Watch, clock: Clock
) -> None:
    world.add(a_client(client_id="acme"))
    wire.silent.add("sesv2.SendEmail")
    with pytest.raises(RollUpNotSent, match="DeliveryUncertain"):
        watch(LATER)
    wire.silent.clear()
    assert watch(LATER + timedelta(seconds=30)).roll_up == "underway"
    assert watch(LATER + timedelta(hours=1)).roll_up == "uncertain"
    assert watch(LATER + timedelta(hours=24)).roll_up == "mailed"
    assert wire.count("sesv2.SendEmail") == 2


def test_nothing_missing_is_a_metric_too_so_that_an_alarm_ends(
    world: World, watch: Watch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert watch().missing == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    metrics = json.loads(line)
    assert (metrics["MissingReports"], metrics["ReportsBounced"]) == ([0.0], [0.0])
    assert metrics["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [[]]


def test_no_address_is_logged_or_answered(
    invoke: Invoke, world: World, watch: Watch, capsys: pytest.CaptureFixture[str]
) -> None:
    world.add(a_client(client_id="acme"))
    sent(invoke, listed(invoke), "acme", "BOUNCED")
    assert "@" not in watch().model_dump_json() + capsys.readouterr().out


# -- how much it asks for ---------------------------------------------------------------------------------------------


def test_the_calls_do_not_grow_with_the_clients(invoke: Invoke, world: World, wire: Wire, watch: Watch) -> None:
    def calls() -> int:
        wire.calls.clear()
        watch()
        return wire.count("dynamodb.Query", "dynamodb.GetItem", "dynamodb.Scan", "s3.GetObject")

    world.add(*(a_client(client_id=f"client-{number}") for number in range(3)))
    run = listed(invoke)
    for number in range(3):
        sent(invoke, run, f"client-{number}")
    few = calls()
    world.add(*(a_client(client_id=f"more-{number}") for number in range(30)))
    for number in range(30):
        sent(invoke, run, f"more-{number}")
    assert calls() <= few
