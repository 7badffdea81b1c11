"""Is everything in order around `sam deploy`? Each check with its fact, and after a fault the command that mends it."""

import _console

# isort: split
import os
import sys
from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

import boto3
import typer
from botocore.exceptions import BotoCoreError

import _deployment
import _layers
import _template
from _console import Failed, WrongInput
from cost_reporting import wiring
from cost_reporting.domain.readiness import Verdict, fault, ok, unknown
from cost_reporting.domain.templates import Template
from cost_reporting.errors import CostReportingError, StoreRefused
from cost_reporting.operations.preflight import Place, after, before
from cost_reporting.store.parts import Caller, read_caller
from cost_reporting.store.stacks import Described, Stack, describe_stack, read_stack

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

BEFORE = (
    *("mail account", "sending quota", "sender", "DKIM", "Lambda concurrency", "Step Functions", "Cost Explorer"),
    *("bucket", "layers"),
)
AFTER = (*BEFORE, "alerts", "alarms", "schedules")
"""What is checked once region and credentials are in order."""


@app.command(help=__doc__)
def preflight(
    ahead: Annotated[bool, typer.Option("--before", help="Before `sam deploy`: what it needs to go well.")] = False,
    since: Annotated[
        bool, typer.Option("--after", help="After `sam deploy`: whether the stack works, and is heard.")
    ] = False,
    parameter_overrides: Annotated[
        str, typer.Option(help="As for `sam deploy`: Name=value, one after the other. With --before.")
    ] = "",
    config_env: Annotated[
        str | None, typer.Option(help="The environment of samconfig.toml; `default`, or `local` for the local stack.")
    ] = None,
    paid: Annotated[bool, typer.Option("--paid", help="Ask Cost Explorer one question, for USD 0.01.")] = False,
    stack_name: Annotated[
        str | None, typer.Option(help="The stack (default: STACK_NAME, the local one, or that of samconfig.toml).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer with one JSON object.")] = False,
) -> int:
    """Read what a deployment needs and change nothing. With neither --before nor --after: after, if there is the stack.

    Exit codes: 0 no fault, 1 a fault, 2 wrong input. What could not be looked at is named and never in order.
    """
    if ahead and since:
        raise WrongInput("--before: goes without --after.", remedy="Name one of the two, or none.")
    given = _template.overrides(parameter_overrides, "--parameter-overrides")
    body = _template.body()
    _template.values(body, ("--parameter-overrides", given))
    local = _deployment.enter(stack_name)
    environment = config_env or ("local" if local else "default")
    said = _template.configured(environment)
    name = stack_name or _deployment.named() or str(said.get("stack_name") or "cost-reporting")
    asked = "before" if ahead else "after" if since else ""
    region, verdicts = _region(said)
    caller: Caller | None = None
    if region is not None:
        caller, verdict = _caller()
        verdicts.append(verdict)
    if caller is None or region is None:
        when = asked or "before"
        missing = "no region" if region is None else "no credentials that AWS takes"
        verdicts += [unknown(check, missing) for check in (BEFORE if when == "before" else AFTER)]
        return _answered(verdicts, when, name, as_json=as_json)
    described = _described(name, asked)
    where = f"account {caller.account}, {region}"
    if asked == "after" and described is None:
        raise WrongInput(
            f"--after: there is no stack {name} in {where}.", remedy="Name another stack with --stack-name."
        )
    when = asked or ("before" if described is None else "after")
    if when == "after" and given:
        raise WrongInput("--parameter-overrides: the stack has its own.", remedy="Say --before, or leave it out.")
    _console.acts_on(
        _says(when, name, described, where, asked=bool(asked)),
        {"stack": name, "account": caller.account, "region": region, "local_emulator": local},
    )
    deployed = dict(described.parameters) if isinstance(described, Described) else {}
    parameters = deployed
    if when == "before":
        known = {each: value for each, value in deployed.items() if each in body.get("Parameters", {})}
        configured = _template.overrides(said.get("parameter_overrides", ""), "samconfig.toml")
        parameters = _template.values(
            body,
            ("the stack's parameters", known),
            (f"samconfig.toml: {environment}", configured),
            ("--parameter-overrides", given),
        )
    place = Place(
        caller=caller,
        region=region,
        find_stack=partial(_stack, described),
        template=Template(
            body=body,
            parameters=parameters,
            pseudo={"AWS::Partition": "aws", "AWS::Region": region, "AWS::AccountId": caller.account},
        ),
        layers=partial(_built, parameters.get("Architecture", "x86_64"), local=local),
        today=wiring.now().date(),
        stack_name=name,
        paid=paid,
    )
    verdicts += list((before if when == "before" else after)(place))
    return _answered(verdicts, when, name, as_json=as_json)


def _answered(verdicts: list[Verdict], when: str, name: str, *, as_json: bool) -> int:
    faults = sum(each.state == "fault" for each in verdicts)
    if as_json:
        checks = [each.model_dump(exclude={"about"}) for each in verdicts]
        _console.answer({"status": "faults" if faults else "done", "when": when, "stack": name, "checks": checks})
    else:
        for each in verdicts:
            print(f"{each.state}: {each.check}: {each.fact}")
            if each.fix:
                print(f"    fix: {each.fix}")
    return 1 if faults else 0


def _region(said: dict[str, Any]) -> tuple[str | None, list[Verdict]]:
    """The region in which sam, aws and this command act: AWS_REGION, AWS_DEFAULT_REGION, or the profile's."""
    check, ours, theirs = "region", os.environ.get("AWS_REGION", ""), os.environ.get("AWS_DEFAULT_REGION", "")
    if ours and theirs and ours != theirs:
        fact = f"AWS_REGION is {ours} and AWS_DEFAULT_REGION is {theirs}: not every tool reads the same one"
        return None, [fault(check, fact, f"export AWS_REGION={ours} AWS_DEFAULT_REGION={ours}")]
    try:
        name = ours or theirs or boto3.Session().region_name or ""
    except BotoCoreError as wrong:
        return None, [
            fault(check, str(wrong), "export AWS_PROFILE=default  # or another one of `aws configure list-profiles`")
        ]
    if not name:
        return None, [
            fault(check, "nothing names a region", "export AWS_REGION=eu-central-1 AWS_DEFAULT_REGION=eu-central-1")
        ]
    os.environ["AWS_DEFAULT_REGION"] = name  # boto3 reads this one alone
    said_by = "AWS_REGION" if ours else "AWS_DEFAULT_REGION" if theirs else "the profile"
    wrong_place = _wrong_place(name, said_by, str(said.get("region", "")))
    if wrong_place is not None:
        return None, [wrong_place]
    if name not in boto3.Session().get_available_regions("sesv2"):
        return name, [unknown(check, f"{name}: botocore's list of regions with SES does not have it")]
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    where = f", LOCAL EMULATOR at {endpoint}" if endpoint else ""
    return name, [ok(check, f"{name}, by {said_by}{where}")]


def _wrong_place(name: str, said_by: str, configured: str) -> Verdict | None:
    partition = boto3.Session().get_partition_for_region(name)
    if partition != "aws":
        fact = f"{name} is in the partition {partition}; only the commercial one is known"
        return fault("region", fact, "export AWS_REGION=eu-central-1 AWS_DEFAULT_REGION=eu-central-1")
    if configured and configured != name:
        fix = f"export AWS_REGION={configured} AWS_DEFAULT_REGION={configured}"
        return fault("region", f"samconfig.toml deploys to {configured}, and {said_by} is {name}", fix)
    return None


def _caller() -> tuple[Caller | None, Verdict]:
    check = "credentials"
    try:
        if boto3.Session().get_credentials() is None:
            return None, fault(check, "there are none", "aws configure")
        caller = read_caller()
    except StoreRefused as refused:
        return None, fault(check, str(refused), "aws sso login  # or `aws configure`, for keys")
    except (CostReportingError, BotoCoreError) as none:
        return None, unknown(check, str(none))
    return caller, ok(check, f"account {caller.account}, as {caller.arn.rpartition(':')[2]}")


def _described(name: str, asked: str) -> Described | CostReportingError | None:
    """The stack, None if there is none; before a deployment also why that cannot be told."""
    try:
        return describe_stack(name)
    except CostReportingError as reason:
        if asked == "before":
            return reason
        raise Failed(
            f"Whether there is a stack {name} cannot be told: {reason}.",
            remedy="Let your credentials call cloudformation:DescribeStacks, or say --before.",
        ) from None


def _stack(described: Described | CostReportingError | None) -> Stack | None:
    if isinstance(described, CostReportingError):
        raise described
    return None if described is None else read_stack(described.name)


def _built(architecture: str, *, local: bool) -> Iterator[Verdict]:
    if local:
        yield unknown("layers", "those of the local stack are built for this machine, and never deployed to AWS")
        return
    yield from _layers.looked_at(architecture)


def _says(when: str, name: str, described: object, where: str, *, asked: bool) -> str:
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    where += f", LOCAL EMULATOR at {endpoint}" if endpoint else ""
    if asked:
        return f"Stack {name}, {where}: checked as --{when} has it."
    return f"There is {'no ' if described is None else ''}stack {name} in {where}: checked as --{when} has it."


if __name__ == "__main__":
    sys.exit(_console.main(app))
