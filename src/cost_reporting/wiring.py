"""The parts of this process, each made once, when it is first needed, from the settings."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from cost_reporting import aws
from cost_reporting.contracts import Check
from cost_reporting.delivery.ses import SesChannel
from cost_reporting.operations.check_health import probe
from cost_reporting.operations.owned_accounts import Ownership
from cost_reporting.operations.watch_deliveries import Post
from cost_reporting.settings import settings, state_machine_arn
from cost_reporting.sources.cost_explorer import CostExplorerSource
from cost_reporting.store.accounts import AccountStore
from cost_reporting.store.approvals import ApprovalStore
from cost_reporting.store.backups import BackupStore
from cost_reporting.store.clients import ClientStore
from cost_reporting.store.executions import ExecutionStore
from cost_reporting.store.ledger import LedgerStore
from cost_reporting.store.links import LinkStore
from cost_reporting.store.objects import ObjectStore
from cost_reporting.store.rollups import RollUpStore
from cost_reporting.store.runs import RunStore

if TYPE_CHECKING:
    from cost_reporting.report.renderer import Renderer


def now() -> datetime:
    """The time, aware and in UTC."""
    return datetime.now(UTC)


def pause() -> None:
    """Half a second, between two looks at something that is not ready."""
    time.sleep(0.5)


@cache
def clients() -> ClientStore:
    """The client records."""
    return ClientStore(settings().clients_table, now=now, partition=aws.partition())


@cache
def accounts() -> AccountStore:
    """Which client an AWS account belongs to."""
    return AccountStore(settings().outcomes_table)


@cache
def ownership() -> Ownership:
    """The rule that an AWS account belongs to one client."""
    return Ownership(clients(), accounts(), now)


@cache
def ledger() -> LedgerStore:
    """The mail ledger."""
    return LedgerStore(settings().outcomes_table)


@cache
def approvals() -> ApprovalStore:
    """The held reports."""
    return ApprovalStore(settings().outcomes_table)


@cache
def runs() -> RunStore:
    """The runs and their outcomes."""
    return RunStore(settings().outcomes_table)


@cache
def objects() -> ObjectStore:
    """The bucket."""
    return ObjectStore(settings().bucket)


@cache
def links() -> LinkStore:
    """Links to what is in the bucket."""
    return LinkStore(settings().bucket, settings().link_role_arn)


@cache
def backups() -> BackupStore:
    """The tables' backups."""
    return BackupStore()


@cache
def executions() -> ExecutionStore:
    """The state machine's executions."""
    return ExecutionStore(state_machine_arn())


@cache
def executions_by_arn() -> ExecutionStore:
    """Executions as their ARN names them. Which machine is theirs only the function that starts runs is told."""
    return ExecutionStore("")


@cache
def source() -> CostExplorerSource:
    """Where costs come from."""
    return CostExplorerSource(now)


@cache
def channel() -> SesChannel:
    """How letters leave."""
    return SesChannel(settings().configuration_set)


@cache
def post() -> Post:
    """How letters to operators leave."""
    return Post(
        ledger=ledger(),
        roll_ups=RollUpStore(settings().outcomes_table),
        objects=objects(),
        channel=channel(),
        sender=settings().sender,
        operators=settings().operators,
    )


@cache
def renderer() -> "Renderer":
    """The report's renderer. Imported here: only the PDF layer has what it needs."""
    from cost_reporting.report.renderer import Renderer  # noqa: PLC0415

    return Renderer(consultancy=settings().consultancy)


def probes() -> Iterator[Check]:
    """The health of every part."""
    return probe(settings())
