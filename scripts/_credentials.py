"""What the commands about clients' credentials share: their parts, and the files for a client."""

import json
import logging
import re
import time
from pathlib import Path

import _console
import _files
from _console import Failed
from _deployment import Deployment
from cost_reporting import wiring
from cost_reporting.clients import RoleAccess
from cost_reporting.credentials import CredentialAge
from cost_reporting.errors import CostReportingError
from cost_reporting.operations.clients.onboarding import principals_of, reader_of, template
from cost_reporting.operations.rotate_credentials import Desk, Ended
from cost_reporting.operations.rotate_external_id import ExternalIdTurn
from cost_reporting.records import printable
from cost_reporting.sources.access import ourselves
from cost_reporting.store.clients import ClientStore
from cost_reporting.store.onboardings import OnboardingStore
from cost_reporting.store.records import RecordStore
from cost_reporting.store.rotations import RotationStore
from cost_reporting.store.secrets import SecretStore

OUT = Path("out/credentials")
OURS = re.compile(r"reader-role\.json|trust-policy\.json")
_TODO = {
    "add": "Ask the client to update its role: with {template} (CloudFormation), or with\n"
    "  aws iam update-assume-role-policy --role-name {name} --policy-document file://{trust}\n"
    "The role then accepts the old and the new ExternalId. After that, start the same command again.",
    "drop": "Ask the client to drop the old ExternalId, in the same way: {template} or {trust}.\n"
    "After that, start the same command again: it looks whether the old one is refused.",
}


def desk(deployment: Deployment) -> Desk:
    """What a rotation works with, in ``deployment``."""
    logging.getLogger("cost_reporting").addHandler(logging.NullHandler())
    return Desk(
        records=RecordStore(deployment.clients_table, deployment.outcomes_table),
        secrets=SecretStore(),
        journal=RotationStore(deployment.outcomes_table),
        now=wiring.now,
        wait=time.sleep,
        say=_console.tell,
        who=ourselves,
    )


def client_ids(clients: ClientStore) -> list[str]:
    """Every id in the clients table, in order."""
    return sorted(str(row.get("client_id")) for row in clients.rows())


def named(each: CredentialAge | Ended) -> str:
    """The client, or ``acme/Lab`` for a further account of its own."""
    return each.client_id if each.account is None else f"{each.client_id}/{printable(each.account)}"


def hand_out(turn: ExternalIdTurn, out: Path, deployment: Deployment) -> tuple[Path, str]:
    """Write what the client needs into a folder of its own. Returns the folder and what to do with it.

    The trust stays as narrow as onboarding made it: the function that fetches costs, and the operators agreed on.
    """
    if not deployment.fetch_costs_role_arn:
        raise Failed(
            f"{deployment.name} does not say who reads costs (FetchCostsRoleArn).", remedy="Name it with --stack-name."
        )
    known = OnboardingStore(deployment.outcomes_table).find(turn.client_id)
    operators = known.operators if known is not None else principals_of(ourselves())
    access = RoleAccess(kind="role", role_arn=turn.role_arn, external_id=turn.accepts[0])
    principals = (reader_of(deployment.fetch_costs_role_arn), *operators)
    whole = json.loads(template(access, principals, external_ids=turn.accepts[1:]))
    (role,) = whole["Resources"].values()
    folder = out / turn.client_id
    if turn.account is not None:
        folder /= turn.role_arn.split(":")[4]
    documents = {"reader-role.json": whole, "trust-policy.json": role["Properties"]["AssumeRolePolicyDocument"]}
    try:
        files = {name: json.dumps(each, indent=2).encode() for name, each in documents.items()}
        _files.write_folder(folder, files, ours=OURS)
    except OSError as fault:
        raise Failed(
            f"{fault.filename or folder}: {fault.strerror}.", remedy="Give another folder with --out, and start again."
        ) from None
    name = turn.role_arn.rpartition("/")[2]
    todo = _TODO[turn.phase].format(template=folder / "reader-role.json", trust=folder / "trust-policy.json", name=name)
    return folder, todo


def told(ended: Ended, out: Path, deployment: Deployment) -> dict[str, object]:
    """Say how a client's rotation ended, and return the same for machines. No ExternalId is in either."""
    todo: dict[str, object] = {}
    if ended.turn is not None:
        try:
            folder, text = hand_out(ended.turn, out, deployment)
            todo = {"phase": ended.turn.phase, "folder": str(folder), "todo": text}
        except (Failed, CostReportingError) as fault:
            ended = ended.model_copy(update={"status": "failed", "detail": str(fault), "remedy": fault.remedy})
    said: dict[str, object] = ended.model_dump(mode="json", exclude={"turn"}, exclude_none=True)
    style = {"failed": "red", "waiting": "yellow"}.get(ended.status, "")
    _console.tell(f"{named(ended)}: {ended.status}: {ended.detail}", style)
    if ended.remedy:
        _console.tell(f"  {ended.remedy}")
    if todo:
        _console.tell(str(todo["todo"]))
    return said | todo
