"""A client's cost document, made from its own Cost Explorer."""

import json
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final

from cost_reporting.clients import Client, Metric
from cost_reporting.contracts import Cadence, Period, Run
from cost_reporting.costs import Amounts, CostDocument, DayCosts, Line, RecordLine, RecordSpan, holds
from cost_reporting.errors import CostsDoNotReconcile, CostsNotReady, CostsRefused
from cost_reporting.periods import days as days_of
from cost_reporting.periods import month_of, months_before, preceding
from cost_reporting.sources import Fetched
from cost_reporting.sources.access import reader
from cost_reporting.sources.cost_explorer import sections
from cost_reporting.sources.cost_explorer.asking import Questions
from cost_reporting.sources.cost_explorer.usage import METRICS, OPERATION, Span, question, spans, units

HISTORY_MONTHS: Final = 13
"""Whole months that Cost Explorer keeps before the current one (User Guide, "Analyzing your costs and usage")."""


def requests_for(client: Client, cadence: Cadence) -> int:
    """How many paid requests a report takes, said before they are asked; each further page is one more."""
    return 2 + sections.requests_for(client, cadence)


def forgotten(period: Period, cadence: Cadence, at: datetime) -> str | None:
    """Why a report about ``period`` can no longer be made at the moment ``at``, or None if it can."""
    earliest = _earliest(at)
    if period.start > earliest and preceding(period, cadence).start >= earliest:
        return None
    return (
        f"{period.start} and the period before are compared, and Cost Explorer keeps nothing before {earliest}: "
        f"{HISTORY_MONTHS} months and the current one"
    )


def _earliest(at: datetime) -> date:
    return months_before(month_of(at.date()), HISTORY_MONTHS).start


class CostExplorerSource:
    """Asks the Cost Explorer of the client's own account. ``now`` is an aware clock: Cost Explorer keeps 13 months."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    def fetch(self, client: Client, run: Run) -> Fetched:
        """The costs of the run's period, the one before, and the months that lead up to it.

        Raises CostsThrottled, CostsNotReady, ClientAccessDenied, CostExplorerDisabled, CostsRefused, or
        CostsDoNotReconcile if the answers are in more than one currency.
        """
        fetched_at = self._now()
        if (gone := forgotten(run.period, run.cadence, fetched_at)) is not None:
            raise CostsRefused(f"{client.client_id}: {gone}")
        earliest = _earliest(fetched_at)
        previous = preceding(run.period, run.cadence)
        access = reader(client)
        questions = Questions(client.client_id, access.credentials)
        both = Period(start=previous.start, end=run.period.end)
        history = months_before(run.period, 12) if run.cadence == "monthly" else both
        record_types = questions.ask(
            "record types",
            OPERATION,
            question(
                Period(start=max(history.start, earliest), end=history.end),
                "MONTHLY" if run.cadence == "monthly" else "DAILY",
                by=(("DIMENSION", "SERVICE"), ("DIMENSION", "RECORD_TYPE")),
                metrics=tuple(METRICS),
            ),
        )
        daily = questions.ask(
            "days",
            OPERATION,
            question(
                Period(start=previous.start, end=sections.days_end(client, run, fetched_at.date())),
                "DAILY",
                by=(("DIMENSION", "SERVICE"),),
                metrics=(client.cost_metric,),
            ),
        )
        days = tuple(_day(client.cost_metric, span) for span in spans(daily))
        asked = sections.Asked(questions, client, run, previous, fetched_at.date(), days)
        extra = sections.ask_all(asked)
        costs = CostDocument(
            client_id=client.client_id,
            account_id=access.account_id,
            cadence=run.cadence,
            issue=run.issue,
            period=run.period,
            previous=previous,
            metric=client.cost_metric,
            currency=_currency(client, record_types, daily),
            fetched_at=fetched_at,
            spans=tuple(_record_span(span) for span in spans(record_types)),
            days=days,
            queries=tuple(questions.queries),
            **extra,
        )
        _require_figures(client, run, costs)
        raw = json.dumps(questions.answers, ensure_ascii=False, sort_keys=True)
        return Fetched(costs=costs, raw=raw.encode())


def _currency(client: Client, *answers: list[dict[str, Any]]) -> str:
    found = set().union(*(units(answer) for answer in answers))
    if len(found) > 1:
        raise CostsDoNotReconcile(f"{client.client_id}: Cost Explorer answered in {' and '.join(sorted(found))}")
    return found.pop() if found else "USD"


def _record_span(span: Span) -> RecordSpan:
    lines = tuple(
        RecordLine(
            service=group.keys[0],
            record_type=group.keys[1],
            amounts=Amounts.model_validate({metric: group.amount(metric) for metric in METRICS}),
        )
        for group in span.groups
    )
    return RecordSpan(period=span.period, estimated=span.estimated, lines=lines)


def _day(metric: Metric, span: Span) -> DayCosts:
    lines = tuple(Line(key=group.keys[0], amount=group.amount(metric)) for group in span.groups)
    return DayCosts(day=span.period.start, estimated=span.estimated, lines=lines)


def _require_figures(client: Client, run: Run, costs: CostDocument) -> None:
    """Zero is a figure only if Cost Explorer says so of every day, and once the bill is closed."""
    known = {day.day for day in costs.days}
    missing = [day for day in days_of(run.period) if day not in known]
    if missing:
        raise CostsNotReady(f"{client.client_id}: no answer for {len(missing)} days from {missing[0]} on")
    empty = not any(day.lines for day in costs.days if holds(run.period, day.day))
    if empty and run.issue == "preliminary":
        raise CostsNotReady(f"{client.client_id}: no figures yet for {run.period.start} to {run.period.end}")
