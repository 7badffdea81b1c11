"""Check Health: every part that a run needs, looked at without touching a client."""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial

from cost_reporting.contracts import Check, Health
from cost_reporting.delivery.standing import Standing
from cost_reporting.domain.readiness import Verdict
from cost_reporting.errors import Unhealthy
from cost_reporting.operations import readiness
from cost_reporting.settings import Settings, Watched
from cost_reporting.store.parts import bucket_is_there, table_status
from cost_reporting.store.stacks import read_template

WORKS = ("ACTIVE", "UPDATING")


def check_health(*, probes: Callable[[], Iterator[Check]], now: Callable[[], datetime]) -> Health:
    """Look at every part. Raises Unhealthy naming each part that is out of order."""
    checks = tuple(probes())
    broken = [f"{check.name}: {check.detail}" for check in checks if not check.healthy]
    if broken:
        raise Unhealthy("; ".join(broken))
    return Health(status="healthy", checked_at=now(), checks=checks)


def probe(settings: Settings, watched: Watched) -> Iterator[Check]:
    """The tables, the bucket, the mail account, the sender, whether alarms are heard and are the template's.

    What could not be looked at is out of order: nobody knows that it works.
    """
    for verdict in _verdicts(settings, watched):
        not_checked = "not checked: " if verdict.state == "not checked" else ""
        yield Check(name=verdict.check, healthy=verdict.state == "ok", detail=not_checked + verdict.fact)


def _verdicts(settings: Settings, watched: Watched) -> Iterator[Verdict]:
    region = watched.region
    for table in (settings.clients_table, settings.outcomes_table):
        yield from readiness.part(f"table {table}", partial(_table, table), "")
    yield from readiness.part(f"bucket {settings.bucket}", partial(_bucket, settings.bucket), "")
    yield from readiness.mail_account(settings.sender, region, lambda: Standing().account())
    yield from readiness.sender(settings.sender, region)
    yield from readiness.alerts(watched.alerts_topic_arn, settings.operators, region)
    yield from readiness.alarms(lambda: read_template(watched.stack_id), region)


def _table(name: str) -> tuple[bool, str]:
    status = table_status(name)
    return status in WORKS, status


def _bucket(name: str) -> tuple[bool, str]:
    there = bucket_is_there(name)
    return there, "reachable" if there else "absent"
