"""Hold and approve: Send Email as the gate, and an operator's word about what waits behind it."""

from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any

import boto3
import pytest

from cost_reporting import wiring
from cost_reporting.approvals import Held
from cost_reporting.contracts import ReportRendered, ReportSent, RunAsked, Worklist
from cost_reporting.errors import ClientSuspended, DeliveryRejected, InvalidRequest, NotHeld, StoreThrottled
from cost_reporting.ledger import Entry, fingerprint, report_key
from cost_reporting.operations.approve import (
    HeldByRun,
    approve,
    approve_all,
    find_held,
    held_by,
    reject,
    request_for,
    request_for_all,
)
from cost_reporting.operations.hold import kept_back
from cost_reporting.operations.list_clients import what_is_asked
from cost_reporting.store.approvals import ApprovalStore
from cost_reporting.store.runs import RunStore
from tests.builders import a_client, a_held, a_run
from tests.functional.conftest import ENVIRONMENT, PDF, Answer, Clock, Wire, World, refusal
from tests.functional.test_send_email import TOO_LARGE, linked

Invoke = Callable[[str, Any], Any]
THESE = sha256(PDF).hexdigest()
OPERATORS, FINANCE = ENVIRONMENT["OPERATORS"], "finance@northwind.example"
NORTHWIND = "northwind-retail"


class Killed(BaseException):
    """The function was killed in the middle of a call."""


def send(invoke: Invoke, baton: ReportRendered) -> str:
    answer = ReportSent.model_validate(invoke("send_email", baton))
    (state,) = {delivery.state for delivery in answer.delivery.deliveries}
    return state


def another(world: World, baton: ReportRendered) -> ReportRendered:
    """The same report with other bytes: the client's record or the templates have changed."""
    pdf = world.put(baton.report.pdf.key, b"%PDF-1.7 another report")
    return baton.model_copy(update={"report": baton.report.model_copy(update={"pdf": pdf})})


def waiting(**changes: Any) -> Held:
    asked: dict[str, Any] = {"cadence": None, "issue": None, "sha256": None, "approvals": wiring.approvals()}
    return find_held(NORTHWIND, "2026-10", **(asked | changes))


def approved(held: Held | None = None) -> Held:
    return approve(
        held or waiting(), by="arn:aws:iam::1:user/ada", reason=None, approvals=wiring.approvals(), now=wiring.now
    )


def rejected(held: Held | None = None) -> Held:
    return reject(
        held or waiting(), by="arn:aws:iam::1:user/ada", reason="the logo is wrong", approvals=wiring.approvals(),
        now=wiring.now,
    )  # fmt: skip


def put_held(state: Any, pdf_sha256: str) -> None:
    """Put on record that the October report was held as these bytes, and what became of it."""
    held = a_held(state=state, pdf_sha256=pdf_sha256)
    assert ApprovalStore("outcomes").hold("monthly#2026-10#final", held, replacing=None)


def to(world: World) -> list[str]:
    return [asked["Destination"]["ToAddresses"][0] for asked in world.attempts()]


@pytest.fixture
def baton(world: World) -> ReportRendered:
    """The first report of a client of which one report waits."""
    world.add(a_client(approve_first=1))
    return world.rendered()


def test_a_held_report_goes_to_the_operators_with_the_very_pdf_and_the_commands(
    invoke: Invoke, world: World, baton: ReportRendered
) -> None:
    assert send(invoke, baton) == "HELD"
    (mail,) = world.mails()
    assert (mail["To"], mail["Subject"]) == (OPERATORS, "[Waits for approval] [Acme] AWS costs")
    (attachment,) = mail.iter_attachments()
    assert attachment.get_content() == PDF
    text = mail.get_body(("plain",)).get_content()
    which = (
        f"--client-id {NORTHWIND} --period 2026-10 --cadence monthly --issue final "
        f"--sha256 {baton.report.pdf.sha256[:12]}"
    )
    assert f"scripts/report.py approve {which}" in text
    assert f'scripts/report.py reject {which} --reason "…"' in text
    assert "Total: 12" in text
    (item,) = world.outcomes("HELD#")
    assert (item["pk"], item["sk"], item["state"]) == ("HELD#monthly#2026-10#final", NORTHWIND, "HELD")
    assert item["pdf_sha256"] == baton.report.pdf.sha256


def test_files_too_large_for_a_mail_are_linked_for_the_operators_too(invoke: Invoke, world: World) -> None:
    world.add(a_client(approve_first=1))
    assert send(invoke, world.rendered(words=TOO_LARGE)) == "HELD"
    (mail,) = world.mails()
    (link,) = linked(mail).values()
    assert link in mail.get_body(("plain",)).get_content()
    assert list(mail.iter_attachments()) == []


def test_the_operators_mail_is_no_mail_of_the_client_s(invoke: Invoke, world: World, baton: ReportRendered) -> None:
    send(invoke, baton)
    (entry,) = world.outcomes("LEDGER#")
    assert entry["pk"] == f"LEDGER#{NORTHWIND}#monthly#2026-10#final#held-{baton.report.pdf.sha256[:12]}"
    assert entry["recipient"] == fingerprint(OPERATORS)
    assert "@" not in str(world.outcomes(""))


def test_retries_and_other_runs_find_it_held_and_the_operators_get_one_mail(
    invoke: Invoke, world: World, baton: ReportRendered
) -> None:
    again = baton.model_copy(update={"run": a_run(run_id="another-run")})
    assert [send(invoke, each) for each in (baton, baton, again)] == ["HELD"] * 3
    assert to(world) == [OPERATORS]


def test_an_approved_report_is_sent_once_and_the_next_one_is_not_held(
    invoke: Invoke, world: World, baton: ReportRendered
) -> None:
    send(invoke, baton)
    approved()
    assert [send(invoke, baton), send(invoke, baton)] == ["SENT", "ALREADY_SENT"]
    assert to(world) == [OPERATORS, FINANCE]
    assert send(invoke, world.rendered(run=a_run("2026-11"))) == "SENT"


def test_as_many_reports_wait_as_the_record_says(invoke: Invoke, world: World) -> None:
    world.add(a_client(approve_first=2))
    for month, expected in (("2026-08", "HELD"), ("2026-09", "HELD"), ("2026-10", "SENT")):
        each = world.rendered(run=a_run(month))
        assert send(invoke, each) == expected
        if expected == "HELD":
            held = find_held(NORTHWIND, month, cadence=None, issue=None, sha256=None, approvals=wiring.approvals())
            approved(held)


def test_other_bytes_than_those_approved_are_held_anew(invoke: Invoke, world: World, baton: ReportRendered) -> None:
    send(invoke, baton)
    approved()
    assert send(invoke, another(world, baton)) == "HELD"
    assert to(world) == [OPERATORS, OPERATORS]
    assert waiting().state == "HELD"


def test_what_has_begun_to_go_to_the_client_is_not_held_halfway(invoke: Invoke, world: World, wire: Wire) -> None:
    world.add(a_client(recipients=(FINANCE, "cto@northwind.example")))
    baton = world.rendered()
    wire.order("sesv2.SendEmail", None, refusal("MessageRejected"))
    with pytest.raises(DeliveryRejected):
        send(invoke, baton)
    world.add(a_client(recipients=(FINANCE, "cto@northwind.example"), approve_first=1))
    invoke("send_email", baton)
    assert to(world) == [FINANCE, "cto@northwind.example", "cto@northwind.example"]


def test_a_rejected_report_is_closed_until_force_send_holds_it_anew(
    invoke: Invoke, world: World, baton: ReportRendered
) -> None:
    send(invoke, baton)
    rejected()
    answer = invoke("send_email", baton)
    assert answer["delivery"]["deliveries"][0]["state"] == "REJECTED"
    assert "the logo is wrong" in answer["delivery"]["reason"]
    world.add(a_client(approve_first=0))
    assert send(invoke, another(world, baton)) == "REJECTED", "whatever has changed since"
    world.add(a_client(approve_first=1))
    world.rendered()
    forced = a_run(run_id="forced", force_send={"reason": "the logo is mended"})
    assert send(invoke, baton.model_copy(update={"run": forced})) == "HELD"
    assert to(world) == [OPERATORS, OPERATORS]


PATHS: dict[str, dict[str, Any]] = {
    "a run": {},
    "another run": {"run_id": "another-run"},
    "a rerun": {"run_id": "another-run", "rerun_of": "the-first-run"},
    "named": {"named": True},
    "forced": {"run_id": "forced", "force_send": {"reason": "they are waiting"}, "named": True},
    "as stored": {"run_id": "resend", "force_send": {"reason": "lost", "pdf_sha256": THESE}, "named": True},
}
DECIDED: dict[str, tuple[Any, str, str]] = {
    "HELD": (("HELD", THESE), "HELD", "HELD"),
    "HELD, other bytes": (("HELD", "b" * 64), "HELD", "HELD"),
    "APPROVED": (("APPROVED", THESE), "SENT", "SENT"),
    "APPROVED, other bytes": (("APPROVED", "b" * 64), "HELD", "HELD"),
    "REJECTED": (("REJECTED", THESE), "REJECTED", "HELD"),
    "REJECTED, other bytes": (("REJECTED", "b" * 64), "REJECTED", "HELD"),
}


@pytest.mark.parametrize("approve_first", [0, 1, 2])
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("decided", DECIDED)
def test_what_was_held_once_leaves_only_as_the_bytes_that_were_approved_on_every_path(
    decided: str, path: str, approve_first: int, invoke: Invoke, world: World
) -> None:
    item, unforced, forced = DECIDED[decided]
    world.add(a_client(approve_first=approve_first))
    ApprovalStore("outcomes").count(a_held(period="2026-09"))
    put_held(*item)
    run = a_run(**PATHS[path])
    assert send(invoke, world.rendered(run=run)) == (forced if run.force_send else unforced)
    expected = {"SENT": FINANCE, "HELD": OPERATORS}.get(forced if run.force_send else unforced)
    assert to(world) == [expected] * (expected is not None)
    if expected == OPERATORS:
        (now,) = world.outcomes("HELD#")
        assert (now["state"], now["pdf_sha256"]) == ("HELD", THESE)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("approve_first", "approved", "expected"), [(0, 0, "SENT"), (1, 0, "HELD"), (1, 1, "SENT"), (2, 1, "HELD")]
)
def test_what_was_never_held_waits_until_enough_were_approved_on_every_path(
    approve_first: int, approved: int, expected: str, path: str, invoke: Invoke, world: World
) -> None:
    world.add(a_client(approve_first=approve_first))
    for month in ("2026-08", "2026-09")[:approved]:
        ApprovalStore("outcomes").count(a_held(period=month))
    assert send(invoke, world.rendered(run=a_run(**PATHS[path]))) == expected


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("state", "held", "expected"),
    [
        ("DELIVERED", None, "passes"),
        ("SENT", None, "passes"),
        ("SENDING", None, "passes"),
        ("REFUSED", None, "HELD"),
        ("REJECTED", None, "HELD"),
        ("DELIVERED", "HELD", "passes"),
        ("DELIVERED", "REJECTED", "closed"),
    ],
)
def test_bytes_that_a_recipient_has_or_may_have_are_no_news_but_a_rejected_report_stays_closed(
    state: Any, held: Any, expected: str, path: str, world: World
) -> None:
    """HELD here are other bytes: those that the mailed ones were replaced by later."""
    world.add(a_client(approve_first=1))
    baton = world.rendered(run=a_run(**PATHS[path]))
    entry = Entry(
        report=report_key(baton.run, NORTHWIND), recipient=fingerprint(FINANCE), state=state, try_id="try-number-1",
        attempt=1, run_id="the-first-run", report_sha256=baton.report.pdf.sha256, updated_at=wiring.now(),
    )  # fmt: skip
    assert wiring.ledger().begin(entry, replacing=None)
    if held:
        put_held(held, "b" * 64)
    kept = kept_back(baton, a_client(approve_first=1), approvals=wiring.approvals(), ledger=wiring.ledger(),
                     now=wiring.now)  # fmt: skip
    closed = "HELD" if baton.run.force_send else "REJECTED"
    assert (kept.state if kept else "passes") == (closed if expected == "closed" else expected)


def test_lowering_approve_first_releases_nothing_that_is_held(
    invoke: Invoke, world: World, baton: ReportRendered
) -> None:
    send(invoke, baton)
    world.add(a_client(approve_first=0))
    for run in (a_run(), a_run(run_id="later"), a_run(run_id="forced", force_send={"reason": "they are waiting"})):
        assert send(invoke, baton.model_copy(update={"run": run})) == "HELD"
    assert set(to(world)) == {OPERATORS}
    approved()
    assert send(invoke, baton) == "SENT"


def test_a_suspended_client_s_held_report_is_not_sent_by_its_approval(
    invoke: Invoke, world: World, baton: ReportRendered
) -> None:
    send(invoke, baton)
    world.add(a_client(approve_first=1, status="suspended"))
    request = request_for(approved())
    asked = RunAsked(request=request, execution_id="approve", started_at=wiring.now() + timedelta(days=30))
    run = what_is_asked(asked, wiring.settings().zone)[1]
    with pytest.raises(ClientSuspended):
        send(invoke, baton.model_copy(update={"run": run}))
    world.add(a_client(approve_first=1))
    assert send(invoke, baton.model_copy(update={"run": run})) == "SENT"


# -- all that a run holds ----------------------------------------------------------------------------------------------

ACME, GLOBEX, INITECH = "acme", "globex", "initech"


@pytest.fixture
def holding(invoke: Invoke, world: World) -> list[ReportRendered]:
    """Three clients' reports that one run holds."""
    for each in (ACME, GLOBEX, INITECH):
        world.add(a_client(client_id=each, approve_first=1))
    batons = [world.rendered(each) for each in (ACME, GLOBEX, INITECH)]
    RunStore("outcomes").begin(
        Worklist(run=batons[0].run, pass_number=1, worklist=batons[0].report.pdf, client_count=3), "arn:1", wiring.now()
    )
    for baton in batons:
        invoke("record_outcome", invoke("send_email", baton))
    return batons


def all_held(run_id: str = "") -> HeldByRun:
    return held_by(run_id or a_run().run_id, runs=wiring.runs(), approvals=wiring.approvals(), clients=wiring.clients())


def approve_those(found: HeldByRun) -> tuple[list[str], dict[str, str]]:
    done, refused = approve_all(found, by="ada", reason=None, approvals=wiring.approvals(), now=wiring.now)
    return [each.client_id for each in done], {each.client_id: each.error for each in refused}


def test_all_that_a_run_holds_is_shown_and_approved_and_one_request_sends_it(
    invoke: Invoke, world: World, holding: list[ReportRendered]
) -> None:
    found = all_held()
    assert [(each.held.client_id, str(each.total), each.currency, each.recipients) for each in found.waiting] == [
        (client_id, "1020.50", "USD", 1) for client_id in (ACME, GLOBEX, INITECH)
    ]
    assert approve_those(found) == ([ACME, GLOBEX, INITECH], {})
    request = request_for_all(found.run, [ACME, GLOBEX, INITECH])
    asked = RunAsked(request=request, execution_id="approve", started_at=wiring.now() + timedelta(days=30))
    run = what_is_asked(asked, wiring.settings().zone)[1]
    assert (run.period, run.issue, run.named, run.rerun_of) == (found.run.period, "final", False, found.run.run_id)
    assert [send(invoke, each.model_copy(update={"run": run})) for each in holding] == ["SENT"] * 3


def test_what_waits_in_other_bytes_by_now_is_refused_by_name_and_keeps_no_other_back(
    invoke: Invoke, world: World, holding: list[ReportRendered], clock: Clock
) -> None:
    seen = all_held()
    clock.pass_by(minutes=5)
    later = another(world, holding[1]).model_copy(update={"run": a_run(run_id="later")})
    assert send(invoke, later) == "HELD"
    assert approve_those(seen) == ([ACME, INITECH], {GLOBEX: "NotHeld"}), "what the operator has seen is another"
    told = all_held()
    assert [each.held.client_id for each in told.waiting] == [ACME, INITECH], "approved, and not sent yet"
    assert [(each.client_id, each.error) for each in told.replaced] == [(GLOBEX, "NotHeld")]


def test_a_run_that_found_the_same_bytes_held_holds_them_too(
    invoke: Invoke, world: World, holding: list[ReportRendered], clock: Clock
) -> None:
    clock.pass_by(minutes=5)
    run = a_run(run_id="later")
    worklist = Worklist(run=run, pass_number=1, worklist=holding[0].report.pdf, client_count=1)
    RunStore("outcomes").begin(worklist, "arn:2", wiring.now())
    invoke("record_outcome", invoke("send_email", holding[0].model_copy(update={"run": run})))
    assert [each.held.client_id for each in all_held("later").waiting] == [ACME]


def test_what_is_decided_and_sent_is_left_out_and_then_nothing_waits(
    invoke: Invoke, world: World, holding: list[ReportRendered]
) -> None:
    by_client = {each.held.client_id: each.held for each in all_held().waiting}
    rejected(by_client[ACME])
    approved(by_client[GLOBEX])
    assert [each.held.client_id for each in all_held().waiting] == [GLOBEX, INITECH]
    invoke("record_outcome", invoke("send_email", holding[1]))
    assert [each.held.client_id for each in all_held().waiting] == [INITECH]
    rejected(by_client[INITECH])
    with pytest.raises(NotHeld, match="all that it held is decided"):
        all_held()


def test_who_is_not_sent_although_it_is_approved_is_told_with_the_reason(
    world: World, holding: list[ReportRendered]
) -> None:
    world.add(a_client(client_id=ACME, status="suspended"), a_client(client_id=GLOBEX, recipients=()))
    boto3.resource("dynamodb").Table("clients").delete_item(Key={"client_id": INITECH})
    notes = [each.note for each in all_held().waiting]
    assert ["suspended" in str(notes[0]), "no recipients" in str(notes[1]), "ClientUnknown" in str(notes[2])] == [
        True, True, True
    ]  # fmt: skip


def test_a_run_that_never_was_is_wrong_input_and_one_that_holds_nothing_is_not_held(world: World) -> None:
    with pytest.raises(InvalidRequest, match="run_id: there was no run nowhere"):
        all_held("nowhere")
    run = a_run(mode="dry_run")
    worklist = Worklist(run=run, pass_number=1, worklist=world.put("w", b""), client_count=0)
    RunStore("outcomes").begin(worklist, "arn:1", wiring.now())
    with pytest.raises(NotHeld, match="it holds no report"):
        all_held(run.run_id)


def test_force_send_alone_approves_nothing(invoke: Invoke, world: World, baton: ReportRendered) -> None:
    forced = a_run(run_id="forced", force_send={"reason": "they are waiting"})
    assert send(invoke, baton.model_copy(update={"run": forced})) == "HELD"
    assert FINANCE not in to(world)


@pytest.mark.parametrize("mode", ["test", "dry_run"])
def test_tests_and_dry_runs_are_not_held(mode: str, invoke: Invoke, world: World) -> None:
    world.add(a_client(approve_first=1))
    assert send(invoke, world.rendered(run=a_run(mode=mode))) == {"test": "SENT", "dry_run": "NOT_SENT"}[mode]
    assert world.outcomes("HELD#") == []


def test_a_crash_between_the_item_and_the_mail_leaves_the_operators_one_mail_at_most(
    invoke: Invoke, world: World, wire: Wire, clock: Clock, baton: ReportRendered
) -> None:
    wire.order("sesv2.SendEmail", Killed())
    with pytest.raises(Killed):
        send(invoke, baton)
    clock.pass_by(minutes=2)
    assert send(invoke, baton) == "HELD", "whether they have it is unknown; that it waits is not"
    assert to(world) == [OPERATORS]


def test_an_operators_address_that_ses_refuses_is_a_failure_that_a_rerun_mends(
    invoke: Invoke, world: World, wire: Wire, baton: ReportRendered
) -> None:
    wire.order("sesv2.SendEmail", refusal("MessageRejected"))
    with pytest.raises(DeliveryRejected):
        send(invoke, baton)
    assert send(invoke, baton) == "HELD"
    assert to(world) == [OPERATORS, OPERATORS]


def test_of_two_who_hold_at_once_one_is_told_to_look_again(
    invoke: Invoke, world: World, wire: Wire, baton: ReportRendered
) -> None:
    send(invoke, baton)
    wire.order("dynamodb.GetItem", None, Answer(200, {}))  # the record, and then nothing held a moment before
    with pytest.raises(StoreThrottled, match="another writer was first"):
        send(invoke, baton)
    assert send(invoke, baton) == "HELD"
    assert to(world) == [OPERATORS]


def test_held_reports_that_cannot_be_read_are_no_licence_to_send(
    invoke: Invoke, world: World, wire: Wire, baton: ReportRendered
) -> None:
    wire.order("dynamodb.GetItem", None, refusal("ThrottlingException"))
    with pytest.raises(StoreThrottled):
        send(invoke, baton)
    assert world.attempts() == []


def test_an_approval_while_the_run_that_held_it_is_still_going_mails_once_and_leaves_the_mark(
    invoke: Invoke, world: World, baton: ReportRendered
) -> None:
    held = invoke("send_email", baton)
    approved()
    sending = baton.model_copy(update={"run": a_run(run_id="approved-run")})
    assert invoke("record_outcome", invoke("send_email", sending))["status"] == "SENT"
    assert invoke("record_outcome", held)["status"] == "HELD"
    assert send(invoke, baton) == "ALREADY_SENT", "a retry within the run that held it"
    assert to(world) == [OPERATORS, FINANCE]
    (mark,) = world.outcomes("DELIVERED#")
    assert (mark["sk"], mark["run_id"]) == (NORTHWIND, "approved-run")


# -- the operator's word -----------------------------------------------------------------------------------------------


def test_approving_twice_is_as_good_as_once_and_says_who_it_was(
    invoke: Invoke, world: World, baton: ReportRendered
) -> None:
    send(invoke, baton)
    first, second = approved(), approved()
    assert first == second
    assert (first.by, first.decided_at) == ("arn:aws:iam::1:user/ada", wiring.now())
    (item,) = world.outcomes("APPROVED#")
    assert item["reports"] == {first.report}


def test_of_two_approvals_of_what_both_have_seen_both_are_told_it_is_approved(
    invoke: Invoke, baton: ReportRendered
) -> None:
    send(invoke, baton)
    seen = waiting()
    assert approved(seen) == approved(seen)


def test_an_approval_that_stopped_halfway_is_finished_by_the_next(
    invoke: Invoke, world: World, wire: Wire, baton: ReportRendered
) -> None:
    send(invoke, baton)
    wire.order("dynamodb.UpdateItem", Killed())
    with pytest.raises(Killed):
        approved()
    assert (waiting().state, world.outcomes("APPROVED#")) == ("APPROVED", [])
    approved()
    assert len(world.outcomes("APPROVED#")) == 1


def test_what_was_decided_one_way_is_not_decided_the_other(invoke: Invoke, world: World) -> None:
    world.add(a_client(approve_first=5))
    send(invoke, world.rendered())
    seen = waiting()
    rejected()
    for held in (seen, waiting()):
        with pytest.raises(NotHeld, match=r"was rejected at .* by arn:aws:iam::1:user/ada: the logo is wrong"):
            approved(held)
    assert world.outcomes("APPROVED#") == []
    send(invoke, world.rendered(run=a_run("2026-09")))
    september = find_held(NORTHWIND, "2026-09", cadence=None, issue=None, sha256=None, approvals=wiring.approvals())
    approved(september)
    with pytest.raises(NotHeld, match="was approved"):
        rejected(september)


def test_an_approval_of_bytes_that_no_longer_wait_is_refused(
    invoke: Invoke, world: World, baton: ReportRendered
) -> None:
    send(invoke, baton)
    seen = waiting()
    send(invoke, another(world, baton))
    with pytest.raises(NotHeld, match="another PDF waits by now"):
        approved(seen)
    with pytest.raises(NotHeld, match="another PDF than the one"):
        waiting(sha256=seen.pdf_sha256[:12])


def test_a_report_that_never_waited_is_no_matter_for_approval(world: World) -> None:
    with pytest.raises(NotHeld, match="no report has ever been held"):
        waiting()


def test_of_two_issues_that_wait_the_operator_names_one(invoke: Invoke, world: World) -> None:
    world.add(a_client(approve_first=5))
    for issue in ("preliminary", "final"):
        send(invoke, world.rendered(run=a_run(issue=issue)))
    with pytest.raises(InvalidRequest, match="issue: both"):
        waiting()
    assert waiting(issue="preliminary").report.split("#")[3] == "preliminary"


@pytest.mark.parametrize("issue", ["preliminary", "final"])
def test_the_run_that_sends_an_approved_report_means_the_issue_that_was_held_however_late(
    issue: str, invoke: Invoke, world: World, clock: Clock
) -> None:
    world.add(a_client(approve_first=5))
    nominal = {"preliminary": "2026-11-03T06:00:00Z", "final": "2026-11-08T06:00:00Z"}[issue]
    send(invoke, world.rendered(run=a_run(issue=issue, nominal_at=nominal)))
    clock.pass_by(days=30)
    request = request_for(waiting())
    asked = RunAsked(request=request, execution_id="later", started_at=clock())
    assert what_is_asked(asked, wiring.settings().zone)[1].issue == issue
