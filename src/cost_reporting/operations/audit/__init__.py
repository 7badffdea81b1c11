"""Audit Security: each check a question to the account, and findings where the answer is not as it should be.

A check is a function of the scope that yields findings. It raises NotLookedAt, or a store's error, where it could not
look: then it has not passed, whatever it has found so far.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from cost_reporting.audit import AuditReport, Check, Finding, audit_report
from cost_reporting.errors import CostReportingError
from cost_reporting.operations.audit import clients, drift, functions, logs, mail, roles, stored
from cost_reporting.operations.audit.scope import Look, NotLookedAt, Scope

CHECKS: Final[tuple[tuple[str, Look], ...]] = (
    ("Roles allow no more than they need", roles.policies),
    ("Roles trust nobody else", roles.trust),
    ("What roles allow is used", roles.used),
    ("Nothing differs from the template", drift.drifted),
    ("Functions have no public door", functions.doors),
    ("States' payloads are not logged", functions.payloads),
    ("The bucket is private, encrypted and versioned", stored.bucket),
    ("The tables are encrypted and can be restored", stored.tables),
    ("The queues are encrypted and not public", stored.queues),
    ("The topics are not public", stored.topics),
    ("Clients are read with roles, or with young keys", clients.keys),
    ("ExternalIds are strong and nobody else's", clients.strength),
    ("Clients' roles ask for the ExternalId", clients.trust),
    ("Logs end", logs.retention),
    ("Logs give nothing away", logs.contents),
    ("The sender is authenticated", mail.sender),
    ("Mail goes over TLS only", mail.transport),
)


def audit_security(
    scope: Scope,
    *,
    accepted: Mapping[str, str],
    more: Iterable[tuple[Check, tuple[Finding, ...]]] = (),
) -> AuditReport:
    """Ask every question. ``more`` are answers from elsewhere, ``accepted`` reasons by the id of a finding."""
    checks, findings = [], []
    for done, (name, look) in enumerate(CHECKS):
        scope.progress("checks", done, len(CHECKS))
        found: list[Finding] = []
        noted = len(scope.notes)
        try:
            for each in look(scope):
                found.append(each)  # noqa: PERF402 - what was found before a failure counts
            standing = "found" if found else "passed"
        except (NotLookedAt, CostReportingError) as fault:
            standing = "not checked"
            scope.notes.insert(noted, str(fault))
        note = "; ".join(scope.notes[noted:])
        checks.append(Check.model_validate({"name": name, "standing": standing, "note": note}))
        findings += found
    for check, found_elsewhere in more:
        checks.append(check)
        findings += found_elsewhere
    return audit_report(scope.stack.name, scope.now, checks, findings, accepted)
