"""Onboard: the role that a client creates for us, as a CloudFormation template, and the access that goes with it.

The trust names our account and not a role in it, since IAM turns a role's ARN into an id that dies with the role: a
function deployed anew would be locked out by every client. Two conditions do what the name would have done. The
ExternalId is the client's own, so that nobody can have us read another's account; and of our account only those get in
whose ARN fits: the function that fetches costs, by the name that its stack gives it, and the operators who validate.
"""

import json
import re
import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final
from urllib.parse import quote, urlencode

from cost_reporting.clients import RoleAccess
from cost_reporting.contracts import Fact
from cost_reporting.errors import AccountTaken, ClientChanged, InvalidRequest
from cost_reporting.operations.clients.changing import Author
from cost_reporting.operations.clients.ownership import breaches
from cost_reporting.operations.owned_accounts import FIELDS
from cost_reporting.records import faults_of
from cost_reporting.sources.cost_explorer.permissions import ACTIONS
from cost_reporting.store.onboardings import Onboarding, OnboardingStore
from cost_reporting.store.records import RecordStore

TEMPLATE: Final = "cost-reporting-reader.template.json"
EXTERNAL_ID_BYTES: Final = 32
LONGEST_URL: Final = 1024
"""Characters of a template's address (CloudFormation User Guide, "Selecting a stack template")."""
REGION: Final = "us-east-1"
"""Roles are in no region; the stack has to be in one."""


class Agreed(Fact):
    """The access that the client is to set up, and the template that does."""

    onboarding: Onboarding
    template: str


def external_id() -> str:
    """A new ExternalId: 256 bits from the operating system, in letters that every tool takes."""
    return secrets.token_hex(EXTERNAL_ID_BYTES)


def agree(
    client_id: str,
    account: str | None,
    *,
    role_name: str,
    readers: Sequence[str],
    operators: Sequence[str],
    new: bool,
    records: RecordStore,
    onboardings: OnboardingStore,
    author: Author,
    make: Callable[[], str] = external_id,
) -> Agreed:
    """What was agreed with the client, or a new agreement; the same however often it is asked for, unless ``new``.

    ``readers`` are ARN patterns of the function's role, ``operators`` of who else may use the access. A client that has
    a record keeps the access of its record.

    The account becomes the client's with the agreement. Raises InvalidRequest naming the option, AccountTaken if the
    account is another client's that does not name this one in shared_with, or ClientChanged if another operator agrees
    on something at this moment.
    """
    access = _of_record(client_id, records, new=new)
    known = onboardings.find(client_id)
    if access is None and known is not None and not new:
        access = known.access
    made_at = known.made_at if known is not None and access == known.access else None
    if access is not None and account not in (None, access.role_arn.split(":")[4]):
        raise InvalidRequest(f"account: {client_id} is onboarded for account {access.role_arn.split(':')[4]}")
    if access is None:
        if account is None:
            raise InvalidRequest("account: in which account shall the client create the role?")
        role_arn = f"arn:aws:iam::{account}:role/{role_name}"
        access, made_at = RoleAccess(kind="role", role_arn=role_arn, external_id=make()), author.at
        _require_free(client_id, access, records)
    allowed = tuple(sorted({*operators, *(known.operators if known is not None else ())}))
    onboarding = Onboarding(
        client_id=client_id, access=access, operators=allowed, who=author.who, at=author.at, made_at=made_at
    )
    same = known is not None and (known.access, known.operators) == (access, allowed)
    if known is not None and same:
        onboarding = known
    elif not onboardings.write(onboarding, replacing=known):
        raise ClientChanged(f"{client_id}: somebody else is onboarding the client at this moment")
    return Agreed(onboarding=onboarding, template=template(access, (*readers, *allowed)))


def _require_free(client_id: str, access: RoleAccess, records: RecordStore) -> None:
    """There is no record yet that could name the others; `add` asks it for that."""
    wanted = {"client_id": client_id, "access": access.model_dump()}
    found = breaches([wanted], records.clients.rows(*FIELDS), records.accounts).get(client_id, ())
    if taken := [each.said for each in found if not each.named]:
        raise AccountTaken(f"{client_id}: account: {'; '.join(taken)}")


def _of_record(client_id: str, records: RecordStore, *, new: bool) -> RoleAccess | None:
    row = records.find(client_id)
    if row is None or any(fault.field.startswith("access") for fault in faults_of(row)):
        return None
    if row["access"]["kind"] == "secret":
        raise InvalidRequest("client_id: this client is read with access keys; give its record a role first")
    if new:
        raise InvalidRequest("new: the client has a record, whose ExternalId is in use")
    return RoleAccess.model_validate(row["access"])


def template(access: RoleAccess, principals: Iterable[str], *, external_ids: Sequence[str] = ()) -> str:
    """The CloudFormation template of the client's role, as JSON.

    ``principals`` are ARN patterns of our account. ``external_ids`` are further ones that the trust takes for a while.
    """
    allowed = sorted(set(principals))
    account = {principal.split(":")[4] for principal in allowed}
    if len(account) != 1:
        raise InvalidRequest("operator: all who may use the role have to be of one account")
    partition = access.role_arn.split(":")[1]
    *path, name = access.role_arn.partition(":role/")[2].split("/")
    ids = [access.external_id, *external_ids]
    role: dict[str, Any] = {
        "RoleName": name,
        **({"Path": f"/{'/'.join(path)}/"} if path else {}),
        "Description": "Lets our cost reporting read this account's costs, and nothing else.",
        "MaxSessionDuration": 3600,
        "AssumeRolePolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:{partition}:iam::{account.pop()}:root"},
                    "Action": "sts:AssumeRole",
                    "Condition": {
                        "StringEquals": {"sts:ExternalId": ids[0] if len(ids) == 1 else ids},
                        "ArnLike": {"aws:PrincipalArn": allowed},
                    },
                }
            ],
        },
        "Policies": [
            {
                "PolicyName": "read-costs",
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{"Effect": "Allow", "Action": list(ACTIONS), "Resource": "*"}],
                },
            }
        ],
    }
    document = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "A role with which the costs of this account are read for its cost reports.",
        "Resources": {"CostReportingReader": {"Type": "AWS::IAM::Role", "Properties": role}},
        "Outputs": {"RoleArn": {"Value": {"Fn::GetAtt": ["CostReportingReader", "Arn"]}}},
    }
    return json.dumps(document, indent=2) + "\n"


def reader_of(role_arn: str) -> str:
    """The pattern of a role that CloudFormation has named, whatever it calls it when it makes it anew."""
    return re.sub(r"-[A-Za-z0-9]{8,16}$", "-*", role_arn)


def principals_of(caller: str) -> tuple[str, ...]:
    """ARN patterns of a caller as conditions see it: of a session, its role, whose path the session does not tell."""
    session = re.fullmatch(r"arn:([a-z-]+):sts::(\d{12}):assumed-role/([^/]+)/.+", caller)
    if session is None:
        return (caller,)
    partition, account, name = session.groups()
    return f"arn:{partition}:iam::{account}:role/{name}", f"arn:{partition}:iam::{account}:role/*/{name}"


def quick_create(template_url: str, stack_name: str) -> str | None:
    """A link to CloudFormation's page for a new stack; None if the template's address is too long for it."""
    if len(template_url) > LONGEST_URL:
        return None
    what = urlencode({"templateURL": template_url, "stackName": stack_name}, quote_via=quote)
    return f"https://console.aws.amazon.com/cloudformation/home?region={REGION}#/stacks/quickcreate?{what}"


def instructions(agreed: Agreed, link: str | None) -> str:
    """What the client has to do, in words for its administrator."""
    access = agreed.onboarding.access
    account = access.role_arn.split(":")[4]
    by_link = f"\nOr open this link, which works for some hours only:\n\n{link}\n" if link else ""
    return f"""How to let us read the costs of AWS account {account}

1. Open Cost Explorer once in the Billing console, if nobody has yet. Figures appear within 24 hours.
2. In CloudFormation, create a stack from {TEMPLATE}: "Upload a template file", any stack name, region {REGION},
   and tick that the stack creates an IAM role with a name of its own. With the AWS CLI:

       aws cloudformation deploy --region {REGION} --stack-name cost-reporting-reader \\
         --template-file {TEMPLATE} --capabilities CAPABILITY_NAMED_IAM
{by_link}
The stack makes one role, {access.role_arn}. It may read costs through Cost Explorer, AWS Billing and
Cost Optimization Hub ({len(ACTIONS)} actions, all of which read) and nothing else, and only we can use it, with the
ExternalId that the template holds. Deleting the stack ends it.
Each report asks Cost Explorer some questions, of which AWS bills one US cent each to this account.
"""
