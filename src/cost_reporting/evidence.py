"""What can be shown about a report: where its figures come from, that they agree, and which bytes were stored.

Render PDF writes it as ``evidence.json`` beside the PDF. It holds no figures of a single service, no address and no
name of the client, so that it can be kept and passed on when the report itself may not.
"""

from datetime import date
from decimal import Decimal

from pydantic import AwareDatetime

from cost_reporting.clients import Metric
from cost_reporting.contracts import Amount, Attached, Cadence, Fact, Issue, Mode, Period, Run, Sha256, StoredObject
from cost_reporting.costs import PRICE_PER_REQUEST, TOLERANCE, CostDocument, NotAvailable, Query, account_ids
from cost_reporting.domain.gate import views


class View(Fact):
    """The period's total by one view of the costs, and how far it is from the report's own, the days."""

    name: str
    total: Amount
    difference: Amount


class Reconciliation(Fact):
    """That the views agree: each differs from the first by ``tolerance`` at most."""

    agrees: bool
    currency: str
    tolerance: Amount
    views: tuple[View, ...]


class Asked(Fact):
    """What was asked of Cost Explorer for the costs, and what AWS takes for it, in US dollars."""

    queries: tuple[Query, ...]
    paid_requests: int
    price_usd: Amount


class Documents(Fact):
    """What was stored. ``answers`` are Cost Explorer's own as they lay beside the costs; None: there are none there.

    ``pdf_file_name`` is what recipients see; None: the report was stored by an older version.
    """

    costs: StoredObject
    answers: StoredObject | None
    pdf: StoredObject
    mail: StoredObject
    attachments: tuple[Attached, ...]
    pdf_file_name: str | None = None


class LeftOut(Fact):
    """An account that could not be read, without its name: ``account_id`` is None if its keys do not let us in."""

    account_id: str | None
    error: str
    reason: str


class Evidence(Fact):
    """The evidence for one report. ``run_id`` is the run that rendered it; later ones may have found and sent it.

    ``accounts`` are those whose costs are in it, those of an organization under the one that pays for it.
    ``days_missing`` are days of the period that are in no total.
    """

    run_id: str
    client_id: str
    account_id: str
    accounts: tuple[str, ...]
    accounts_not_read: tuple[LeftOut, ...]
    cadence: Cadence
    period: Period
    issue: Issue
    mode: Mode
    metric: Metric
    fetched_at: AwareDatetime
    estimated: bool
    days_missing: tuple[date, ...] = ()
    template_version: Sha256
    cost_explorer: Asked
    reconciliation: Reconciliation
    not_available: dict[str, NotAvailable]
    warnings: tuple[str, ...]
    documents: Documents


def evidence_for(
    run: Run, costs: CostDocument, documents: Documents, *, template_version: str, warnings: tuple[str, ...]
) -> Evidence:
    """The evidence for the report of ``run`` about ``costs``. The same for the same input."""
    return Evidence(
        run_id=run.run_id,
        client_id=costs.client_id,
        account_id=costs.account_id,
        accounts=tuple(sorted(account_ids(costs))),
        accounts_not_read=tuple(
            LeftOut(account_id=account.account_id, error=account.error, reason=account.reason)
            for account in costs.accounts_not_read
        ),
        cadence=run.cadence,
        period=costs.period,
        issue=run.issue,
        mode=run.mode,
        metric=costs.metric,
        fetched_at=costs.fetched_at,
        estimated=costs.estimated,
        days_missing=costs.absent,
        template_version=template_version,
        cost_explorer=Asked(
            queries=costs.queries,
            paid_requests=costs.paid_requests,
            price_usd=costs.paid_requests * PRICE_PER_REQUEST,
        ),
        reconciliation=reconciliation_of(costs),
        not_available=costs.not_available,
        warnings=warnings,
        documents=documents,
    )


def reconciliation_of(costs: CostDocument) -> Reconciliation:
    """How the views of ``costs`` compare."""
    totals = views(costs)
    by_days = next(iter(totals.values()))
    found = tuple(View(name=name, total=total, difference=total - by_days) for name, total in totals.items())
    agrees = all(abs(view.difference) <= TOLERANCE for view in found)
    return Reconciliation(agrees=agrees, currency=costs.currency, tolerance=Decimal(TOLERANCE), views=found)
