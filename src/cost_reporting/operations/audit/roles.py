"""The stack's roles: what they allow, who may assume them, and what of it is used."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from cost_reporting import aws
from cost_reporting.audit import Finding, finding, listed, statements, too_much, trusted
from cost_reporting.operations.audit.scope import NotLookedAt, Scope
from cost_reporting.store.translation import translated

KNOWN: Final = frozenset({"AWSLambdaBasicExecutionRole", "AWSXrayWriteOnlyAccess", "AWSXRayDaemonWriteAccess"})
"""AWS's own policies that SAM attaches: writing logs and traces."""
A_CYCLE: Final = timedelta(days=35)
"""What a month uses cannot be told of a role that is younger."""
TRIES: Final = 30


def policies(scope: Scope) -> Iterator[Finding]:
    """Wildcards of actions and resources, in the policies as they are now."""
    documents = 0
    for role in scope.physical("AWS::IAM::Role"):
        for document in _documents(role):
            documents += 1
            yield from too_much(role, document)
    scope.note(f"{documents} policies of {len(scope.physical('AWS::IAM::Role'))} roles read")


def trust(scope: Scope) -> Iterator[Finding]:
    """Who may assume the roles beside the services and this account."""
    for role in scope.physical("AWS::IAM::Role"):
        with translated(f"read the role {role}"):
            document = aws.client("iam").get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
        yield from trusted(role, document, scope.account)


def used(scope: Scope) -> Iterator[Finding]:
    """Services that a role allows and that it has not called in the time that IAM remembers."""
    iam, judged, young = aws.client("iam"), 0, 0
    for name in scope.physical("AWS::IAM::Role"):
        with translated(f"read the role {name}"):
            role = iam.get_role(RoleName=name)["Role"]
        if scope.now - role["CreateDate"] < A_CYCLE:
            young += 1
            continue
        allowed = {
            action.partition(":")[0]
            for document in _documents(name)
            for statement in statements(document)
            for action in listed(statement.get("Action"))
        }
        last = _last_used(role["Arn"], scope)
        if allowed and not last:
            raise NotLookedAt(f"IAM remembers nothing of {name}: this account keeps no record of what roles use")
        judged += 1
        for service in sorted(allowed & set(last)):
            if not last[service]:
                yield finding(
                    f"IAM-UNUSED:{service}",
                    "low",
                    name,
                    f"allows {service}, which it has not called in the time that IAM remembers",
                    "Remove it from the template if no monthly run needs it.",
                )
    if not judged:
        raise NotLookedAt(f"{young} roles are younger than {A_CYCLE.days} days, so a month's use cannot be told yet")
    scope.note(f"{judged} roles judged, {young} too young")


def _last_used(arn: str, scope: Scope) -> dict[str, bool]:
    """Whether each service that a role allows was ever called, as far as IAM remembers."""
    iam = aws.client("iam")
    with translated("ask IAM what a role uses"):
        job = iam.generate_service_last_accessed_details(Arn=arn)["JobId"]
        for _ in range(TRIES):
            answer = iam.get_service_last_accessed_details(JobId=job)
            if answer["JobStatus"] != "IN_PROGRESS":
                break
            scope.wait(1)
    if answer["JobStatus"] != "COMPLETED":
        raise NotLookedAt(f"IAM did not say what {arn} uses: {answer['JobStatus']}")
    return {each["ServiceNamespace"]: "LastAuthenticated" in each for each in answer["ServicesLastAccessed"]}


def _documents(role: str) -> Iterator[Any]:
    """Every policy of a role, but for those of AWS that only write logs and traces."""
    iam = aws.client("iam")
    with translated(f"read the policies of {role}"):
        for page in iam.get_paginator("list_role_policies").paginate(RoleName=role):
            for name in page["PolicyNames"]:
                yield iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for attached in iam.get_paginator("list_attached_role_policies").paginate(RoleName=role):
            for policy in attached["AttachedPolicies"]:
                if policy["PolicyName"] not in KNOWN:
                    arn = policy["PolicyArn"]
                    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
                    yield iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
