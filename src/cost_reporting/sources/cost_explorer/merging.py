"""One cost document from the readings of a client's accounts: exact sums, and no sum of which a part is missing.

With a single reading the document is that account's own.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
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
from cost_reporting.errors import ClientMisconfigured, CostsDoNotReconcile
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

    Raises CostsDoNotReconcile if they are in more than one currency, ClientMisconfigured if an account is in two.
    """
    fields: dict[Section, Any] = {section: _section(section, readings) for section in client.sections}
    if client.more_accounts:
        fields["accounts"] = _by_account(client, run, previous, readings, fields.get("accounts"))
    return CostDocument(
        client_id=client.client_id,
        account_id=readings[0].account.account_id,
        cadence=run.cadence,
        issue=run.issue,
        period=run.period,
        previous=previous,
        metric=client.cost_metric,
        currency=_currency(client, readings),
        fetched_at=fetched_at,
        spans=_spans(reading.spans for reading in readings),
        days=_days(reading.days for reading in readings),
        queries=queries,
        accounts_read=tuple(reading.account for reading in readings),
        accounts_not_read=not_read,
        **fields,
    )


def _currency(client: Client, readings: Iterable[Reading]) -> str:
    found = {reading.currency: reading.account for reading in readings if reading.currency}
    if len(found) > 1:
        said = " and ".join(f"{account.account_id} in {currency}" for currency, account in sorted(found.items()))
        raise CostsDoNotReconcile(f"{client.client_id}: the accounts are billed in different currencies: {said}")
    return next(iter(found), "USD")


def _spans(of_accounts: Iterable[tuple[RecordSpan, ...]]) -> tuple[RecordSpan, ...]:
    alike: dict[Period, list[RecordSpan]] = {}
    for span in (span for spans in of_accounts for span in spans):
        alike.setdefault(span.period, []).append(span)
    return tuple(
        RecordSpan(period=period, estimated=any(span.estimated for span in spans), lines=_record_lines(spans))
        for period, spans in sorted(alike.items(), key=lambda item: item[0].start)
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


def _days(of_accounts: Iterable[tuple[DayCosts, ...]]) -> tuple[DayCosts, ...]:
    alike: dict[Any, list[DayCosts]] = {}
    for day in (day for days in of_accounts for day in days):
        alike.setdefault(day.day, []).append(day)
    return tuple(
        DayCosts(day=day, estimated=any(one.estimated for one in days), lines=_lines(one.lines for one in days))
        for day, days in sorted(alike.items())
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


def _by_account(
    client: Client, run: Run, previous: Period, readings: Sequence[Reading], asked: Split | NotAvailable | None
) -> Split | NotAvailable:
    """Each account under the name that the record gives it; without a question of its own, its days added up.

    An account in two answers, as one that stands in the record and is a member of another's organization would be,
    has been counted twice.
    """
    own = {reading.account.account_id: reading.account.name for reading in readings}
    if asked is None:
        current, before = (
            tuple(Line(key=reading.account.account_id, amount=_sum(reading, period)) for reading in readings)
            for period in (run.period, previous)
        )
        return Split(current=current, previous=before, names=own)
    if isinstance(asked, NotAvailable):
        return asked
    seen: set[str] = set()
    for reading in readings:
        split: Split = reading.sections["accounts"]
        keys = {line.key for line in (*split.current, *split.previous)}
        if twice := sorted(seen & keys):
            raise ClientMisconfigured(
                f"{client.client_id}: more_accounts: {twice[0]} is counted twice, since it is in an organization that "
                "is read as well"
            )
        seen |= keys
    given = {account_id: name for account_id, name in own.items() if name != client.client_name}
    named = {key: name for key, name in asked.names.items() if name}
    return asked.model_copy(update={"names": own | named | given})


def _sum(reading: Reading, period: Period) -> Decimal:
    return total(line.amount for day in reading.days if holds(period, day.day) for line in day.lines)


def _splits(parts: Sequence[Split]) -> Split:
    current, previous = (
        tuple(sorted(_lines(getattr(part, period) for part in parts), key=lambda line: line.key))
        for period in ("current", "previous")
    )
    names = {key: name for part in parts for key, name in part.names.items()}
    return Split(current=current, previous=previous, names=names)


def _tags(parts: Sequence[tuple[TagSplit, ...]]) -> tuple[TagSplit, ...]:
    return tuple(
        TagSplit(tag_key=of_key[0].tag_key, split=_splits([tag.split for tag in of_key]))
        for of_key in zip(*parts, strict=True)
    )


def _forecasts(parts: Sequence[Forecast]) -> Forecast:
    """The ranges are added up: as if all accounts ended low or high together, so rather too wide than too narrow."""
    sums = {field: total(getattr(part, field) for part in parts) for field in ("so_far", "mean", "low", "high")}
    return parts[0].model_copy(update=sums)


SUMS: Final[Mapping[Section, Callable[[Sequence[Any]], object]]] = {
    "accounts": _splits,
    "regions": _splits,
    "tags": _tags,
    "forecast": _forecasts,
    "anomalies": _all,
    "commitments": commitments.together,
}
"""How the answers of several accounts make one."""
