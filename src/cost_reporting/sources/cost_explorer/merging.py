"""One cost document from the readings of a client's accounts: exact sums, and no sum of which a part is missing.

With a single reading the document is that account's own.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from cost_reporting.clients import Client, Section
from cost_reporting.contracts import Period, Run
from cost_reporting.costs import (
    AccountNotRead,
    Amounts,
    CostDocument,
    DayCosts,
    Forecast,
    Line,
    NotAvailable,
    Query,
    RecordLine,
    RecordSpan,
    Resize,
    Saved,
    Savings,
    Split,
    TagSplit,
    holds,
)
from cost_reporting.domain.linked_accounts import counted_twice
from cost_reporting.errors import ClientMisconfigured, CostsDoNotReconcile, CostsNotReady
from cost_reporting.money import total
from cost_reporting.sources.cost_explorer import commitments
from cost_reporting.sources.cost_explorer.reading import Reading


def merged(
    client: Client,
    run: Run,
    readings: Sequence[Reading],
    *,
    previous: Period,
    fetched_at: datetime,
    queries: tuple[Query, ...],
    not_read: tuple[AccountNotRead, ...],
) -> CostDocument:
    """The sum of ``readings``, at least one.

    A day that one account does not know is not known of the sum: the last ones as days that are not filled, any other
    one as a day that is absent.

    Raises CostsDoNotReconcile if they are in more than one currency, ClientMisconfigured if an account is in two,
    CostsNotReady if no account knows any day of the period that all of them know.
    """
    _require_each_once(client, readings, not_read)
    late = tuple(sorted({day for reading in readings for day in reading.days_not_filled}))
    if run.period.start in late:
        raise CostsNotReady(f"{client.client_id}: no figures yet for {run.period.start} to {run.period.end}")
    fields: dict[Section, Any] = {section: _section(section, readings) for section in client.sections}
    costs = CostDocument(
        client_id=client.client_id,
        account_id=readings[0].account.account_id,
        cadence=run.cadence,
        issue=run.issue,
        period=run.period,
        previous=previous,
        metric=client.cost_metric,
        currency=_currency(client, readings),
        fetched_at=fetched_at,
        spans=_spans([reading.spans for reading in readings], without=late if run.cadence == "weekly" else ()),
        days=tuple(day for day in _days(readings) if day.day not in late),
        days_not_filled=late,
        days_partly_filled=tuple(day for day in _days(readings, all_know=False) if day.day in late and day.lines),
        queries=queries,
        accounts_read=tuple(reading.account for reading in readings),
        accounts_not_read=not_read,
        **fields,
    )
    return (
        costs.model_copy(update={"accounts": _by_account(client, costs, readings)}) if client.more_accounts else costs
    )


def _require_each_once(client: Client, readings: Sequence[Reading], not_read: tuple[AccountNotRead, ...]) -> None:
    """An account in two answers, such as a member of an organization that is read as well, has been counted twice.

    One that is left out, and in another's answer, is in the total that it is said to be missing from.
    """
    members = {account.account_id: frozenset[str]() for account in not_read if account.account_id is not None}
    members |= {reading.account.account_id: reading.members for reading in readings}
    twice = counted_twice(members)
    if twice:
        raise ClientMisconfigured(
            f"{client.client_id}: more_accounts: {twice[0].account} is counted twice, since it is in an organization "
            "that is read as well"
        )


def _currency(client: Client, readings: Iterable[Reading]) -> str:
    found = {reading.currency: reading.account for reading in readings if reading.currency}
    if len(found) > 1:
        said = " and ".join(f"{account.account_id} in {currency}" for currency, account in sorted(found.items()))
        raise CostsDoNotReconcile(f"{client.client_id}: the accounts are billed in different currencies: {said}")
    return next(iter(found), "USD")


def _spans(of_accounts: Sequence[tuple[RecordSpan, ...]], *, without: tuple[date, ...] = ()) -> tuple[RecordSpan, ...]:
    """Those that every account knows, but for the days ``without``: a sum that lacks an account would be false."""
    alike: dict[Period, list[RecordSpan]] = {}
    for span in (span for spans in of_accounts for span in spans):
        alike.setdefault(span.period, []).append(span)
    return tuple(
        RecordSpan(period=period, estimated=any(span.estimated for span in spans), lines=_record_lines(spans))
        for period, spans in sorted(alike.items(), key=lambda item: item[0].start)
        if len(spans) == len(of_accounts) and period.start not in without
    )


def _record_lines(spans: list[RecordSpan]) -> tuple[RecordLine, ...]:
    if len(spans) == 1:
        return spans[0].lines
    alike: dict[tuple[str, str], list[Amounts]] = {}
    for line in (line for span in spans for line in span.lines):
        alike.setdefault((line.service, line.record_type), []).append(line.amounts)
    return tuple(
        RecordLine(
            service=service,
            record_type=record_type,
            amounts=Amounts.model_validate(
                {metric: total(getattr(each, metric) for each in amounts) for metric in Amounts.model_fields}
            ),
        )
        for (service, record_type), amounts in alike.items()
    )


def _days(readings: Sequence[Reading], *, all_know: bool = True) -> tuple[DayCosts, ...]:
    """The days that every account knows; or what is known of any."""
    alike: dict[date, list[DayCosts]] = {}
    for day in (day for reading in readings for day in reading.days):
        alike.setdefault(day.day, []).append(day)
    return tuple(
        DayCosts(day=day, estimated=any(one.estimated for one in days), lines=_lines(one.lines for one in days))
        for day, days in sorted(alike.items())
        if not all_know or len(days) == len(readings)
    )


def _lines(of_accounts: Iterable[Iterable[Line]]) -> tuple[Line, ...]:
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for line in (line for lines in of_accounts for line in lines):
        sums[line.key] += line.amount
    return tuple(Line(key=key, amount=amount) for key, amount in sums.items())


def _section(section: Section, readings: Sequence[Reading]) -> object:
    parts = {reading.account.name: reading.sections[section] for reading in readings}
    return _savings(parts) if section == "savings" else _joined(parts, SUMS[section])


def _joined(parts: Mapping[str, Any], join: Callable[[Sequence[Any]], Any]) -> Any:
    """What all accounts say together, or that it is not available: one that does not answer spoils the sum."""
    failed = {name: part for name, part in parts.items() if isinstance(part, NotAvailable)}
    if not failed:
        return join(list(parts.values()))
    first = next(iter(failed.values()))
    same = tuple(name for name, part in failed.items() if part.error == first.error)
    return first.model_copy(update={"accounts": same if len(same) < len(parts) else ()})


def _savings(parts: Mapping[str, Savings]) -> Savings | NotAvailable:
    """Each of its parts for itself; if all of them fail alike, that is said once."""
    achieved = _joined({name: part.achieved for name, part in parts.items()}, _achieved)
    purchases = _joined({name: part.purchases for name, part in parts.items()}, _all)
    resizes = _joined({name: part.resizes for name, part in parts.items()}, _by_worth)
    if isinstance(achieved, NotAvailable) and achieved == purchases == resizes:
        return achieved
    return Savings(achieved=achieved, purchases=purchases, resizes=resizes)


def _achieved(parts: Sequence[tuple[Saved, ...]]) -> tuple[Saved, ...]:
    kinds = dict.fromkeys(saved.kind for part in parts for saved in part)
    found = {kind: [s.net_savings for part in parts for s in part if s.kind == kind] for kind in kinds}
    return tuple(
        Saved(kind=kind, net_savings=total(known) if (known := [a for a in amounts if a is not None]) else None)
        for kind, amounts in found.items()
    )


def _all[T](parts: Sequence[tuple[T, ...]]) -> tuple[T, ...]:
    return tuple(each for part in parts for each in part)


def _by_worth(parts: Sequence[tuple[Resize, ...]]) -> tuple[Resize, ...]:
    return tuple(sorted(_all(parts), key=lambda resize: (-resize.monthly_savings, resize.resource_id)))


def _by_account(client: Client, costs: CostDocument, readings: Sequence[Reading]) -> Split | NotAvailable:
    """Each account under the name that the record gives it; without a question of its own, its days added up."""
    own, asked = {reading.account.account_id: reading.account.name for reading in readings}, costs.accounts
    if asked is None:
        known = {day.day for day in costs.days}
        current, before = (
            tuple(Line(key=reading.account.account_id, amount=_sum(reading, period, known)) for reading in readings)
            for period in (costs.known, costs.compared)
        )
        return Split(current=current, previous=before, names=own)
    if isinstance(asked, NotAvailable):
        return asked
    given = {account_id: name for account_id, name in own.items() if name != client.client_name}
    named = {key: name for key, name in asked.names.items() if name}
    return asked.model_copy(update={"names": own | named | given})


def _sum(reading: Reading, period: Period, known: set[date]) -> Decimal:
    days = (day for day in reading.days if holds(period, day.day) and day.day in known)
    return total(line.amount for day in days for line in day.lines)


def _splits(parts: Sequence[Split]) -> Split:
    current, previous = (
        tuple(sorted(_lines(getattr(part, period) or () for part in parts), key=lambda line: line.key))
        for period in ("current", "previous")
    )
    names = {key: name for part in parts for key, name in part.names.items()}
    return Split(current=current, previous=previous, names=names)


def _tags(parts: Sequence[tuple[TagSplit, ...]]) -> tuple[TagSplit, ...]:
    return tuple(
        TagSplit(
            tag_key=of_key[0].tag_key, split=_joined({str(at): tag.split for at, tag in enumerate(of_key)}, _splits)
        )
        for of_key in zip(*parts, strict=True)
    )


def _forecasts(parts: Sequence[Forecast]) -> Forecast:
    """The ranges are added up: as if all accounts ended low or high together, so rather too wide than too narrow."""
    sums: dict[str, Any] = {field: total(getattr(part, field) for part in parts) for field in ("so_far", "mean")}
    for bound in ("low", "high"):
        amounts = [getattr(part, bound) for part in parts]
        sums[bound] = None if None in amounts else total(amounts)
    return parts[0].model_copy(update=sums | {"until": min(part.until for part in parts)})


SUMS: Final[Mapping[Section, Callable[[Sequence[Any]], object]]] = {
    "accounts": _splits,
    "regions": _splits,
    "tags": _tags,
    "forecast": _forecasts,
    "anomalies": _all,
    "commitments": commitments.together,
}
"""How the answers of several accounts make one."""
