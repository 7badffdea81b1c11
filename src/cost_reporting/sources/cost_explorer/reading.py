"""What the Cost Explorer of one account says: the two questions of every report, and those of the client's sections."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from cost_reporting.clients import Client, Metric, Section
from cost_reporting.contracts import Period, Run
from cost_reporting.costs import AccountRead, Amounts, DayCosts, Line, RecordLine, RecordSpan, holds
from cost_reporting.errors import CostsDoNotReconcile, CostsNotReady
from cost_reporting.periods import days as days_of
from cost_reporting.periods import is_closed
from cost_reporting.sources.cost_explorer import sections
from cost_reporting.sources.cost_explorer.asking import Questions
from cost_reporting.sources.cost_explorer.usage import METRICS, OPERATION, Span, question, spans, units


@dataclass(frozen=True)
class Reading:
    """The answers of one account. ``currency`` is None if there is no amount in them."""

    account: AccountRead
    currency: str | None
    spans: tuple[RecordSpan, ...]
    days: tuple[DayCosts, ...]
    sections: Mapping[Section, Any]


def read(
    questions: Questions, client: Client, run: Run, *, name: str, previous: Period, history: Period, today: date
) -> Reading:
    """The costs of one of the client's accounts, called ``name``, in both periods and the ``history`` before.

    Raises CostsThrottled, CostsNotReady, ClientAccessDenied, CostExplorerDisabled, CostsRefused, or
    CostsDoNotReconcile if the answers are in more than one currency.
    """
    record_types = questions.ask(
        "record types",
        OPERATION,
        question(
            history,
            "MONTHLY" if run.cadence == "monthly" else "DAILY",
            by=(("DIMENSION", "SERVICE"), ("DIMENSION", "RECORD_TYPE")),
            metrics=tuple(METRICS),
        ),
    )
    daily = questions.ask(
        "days",
        OPERATION,
        question(
            whole := Period(start=previous.start, end=sections.days_end(client, run, today)),
            "DAILY",
            by=(("DIMENSION", "SERVICE"),),
            metrics=(client.cost_metric,),
        ),
    )
    days = tuple(_day(client.cost_metric, span) for span in spans(daily))
    currency = _currency(client, record_types, daily)
    _require_figures(client, run, days, of=whole if client.more_accounts else run.period)
    return Reading(
        account=AccountRead(account_id=questions.account_id, name=name),
        currency=currency,
        spans=tuple(_record_span(span) for span in spans(record_types)),
        days=days,
        sections=sections.ask_all(sections.Asked(questions, client, run, previous, today, days, currency or "USD")),
    )


def _currency(client: Client, *answers: list[dict[str, Any]]) -> str | None:
    found = set().union(*(units(answer) for answer in answers))
    if len(found) > 1:
        raise CostsDoNotReconcile(f"{client.client_id}: Cost Explorer answered in {' and '.join(sorted(found))}")
    return found.pop() if found else None


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


def _require_figures(client: Client, run: Run, days: tuple[DayCosts, ...], *, of: Period) -> None:
    """Zero is a figure only if Cost Explorer says so of every day, and once the bill is closed.

    One of several accounts must know every day that is added up. If it had nothing in the period before either, it is
    not in use, and nothing is a figure.
    """
    known = {day.day for day in days}
    missing = [day for day in days_of(of) if day not in known]
    if missing:
        raise CostsNotReady(f"{client.client_id}: no answer for {len(missing)} days from {missing[0]} on")
    empty = not any(day.lines for day in days if holds(run.period, day.day))
    unused = client.more_accounts and not any(day.lines for day in days)
    if empty and not unused and not is_closed(run):
        raise CostsNotReady(f"{client.client_id}: no figures yet for {run.period.start} to {run.period.end}")
