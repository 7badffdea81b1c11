"""The files of an onboarding: the client's template, what to do with it, and the access part of its record."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import _console
import _files
import _records
from _console import WrongInput
from _deployment import Deployment
from cost_reporting import records, wiring
from cost_reporting.operations.clients import onboarding, removing
from cost_reporting.operations.clients.changing import Author
from cost_reporting.sources.access import ourselves
from cost_reporting.store.links import signed
from cost_reporting.store.objects import ObjectStore
from cost_reporting.store.onboardings import OnboardingStore
from cost_reporting.store.records import RecordStore


def onboard(
    client_id: str,
    account: str | None,
    *,
    output_dir: Path,
    config: Path | None,
    operators: Sequence[str],
    new: bool,
    hours: int,
    as_json: bool,
    deployment: Deployment,
) -> None:
    """Agree, write the files, store the template, and say where they are. Nothing printed holds the ExternalId."""
    _require(client_id, account, operators, deployment)
    document = _config(config, client_id)
    who = ourselves()
    with _records.asked("See --help; `history` and `export` show what there is."):
        agreed = onboarding.agree(
            client_id,
            account,
            role_name=deployment.reader_role_name,
            readers=(onboarding.reader_of(deployment.fetch_costs_role_arn),),
            operators=operators or onboarding.principals_of(who),
            new=new,
            records=RecordStore(deployment.clients_table, deployment.outcomes_table),
            onboardings=OnboardingStore(deployment.outcomes_table),
            author=Author(who=who, at=wiring.now()),
        )
    access = agreed.onboarding.access.model_dump()
    key = f"onboarding/{client_id}/{onboarding.TEMPLATE}"
    ObjectStore(deployment.bucket).put(key, agreed.template.encode(), "application/json")
    link = onboarding.quick_create(
        signed(deployment.bucket, key, seconds=hours * 3600), f"{deployment.prefix or 'cost-reporting'}-reader"
    )
    files = {
        onboarding.TEMPLATE: agreed.template,
        "instructions.txt": onboarding.instructions(agreed, link),
        "access.json": json.dumps(access, indent=2) + "\n",
    }
    try:
        _files.make_folder(output_dir)
    except OSError as fault:
        raise WrongInput(f"--output-dir: {output_dir}: {fault.strerror}.", remedy="Give another folder.") from None
    for name, text in files.items():
        _records.write(output_dir / name, text.encode(), "--output-dir", replace=True)
    if config is not None and document is not None:
        record = document | {"access": access}
        record.setdefault("approve_first", records.SAMPLE["approve_first"])
        text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
        _records.write(config, text.encode(), "--config", replace=True)
        _console.tell(f"The access part is written into {config}.")
    if link is None:
        _console.tell(
            f"No quick-create link: signed by these credentials it has more than {onboarding.LONGEST_URL} characters, "
            "which CloudFormation does not take. The client uploads the template instead.",
            "yellow",
        )
    else:
        _console.tell(f"The link ends after {hours} hours, or with the session of your credentials, and was not tried.")
    if as_json:
        _console.answer(
            {
                "status": "done",
                "client_id": client_id,
                "role_arn": access["role_arn"],
                "agreed_at": agreed.onboarding.at.isoformat(),
                "operators": list(agreed.onboarding.operators),
                "files": [str(output_dir / name) for name in files],
                "template": f"s3://{deployment.bucket}/{key}",
                "link": link,
            }
        )
        return
    for name in files:
        print(output_dir / name)
    if link:
        print(link)


def _require(client_id: str, account: str | None, operators: Sequence[str], deployment: Deployment) -> None:
    if not removing.folders(client_id):
        raise WrongInput(f"--client-id: {records.printable(client_id)} cannot be a client's id.",
                         remedy="Use small letters, digits and hyphens.")  # fmt: skip
    if account is not None and not re.fullmatch(r"[0-9]{12}", account):
        raise WrongInput("--account: expected 12 digits.", remedy="Ask the client for its account's id.")
    for each in operators:
        if not re.fullmatch(r"arn:aws[a-z-]*:iam::[0-9]{12}:(root|(role|user)/[A-Za-z0-9_+=,.@/*-]+)", each):
            remedy = "Write it like arn:aws:iam::123456789012:role/operators."
            raise WrongInput(f"--operator: {records.printable(each)} is no ARN of a role or user.", remedy=remedy)
    if not deployment.reader_role_name or not deployment.fetch_costs_role_arn:
        raise WrongInput(
            f"--stack-name: {deployment.name} does not say who reads costs (FetchCostsRoleArn, ReaderRoleName).",
            remedy="Name the stack, and deploy this version of it first.",
        )


def _config(config: Path | None, client_id: str) -> dict[str, object] | None:
    """The file that the access part goes into, sound or not yet."""
    if config is None:
        return None
    found = _records.parsed(config)
    if found.get("client_id") not in (client_id, records.PLACEHOLDERS["client_id"]):
        raise WrongInput(f"--config: {config} is another client's record.", remedy="Name the client's own file.")
    return found
