"""Which deployment a command talks to, and what its parts are called.

The first of these that is given:

1. ``--stack-name``: the outputs of that CloudFormation stack, in the account and region of the AWS configuration;
2. the environment of a function: CLIENTS_TABLE, BUCKET and the others;
3. STACK_NAME in the environment, as `out/local.env` sets it: as 1;
4. ``out/local.env``, if `make local-up` has left one: the emulated account.

There is no guess beyond that: a command never turns to AWS because nothing else was said.
"""

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from _console import Failed, WrongInput
from cost_reporting.domain.recipients import PARAMETER, domains

LOCAL_ENV = Path(__file__).resolve().parent.parent / os.environ.get("LOCAL_DIR", "out/local")
_PARTS = {
    "CLIENTS_TABLE": "ClientsTableName",
    "OUTCOMES_TABLE": "OutcomesTableName",
    "BUCKET": "BucketName",
    "SENDER": "SenderAddress",
    "CONFIGURATION_SET": "ConfigurationSetName",
    "TIME_ZONE": "TimeZone",
}
"""Each variable, with the stack's output or parameter that it stands for."""
_MORE = {
    "STATE_MACHINE_ARN": "StateMachineArn",
    "PREFIX": "Prefix",
    "READER_ROLE_NAME": "ReaderRoleName",
    "FETCH_COSTS_ROLE_ARN": "FetchCostsRoleArn",
    "ALERTS_TOPIC_ARN": "AlertsTopicArn",
    "OPERATORS": "Operators",
    "TEST_RECIPIENT_DOMAINS": PARAMETER,
}
"""The same, of what only some commands need: empty where nothing says it."""


@dataclass(frozen=True)
class Deployment:
    """A deployment: what it is called in a sentence, and what its parts are called."""

    name: str
    clients_table: str
    outcomes_table: str
    bucket: str
    sender: str
    configuration_set: str
    time_zone: str
    state_machine_arn: str = ""
    prefix: str = ""
    reader_role_name: str = ""
    fetch_costs_role_arn: str = ""
    alerts_topic_arn: str = ""
    operators: str = ""
    test_recipient_domains: str = ""

    @property
    def test_domains(self) -> frozenset[str]:
        """The domains to which anybody's report may be mailed as a test; none, if nothing says which."""
        return domains(self.test_recipient_domains, self.operators)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which a run decides which period is over."""
        return ZoneInfo(self.time_zone)

    @classmethod
    def of(cls, name: str, names: Mapping[str, str]) -> "Deployment":
        """From ``names`` by variable; all of ``_PARTS`` are there."""
        more = {variable.lower(): names.get(variable, "") for variable in _MORE}
        return cls(name, **{variable.lower(): names[variable] for variable in _PARTS}, **more)


def is_given(stack_name: str | None) -> bool:
    """Whether a deployment is named, by an option or by the environment; the local one is not."""
    return bool(stack_name or os.environ.get("STACK_NAME") or all(map(os.environ.get, _PARTS)))


def find_any(stack_name: str | None) -> Deployment | None:
    """The deployment that is meant, or None if none is named and none answers on this machine."""
    if is_given(stack_name):
        return find(stack_name)
    try:
        return find(None)
    except (Failed, WrongInput):
        return None


def find(stack_name: str | None) -> Deployment:
    """The deployment that is meant. Raises WrongInput if none is, Failed if it is out of reach."""
    local_env = LOCAL_ENV.with_suffix(".env")
    if stack_name is None and all(map(os.environ.get, _PARTS)):
        _usable("the deployment that the environment names")
        return Deployment.of("the deployment that the environment names", os.environ)
    stack_name = stack_name or os.environ.get("STACK_NAME")
    if stack_name is None:
        if not local_env.exists():
            raise WrongInput(
                "--stack-name: nothing says which deployment is meant.",
                remedy="Name the stack (`--stack-name cost-reporting`), start the local one (`make local-up`), "
                "or give stored costs (`--from-file costs.json`).",
            )
        _read(local_env)
        stack_name = os.environ["STACK_NAME"]
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    where = f" at {endpoint}" if endpoint else ""
    return _of_stack(stack_name, where)


def _read(env_file: Path) -> None:
    """Take over the variables that the local stack has left, and nothing of this machine's own AWS configuration."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        os.environ.pop(name, None)
    os.environ |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    for line in env_file.read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition("=")
        os.environ[name] = "".join(shlex.split(value))


def _of_stack(name: str, where: str) -> Deployment:
    _usable(f"stack {name}")
    config = Config(retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=5, read_timeout=20)
    try:
        (stack,) = boto3.client("cloudformation", config=config).describe_stacks(StackName=name)["Stacks"]
    except ClientError as refused:
        code = refused.response.get("Error", {}).get("Code", "")
        if code == "ValidationError":
            raise WrongInput(
                f"--stack-name: there is no stack {name}{where or ' in this account and region'}.",
                remedy="Compare the name with `aws cloudformation list-stacks`, and AWS_REGION with where it is.",
            ) from None
        raise Failed(
            f"CloudFormation does not describe stack {name}{where}: {code}.",
            remedy="Let your credentials call cloudformation:DescribeStacks.",
        ) from None
    except BotoCoreError as none:
        raise Failed(
            f"CloudFormation does not answer for stack {name}{where}: {type(none).__name__}.",
            remedy="Run `make local-up` again." if where else "Look at the network and at AWS_REGION.",
        ) from None
    known = _named(stack.get("Parameters", []), "Parameter") | _named(stack.get("Outputs", []), "Output")
    missing = ", ".join(key for key in _PARTS.values() if not known.get(key))
    if missing:
        raise WrongInput(
            f"--stack-name: stack {name} has no {missing}.", remedy="Name a stack that was deployed from this template."
        )
    names = {variable: known.get(key, "") for variable, key in (_PARTS | _MORE).items()}
    return Deployment.of(f"stack {name}{where}", names)


def _named(pairs: Any, kind: str) -> dict[str, str]:
    return {pair[f"{kind}Key"]: pair.get(f"{kind}Value", "") for pair in pairs}


def _usable(what: str) -> None:
    """Refuse to begin without a region and credentials: every later failure would be a riddle."""
    try:
        session = boto3.Session()
        lacks = "" if session.get_credentials() else "AWS_PROFILE"
        lacks = lacks if session.region_name else "AWS_REGION"
    except BotoCoreError as fault:
        raise WrongInput(f"AWS_PROFILE: {fault}", remedy="Name a profile of your AWS configuration.") from None
    if lacks:
        missing = "a region" if lacks == "AWS_REGION" else "credentials"
        raise WrongInput(f"{lacks}: {what} cannot be reached without {missing}.", remedy=f"Set {lacks}.")
