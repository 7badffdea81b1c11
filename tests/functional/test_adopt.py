"""`adopt`: what a deleted stack has kept is looked for by name, and written down for the stack that takes it back."""

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.core import DEFAULT_ACCOUNT_ID

import _console
import adopt as command
from tests.functional.conftest import Wire, World, refusal
from tests.functional.test_client_manager import Ended

REGION = "eu-central-1"
BUCKETS = [f"cost-reporting-{part}-{DEFAULT_ACCOUNT_ID}-{REGION}" for part in ("assets", "access")]
TABLES = ["cost-reporting-clients", "cost-reporting-outcomes"]
Adopt = Callable[..., Ended]


@pytest.fixture
def adopt(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Adopt:
    """Run the command in a folder of the test's own, where both tables and both buckets are."""
    monkeypatch.chdir(tmp_path)
    key: Any = {"AttributeName": "pk", "KeyType": "HASH"}
    kind: Any = {"AttributeName": "pk", "AttributeType": "S"}
    for table in TABLES:
        boto3.client("dynamodb").create_table(
            TableName=table, KeySchema=[key], AttributeDefinitions=[kind], BillingMode="PAY_PER_REQUEST"
        )
    for bucket in BUCKETS:
        made_in(bucket, REGION)

    def adopt(*arguments: str) -> Ended:
        capsys.readouterr()
        code = _console.main(command.app, list(arguments))
        return Ended(code, *capsys.readouterr())

    return adopt


def made_in(bucket: str, region: Any) -> None:
    boto3.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})


def written(folder: str = "out/adopt") -> tuple[Any, Any]:
    template, identifiers = (Path(folder) / name for name in ("template.json", "resources.json"))
    return json.loads(template.read_text()), json.loads(identifiers.read_text())


def test_everything_that_was_kept_is_written_down_under_its_name_and_nothing_is_changed(adopt: Adopt) -> None:
    done = adopt("--json")
    assert done.code == 0, done.err
    template, identifiers = written()
    assert [next(iter(each["ResourceIdentifier"].values())) for each in identifiers] == TABLES + BUCKETS
    assert [each["LogicalResourceId"] for each in identifiers] == list(template["Resources"])
    assert done.json["account"] == DEFAULT_ACCOUNT_ID
    assert f"account {DEFAULT_ACCOUNT_ID}, region {REGION}" in done.err
    for path in done.json["files"]:
        assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600
    assert adopt("--json").json == done.json, "asked again it is the same"


def test_what_is_not_there_is_named_with_what_to_do_and_nothing_is_written(adopt: Adopt) -> None:
    boto3.client("dynamodb").delete_table(TableName=TABLES[1])
    boto3.client("s3").delete_bucket(Bucket=BUCKETS[0])
    refused = adopt()
    assert refused.code == 1
    assert f"There is no {TABLES[1]} (OutcomesTable), and no {BUCKETS[0]} (Bucket)" in refused.err
    assert "--new OutcomesTable" in refused.err
    assert not Path("out").exists()


def test_what_shall_be_made_new_is_left_out(adopt: Adopt) -> None:
    boto3.client("s3").delete_bucket(Bucket=BUCKETS[1])
    assert adopt("--new", "AccessLog").code == 0
    template, identifiers = written()
    assert list(template["Resources"]) == ["ClientsTable", "OutcomesTable", "Bucket"]
    assert len(identifiers) == 3


def test_a_bucket_of_another_region_is_not_the_one(adopt: Adopt) -> None:
    made_in("reports-elsewhere", "eu-west-1")
    refused = adopt("--bucket-name", "reports-elsewhere", "--new", "AccessLog")
    assert (refused.code, "There is no reports-elsewhere (Bucket)" in refused.err) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--prefix", "Cost"), "--prefix: must have 3 to 25 small letters"),
        (("--bucket-name", ""), "--bucket-name: must be auto, or the name of the bucket."),
        (("--kms-key-arn", "alias/ours"), "--kms-key-arn: must be the ARN of a KMS key"),
        (("--log-retention-days", "91"), "--log-retention-days: must be one of"),
        (("--new", "AlertsTopic"), "--new: AlertsTopic is not kept."),
        (
            ("--new", "ClientsTable", "--new", "OutcomesTable", "--new", "Bucket", "--new", "AccessLog"),
            "--new: nothing",
        ),
    ],
)
def test_wrong_input_names_the_option_and_leaves_nothing(arguments: tuple[str, ...], said: str, adopt: Adopt) -> None:
    refused = adopt(*arguments)
    assert (refused.code, said in refused.err) == (2, True), refused.err
    assert not Path("out").exists()


def test_an_answer_that_says_neither_yes_nor_no_is_not_taken_for_no(adopt: Adopt, wire: Wire) -> None:
    wire.order("dynamodb.DescribeTable", refusal("AccessDeniedException"))
    refused = adopt()
    assert (refused.code, f"AWS does not say whether {TABLES[0]} is there: AccessDeniedException." in refused.err) == (
        1,
        True,
    )
    assert "dynamodb:DescribeTable" in refused.err
