"""Logs: that they end, and that they give nothing away."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice

from cost_reporting import aws
from cost_reporting.audit import Finding, finding, given_away
from cost_reporting.clients import RoleAccess
from cost_reporting.operations.audit.clients import accesses, records
from cost_reporting.operations.audit.scope import NotLookedAt, Scope
from cost_reporting.store.functions import read_function
from cost_reporting.store.logs import LogStore
from cost_reporting.store.translation import translated


def retention(scope: Scope) -> Iterator[Finding]:
    """Log groups of the stack and its functions that keep everything for good, or are nobody's."""
    logs = aws.client("logs")
    groups = set(scope.physical("AWS::Logs::LogGroup"))
    used = {read_function(name).log_group for name in scope.physical("AWS::Lambda::Function")}
    for name in sorted(groups | used):
        with translated(f"describe the log group {name}"):
            found = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        days = next((group.get("retentionInDays") for group in found if group["logGroupName"] == name), 0)
        if days is None:
            yield finding("LOGS-KEPT", "medium", name, "keeps its lines for good", "Set a retention.")
        if name not in groups:
            yield finding(
                "LOGS-UNMANAGED",
                "low",
                name,
                "is not part of the stack",
                "Give the function a log group of the template.",
            )
    scope.note(f"{len(groups | used)} log groups described")


def contents(scope: Scope) -> Iterator[Finding]:
    """Addresses, keys, signed links and ExternalIds in a sample of the log lines. Findings do not repeat them."""
    logs, read = LogStore(), 0
    clients, _ = records(scope)
    secrets = [access.external_id for _, access in accesses(clients) if isinstance(access, RoleAccess)]
    long_enough = [secret for secret in secrets if len(secret) >= 8]
    groups = scope.physical("AWS::Logs::LogGroup")
    for done, name in enumerate(groups):
        scope.progress("logs", done, len(groups))
        kinds: Counter[str] = Counter()
        lines = logs.lines(name, scope.now - timedelta(days=scope.log_days), scope.now)
        for line in islice(lines, scope.log_lines):
            read += 1
            kinds.update(given_away(line, long_enough))
        for kind, times in sorted(kinds.items()):
            yield finding(
                f"LOGS-{kind.removeprefix('an ').removeprefix('a ').replace(' ', '-').upper()}",
                "high",
                name,
                f"{times} lines of the sample hold {kind}",
                "Find the event that says it, leave it out there, and delete the lines.",
            )
    if not read:
        raise NotLookedAt(f"there is not one line in the logs of the last {scope.log_days} days")
    scope.note(f"{read} lines of {len(groups)} log groups read, of the last {scope.log_days} days")
