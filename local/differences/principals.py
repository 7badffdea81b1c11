"""aws:PrincipalArn of a session is the ARN of its role.

A trust policy that narrows our account down to some of its roles does so by this key, and AWS fills in the role's ARN,
path and all, for whoever has assumed it (IAM User Guide, "AWS global condition context keys"). MiniStack fills in the
session's: ``arn:aws:sts::…:assumed-role/<role>/<session>``.
"""

import re
from typing import Any

from local.differences.upstream import upstream

_SESSION = re.compile(r"arn:([a-z-]+):sts::(\d{12}):assumed-role/([^/]+)/.+")


def restore() -> None:
    """Say the role where the session is asked for."""
    evaluator = upstream("core.iam_evaluator")
    theirs = evaluator._resolve_condition_key

    def resolve(key: str, context: Any) -> Any:
        found = theirs(key, context)
        session = _SESSION.fullmatch(str(found)) if key.casefold() == "aws:principalarn" else None
        return role_arn(*session.groups()) if session else found

    evaluator._resolve_condition_key = resolve


def role_arn(partition: str, account: str, name: str) -> str:
    """The role's own ARN, which knows its path; one without, if there is no such role."""
    role = upstream("services.iam")._roles.get_scoped(account, None, name) or {}
    return str(role.get("Arn") or f"arn:{partition}:iam::{account}:role/{name}")
