"""Render PDF: the report and the words of its mail, in the bucket."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from hashlib import sha256
from io import BytesIO
from typing import Any

import pikepdf
import pytest

from cost_reporting import wiring
from cost_reporting.contracts import DOWNLOADS, CostsFetched, Failure, MailWords, ReportRendered, Run
from cost_reporting.costs import NotAvailable
from cost_reporting.errors import ClientMisconfigured, StaleDocument
from cost_reporting.evidence import Evidence
from cost_reporting.report import downloads
from tests.builders import a_client, a_cost_document, a_run, costs_fetched, some_accounts
from tests.functional.conftest import Wire, World
from tests.functional.test_fetch_costs import overwrite

Invoke = Callable[[str, Any], Any]
PREFIX = "reports/northwind-retail/monthly/2026-10/final"


def fetched(world: World, run: Run | None = None, **figures: Any) -> CostsFetched:
    """A baton whose costs are in the bucket."""
    baton = costs_fetched(run=run)
    document = world.put(baton.costs.document.key, a_cost_document(**figures).model_dump_json().encode())
    return baton.model_copy(update={"costs": baton.costs.model_copy(update={"document": document})})


def render(invoke: Invoke, baton: CostsFetched) -> ReportRendered:
    return ReportRendered.model_validate(invoke("render_pdf", baton))


@pytest.fixture
def renders(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The clients whose report was really rendered, in order."""
    renderer, rendered = wiring.renderer(), []
    real = renderer.render

    def counted(client: Any, *others: Any) -> Any:
        rendered.append(client.client_id)
        return real(client, *others)

    monkeypatch.setattr(renderer, "render", counted)
    return rendered


def test_a_report_is_a_pdf_with_its_words_beside_it(invoke: Invoke, world: World, renders: list[str]) -> None:
    world.add(a_client())
    baton = fetched(world)
    answer = render(invoke, baton)
    pdf = world.get(f"{PREFIX}/report.pdf")
    with pikepdf.open(BytesIO(pdf)) as opened:
        assert len(opened.pages) >= 2
    words = MailWords.model_validate_json(world.get(f"{PREFIX}/mail.json"))
    assert "Northwind Retail" in words.subject
    assert answer.report.pdf.size == len(pdf)
    assert answer.report.file_name == "northwind-retail_aws-costs_2026-10_final.pdf"
    assert answer.costs == baton.costs


def test_the_same_report_is_found_and_not_rendered_again(
    invoke: Invoke, world: World, wire: Wire, renders: list[str]
) -> None:
    world.add(a_client())
    baton = fetched(world)
    first = render(invoke, baton)
    wire.calls.clear()
    assert render(invoke, baton) == first
    assert renders == ["northwind-retail"]
    assert wire.count("s3.PutObject") == 0


def test_a_new_recipient_does_not_make_a_new_report(invoke: Invoke, world: World, renders: list[str]) -> None:
    world.add(a_client())
    first = render(invoke, fetched(world))
    world.add(
        a_client(
            recipients=("new@northwind.example",), quarantined=("old@northwind.example",), reply_to=None, version=2
        )
    )
    assert render(invoke, fetched(world)) == first
    assert len(renders) == 1


@pytest.mark.parametrize(
    "change", [{"branding": {"colour": "#7a1f1f"}}, {"locale": "de_DE"}, {"client_name": "Northwind GmbH"}]
)
def test_a_client_record_that_shows_makes_a_new_report(
    change: dict[str, Any], invoke: Invoke, world: World, renders: list[str]
) -> None:
    world.add(a_client())
    render(invoke, fetched(world))
    world.add(a_client(**change))
    render(invoke, fetched(world))
    assert len(renders) == 2


def test_other_costs_make_a_new_report(invoke: Invoke, world: World, renders: list[str]) -> None:
    world.add(a_client())
    first = render(invoke, fetched(world))
    second = render(invoke, fetched(world, services={"Amazon Simple Storage Service": "7.00"}))
    assert len(renders) == 2
    assert first.report.pdf.sha256 != second.report.pdf.sha256


def test_words_that_got_lost_are_written_again(invoke: Invoke, world: World, renders: list[str]) -> None:
    world.add(a_client())
    first = render(invoke, fetched(world))
    world.delete(f"{PREFIX}/mail.json")
    assert render(invoke, fetched(world)) == first
    assert len(renders) == 2


def test_what_the_client_wants_beside_the_pdf_is_stored_beside_it(
    invoke: Invoke, world: World, wire: Wire, renders: list[str]
) -> None:
    world.add(a_client(attachments=("csv", "xlsx")))
    baton = fetched(world)
    first = render(invoke, baton)
    assert [(each.document.key, each.file_name, each.content_type) for each in first.report.attachments] == [
        (f"{PREFIX}/costs.csv", "northwind-retail_aws-costs_2026-10_final.csv", "text/csv"),
        (
            f"{PREFIX}/costs.xlsx",
            "northwind-retail_aws-costs_2026-10_final.xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ),
    ]
    assert world.get(f"{PREFIX}/costs.csv").startswith(b"\xef\xbb\xbfBillingPeriodStart")
    words = MailWords.model_validate_json(world.get(f"{PREFIX}/mail.json"))
    assert all(name in words.text for name in (first.report.file_name, first.report.attachments[1].file_name))
    assert render(invoke, baton) == first
    assert len(renders) == 1
    world.delete(f"{PREFIX}/costs.csv")
    assert render(invoke, baton) == first
    assert len(renders) == 2


def test_files_too_large_for_a_mail_leave_room_for_links_in_its_words(
    invoke: Invoke, world: World, monkeypatch: pytest.MonkeyPatch, renders: list[str]
) -> None:
    monkeypatch.setattr(downloads, "LARGEST_TOGETHER", 10_000)
    world.add(a_client())
    answer = render(invoke, fetched(world))
    words = MailWords.model_validate_json(world.get(f"{PREFIX}/mail.json"))
    assert words.downloads is not None
    assert "{until}" in words.downloads.intro
    assert words.html.count(DOWNLOADS) == 1
    assert answer.report.file_name not in words.text
    assert "NORTHWIND-RETAIL-2026-10-F" in words.text


def test_files_that_fit_are_attached_and_nobody_could_make_room_for_links(
    invoke: Invoke, world: World, renders: list[str]
) -> None:
    world.add(a_client(client_name=DOWNLOADS))
    render(invoke, fetched(world))
    words = MailWords.model_validate_json(world.get(f"{PREFIX}/mail.json"))
    assert words.downloads is None
    assert DOWNLOADS not in words.html


def test_the_evidence_says_what_was_asked_and_that_it_agrees_and_which_bytes_were_stored(
    invoke: Invoke, world: World, renders: list[str]
) -> None:
    world.add(a_client(attachments=("csv",)))
    baton = fetched(world, accounts=some_accounts([("111122223333", "shop", "1020.51", "968.25")]))
    answer = render(invoke, baton)
    body = world.get(f"{PREFIX}/evidence.json")
    assert answer.report.evidence.sha256 == sha256(body).hexdigest()
    evidence = Evidence.model_validate_json(body)
    assert evidence.run_id == baton.run.run_id
    assert evidence.template_version == wiring.renderer().template_version
    assert [query.request_ids for query in evidence.cost_explorer.queries] == [("request-1",), ("request-2",)]
    assert (evidence.cost_explorer.paid_requests, evidence.cost_explorer.price_usd) == (2, Decimal("0.02"))
    assert evidence.reconciliation.agrees
    assert {view.name: (f"{view.total:.2f}", f"{view.difference:.2f}") for view in evidence.reconciliation.views} == {
        "by day": ("1020.50", "0.00"),
        "by record type": ("1020.50", "0.00"),
        "by account": ("1020.51", "0.01"),
    }
    documents = evidence.documents
    for document in (documents.costs, documents.pdf, documents.mail, documents.attachments[0].document):
        assert sha256(world.get(document.key)).hexdigest() == document.sha256
    assert evidence.documents.answers is None
    assert evidence.warnings == ()
    assert b"Northwind" not in body
    assert b"@" not in body


def test_the_evidence_is_found_again_and_the_same_for_the_same_input(
    invoke: Invoke, world: World, renders: list[str]
) -> None:
    world.add(a_client())
    first = render(invoke, fetched(world))
    body = world.get(f"{PREFIX}/evidence.json")
    world.delete(f"{PREFIX}/evidence.json")
    assert render(invoke, fetched(world)) == first
    assert world.get(f"{PREFIX}/evidence.json") == body
    assert len(renders) == 2


def test_the_answers_of_cost_explorer_are_evidence_where_they_lie(
    invoke: Invoke, world: World, renders: list[str]
) -> None:
    world.add(a_client())
    answers = wiring.objects().put(f"{PREFIX}/answers.json", b'["as they came"]', "application/json")
    render(invoke, fetched(world))
    evidence = Evidence.model_validate_json(world.get(f"{PREFIX}/evidence.json"))
    assert evidence.documents.answers == answers


def test_a_section_that_could_not_be_had_and_a_logo_that_was_left_out_are_in_the_evidence(
    invoke: Invoke, world: World, renders: list[str]
) -> None:
    gap = NotAvailable(error="CostsRefused", reason="ce: AccessDenied")
    world.add(a_client(branding={"colour": "#0b4f6c", "logo": "logo.svg"}, sections=("forecast",)))
    world.put("clients/northwind-retail/logo.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>")
    render(invoke, fetched(world, forecast=gap))
    evidence = Evidence.model_validate_json(world.get(f"{PREFIX}/evidence.json"))
    assert evidence.not_available == {"forecast": gap}
    assert [warning[:42] for warning in evidence.warnings] == ["logo left out: the SVG holds 'script', whi"]


def test_another_logo_makes_another_report(invoke: Invoke, world: World, renders: list[str]) -> None:
    world.add(a_client(branding={"colour": "#0b4f6c", "logo": "logo.svg"}))
    render(invoke, fetched(world))
    world.put("clients/northwind-retail/logo.svg", b"")
    render(invoke, fetched(world))
    render(invoke, fetched(world))
    assert len(renders) == 2


def test_a_test_report_says_so_and_lies_apart(invoke: Invoke, world: World, renders: list[str]) -> None:
    world.add(a_client())
    render(invoke, fetched(world))
    answer = render(invoke, fetched(world, a_run(mode="test", run_id="test-run")))
    assert answer.report.file_name.startswith("TEST_")
    assert answer.report.pdf.key == "reports/northwind-retail/test/test-run/monthly/2026-10/final/report.pdf"
    assert MailWords.model_validate_json(world.get(answer.report.mail.key)).subject.startswith("[TEST]")
    assert len(renders) == 2


def test_a_logo_that_is_missing_is_no_reason_to_have_no_report(
    invoke: Invoke, world: World, renders: list[str]
) -> None:
    world.add(a_client(branding={"colour": "#0b4f6c", "logo": "logo.png"}))
    assert render(invoke, fetched(world)).report.pdf.size > 0
    evidence = Evidence.model_validate_json(world.get(f"{PREFIX}/evidence.json"))
    assert evidence.warnings == ("logo left out: nothing is stored under its name",)


def test_costs_that_are_gone_or_changed_are_not_guessed(invoke: Invoke, world: World, renders: list[str]) -> None:
    world.add(a_client())
    baton = fetched(world)
    world.put(baton.costs.document.key, b"{}")
    with pytest.raises(StaleDocument, match="other bytes"):
        render(invoke, baton)
    world.delete(baton.costs.document.key)
    with pytest.raises(StaleDocument, match="nothing is there"):
        render(invoke, baton)
    assert renders == []


def test_a_client_record_that_broke_since_is_named(invoke: Invoke, world: World, renders: list[str]) -> None:
    world.add(a_client(), locale="English")
    with pytest.raises(ClientMisconfigured, match="northwind-retail: locale: "):
        render(invoke, fetched(world))


# -- two executions at once, and bytes that do not fit -----------------------------------------------------------------


def all_fit(world: World, answer: ReportRendered) -> bool:
    """Whether what is stored is what the answer and its evidence name."""
    report = answer.report
    named = Evidence.model_validate_json(world.get(report.evidence.key)).documents
    documents = (report.pdf, report.mail, *(each.document for each in report.attachments))
    in_evidence = (named.pdf, named.mail, *(each.document for each in named.attachments))
    return documents == in_evidence and all(
        sha256(world.get(each.key)).hexdigest() == each.sha256 for each in (*documents, report.evidence)
    )


@pytest.mark.parametrize("name", ["report.pdf", "mail.json", "evidence.json", "costs.csv"])
def test_a_document_with_other_bytes_under_its_own_metadata_is_made_anew(
    name: str, invoke: Invoke, world: World, renders: list[str]
) -> None:
    world.add(a_client(attachments=("csv",)))
    first = render(invoke, fetched(world))
    overwrite(world, f"{PREFIX}/{name}", b"something else")
    assert render(invoke, fetched(world)) == first
    assert all_fit(world, first)
    assert len(renders) == 2
    assert render(invoke, fetched(world)) == first
    assert len(renders) == 2


def test_evidence_that_names_other_documents_is_no_report(invoke: Invoke, world: World, renders: list[str]) -> None:
    world.add(a_client(attachments=("csv",)))
    first = render(invoke, fetched(world))
    body = b"%PDF of another rendering"
    overwrite(world, first.report.pdf.key, body, sha256=sha256(body).hexdigest())
    assert render(invoke, fetched(world)) == first
    assert all_fit(world, first)


def meanwhile(monkeypatch: pytest.MonkeyPatch, do: Callable[[], object]) -> None:
    """Have ``do`` happen while the next report is rendered, once."""
    renderer, due = wiring.renderer(), [do]
    real = renderer.render

    def render(*arguments: Any) -> Any:
        rendered = real(*arguments)
        if due:
            due.pop()()
        return rendered

    monkeypatch.setattr(renderer, "render", render)


def test_of_two_executions_that_render_the_same_the_second_goes_on_with_the_first_s(
    invoke: Invoke, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add(a_client(attachments=("csv", "xlsx")))
    first: list[ReportRendered] = []
    meanwhile(monkeypatch, lambda: first.append(render(invoke, fetched(world))))
    second = render(invoke, fetched(world, a_run(run_id="double")))
    assert second.report == first[0].report
    assert all_fit(world, second)


def test_of_two_executions_that_render_otherwise_the_second_begins_again_and_nothing_is_mixed(
    invoke: Invoke, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add(a_client(attachments=("csv",)))
    first: list[ReportRendered] = []

    def other() -> None:
        world.add(a_client(attachments=("csv",), client_name="Northwind GmbH"))
        first.append(render(invoke, fetched(world)))

    meanwhile(monkeypatch, other)
    with pytest.raises(StaleDocument, match="another execution"):
        render(invoke, fetched(world))
    assert all_fit(world, first[0])
    assert render(invoke, fetched(world)).report == first[0].report


def test_answers_of_another_asking_are_no_evidence(invoke: Invoke, world: World, renders: list[str]) -> None:
    world.add(a_client())
    baton = fetched(world)
    body, answers = world.get(baton.costs.document.key), b'["as they came"]'
    own = wiring.objects().put(f"{PREFIX}/answers-{sha256(answers).hexdigest()[:16]}.json", answers, "application/json")
    wiring.objects().put(f"{PREFIX}/answers.json", b'["of an older asking"]', "application/json")
    there = wiring.objects().open(baton.costs.document.key)
    wiring.objects().replace(
        baton.costs.document.key, body, "application/json", there=there, notes={"answers": own.sha256}
    )
    render(invoke, baton)
    assert Evidence.model_validate_json(world.get(f"{PREFIX}/evidence.json")).documents.answers == own
    world.put(own.key, b'["something else"]')
    world.delete(f"{PREFIX}/evidence.json")
    render(invoke, baton)
    assert Evidence.model_validate_json(world.get(f"{PREFIX}/evidence.json")).documents.answers is None


# -- a first try that was killed ---------------------------------------------------------------------------------------

LOGO = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 5"><rect width="9" height="5" fill="#0b4f6c"/></svg>'


def killed(baton: CostsFetched) -> CostsFetched:
    return baton.model_copy(update={"killed": Failure(error="Sandbox.Timedout")})


def test_a_render_that_was_killed_is_tried_again_without_the_logo_and_says_so(
    invoke: Invoke, world: World, renders: list[str]
) -> None:
    world.add(a_client(branding={"colour": "#0b4f6c", "logo": "logo.svg"}))
    world.put("clients/northwind-retail/logo.svg", LOGO)
    answer = render(invoke, killed(fetched(world)))
    assert answer.report.logo_left_out == "rendering with it was killed: Sandbox.Timedout"
    evidence = Evidence.model_validate_json(world.get(f"{PREFIX}/evidence.json"))
    assert evidence.warnings == ("logo left out: rendering with it was killed: Sandbox.Timedout",)
    assert render(invoke, killed(fetched(world))) == answer
    assert len(renders) == 1
    later = render(invoke, fetched(world))
    assert later.report.logo_left_out is None
    assert len(renders) == 2
    assert Evidence.model_validate_json(world.get(f"{PREFIX}/evidence.json")).warnings == ()


@pytest.mark.parametrize("branding", [{"colour": "#0b4f6c"}, {"colour": "#0b4f6c", "logo": "absent.svg"}])
def test_a_killed_render_of_a_client_without_a_logo_is_simply_tried_again(
    branding: dict[str, str], invoke: Invoke, world: World, renders: list[str]
) -> None:
    world.add(a_client(branding=branding))
    answer = render(invoke, killed(fetched(world)))
    assert answer.report.logo_left_out is None
    assert render(invoke, fetched(world)) == answer.model_copy(update={"killed": None})
    assert len(renders) == 1
