"""Reports for operators on paper: accessible, in the house's style, and hostile names stay text."""

import io
import re
from collections.abc import Callable
from datetime import UTC, datetime

import pikepdf
import pytest

from cost_reporting.audit import Check, audit_report, finding
from cost_reporting.ops_report import ops_report
from cost_reporting.report.operators import ops, safety, system
from cost_reporting.report.operators.document import Document, Part, markdown, table
from cost_reporting.report.operators.printed import html, pdf
from tests.builders import an_outcome
from tests.unit.report.conftest import plain
from tests.unit.test_ops_report import READ_AT, a_run_of, denied, facts
from tests.unit.test_ops_report import report as an_ops_report
from tests.unit.test_performance import COLD, LATE, WARM, a_function
from tests.unit.test_performance import report as a_performance_report

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>|*x*`y`\n# no\x00 \u05d0\u05d1"
FINDINGS = [finding("S3-NO-TLS", "high", "bucket", "takes requests without TLS", "Deny them.")]
CHECKS = [
    Check(name="The bucket", standing="found", note=""),
    Check(name="Roles", standing="not checked", note="denied"),
]

DOCUMENTS = {
    "operations": ops.document(
        an_ops_report(
            a_run_of(an_outcome("acme", paid_requests=2), denied("globex"), verdicts=(1,), execution="FAILED"),
            before=facts(a_run_of(an_outcome("acme"))),
            active=("acme", "globex", "initech"),
            unknowns=("CloudWatch: denied",),
        )
    ),
    "performance": system.document(a_performance_report(a_function(*[COLD, *[WARM] * 30, LATE]))),
    "security": safety.document(audit_report("cost-reporting", AT, CHECKS, FINDINGS, {})),
}


def a_document(cell: str) -> Document:
    part = Part(title="Part", paragraphs=(cell,), table=table("Caption", "Name, #Count", [(cell, "1")]), items=(cell,))
    return Document(title="Title", subtitle=cell, issued=AT, lead=cell, figures=(), parts=(part,))


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_a_pdf_is_tagged_named_and_repeatable(kind: str, text_of: Callable[[bytes], str]) -> None:
    body = pdf(DOCUMENTS[kind], consultancy="Cloudwright Advisory")
    with pikepdf.open(io.BytesIO(body)) as document:
        assert document.Root.MarkInfo.Marked
        assert str(document.Root.Lang) == "en"
        assert str(document.docinfo["/Title"]).startswith(DOCUMENTS[kind].title)
        with document.open_metadata() as metadata:
            assert metadata["pdfuaid:part"] == "1"
    assert DOCUMENTS[kind].lead.split(".")[0] in re.sub(r"\s+", " ", plain(text_of(body)))
    assert pdf(DOCUMENTS[kind], consultancy="Cloudwright Advisory") == body


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_each_table_has_as_many_cells_as_columns(kind: str) -> None:
    for part in DOCUMENTS[kind].parts:
        if part.table is not None:
            assert {len(row) for row in part.table.rows} <= {len(part.table.columns)}


def test_names_from_elsewhere_are_text_in_every_form(text_of: Callable[[bytes], str]) -> None:
    page = html(a_document(HOSTILE))
    assert "<script>alert" not in page
    assert "alert(1)" in text_of(pdf(a_document(HOSTILE)))
    written = markdown(a_document(HOSTILE))
    assert "<script>" not in written.replace("\\<", "&lt;").replace("\\>", "&gt;")
    (row,) = [line for line in written.splitlines() if line.startswith("| ") and "alert" in line]
    assert row.count("|") - row.count("\\|") == 3
    assert "\x00" not in written
    assert not [line for line in written.splitlines() if line.startswith("# no")]


def test_a_client_that_has_no_report_stands_on_paper_with_its_remedy() -> None:
    written = markdown(DOCUMENTS["operations"])
    assert "1 report of 2 reached SES or their clients; 1 client report did not." in written
    assert "| ClientAccessDenied | 1 | 1 | globex | Ask the client to restore" in written
    assert "| globex | weekly 2026-W45 preliminary | Failed |  | ClientAccessDenied |" in written
    assert "Active, but in no live run of this period: initech." in written
    assert "Not known: CloudWatch: denied" in written


def test_nothing_unknown_is_printed_as_zero() -> None:
    empty = ops_report(facts(strays=None, measured=None, active=None), None, cadence="weekly", read_at=READ_AT)
    document = ops.document(empty)
    assert document.lead == "No run began in this period."
    assert [figure.value for figure in document.figures] == ["n/a", "n/a", "0", "0"]
    unread = system.document(a_performance_report(a_function(invocations=None), work=None))
    (durations,) = [part.table for part in unread.parts if part.title == "Durations" and part.table]
    assert durations.rows[0][2:6] == ("n/a", "n/a", "n/a", "n/a")
    assert [figure.value for figure in unread.figures] == ["n/a", "n/a", "n/a", "n/a"]


def test_thousands_of_clients_are_cut_on_paper_and_say_so() -> None:
    document = ops.document(an_ops_report(a_run_of(*(an_outcome(f"client-{number}") for number in range(1000)))))
    (clients,) = [part.table for part in document.parts if part.title == "Clients" and part.table]
    assert len(clients.rows) == ops.LONGEST
    assert f"the first {ops.LONGEST} of 1,000, all of them in the JSON form" in clients.caption


def test_what_was_not_looked_at_is_said_first() -> None:
    assert DOCUMENTS["security"].lead == "1 grave finding. 1 question was not answered, and so not passed."
    assert "| Roles | not checked | denied |" in markdown(DOCUMENTS["security"])
