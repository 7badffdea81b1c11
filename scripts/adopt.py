"""Tables and buckets that a deleted stack has kept: write the two files with which a new stack takes them back.

Looks whether each of them is there, under the names that the parameters give, and writes `template.json` and
`resources.json` for `aws cloudformation create-change-set --change-set-type IMPORT`; docs/RUNBOOKS.md, "The stack is
gone", has the commands. Changes nothing in the account.
"""

import _console

# isort: split
import json
import re
import sys
from pathlib import Path
from typing import Annotated

import boto3
import typer
from botocore.exceptions import BotoCoreError, ClientError

import _deployment
import _files
import _kept
from _console import Failed, WrongInput
from _kept import Kept

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def adopt(
    prefix: Annotated[str, typer.Option(help="Prefix of the deleted stack.")] = "cost-reporting",
    bucket_name: Annotated[
        str, typer.Option(help="BucketName of the deleted stack: auto, or the bucket's name.")
    ] = "auto",
    kms_key_arn: Annotated[str, typer.Option(help="KmsKeyArn of the deleted stack, if it had one.")] = "",
    log_retention_days: Annotated[int, typer.Option(help="LogRetentionDays of the deleted stack.")] = 90,
    new: Annotated[
        list[str] | None,
        typer.Option(help="Leave this one out, by its id in the template: the deployment makes it new, and empty."),
    ] = None,
    output_dir: Annotated[Path, typer.Option(help="Where the files go.")] = Path("out/adopt"),
    as_json: Annotated[bool, typer.Option("--json", help="Answer with one JSON object.")] = False,
) -> None:
    """Look, and write the files."""
    document = _kept.template()
    given = {
        "Prefix": prefix,
        "BucketName": bucket_name,
        "KmsKeyArn": kms_key_arn,
        "LogRetentionDays": str(log_retention_days),
    }
    _require_sound(given, document)
    where = _deployment.here()
    account, region = where.account, where.region
    values = _kept.defaults(document) | given | {"AWS::AccountId": account, "AWS::Region": region}
    everything = _kept.kept(document, values)
    if unknown := sorted(set(new or ()) - {each.logical_id for each in everything}):
        known = ", ".join(each.logical_id for each in everything)
        raise WrongInput(f"--new: {unknown[0]} is not kept.", remedy=f"Name one of {known}.")
    wanted = [each for each in everything if each.logical_id not in (new or ())]
    if not wanted:
        raise WrongInput("--new: nothing is left to take back.", remedy="Deploy as for the first time.")
    _console.tell(f"Looking for what a stack with Prefix {prefix} has kept.")
    if missing := [each for each in wanted if not _is_there(each, region)]:
        raise Failed(
            "There is no "
            + ", and no ".join(f"{each.name} ({each.logical_id})" for each in missing)
            + f" in account {account}, region {region}.",
            remedy="Compare --prefix and --bucket-name with the deleted stack, and AWS_REGION with where it was. "
            "What is really gone can be restored first (tables: scripts/restore_clients.py, point-in-time recovery), "
            f"or be made new and empty: --new {missing[0].logical_id}.",
            details={"missing": [each.name for each in missing]},
        )
    files = {
        "template.json": json.dumps(_kept.import_template(wanted), indent=2) + "\n",
        "resources.json": json.dumps(_kept.identifiers(wanted), indent=2) + "\n",
    }
    try:
        _files.make_folder(output_dir)
        for name, text in files.items():
            _files.write(output_dir / name, text.encode())
    except OSError as fault:
        raise WrongInput(f"--output-dir: {output_dir}: {fault.strerror}.", remedy="Give another folder.") from None
    if as_json:
        _console.answer(
            {
                "status": "done",
                "account": account,
                "region": region,
                "resources": [{"id": each.logical_id, "type": each.type, "name": each.name} for each in wanted],
                "files": [str(output_dir / name) for name in files],
            }
        )
        return
    for each in wanted:
        _console.tell(f"{each.logical_id}: {each.name}")
    for name in files:
        print(output_dir / name)


def _require_sound(given: dict[str, str], document: _kept.Document) -> None:
    """The values are such as the template takes."""
    for name, value in given.items():
        parameter = document["Parameters"][name]
        option = "--" + re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()
        remedy = "Give what the deleted stack had."
        if "AllowedPattern" in parameter and re.fullmatch(parameter["AllowedPattern"], value) is None:
            raise WrongInput(f"{option}: {parameter['ConstraintDescription']}", remedy=remedy)
        if "AllowedValues" in parameter and value not in map(str, parameter["AllowedValues"]):
            raise WrongInput(f"{option}: must be one of {parameter['AllowedValues']}.", remedy=remedy)


def _is_there(resource: Kept, region: str) -> bool:
    """Whether there is such a table or bucket, of ours and in this region."""
    try:
        if resource.type == "AWS::DynamoDB::Table":
            boto3.client("dynamodb").describe_table(TableName=resource.name)
            return True
        # Absent for us-east-1 (S3 API Reference, GetBucketLocation).
        answer = dict(boto3.client("s3").get_bucket_location(Bucket=resource.name))
        place = answer.get("LocationConstraint") or "us-east-1"
    except ClientError as refused:
        if refused.response.get("Error", {}).get("Code") in ("ResourceNotFoundException", "NoSuchBucket", "404"):
            return False
        raise Failed(
            f"AWS does not say whether {resource.name} is there: {refused.response.get('Error', {}).get('Code')}.",
            remedy="Let your credentials call dynamodb:DescribeTable and s3:GetBucketLocation. "
            "A bucket that is refused may belong to another account.",
        ) from None
    except BotoCoreError as fault:
        raise Failed(f"AWS does not answer: {type(fault).__name__}.", remedy="Look at the network.") from None
    return place == region


if __name__ == "__main__":
    sys.exit(_console.main(app))
