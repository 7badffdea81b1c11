"""Render PDF: the report and the words of its mail, in the bucket."""

from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import pikepdf
import pytest

from cost_reporting import wiring
from cost_reporting.contracts import CostsFetched, MailWords, ReportRendered, Run
from cost_reporting.errors import ClientMisconfigured, StoreRefused
from tests.builders import a_client, a_cost_document, a_run, costs_fetched
from tests.functional.conftest import Wire, World

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
    world.add(a_client(recipients=("new@northwind.example",), reply_to=None, version=2))
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


def test_costs_that_are_gone_or_changed_are_not_guessed(invoke: Invoke, world: World, renders: list[str]) -> None:
    world.add(a_client())
    baton = fetched(world)
    world.put(baton.costs.document.key, b"{}")
    with pytest.raises(StoreRefused, match="other bytes"):
        render(invoke, baton)
    world.delete(baton.costs.document.key)
    with pytest.raises(StoreRefused, match="nothing is there"):
        render(invoke, baton)
    assert renders == []


def test_a_client_record_that_broke_since_is_named(invoke: Invoke, world: World, renders: list[str]) -> None:
    world.add(a_client(), locale="English")
    with pytest.raises(ClientMisconfigured, match="northwind-retail: locale: "):
        render(invoke, fetched(world))
