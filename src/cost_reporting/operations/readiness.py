"""The checks of a deployment: each reads what it needs and has ``domain/readiness.py`` judge it.

The health check, the security audit and `scripts/preflight.py` make the same ones. What could not be read is not
checked, with the reason.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from cost_reporting.delivery.standing import Standing
from cost_reporting.domain import readiness
from cost_reporting.domain.alarm_definitions import expected_alarms
from cost_reporting.domain.readiness import (
    MailAccount,
    Verdict,
    domains_first,
    fault,
    identities_for,
    ok,
    unknown,
)
from cost_reporting.domain.templates import Template, Unresolvable
from cost_reporting.errors import CostReportingError
from cost_reporting.store.alarms import read_alarms
from cost_reporting.store.functions import read_concurrency
from cost_reporting.store.parts import read_schedule
from cost_reporting.store.stacks import Stack
from cost_reporting.store.topics import read_subscriptions

AT_ONCE = "AtOnce"
"""The parameter that says how many clients are worked on at once."""


def looked(check: str, look: Callable[[], Iterable[Verdict]]) -> Iterator[Verdict]:
    """What ``look`` finds; ``not checked`` with the reason if it could not look."""
    try:
        yield from list(look())
    except (CostReportingError, Unresolvable) as reason:
        yield unknown(check, str(reason))


def mail_account(sender: str, region: str, account: Callable[[], MailAccount]) -> Iterator[Verdict]:
    """Whether SES sends for this account, to everybody."""
    yield from looked(
        readiness.MAIL_ACCOUNT, lambda: (readiness.mail_account(account(), sender=sender, region=region),)
    )


def sender(address: str, region: str) -> Iterator[Verdict]:
    """Whether the sender is verified."""
    yield from looked(
        readiness.SENDER,
        lambda: (readiness.sender_identity(address, Standing().identities(identities_for(address)), region=region),),
    )


def dkim(address: str, region: str) -> Iterator[Verdict]:
    """Whether the sender's mails are signed."""
    yield from looked(
        readiness.DKIM, lambda: (readiness.dkim(address, Standing().identities(domains_first(address)), region=region),)
    )


def alerts(topic: str, operators: str, region: str) -> Iterator[Verdict]:
    """Whether anybody hears of alarms."""
    yield from looked(
        readiness.ALERTS,
        lambda: (readiness.alerts(read_subscriptions(topic), topic=topic, operators=operators, region=region),),
    )


def alarms(template: Callable[[], Template], region: str) -> Iterator[Verdict]:
    """Whether the alarms are those of the stack's template."""

    def look() -> Iterator[Verdict]:
        expected = expected_alarms(template())
        deployed = read_alarms([each.name for each in expected])
        yield from readiness.alarms(expected, deployed, region=region)

    yield from looked(readiness.ALARMS, look)


def concurrency(parameters: Mapping[str, str], region: str) -> Iterator[Verdict]:
    """Whether Lambda runs as many functions at once as clients are worked on."""

    def look() -> Iterator[Verdict]:
        if AT_ONCE not in parameters:
            yield unknown(readiness.CONCURRENCY, "no parameter says how many clients are worked on at once")
            return
        limit, unreserved = read_concurrency()
        at_once = int(parameters[AT_ONCE])
        yield readiness.concurrency(limit=limit, unreserved=unreserved, at_once=at_once, name=AT_ONCE, region=region)

    yield from looked(readiness.CONCURRENCY, look)


def schedules(find_stack: Callable[[], Stack | None], parameters: Mapping[str, str], region: str) -> Iterator[Verdict]:
    """Whether the schedules are as the stack's parameter has them."""

    def look() -> Iterator[Verdict]:
        stack = find_stack()
        if stack is None:
            yield unknown(readiness.SCHEDULES, "there is no stack yet")
            return
        names = [each.physical_id.rpartition("/")[2] for each in stack.of_kind("AWS::Scheduler::Schedule")]
        found: dict[str, Mapping[str, Any] | None] = {name: read_schedule(name) for name in names}
        wanted = parameters.get("Schedules", "ENABLED")
        yield from readiness.schedules(found, wanted=wanted, stack=stack.name, region=region)

    yield from looked(readiness.SCHEDULES, look)


def part(check: str, is_there: Callable[[], tuple[bool, str]], fix: str) -> Iterator[Verdict]:
    """Whether a part of the stack is there and works."""

    def look() -> Iterator[Verdict]:
        works, fact = is_there()
        yield ok(check, fact) if works else fault(check, fact, fix)

    yield from looked(check, look)
