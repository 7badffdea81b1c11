"""A service that AWS has renamed is one service, whichever name an answer or a stored document has for it."""

from datetime import date
from decimal import Decimal

import pytest

from cost_reporting.costs import CostDocument, DayCosts, Line, RecordSpan, by_service
from cost_reporting.periods import parse
from cost_reporting.service_names import PRESENT_NAMES, present_name
from tests.builders import a_cost_document, an_anomaly

OLD, NEW = "Amazon Elasticsearch Service", "Amazon OpenSearch Service"


@pytest.mark.parametrize("old", PRESENT_NAMES)
def test_every_old_name_leads_to_a_present_one(old: str) -> None:
    assert present_name(old) == PRESENT_NAMES[old] != old
    assert present_name(present_name(old)) == present_name(old)


def test_a_name_that_is_not_in_the_table_stays() -> None:
    assert present_name("Amazon OpenSearch Serverless") == "Amazon OpenSearch Serverless"


def test_every_view_of_a_document_has_the_present_name() -> None:
    costs = a_cost_document(services={NEW: "620"}, previous={OLD: "600"})
    assert by_service(costs, costs.previous) == {NEW: Decimal(600)}
    assert {line.service for span in costs.spans[-2:] for line in span.lines} == {NEW}
    assert an_anomaly(service=OLD).service == NEW


def test_a_stored_document_is_read_with_the_present_name() -> None:
    costs = a_cost_document(services={NEW: "620"}, previous={NEW: "600"})
    older = CostDocument.model_validate_json(costs.model_dump_json().replace(NEW, OLD))
    assert older == costs


def test_both_names_in_one_answer_are_one_line() -> None:
    day = DayCosts(
        day=date(2026, 10, 1),
        estimated=False,
        lines=(
            Line(key=OLD, amount=Decimal(8)),
            Line(key="AWS Glue", amount=Decimal(1)),
            Line(key=NEW, amount=Decimal(12)),
        ),
    )
    assert {line.key: line.amount for line in day.lines} == {NEW: Decimal(20), "AWS Glue": Decimal(1)}
    assert len(day.lines) == 2
    lines = a_cost_document(services={OLD: "8", NEW: "12"}).spans[-1].lines
    span = RecordSpan(period=parse("2026-10"), estimated=False, lines=lines)
    assert [(line.service, line.amounts.unblended) for line in span.lines] == [(NEW, Decimal(20))]
