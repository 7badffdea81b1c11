"""What the Cost Explorer of one account says: the two questions of every report, and those of the client's sections."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from cost_reporting.clients import Client, Metric, Section
from cost_reporting.contracts import Period, Run
from cost_reporting.costs import AccountRead, Amounts, DayCosts, Line, RecordLine, RecordSpan, Split, holds
from cost_reporting.domain.completeness import not_filled
from cost_reporting.errors import CostsDoNotReconcile, CostsNotReady, CostsUnreadable
from cost_reporting.periods import days as days_of
from cost_reporting.periods import is_closed
from cost_reporting.sources.cost_explorer import sections
from cost_reporting.sources.cost_explorer.asking import Questions
from cost_reporting.sources.cost_explorer.usage import METRICS, OPERATION, Span, question, spans, units


@dataclass(frozen=True)
class Reading:
    """The answers of one account. ``currency`` is None if there is no amount in them.

    ``days`` are as they came; ``days_not_filled`` are those at their end that are not there, or not whole. ``members``
    are the accounts that the answers are about, where the client has several.
    """

    account: AccountRead
    currency: str | None
    spans: tuple[RecordSpan, ...]
    days: tuple[DayCosts, ...]
    sections: Mapping[Section, Any]
    days_not_filled: tuple[date, ...] = ()
    members: frozenset[str] = frozenset()


def read(
    questions: Questions, client: Client, run: Run, *, name: str, previous: Period, history: Period, today: date
) -> Reading:
    """The costs of one of the client's accounts, called ``name``, in both periods and the ``history`` before.

    Raises what :meth:`Questions.ask` does, CostsUnreadable if an answer is not of the known shape, or
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
    asked = days_asked(client, run, previous, today)
    daily = questions.ask(
        "days",
        OPERATION,
        question(asked, "DAILY", by=(("DIMENSION", "SERVICE"),), metrics=(client.cost_metric,)),
    )
    of = client.client_id
    days = tuple(_day(of, client.cost_metric, span) for span in spans(daily, of=of) if span.groups is not None)
    by_type = tuple(_record_span(of, span) for span in spans(record_types, of=of))
    if not by_type:
        raise CostsUnreadable(f"{of}: Cost Explorer: {OPERATION}: no ResultsByTime by record type")
    currency = _currency(client, record_types, daily)
    late = not_filled(days, by_type, asked=asked, metric=client.cost_metric, today=today)
    _require_figures(client, run, days, late)
    filled = tuple(day for day in days if day.day not in late)
    found = sections.ask_all(sections.Asked(questions, client, run, previous, today, filled, currency or "USD"))
    return Reading(
        account=AccountRead(account_id=questions.account_id, name=name),
        currency=currency,
        spans=by_type,
        days=days,
        sections=found,
        days_not_filled=late,
        members=_members(questions, client, run, previous, found.get("accounts")),
    )


def days_asked(client: Client, run: Run, previous: Period, today: date) -> Period:
    """Both periods; and all of the running month so far, if a forecast or a budget needs to know what it has cost."""
    end = sections.days_end(client, run, today)
    start = (
        min(previous.start, today.replace(day=1))
        if sections.needs_running_month(client, run, today)
        else previous.start
    )
    return Period(start=start, end=end)


def _members(questions: Questions, client: Client, run: Run, previous: Period, accounts: Split | Any) -> frozenset[str]:
    """The accounts that the answers are about: one question where the client has several, unless a section asked it.

    It is no section: without its answer nothing says that an account is not counted twice.
    """
    if not client.more_accounts:
        return frozenset()
    if isinstance(accounts, Split):
        return frozenset(line.key for line in (*accounts.current, *(accounts.previous or ())))
    both = Period(start=previous.start, end=run.period.end)
    by = (("DIMENSION", "LINKED_ACCOUNT"),)
    pages = questions.ask("members", OPERATION, question(both, "MONTHLY", by=by, metrics=(client.cost_metric,)))
    found = list(spans(pages, of=client.client_id))
    if not found or any(span.groups is None for span in found):
        raise CostsUnreadable(f"{client.client_id}: Cost Explorer: {OPERATION}: no Groups by linked account")
    return frozenset(group.keys[0] for span in found for group in span.groups or ())


def _currency(client: Client, *answers: list[dict[str, Any]]) -> str | None:
    found = set().union(*(units(answer, of=client.client_id) for answer in answers))
    if len(found) > 1:
        raise CostsDoNotReconcile(f"{client.client_id}: Cost Explorer answered in {' and '.join(sorted(found))}")
    return found.pop() if found else None


def _record_span(of: str, span: Span) -> RecordSpan:
    """Raises CostsUnreadable if the answer does not say what was billed in it: that is not nothing."""
    if span.groups is None or any(len(group.keys) != 2 for group in span.groups):
        raise CostsUnreadable(f"{of}: Cost Explorer: {OPERATION}: no groups by record type from {span.period.start} on")
    lines = tuple(
        RecordLine(
            service=group.keys[0],
            record_type=group.keys[1],
            amounts=Amounts.model_validate({metric: group.amount(metric) for metric in METRICS}),
        )
        for group in span.groups
    )
    return RecordSpan(period=span.period, estimated=_estimated(of, span), lines=lines)


def _day(of: str, metric: Metric, span: Span) -> DayCosts:
    lines = tuple(Line(key=group.keys[0], amount=group.amount(metric)) for group in span.groups or ())
    return DayCosts(day=span.period.start, estimated=_estimated(of, span), lines=lines)


def _estimated(of: str, span: Span) -> bool:
    """Whether AWS may still change it. Raises CostsUnreadable if nothing says so: it is neither final nor estimated."""
    if span.estimated is None:
        raise CostsUnreadable(
            f"{of}: Cost Explorer: {OPERATION}: nothing says whether costs from {span.period.start} on are estimated"
        )
    return span.estimated


def _require_figures(client: Client, run: Run, days: tuple[DayCosts, ...], late: tuple[date, ...]) -> None:
    """Zero is a figure only if Cost Explorer says so of every day, and once the bill is closed.

    Days that are ``late`` are no figures, and no zeros either. If one of several accounts had nothing in the period
    before, it is not in use, and nothing is a figure.
    """
    known = {day.day for day in days}
    missing = [day for day in days_of(run.period) if day not in known and day not in late]
    if missing:
        raise CostsNotReady(f"{client.client_id}: no answer for {len(missing)} days from {missing[0]} on")
    empty = not any(day.lines for day in days if holds(run.period, day.day))
    unused = client.more_accounts and not any(day.lines for day in days)
    if (empty and not unused and not is_closed(run)) or run.period.start in late:
        raise CostsNotReady(f"{client.client_id}: no figures yet for {run.period.start} to {run.period.end}")
