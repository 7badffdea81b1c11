"""Which deployment a command talks to, what its parts are called, and the line that says so before anything is done.

The first of these that is given:

1. ``--local``: the emulated account that `make local-up` has described in ``out/local.env``, and nothing of the shell;
2. ``--stack-name``: the outputs of that CloudFormation stack, in the account and region of the AWS configuration;
3. STACK_NAME in the environment, or STACK, as docs/RUNBOOKS.md exports them: as 2;
4. the environment of a function: CLIENTS_TABLE, BUCKET and the others;
5. ``out/local.env`` unasked, but only where `aws` in the same shell would find no credentials either.

There is no guess beyond that: a command never turns to AWS because nothing else was said, and never to the emulator
where `aws` beside it acts on AWS. The region is AWS_REGION, then AWS_DEFAULT_REGION, then the profile's, as version 2
of the AWS CLI has it (AWS CLI User Guide, "Environment variables"); boto3 alone does not read AWS_REGION.
"""

import os
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import boto3
import botocore.session
import typer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

import _console
from _console import Failed, WrongInput
from cost_reporting import aws
from cost_reporting.domain.recipients import PARAMETER, domains
from cost_reporting.records import printable
from cost_reporting.sources.access import ourselves

StackName = Annotated[
    str | None,
    typer.Option("--stack-name", help="The deployed stack (default: STACK_NAME, or the local stack; see --local)."),
]

LOCAL_ENV = Path(__file__).resolve().parent.parent / os.environ.get("LOCAL_DIR", "out/local")
EC2: Final = Path("/sys/devices/virtual/dmi/id/board_asset_tag")
"""Holds the instance's id on EC2 (EC2 User Guide, "Detect whether a host is an EC2 instance")."""
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
_CREDENTIALS: Final = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
"""Variables that say whose credentials a shell uses (botocore/credentials.py, botocore/configprovider.py)."""
_SOURCES: Final = {
    "shared-credentials-file": "the default profile of the credentials file",
    "config-file": "the default profile of the AWS configuration",
    "assume-role": "the default profile's role",
    "assume-role-with-web-identity": "the default profile's role",
    "sso": "the default profile's single sign-on",
    "login": "the default profile's login",
    "custom-process": "the default profile's credential_process",
    "container-role": "the container's role",
    "iam-role": "the role of this EC2 instance",
}
"""Where botocore finds credentials that no variable names, by its name for it."""


@dataclass(frozen=True)
class Where:
    """An account and a region; ``endpoint`` is where AWS is asked, if that is not AWS itself."""

    account: str
    region: str
    endpoint: str = ""
    local_emulator: bool = False


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
    stack: str = ""

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
    """Whether a deployment is named, by an option or by the environment; the local one unasked is not."""
    return bool(_console.invocation.local or stack_name is not None or named() or all(map(os.environ.get, _PARTS)))


def find_any(stack_name: str | None) -> Deployment | None:
    """The deployment that is meant, or None if none is named and none answers on this machine."""
    if is_given(stack_name):
        return find(stack_name)
    try:
        return find(None)
    except (Failed, WrongInput):
        return None


def find(stack_name: str | None) -> Deployment:
    """The deployment that is meant, said on stderr. Raises WrongInput if none is, Failed if it is out of reach."""
    if stack_name is not None and not stack_name.strip():
        raise WrongInput("--stack-name: is empty.", remedy="Name the stack, or leave the option out.")
    if _console.invocation.local:
        there = _taken_from_local_env()
        return _of_stack(stack_name or there, is_local=True)
    if name := stack_name or named():
        return _of_stack(name)
    if all(map(os.environ.get, _PARTS)):
        return _of_environment()
    _refuse_the_local_stack_unasked()
    return _of_stack(_taken_from_local_env(), is_local=True)


def enter(stack_name: str | None) -> bool:
    """Take over the local stack's variables if it is meant, for a command that may come before there is a stack.

    Returns whether commands go to an emulator. Where `aws` in the same shell has other credentials, they do not.
    """
    file = _env_file()
    unasked = not (stack_name or named()) and file.exists() and not other_credentials(_variables(file))
    if _console.invocation.local or unasked:
        _taken_from_local_env()
    return bool(os.environ.get("AWS_ENDPOINT_URL"))


def named() -> str:
    """The stack that the environment names, if it does. Raises WrongInput if it names two."""
    names = [os.environ[variable] for variable in ("STACK_NAME", "STACK") if os.environ.get(variable)]
    if len(set(names)) > 1:
        raise WrongInput(
            f"STACK_NAME: is {names[0]}, and STACK is {names[1]}: they are to name one stack.",
            remedy=f"Set both alike: `export STACK_NAME={names[0]} STACK={names[0]}`.",
        )
    return names[0] if names else ""


def _refuse_the_local_stack_unasked() -> None:
    """Raise WrongInput if no local stack is there, or if `aws` in this shell would act on another account."""
    nothing = "--stack-name: nothing says which deployment is meant."
    how = "Name the stack (`--stack-name cost-reporting`, or `export STACK_NAME=cost-reporting`)"
    file = _env_file()
    if not file.exists():
        raise WrongInput(
            nothing,
            remedy=f"{how}, start the local one (`make local-up`), or give stored costs (`--from-file costs.json`).",
        )
    if whose := other_credentials(_variables(file)):
        raise WrongInput(
            f"{nothing} The local stack is not used unasked, because this shell has other credentials: {whose}.",
            remedy=f"{how}, or say --local for the local stack.",
        )


def other_credentials(known: Mapping[str, str]) -> str:
    """Whose credentials `aws` would use in this shell, in words; empty if it would find none but the ``known`` ones.

    As botocore looks for them, with one exception: the metadata service is asked only on EC2, since waiting for it
    elsewhere takes seconds. Nothing is sent with what is found.
    """
    variables = [name for name in _CREDENTIALS if os.environ.get(name)]
    if others := [name for name in variables if os.environ[name] != known.get(name)]:
        return others[0]
    if variables:
        return ""
    try:
        chain = botocore.session.get_session().get_component("credential_provider")
        if not _is_on_ec2():
            chain.remove("iam-role")
        credentials = chain.load_credentials()
    except Exception as fault:  # noqa: BLE001 - a credential_process may print anything
        return f"the AWS configuration, which does not work ({type(fault).__name__})"
    return _SOURCES.get(credentials.method, credentials.method) if credentials else ""


def _is_on_ec2() -> bool:
    try:
        return EC2.read_text(encoding="ascii").startswith("i-")
    except (OSError, ValueError):
        return False


def _env_file() -> Path:
    return LOCAL_ENV.with_suffix(".env")


def _variables(env_file: Path) -> dict[str, str]:
    """The variables that the local stack has left."""
    lines = env_file.read_text(encoding="utf-8").splitlines()
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {name: "".join(shlex.split(value)) for name, _, value in pairs}


def _taken_from_local_env() -> str:
    """Take over the variables that the local stack has left, and nothing of this machine's own AWS configuration.

    Returns the name of its stack.
    """
    file = _env_file()
    if not file.exists():
        raise WrongInput("--local: there is no local stack.", remedy="Start it with `make local-up`.")
    variables = _variables(file)
    if not (variables.get("AWS_ENDPOINT_URL") and variables.get("STACK_NAME")):
        raise Failed(f"{file} does not say where the local stack is.", remedy="Run `make local-up` again.")
    for name in [name for name in os.environ if name.startswith("AWS_")] + ["STACK", *_PARTS, *_MORE]:
        os.environ.pop(name, None)
    os.environ |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull} | variables
    return variables["STACK_NAME"]


def _of_environment() -> Deployment:
    """The deployment whose parts the environment names."""
    session = _usable("the deployment that the environment names")
    account = ourselves().split(":")[4]
    deployment = Deployment.of("the deployment that the environment names", os.environ)
    where = _where(session, account, is_local=False)
    _say(where, f"tables {deployment.clients_table} and {deployment.outcomes_table}")
    return deployment


def _of_stack(name: str, *, is_local: bool = False) -> Deployment:
    session = _usable(f"stack {name}")
    config = Config(retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=5, read_timeout=20)
    client = boto3.client("cloudformation", config=config)
    endpoint = _other_endpoint(client.meta.endpoint_url)
    at = f" at {endpoint}" if endpoint else ""
    region = str(session.region_name)
    try:
        (stack,) = client.describe_stacks(StackName=name)["Stacks"]
    except ClientError as refused:
        code = refused.response.get("Error", {}).get("Code", "")
        if code == "ValidationError":
            raise WrongInput(
                f"--stack-name: there is no stack {name}{at or ' in this account and region'}.",
                remedy=f"The region is {region}. Compare the name with "
                f"`aws cloudformation list-stacks --region {region}`, and AWS_REGION with where the stack is.",
            ) from None
        raise Failed(
            f"CloudFormation does not describe stack {name}{at}: {code}.",
            remedy="Let your credentials call cloudformation:DescribeStacks.",
        ) from None
    except BotoCoreError as none:
        raise Failed(
            f"CloudFormation does not answer for stack {name}{at}: {type(none).__name__}.",
            remedy="Run `make local-up` again."
            if endpoint
            else f"Look at the network, and whether {region} is a region of AWS.",
        ) from None
    known = _pairs(stack.get("Parameters", []), "Parameter") | _pairs(stack.get("Outputs", []), "Output")
    missing = ", ".join(key for key in _PARTS.values() if not known.get(key))
    if missing:
        raise WrongInput(
            f"--stack-name: stack {name} has no {missing}.", remedy="Name a stack that was deployed from this template."
        )
    names = {variable: known.get(key, "") for variable, key in (_PARTS | _MORE).items()}
    # arn:aws:cloudformation:<region>:<account>:stack/<name>/<id>; the model does not promise it.
    identity = str(stack.get("StackId") or "").split(":")
    account = identity[4] if len(identity) > 4 else ourselves().split(":")[4]
    deployment = replace(Deployment.of(f"stack {name}{at}", names), stack=str(stack.get("StackName") or name))
    where = _where(session, account, is_local=is_local, endpoint=endpoint)
    _say(where, f"stack {deployment.stack}", deployment.stack)
    return deployment


def _pairs(pairs: Any, kind: str) -> dict[str, str]:
    return {pair[f"{kind}Key"]: pair.get(f"{kind}Value", "") for pair in pairs}


def _where(session: boto3.Session, account: str, *, is_local: bool, endpoint: str | None = None) -> Where:
    if endpoint is None:
        endpoint = _other_endpoint(boto3.client("cloudformation").meta.endpoint_url)
    return Where(account, str(session.region_name), endpoint, is_local or _is_loopback(endpoint))


def here() -> Where:
    """The account and the region of this shell, said on stderr, for a command that needs no stack."""
    session = _usable("the account")
    where = _where(session, ourselves().split(":")[4], is_local=False)
    _say(where)
    return where


def _say(where: Where, what: str = "", stack: str = "") -> None:
    """One line on stderr before anything is done, and the same for machines in the answer."""
    said = f"{what and f'{what}, '}account {where.account}, region {where.region}"
    if where.endpoint:
        said = f"{'LOCAL EMULATOR' if where.local_emulator else 'ANOTHER ENDPOINT'} at {where.endpoint}: {said}"
    apart = [each for each in _service_endpoints() if each[0] == COST_EXPLORER and not _is_same(each[1], where)]
    said += "".join(f"; costs are asked for at {url}" for _, url in apart)
    _console.acts_on(said, {"stack": stack or None} | asdict(where))
    _refuse_a_mixture(where)


COST_EXPLORER: Final = "AWS_ENDPOINT_URL_COST_EXPLORER"
_AWS: Final = (".amazonaws.com", ".api.aws")
"""Domains of AWS's endpoints in its commercial partition (botocore/data/partitions.json)."""


def _refuse_a_mixture(where: Where) -> None:
    """Raise WrongInput if the endpoint of one service leads elsewhere than all others: to two deployments at once."""
    for name, url in _service_endpoints():
        if name != COST_EXPLORER and not _is_same(url, where):
            raise WrongInput(
                f"{name}: leads to {url}, and all else to {where.endpoint or 'AWS'}.", remedy=f"Run `unset {name}`."
            )


def _service_endpoints() -> list[tuple[str, str]]:
    if os.environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").casefold() == "true":
        return []
    return [(name, url) for name, url in sorted(os.environ.items()) if name.startswith("AWS_ENDPOINT_URL_") and url]


def _is_same(url: str, where: Where) -> bool:
    """Whether an endpoint is in the same place: AWS's own, or the same host."""
    other = _other_endpoint(url)
    return urlsplit(other).netloc == urlsplit(where.endpoint).netloc if other else not where.endpoint


def _other_endpoint(url: str) -> str:
    """The endpoint, if it is not AWS's own; an endpoint in a VPC is AWS's own."""
    return "" if (urlsplit(url).hostname or "").endswith(_AWS) else url


def _is_loopback(endpoint: str) -> bool:
    host = urlsplit(endpoint).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _usable(what: str) -> boto3.Session:
    """Refuse to begin without a region and credentials: every later failure would be a riddle."""
    aws.use_region()
    try:
        session = boto3.Session()
        has_credentials = session.get_credentials() is not None
    except Exception as fault:  # noqa: BLE001 - a credential_process may print anything
        raise WrongInput(f"AWS_PROFILE: {fault}", remedy="Name a profile of your AWS configuration.") from None
    if not session.region_name:
        raise WrongInput(
            f"AWS_REGION: {what} cannot be reached without a region: neither AWS_REGION nor AWS_DEFAULT_REGION is set, "
            f"and the profile {session.profile_name} names none.",
            remedy="Say where the stack is, to version 1 of the AWS CLI as well, which reads only the second: "
            "`export AWS_REGION=eu-central-1 AWS_DEFAULT_REGION=eu-central-1`.",
        )
    if not has_credentials:
        raise WrongInput(
            f"AWS_PROFILE: {what} cannot be reached without credentials.",
            remedy="Set AWS_PROFILE, or say --local for the local stack.",
        )
    require_commercial()
    return session


def require_commercial() -> None:
    """Raise WrongInput for a region in another partition than ``aws``, or in none that is known."""
    aws.use_region()
    region = aws.region()
    if not region:
        return
    partition = aws.partition_of(region)
    if partition is None:
        raise WrongInput(
            f"AWS_REGION: {printable(region)} is no region of AWS.",
            remedy="Correct it, for example `export AWS_REGION=eu-central-1 AWS_DEFAULT_REGION=eu-central-1`.",
        )
    if partition != aws.COMMERCIAL:
        raise WrongInput(
            f"AWS_REGION: {region} is in the partition {partition}; this system works in the commercial partition, "
            f"{aws.COMMERCIAL}, only.",
            remedy="Use a region and an account of the commercial partition; README says why.",
        )
