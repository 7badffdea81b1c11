"""What a client's record may ask for beyond the two questions of every report, each paid only if it does."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

from cost_reporting.clients import Client, Metric
from cost_reporting.contracts import Period, Run
from cost_reporting.costs import AccountCosts, Line, holds
from cost_reporting.sources.cost_explorer.asking import Questions
from cost_reporting.sources.cost_explorer.usage import OPERATION, descriptions, question, spans


def ask_all(questions: Questions, client: Client, run: Run, previous: Period) -> dict[str, Any]:
    """The fields of the cost document that the client's sections add."""
    if "accounts" not in client.sections:
        return {}
    return {
        "accounts": _split(questions, "accounts", ("DIMENSION", "LINKED_ACCOUNT"), client.cost_metric, run, previous)
    }


def _split(
    questions: Questions, name: str, by: tuple[str, str], metric: Metric, run: Run, previous: Period
) -> AccountCosts:
    """Sums of both periods by one dimension, in months: a day of each would be paid page by page.

    Two calendar months are one question. Two weeks are two, since a month's sum cannot be told apart into weeks.
    """
    both = Period(start=previous.start, end=run.period.end)
    asked = {name: both} if run.cadence == "monthly" else {name: run.period, f"{name} before": previous}
    sums: dict[Period, defaultdict[str, Decimal]] = {run.period: defaultdict(Decimal), previous: defaultdict(Decimal)}
    names: dict[str, str] = {}
    for title, period in asked.items():
        pages = questions.ask(title, OPERATION, question(period, "MONTHLY", by=(by,), metrics=(metric,)))
        names |= descriptions(pages)
        for span in spans(pages):
            for whole, by_key in sums.items():
                if holds(whole, span.period.start):
                    for group in span.groups:
                        by_key[group.keys[0]] += group.amount(metric)
    current, before = (
        tuple(Line(key=key, amount=amount) for key, amount in sorted(by_key.items())) for by_key in sums.values()
    )
    return AccountCosts(current=current, previous=before, names=names)
