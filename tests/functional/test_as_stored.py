"""A report goes out as it is stored: nothing is fetched, paid or rendered, and nothing else is sent."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from cost_reporting.contracts import CostsFetched, ReportRendered, ReportSent
from cost_reporting.errors import InvalidRequest, ReportNotStored
from tests.builders import a_client_due, a_run
from tests.functional.conftest import Costs, Wire, World
from tests.functional.test_fetch_costs import BAKERY, of_account

Invoke = Callable[[str, Any], Any]


def through(invoke: Invoke, run: Any) -> ReportSent:
    """The way of the client ``acme`` through all three states."""
    baton = CostsFetched.model_validate(invoke("fetch_costs", a_client_due("acme", run)))
    rendered = ReportRendered.model_validate(invoke("render_pdf", baton))
    return ReportSent.model_validate(invoke("send_email", rendered))


def as_stored(sha256: str) -> Any:
    return a_run(run_id="resend", force_send={"reason": "deleted by mistake", "pdf_sha256": sha256})


@pytest.fixture
def sent(invoke: Invoke, world: World, costs: Costs) -> ReportSent:
    """A report that has gone to its client, with files beside it."""
    world.add(of_account(BAKERY), attachments=["csv"])
    return through(invoke, a_run())


def test_the_stored_report_goes_out_whatever_the_record_says_by_now(
    sent: ReportSent, invoke: Invoke, world: World, costs: Costs, wire: Wire
) -> None:
    paid = costs.paid
    world.add(of_account(BAKERY), client_name="Another Name", sections=["regions"], cost_metric="amortized")
    puts = wire.count("s3.PutObject")
    again = through(invoke, as_stored(sent.report.pdf.sha256))
    assert (again.report, again.costs.document, again.costs.total) == (
        sent.report,
        sent.costs.document,
        sent.costs.total,
    )
    assert (costs.paid, again.costs.paid_requests, wire.count("s3.PutObject")) == (paid, 0, puts)
    first, second = world.mails()
    one, other = (
        [(part.get_filename(), part.get_content()) for part in each.iter_attachments()] for each in (first, second)
    )
    assert one == other
    assert one[0][1] == world.get(sent.report.pdf.key)


def test_another_pdf_than_the_one_that_was_meant_is_not_sent(
    sent: ReportSent, invoke: Invoke, world: World, wire: Wire
) -> None:
    for function in ("fetch_costs", "render_pdf"):
        event: Any = a_client_due("acme", as_stored("0" * 64))
        if function == "render_pdf":
            event = CostsFetched(**dict(event), costs=sent.costs)
        with pytest.raises(ReportNotStored, match="the stored PDF is"):
            invoke(function, event)


def test_what_was_never_stored_is_not_sent(invoke: Invoke, world: World, costs: Costs) -> None:
    world.add(of_account(BAKERY))
    with pytest.raises(ReportNotStored, match="no report is stored"):
        invoke("fetch_costs", a_client_due("acme", as_stored("0" * 64)))
    assert costs.paid == 0


def test_costs_that_were_replaced_since_are_not_told_as_the_report_s(
    sent: ReportSent, invoke: Invoke, world: World
) -> None:
    world.put(sent.costs.document.key, b"{}")
    with pytest.raises(ReportNotStored, match="other bytes"):
        invoke("fetch_costs", a_client_due("acme", as_stored(sent.report.pdf.sha256)))


@pytest.mark.parametrize("name", ["report.pdf", "mail.json", "costs.csv"])
def test_a_document_of_it_that_was_replaced_since_makes_it_another_report(
    name: str, sent: ReportSent, invoke: Invoke, world: World
) -> None:
    world.put(sent.report.evidence.key.replace("evidence.json", name), b"something else")
    event = CostsFetched(**dict(a_client_due("acme", as_stored(sent.report.pdf.sha256))), costs=sent.costs)
    with pytest.raises(ReportNotStored, match="other bytes"):
        invoke("render_pdf", event)
    late = ReportRendered(**dict(event), report=sent.report)
    with pytest.raises(ReportNotStored):
        invoke("send_email", late)
    assert len(world.mails()) == 1


def test_evidence_that_cannot_be_read_is_no_report(sent: ReportSent, invoke: Invoke, world: World) -> None:
    world.put(sent.report.evidence.key, json.dumps({"documents": {}}).encode())
    with pytest.raises(ReportNotStored, match="is not evidence"):
        invoke("fetch_costs", a_client_due("acme", as_stored(sent.report.pdf.sha256)))


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({"client_ids": ["acme", "globex"]}, "force_send.pdf_sha256"),
        ({"client_ids": ["acme"], "refresh": True}, "refresh"),
        ({}, "force_send"),
    ],
)
def test_a_stored_report_is_asked_for_by_its_one_client(
    request_: dict[str, Any], field: str, invoke: Invoke, world: World
) -> None:
    asked = {"cadence": "monthly", "force_send": {"reason": "lost", "pdf_sha256": "0" * 64}} | request_
    event = {"request": asked, "execution_id": "one", "started_at": "2026-11-08T06:00:00Z"}
    with pytest.raises(InvalidRequest, match=rf"^{field}: "):
        invoke("list_clients", event)
