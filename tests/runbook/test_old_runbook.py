"""Whoever has the old runbook in hand: its commands work as docs/OLD-RUNBOOK.md says, in order, on the local stack."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from subprocess import CompletedProcess
from typing import Any, Final

import pytest

from local.stack import Stack
from local.world import EXPECTED_FAILURES
from tests.runbook.blocks import ROOT, RUNBOOKS
from tests.runbook.conftest import Shell, tried
from tests.runbook.meanwhile import the_client_creates_the_role
from tests.runbook.old import LINES, OLD_RUNBOOK, Row, rows
from tests.workflow.machine import Machine

ROWS: Final = list(rows())
RUN: Final = [row for row in ROWS if row.verdict in ("as written", "mended")]
CLIENT, ACCOUNT = "globex", "220000000043"
FAILED: Final = "denied-corp"
ONE_IS_AN_ANSWER: Final = {591, 594, 618}
"""Commands whose exit code 1 says that something is due or was found."""
NEEDS_VERSION_1: Final = {159, 224, 693}
"""JSON in the command line, which version 2 of the AWS CLI takes for base64."""


@pytest.fixture(scope="session")
def shell(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """The shell of an operator who has exported BUCKET and CLIENT_ID."""
    shell = Shell(tmp_path_factory.mktemp("old") / "operator", environment | {"CLIENT_ID": CLIENT})
    shell.enter()
    return shell


@pytest.fixture(autouse=True)
def noted(request: pytest.FixtureRequest) -> Iterator[None]:
    """Count in the summary what was tried."""
    shell = request.getfixturevalue("shell") if "shell" in request.fixturenames else None
    before = len(shell.tried) if shell else 0
    yield
    if shell:
        request.config.stash.setdefault(tried, []).extend(shell.tried[before:])


def edited(shell: Shell, stack: Stack) -> None:
    """`nano new-client.json`, and the client's role, which the old system took for granted."""
    path = shell.folder / "new-client.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    changes = {
        "client_id": CLIENT,
        "client_name": "Globex",
        "recipients": ["finance@globex.example"],
        "approve_first": 0,
    }
    path.write_text(json.dumps(record | changes | {"reply_to": "anna@consultancy.example"}), encoding="utf-8")
    must(
        shell,
        f"python scripts/client_manager.py onboard --client-id {CLIENT} --account {ACCOUNT} --config new-client.json "
        f"--output-dir for-{CLIENT}",
    )
    the_client_creates_the_role(stack, shell.folder, client_id=CLIENT, account=ACCOUNT)


def changed(shell: Shell, stack: Stack) -> None:
    """`nano current-config.json`."""
    path = shell.folder / "current-config.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    sizes = {"A4": "Letter", "Letter": "A4"}
    path.write_text(json.dumps(record | {"page_size": sizes[record["page_size"]]}), encoding="utf-8")


def backed_up(shell: Shell, stack: Stack) -> None:
    """A backup of the record as it stands."""
    must(shell, "python cli/client_manager.py export --client-id $CLIENT_ID --output backup-config.json")


def brought_back(shell: Shell, stack: Stack) -> None:
    """The client that was removed is there again."""
    must(shell, "python cli/client_manager.py rollback --client-id $CLIENT_ID")


def exported(shell: Shell, stack: Stack) -> None:
    """A file of the client's configuration."""
    must(shell, "python cli/client_manager.py export --client-id $CLIENT_ID --output client-config.json")


def back_and_exported(shell: Shell, stack: Stack) -> None:
    """The client is there, and its configuration in a file."""
    brought_back(shell, stack)
    exported(shell, stack)


def another(shell: Shell, stack: Stack) -> None:
    """The client that failed is looked at."""
    must(shell, f"CLIENT_ID={FAILED}")


def the_first_again(shell: Shell, stack: Stack) -> None:
    """Back to the operator's own client."""
    must(shell, f"CLIENT_ID={CLIENT}")


BEFORE: Final[dict[int, Callable[[Shell, Stack], None]]] = {
    138: edited,
    207: changed,
    234: backed_up,
    262: brought_back,
    737: back_and_exported,
    751: another,
    762: the_first_again,
    768: changed,
}
"""What a person does between the commands."""


def test_each_of_the_85_commands_stands_in_the_table_once() -> None:
    lines = [row.line for row in ROWS]
    assert len(LINES) == 85
    assert Counter(lines) == Counter(LINES)
    assert lines == sorted(lines)


def test_at_least_53_work_as_written_and_every_mended_one_has_its_form_beside_it() -> None:
    assert sum(row.verdict == "as written" for row in ROWS) >= 53
    assert [row.line for row in ROWS if row.verdict == "mended" and not row.beside] == []
    assert [row.line for row in ROWS if row.verdict == "as written" and "…" in row.command] == []


def test_the_two_alarms_of_the_old_runbook_are_not_to_be_run() -> None:
    alarms = {row.line: row.verdict for row in ROWS if "put-metric-alarm" in row.command}
    assert alarms == {496: "do not run", 512: "do not run"}


def test_the_runbook_and_the_readme_lead_to_the_table() -> None:
    assert f"]({OLD_RUNBOOK.name})" in RUNBOOKS.read_text(encoding="utf-8")
    assert f"](docs/{OLD_RUNBOOK.name})" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("row", RUN, ids=lambda row: str(row.line))
def test_a_command_of_the_old_runbook_works_as_the_table_says(row: Row, shell: Shell, stack: Stack) -> None:
    if row.line in BEFORE:
        BEFORE[row.line](shell, stack)
    answers = {0, 1} if row.line in ONE_IS_AN_ANSWER else {0}
    said = ""
    if row.verdict == "as written" and not (row.line in NEEDS_VERSION_1 and is_version_2(shell)):
        said = must(shell, row.command, answers)
        CHECKED.get(row.line, passes)(said, shell, stack)
    for command in row.beside:
        beside = must(shell, command, answers)
        if row.verdict == "mended" or row.line in NEEDS_VERSION_1:
            CHECKED.get(row.line, passes)(beside, shell, stack)


def must(shell: Shell, command: str, answers: set[int] | None = None) -> str:
    """Run a command, answer what it asks with yes, and look that it ends as one of ``answers``; what it printed."""
    answers = answers or {0}
    done = shell.run(command, typed="y\ny\ny\n")
    assert done.returncode in answers, told(command, done)
    return done.stdout


def told(command: str, done: CompletedProcess[str]) -> str:
    return f"{command}\n{done.stdout}{done.stderr}"


def is_version_2(shell: Shell) -> bool:
    return "aws-cli/2" in shell.run("aws --version 2>&1").stdout


# -- what an operator must see ----------------------------------------------------------------------------------------


def passes(said: str, shell: Shell, stack: Stack) -> None:
    """It ended well, which is all that is asked."""


def messages(said: str) -> list[str]:
    """Log lines, as `filter-log-events` prints them."""
    return [event["message"] for event in json.loads(said)["events"]]


def names_who_failed_and_why(said: str, shell: Shell, stack: Stack) -> None:
    lines = [line for line in messages(said) if "ERROR" in line]  # AWS's filter tells capitals apart
    for client_id, error in EXPECTED_FAILURES.items():
        told = [json.loads(line) for line in lines if f'"client_id":"{client_id}"' in line]
        assert {"client_failed"} <= {each["message"] for each in told}, client_id
        assert error in {each["error"] for each in told}
        assert all(each["remedy"] for each in told if each["message"] == "client_failed")
    assert any(line for line in lines if '"error":"RunIncomplete"' in line)


def names_this_client_and_its_error(said: str, shell: Shell, stack: Stack) -> None:
    lines = [line for line in messages(said) if FAILED in line]
    assert any("client_failed" in line and EXPECTED_FAILURES[FAILED] in line for line in lines)


def counts_every_client_worked_on(said: str, shell: Shell, stack: Stack) -> None:
    counted = sum(point["Sum"] for point in json.loads(said)["Datapoints"])
    pages = Machine(stack).client("dynamodb").get_paginator("scan").paginate(TableName=stack.names.outcomes_table)
    items = [item for page in pages for item in page["Items"] if item["sk"]["S"].startswith("OUTCOME#")]
    worked = [item for item in items if item["status"]["S"] not in ("LATE", "LEFT_OUT", "REMOVED")]
    assert len(worked) >= 12
    assert counted == len(worked)


def has_report_lines(said: str, shell: Shell, stack: Stack) -> None:
    assert [line for line in messages(said) if line.startswith("REPORT RequestId")]


def has_points(said: str, shell: Shell, stack: Stack) -> None:
    assert json.loads(said)["Datapoints"]


def has_bounces_or_none(said: str, shell: Shell, stack: Stack) -> None:
    assert isinstance(json.loads(said)["events"], list)


def ended(shell: Shell, stack: Stack, name: str) -> dict[str, Any]:
    """What came of the run that the answer in a file speaks of: the function answers after 45 seconds at the latest."""
    answer = json.loads((shell.folder / name).read_text(encoding="utf-8"))
    assert answer["status"] in ("SUCCEEDED", "RUNNING"), answer
    execution = Machine(stack).wait(answer["execution_arn"])
    assert execution.status == "SUCCEEDED", execution.said
    return dict(execution.output)


def is_healthy(said: str, shell: Shell, stack: Stack) -> None:
    assert ended(shell, stack, "response.json")["status"] == "healthy"


def sent_a_test(said: str, shell: Shell, stack: Stack) -> None:
    assert ended(shell, stack, "test_response.json")["sent"] == 1


def lists_the_client(said: str, shell: Shell, stack: Stack) -> None:
    assert CLIENT in said


def lists_it_no_more(said: str, shell: Shell, stack: Stack) -> None:
    assert CLIENT not in said


def is_on(said: str, shell: Shell, stack: Stack) -> None:
    assert re.fullmatch(r'"(ENABLED|DISABLED)"', said.strip())


CHECKED: Final[dict[int, Callable[[str, Shell, Stack], None]]] = {
    30: names_who_failed_and_why,
    150: lists_the_client,
    159: sent_a_test,
    224: sent_a_test,
    278: lists_it_no_more,
    305: names_who_failed_and_why,
    324: has_points,
    390: has_bounces_or_none,
    551: counts_every_client_worked_on,
    631: has_points,
    693: is_healthy,
    706: is_on,
    751: names_this_client_and_its_error,
    791: has_points,
    801: has_points,
    814: has_report_lines,
}
