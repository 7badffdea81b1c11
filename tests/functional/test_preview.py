"""`scripts/report.py preview`: a report without a run, from an account or from a file."""

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ConnectTimeoutError

import _console
import _deployment
import _files
import report
from cost_reporting.clients import Client
from cost_reporting.costs import CostDocument
from cost_reporting.operations.preview import fetched, from_account
from cost_reporting.periods import parse
from cost_reporting.sources.cost_explorer import CostExplorerSource, requests_for
from local.world import twelve
from tests.builders import a_client, a_client_due, a_cost_document, a_run
from tests.functional.conftest import Answer, Call, Costs, Wire, World, refusal
from tests.functional.test_fetch_costs import BAKERY, DENIED, Invoke, fetch, of_account

NAME = "acme_aws-costs_2026-10_final.pdf"
ASKED = [
    client
    for client in twelve()
    if client.client_id not in ("denied-corp", "notenabled-inc", "throttled-games", "refund-media")
]
"""Whoever answers: two refuse, one throttles, and one is asked with keys that only the local stack has."""
SCRIPTS = Path(report.__file__).parent


class Ended:
    """How a command ended: its exit code, its JSON if it gave any, and what it said to people."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.out)


@pytest.fixture
def preview(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run the command with a folder of the test's own."""

    def preview(*arguments: str | Path) -> Ended:
        capsys.readouterr()
        code = _console.main(report.app, ["preview", "--out", str(tmp_path / "out"), *map(str, arguments)])
        return Ended(code, *capsys.readouterr())

    return preview


@pytest.fixture
def no_sockets(environment: None, request: pytest.FixtureRequest) -> None:
    """From here on: the loopback that all tests of this folder share is there already."""
    request.getfixturevalue("socket_disabled")


@pytest.fixture
def costs_json(tmp_path: Path) -> Path:
    path = tmp_path / "costs.json"
    path.write_text(a_cost_document(client_id="acme").model_dump_json())
    return path


def made(tmp_path: Path) -> list[str]:
    """Every file below the folder of the test, half-written ones included."""
    return sorted(path.name for path in (tmp_path / "out").rglob("*") if path.is_file())


# -- from a file -------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("no_sockets")
def test_stored_costs_become_a_report_without_aws(preview: Any, costs_json: Path, tmp_path: Path) -> None:
    answer = preview("--from-file", costs_json, "--json")
    assert answer.code == 0, answer.err
    said = answer.json
    assert (said["client_id"], said["period"], said["total"], said["currency"]) == ("acme", "2026-10", "1020.50", "USD")
    assert (said["source"], said["paid_requests"]) == ("file", 0)
    assert made(tmp_path) == sorted([NAME, "client.json", "costs.json", "mail.html", "mail.txt"]) == said["files"]
    assert Path(said["pdf"]).read_bytes().startswith(b"%PDF-1.7")
    assert Path(said["pdf"]).parent == tmp_path / "out" / "acme" / "2026-10-final"


@pytest.mark.usefixtures("no_sockets")
def test_the_page_and_its_images_are_written_when_asked_for_and_cleared_when_not(
    preview: Any, costs_json: Path, tmp_path: Path
) -> None:
    assert preview("--from-file", costs_json, "--html", "--png").code == 0
    pages = [name for name in made(tmp_path) if name.startswith("page-")]
    assert len(pages) >= 4
    html = (tmp_path / "out/acme/2026-10-final/report.html").read_text()
    assert "<style>" in html
    assert "running(footer)" in html
    assert preview("--from-file", costs_json).code == 0
    assert not [name for name in made(tmp_path) if name.startswith("page-") or name == "report.html"]


@pytest.mark.usefixtures("no_sockets")
def test_a_preview_can_be_made_again_from_what_it_left_to_the_byte(
    preview: Any, costs_json: Path, tmp_path: Path
) -> None:
    record = a_client(
        client_id="acme",
        quarantined=("gone@acme.example",),
        client_name="Acme & Søns",
        locale="de_DE",
        page_size="Letter",
    )
    (tmp_path / "record.json").write_text(record.model_dump_json())
    first = preview("--from-file", costs_json, "--client-file", tmp_path / "record.json", "--json").json
    left = Path(first["folder"])
    kept = left.rename(tmp_path / "kept")
    second = preview("--from-file", kept / "costs.json", "--json").json
    assert Path(second["pdf"]).read_bytes() == (kept / NAME).read_bytes()
    told = json.loads((kept / "client.json").read_text())
    assert (told["recipients"], told["quarantined"]) == ([], [])
    assert told["access"]["external_id"] == "preview"


@pytest.mark.usefixtures("no_sockets")
@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is not a stored cost document"),
        ("[1, 2]", "is not a stored cost document"),
        ('{"client_id": "acme"}', "account_id: Field required"),
    ],
)
def test_a_file_that_holds_no_costs_is_wrong_input_and_nothing_is_written(
    content: str, said: str, preview: Any, tmp_path: Path
) -> None:
    (tmp_path / "wrong.json").write_text(content)
    answer = preview("--from-file", tmp_path / "wrong.json")
    assert answer.code == 2
    assert answer.err.startswith("WrongInput: --from-file: ")
    assert said in answer.err
    assert "Take costs.json of a report" in answer.err
    assert (answer.out, made(tmp_path)) == ("", [])


@pytest.mark.usefixtures("no_sockets")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--from-file", "{tmp}/nothing.json"), "--from-file: {tmp}/nothing.json: No such file or directory."),
        (("--from-file", "{tmp}/costs.json", "--client-id", "acme-2"), "--client-id: the file is about acme, not"),
        (("--from-file", "{tmp}/costs.json", "--period", "2026-09"), "--period: the file is about 2026-10, not"),
        (("--from-file", "{tmp}/costs.json", "--cadence", "weekly"), "--cadence: the file is about monthly, not"),
        (("--from-file", "{tmp}/costs.json", "--stack-name", "x"), "--stack-name: makes no sense with --from-file"),
        (("--from-file", "{tmp}/costs.json", "--client-file", "{tmp}/costs.json"), "is not a client record: "),
        (("--from-file", "{tmp}/costs.json", "--client-file", "{tmp}/other.json"), "--client-id: the costs are those"),
        (("--client-file", "{tmp}/other.json", "--client-id", "acme"), "--client-file: goes with --from-file"),
        ((), "--client-id: whose report?"),
        (("--cadence", "daily"), "'daily' is not one of"),
        (("--nonsense",), "No such option"),
    ],
)
def test_wrong_input_names_the_option_and_leaves_nothing(
    arguments: tuple[str, ...], said: str, preview: Any, costs_json: Path, tmp_path: Path
) -> None:
    (tmp_path / "other.json").write_text(a_client(client_id="other").model_dump_json())
    answer = preview(*(argument.format(tmp=tmp_path) for argument in arguments), "--json")
    assert answer.code == 2
    assert said.format(tmp=tmp_path) in answer.json["message"]
    assert answer.json["remedy"]
    assert made(tmp_path) == []


@pytest.mark.usefixtures("no_sockets")
def test_costs_that_disagree_with_themselves_are_not_rendered(preview: Any, tmp_path: Path) -> None:
    sound = a_cost_document(client_id="acme")
    twisted = sound.model_copy(update={"days": (*sound.days[:-1], sound.days[-1].model_copy(update={"lines": ()}))})
    (tmp_path / "costs.json").write_text(twisted.model_dump_json())
    answer = preview("--from-file", tmp_path / "costs.json", "--json")
    assert (answer.code, answer.json["error"], made(tmp_path)) == (1, "CostsDoNotReconcile", [])


@pytest.mark.usefixtures("no_sockets")
@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "", "Acme"])
def test_a_client_id_out_of_a_file_never_becomes_a_path(name: str, preview: Any, tmp_path: Path) -> None:
    (tmp_path / "costs.json").write_text(a_cost_document(client_id=name).model_dump_json())
    answer = preview("--from-file", tmp_path / "costs.json")
    assert answer.code == 2
    assert "--client-id: " in answer.err
    assert made(tmp_path) == []


@pytest.mark.usefixtures("no_sockets")
def test_a_folder_that_cannot_be_written_is_named(preview: Any, costs_json: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file where a folder should be")
    answer = preview("--from-file", costs_json, "--json")
    assert answer.code == 1
    assert str(tmp_path / "out") in answer.json["message"]


def test_what_is_there_stays_whole_if_the_next_cannot_be_written(tmp_path: Path) -> None:
    folder = tmp_path / "report"
    _files.write_folder(folder, {"a.pdf": b"old", "page-1.png": b"old"}, ours=report.OURS)
    with pytest.raises(OSError, match="no-such-folder"):
        _files.write_folder(folder, {"a.pdf": b"new", "no-such-folder/b.pdf": b"new"}, ours=report.OURS)
    assert (folder / "a.pdf").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.pdf", "page-1.png", "report"]


# -- from an account ---------------------------------------------------------------------------------------------------


def test_stored_costs_of_the_account_are_used_and_nothing_is_paid_or_written(
    preview: Any, invoke: Invoke, world: World, costs: Costs, wire: Wire
) -> None:
    world.add(of_account(BAKERY))
    stored = fetch(invoke, a_client_due("acme", a_run("2026-10")))
    before, paid = world.keys(), costs.paid
    wire.calls.clear()
    answer = preview("--client-id", "acme", "--period", "2026-10", "--json")
    assert answer.code == 0, answer.err
    assert (answer.json["source"], answer.json["paid_requests"]) == ("stored", 0)
    assert answer.json["total"] == f"{stored.costs.total:.2f}"
    assert (world.keys(), costs.paid) == (before, paid)
    assert not [call for call in wire.calls if call.operation.partition(".")[2].startswith(("Put", "Send", "Update"))]


def test_costs_that_are_not_stored_are_priced_before_anybody_is_asked_to_pay(
    preview: Any, world: World, costs: Costs, tmp_path: Path
) -> None:
    world.add(of_account(BAKERY))
    answer = preview("--client-id", "acme", "--json")
    assert answer.code == 2
    assert "about 2 paid requests, USD 0.02" in answer.json["message"]
    assert answer.json["message"].startswith("--yes: ")
    assert (costs.paid, made(tmp_path)) == (0, [])


def test_with_yes_they_are_asked_for_and_kept_with_the_preview_only(
    preview: Any, world: World, costs: Costs, tmp_path: Path
) -> None:
    world.add(of_account(BAKERY))
    answer = preview("--client-id", "acme", "--yes", "--json")
    assert (answer.code, costs.paid) == (0, 2)
    assert (answer.json["source"], answer.json["paid_requests"]) == ("cost_explorer", 2)
    assert answer.json["period"] == "2026-10", "the month that is over at the time of the test"
    assert world.keys() == []
    again = preview("--from-file", Path(answer.json["folder"]) / "costs.json", "--json")
    assert (again.code, costs.paid) == (0, 2)


@pytest.mark.parametrize(("word", "code"), [("y", 0), ("", 1), ("no", 1)])
def test_a_person_is_asked(
    word: str, code: int, preview: Any, world: World, costs: Costs, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add(of_account(BAKERY))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda: word)
    answer = preview("--client-id", "acme")
    assert answer.code == code
    assert costs.paid == (2 if word == "y" else 0)


def test_a_week_is_told_by_the_form_of_its_period(preview: Any, world: World, costs: Costs) -> None:
    world.add(of_account(BAKERY))
    answer = preview("--client-id", "acme", "--period", "2026-W43", "--yes", "--json")
    assert (answer.json["cadence"], answer.json["period"], answer.json["issue"]) == (
        "weekly",
        "2026-W43",
        "preliminary",
    )


@pytest.mark.parametrize(
    ("period", "said"),
    [
        ("October", "--period: 'October' is neither a month"),
        ("2026-11", "--period: 2026-11-01 to 2026-12-01 is not over yet"),
    ],
)
def test_a_period_that_makes_no_sense_is_wrong_input(period: str, said: str, preview: Any, world: World) -> None:
    world.add(of_account(BAKERY))
    answer = preview("--client-id", "acme", "--period", period)
    assert answer.code == 2
    assert said in answer.err


def test_a_client_that_is_not_there_is_wrong_input_with_a_remedy(preview: Any, world: World, tmp_path: Path) -> None:
    answer = preview("--client-id", "nobody", "--json")
    assert answer.code == 2
    assert (answer.json["error"], answer.json["message"]) == ("ClientUnknown", "nobody: no such client record")
    assert "clients table" in answer.json["remedy"]
    assert made(tmp_path) == []


def test_the_product_s_errors_are_told_with_their_remedy_and_no_traceback(
    preview: Any, world: World, costs: Costs, tmp_path: Path
) -> None:
    world.add(of_account(DENIED))
    answer = preview("--client-id", "acme", "--yes")
    assert answer.code == 1
    (line,) = [line for line in answer.err.splitlines() if line.startswith("ClientAccessDenied: acme: Cost Explorer: ")]
    assert f"{line}\nAsk the client to " in answer.err
    assert "AccessDeniedException: User: arn:aws:sts::" in line
    assert "Traceback" not in answer.err
    assert made(tmp_path) == []


@pytest.mark.parametrize("cadence", ["monthly", "weekly"])
@pytest.mark.parametrize("client", ASKED, ids=lambda client: client.client_id)
def test_the_price_that_is_said_is_never_below_the_price_that_is_paid(
    client: Client, cadence: str, world: World, costs: Costs, wire: Wire
) -> None:
    costs.emulate(page_size=100_000)
    period = parse("2026-10" if cadence == "monthly" else "2026-W43")
    document = CostExplorerSource(costs._clock).fetch(client, a_run(period), lambda reached: None).costs
    assert document.paid_requests <= requests_for(client, document.cadence) <= document.paid_requests + 5


# -- which deployment --------------------------------------------------------------------------------------------------


def a_stack(**changes: str) -> Answer:
    """CloudFormation's description of a stack that was deployed from the template."""
    outputs = {
        "ClientsTableName": "clients",
        "OutcomesTableName": "outcomes",
        "BucketName": "reports-of-a-test",
        "SenderAddress": "reports@consultancy.example",
        "ConfigurationSetName": "cost-reporting",
    } | changes
    stack = {
        "StackName": "reports",
        "Parameters": [{"ParameterKey": "TimeZone", "ParameterValue": "Europe/Berlin"}],
        "Outputs": [{"OutputKey": name, "OutputValue": value} for name, value in outputs.items() if value],
    }
    return Answer(200, {"Stacks": [stack]})


@pytest.fixture
def no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CLIENTS_TABLE", "BUCKET", "TIME_ZONE"):
        monkeypatch.delenv(name)
    monkeypatch.delenv("STACK_NAME", raising=False)


@pytest.mark.parametrize("named_by", ["option", "environment"])
def test_the_names_can_come_from_a_stack_s_outputs(
    named_by: str,
    preview: Any,
    world: World,
    costs: Costs,
    wire: Wire,
    no_names: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world.add(of_account(BAKERY))
    wire.calls.clear()
    wire.order("cloudformation.DescribeStacks", a_stack())
    if named_by == "environment":
        monkeypatch.setenv("STACK_NAME", "reports")
    answer = preview("--client-id", "acme", "--yes", *(("--stack-name", "reports") if named_by == "option" else ()))
    assert answer.code == 0, answer.err
    assert "from stack reports" in answer.err
    assert wire.calls[0] == Call("cloudformation.DescribeStacks", {"StackName": "reports"})


@pytest.mark.parametrize(
    ("described", "code", "said"),
    [
        (refusal("ValidationError"), 2, "--stack-name: there is no stack x in this account and region."),
        (refusal("AccessDenied", 403), 1, "CloudFormation does not describe stack x: AccessDenied."),
        (ConnectTimeoutError(endpoint_url="https://x"), 1, "does not answer for stack x: ConnectTimeoutError."),
        (a_stack(BucketName=""), 2, "--stack-name: stack x has no BucketName."),
    ],
    ids=["unknown", "denied", "no answer", "another template"],
)
def test_a_stack_that_does_not_help_is_told_apart(
    described: Any, code: int, said: str, preview: Any, wire: Wire, no_names: None
) -> None:
    wire.order("cloudformation.DescribeStacks", described)
    answer = preview("--client-id", "acme", "--stack-name", "x")
    assert answer.code == code
    assert said in answer.err


def test_where_nothing_says_which_deployment_is_meant_none_is_guessed(
    preview: Any, wire: Wire, no_names: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(_deployment, "LOCAL_ENV", tmp_path / "local")
    answer = preview("--client-id", "acme")
    assert answer.code == 2
    assert "--stack-name: nothing says which deployment is meant." in answer.err
    assert "make local-up" in answer.err
    assert wire.calls == []


def test_a_region_or_credentials_that_are_missing_are_named(
    preview: Any, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boto3.Session, "get_credentials", lambda self: None)
    answer = preview("--client-id", "acme")
    assert answer.code == 2
    assert "AWS_PROFILE: the deployment that the environment names cannot be reached without cred" in answer.err


# -- the interpreter ---------------------------------------------------------------------------------------------------


def test_without_the_environment_the_command_says_how_to_get_it(tmp_path: Path) -> None:
    bare = [sys.executable, "-I", "-S", str(SCRIPTS / "report.py"), "preview"]
    code = "import runpy, sys; sys.path.insert(0, sys.argv[1]); sys.argv = sys.argv[2:]; runpy.run_path(sys.argv[0])"
    done = subprocess.run(
        [*bare[:3], "-c", code, str(SCRIPTS), *bare[3:]], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 1
    assert "typer is not installed for this Python" in done.stderr
    assert ".venv/bin/python" in done.stderr
    assert "make setup" in done.stderr
    assert "Traceback" not in done.stderr


def test_any_python_3_can_read_the_command_far_enough_to_refuse_itself() -> None:
    for script in ("report.py", "_console.py"):
        ast.parse((SCRIPTS / script).read_text(), feature_version=(3, 9))
    body = ast.parse((SCRIPTS / "report.py").read_text()).body
    assert ast.unparse(body[1]) == "import _console", "before anything that may be missing"


def test_a_preview_of_the_account_is_the_report_of_the_run(invoke: Invoke, world: World, costs: Costs) -> None:
    """The same record and costs, and so, since rendering is a pure function, the same bytes."""
    world.add(of_account(BAKERY))
    stored = fetch(invoke, a_client_due("acme", a_run("2026-10")))
    from cost_reporting import wiring

    found = from_account(
        "acme", cadence=None, period=None, at=wiring.now(), zone=wiring.settings().zone,
        clients=wiring.clients(), objects=wiring.objects(),
    )  # fmt: skip
    assert found.costs == CostDocument.model_validate_json(world.get(stored.costs.document.key))
    again = fetched(found, wiring.source()).costs
    assert again is not None
    assert again.days == found.costs.days
