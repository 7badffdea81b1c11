"""What lies in local/stepfunctions-local, held against the definition, the contracts and the errors."""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import derive
import pytest
import run
from cases import CASES
from pydantic import TypeAdapter

from cost_reporting.contracts import ClientDue, SettleAsked, Worklist
from cost_reporting.errors import leaves
from tests.contract.documents import ROOT, machine, states, tasks
from tests.contract.handlers import returned
from tests.contract.test_errors import KILLED, LAMBDAS_OWN

CONFIG = derive.mock_config()
DERIVED = derive.inline(machine())
ADDED = {"clients", "redrives", "entered_at"}
"""What a worklist carries in the derived definition only."""


def answers() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each answer of the file with its case and its state."""
    for body in CONFIG["StateMachines"].values():
        for case, mocks in body["TestCases"].items():
            for state, name in mocks.items():
                for answer in CONFIG["MockedResponses"][name].values():
                    yield case, state, answer


def test_the_files_are_what_the_definition_and_the_cases_give() -> None:
    assert derive.stale() == []


def test_a_changed_definition_makes_the_files_stale(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    changed = deepcopy(machine())
    changed["States"]["Settle Run"]["Retry"].pop()
    (tmp_path / "changed.json").write_text(json.dumps(changed))
    monkeypatch.setattr(derive, "SOURCE", tmp_path / "changed.json")
    assert derive.stale() == [
        "cost-reporting.asl.json",
        "cost-reporting-redriven.asl.json",
        "MockConfigFile.json",
        "traces.json",
    ]


def test_every_task_has_an_answer_in_some_case_and_none_is_called_without_one() -> None:
    assert {state for _, state, _ in answers()} == {state.name for state in tasks()}
    for name, case in CASES.items():
        called = derive.calls(DERIVED, case)
        mocks = CONFIG["StateMachines"][derive.machine_of(case)]["TestCases"][name]
        assert called.keys() == mocks.keys(), name


def test_every_error_that_is_thrown_is_one_of_the_product_s_or_of_lambda_s() -> None:
    thrown = {answer["Throw"]["Error"] for _, _, answer in answers() if "Throw" in answer}
    assert thrown
    assert thrown <= leaves().keys() | KILLED | LAMBDAS_OWN


def test_every_error_of_a_retry_or_a_catch_by_name_is_thrown_in_some_case_but_for_its_like() -> None:
    """One error of a list stands for all of it."""
    thrown = {(state, answer["Throw"]["Error"]) for _, state, answer in answers() if "Throw" in answer}
    errors = {error for _, error in thrown}
    for state in states():
        for matcher in [*state.body.get("Retry", []), *state.body.get("Catch", [])]:
            named = set(matcher["ErrorEquals"]) - {"States.ALL"}
            assert not named or named & errors, (state.name, named)


def test_every_answer_is_what_its_function_may_return() -> None:
    functions = {state.name: state.body["Parameters"]["FunctionName"] for state in tasks()}
    for case, state, answer in answers():
        if "Return" not in answer:
            continue
        function = re.sub(r"(?<!^)([A-Z])", r"_\1", functions[state].strip("${}").removesuffix("FunctionArn")).lower()
        payload = deepcopy(answer["Return"]["Payload"])
        for due in payload.get("clients", ()):
            ClientDue.model_validate(due)
        if "worklist" in payload:
            listed = Worklist.model_validate({name: told for name, told in payload.items() if name not in ADDED})
            assert (listed.client_count, listed.pass_number) == (len(payload["clients"]), payload["pass_number"]), case
            SettleAsked(worklist=listed, redrives=payload["redrives"], entered_at=payload["entered_at"])
        plain = {name: told for name, told in payload.items() if name not in ADDED or "worklist" not in payload}
        TypeAdapter(returned(function)).validate_python(plain)


def test_the_derived_definition_has_every_state_retry_and_catch_of_the_deployed_one() -> None:
    deployed = deepcopy(machine())
    each, derived = deployed["States"].pop("For Each Client"), deepcopy(DERIVED)
    inline = derived["States"].pop("For Each Client")
    for graph, other in ((deployed, derived), (each["ItemProcessor"], inline["ItemProcessor"])):
        assert graph["StartAt"] == other["StartAt"]
        assert list(graph["States"]) == list(other["States"])
        for name, body in graph["States"].items():
            same = {field: told for field, told in body.items() if field != "Parameters" or body["Type"] != "Task"}
            assert same == {name_: other["States"][name][name_] for name_ in same}, name
    assert inline["MaxConcurrencyPath"] == each["MaxConcurrencyPath"]
    assert inline["Catch"] == [{"ErrorEquals": ["States.ALL"], "ResultPath": None, "Next": each["Next"]}]


def test_a_redriven_run_goes_on_at_settle_run_with_the_input_that_the_state_had() -> None:
    redriven = {name: case for name, case in CASES.items() if case.start}
    assert redriven
    assert {case.start for case in redriven.values()} == {"Settle Run"}
    assert all(case.asked["redrives"] == 1 for case in redriven.values())
    assert json.loads((run.HERE / "cost-reporting-redriven.asl.json").read_text())["StartAt"] == "Settle Run"


def test_a_substitution_that_is_not_known_is_refused() -> None:
    strange = deepcopy(machine())
    strange["States"]["Check Health"]["Resource"] = "${Something}"
    with pytest.raises(ValueError, match="substitution"):
        derive.inline(strange)


# -- the runner -------------------------------------------------------------------------------------------------------


def compared(ends: str, *trace: str) -> str:
    wanted = {"trace": ["List Clients", "Settle Run", "Run Complete"], "ends": "SUCCEEDED"}
    return str(run.compared("Case", wanted, run.Went(ends, list(trace))))


@pytest.mark.parametrize(
    ("ends", "trace", "said"),
    [
        ("SUCCEEDED", ("List Clients", "Settle Run", "Run Complete"), "None"),
        ("SUCCEEDED", ("List Clients", "Run Complete"), "after List Clients: expected Settle Run, found Run Complete"),
        ("SUCCEEDED", ("List Clients", "Settle Run"), "after Settle Run: expected Run Complete, found the end"),
        (
            "SUCCEEDED",
            ("List Clients", "Settle Run", "Run Complete", "X"),
            "after Run Complete: expected the end, found X",
        ),
        (
            "States.Runtime",
            ("List Clients", "Settle Run", "Run Complete"),
            "after Run Complete: expected the end SUCCEEDED, found the end States.Runtime",
        ),
    ],
)
def test_the_runner_says_at_which_state_a_case_differs(ends: str, trace: tuple[str, ...], said: str) -> None:
    assert compared(ends, *trace).removeprefix("Case: ") == said


class Engine:
    """An engine that says of every case what it is told to."""

    def __init__(self, *events: dict[str, Any], status: str = "SUCCEEDED") -> None:
        self.events, self.status = list(events), status
        self.started: list[str] = []
        self.made: list[str] = []

    def list_state_machines(self) -> Any:
        known = {"name": derive.MACHINE, "stateMachineArn": "arn:cost-reporting"}
        return {"stateMachines": [known]}

    def update_state_machine(self, **given: Any) -> None:
        self.made.append(given["stateMachineArn"])

    def create_state_machine(self, **given: Any) -> Any:
        self.made.append(given["name"])
        return {"stateMachineArn": f"arn:{given['name']}"}

    def start_execution(self, **given: Any) -> Any:
        self.started.append(given["stateMachineArn"])
        return {"executionArn": given["name"]}

    def describe_execution(self, **given: Any) -> Any:
        return {"status": self.status}

    def get_paginator(self, name: str) -> Any:
        return self

    def paginate(self, **given: Any) -> Any:
        return [{"events": self.events}]


def entered(name: str) -> dict[str, Any]:
    return {"type": "ChoiceStateEntered", "stateEnteredEventDetails": {"name": name}}


def test_the_runner_starts_each_case_by_its_name_and_its_exit_code_says_how_it_went(
    capsys: pytest.CaptureFixture[str],
) -> None:
    well = Engine(entered("Health Check?"), entered("Check Health"))
    assert run.main(["--case", "HealthCheck"], connect=lambda endpoint: well) == 0
    assert (well.started, well.made) == (
        ["arn:cost-reporting#HealthCheck"],
        ["arn:cost-reporting", "cost-reporting-redriven"],
    )
    assert capsys.readouterr().out.startswith("ok       HealthCheck: ")
    otherwise = Engine(entered("Health Check?"), entered("List Clients"))
    assert run.main(["--case", "HealthCheck"], connect=lambda endpoint: otherwise) == 1
    assert "after Health Check?: expected Check Health, found List Clients" in capsys.readouterr().out
    assert run.main(["--case", "HealthCheck", "--json"], connect=lambda endpoint: otherwise) == 1
    assert json.loads(capsys.readouterr().out)["HealthCheck"]["state"] == "Health Check?"


def test_the_runner_s_bad_input_and_a_silent_engine_are_exit_code_2_with_what_to_do(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run.main(["--case", "Nonsense"]) == 2
    assert "There are: HealthCheck" in capsys.readouterr().err
    assert run.main(["--endpoint", "http://127.0.0.1:9", "--case", "HealthCheck"]) == 2
    assert "compose.yaml up" in capsys.readouterr().err
    monkeypatch.setattr(derive, "stale", lambda: ["traces.json"])
    assert run.main(["--case", "HealthCheck"]) == 2
    assert "derive.py" in capsys.readouterr().err


def test_the_compose_file_gives_the_engine_the_mocks() -> None:
    text = (run.HERE / "compose.yaml").read_text()
    (target,) = re.findall(r"SFN_MOCK_CONFIG: (\S+)", text)
    assert f"./MockConfigFile.json:{target}:ro" in text
    assert ":8083:8083" in text
    assert ":latest" not in text


def test_the_lock_of_the_second_engine_has_hashes_and_no_address_of_a_registry() -> None:
    """Decision 0002."""
    lock = (ROOT / "requirements" / "npm" / "package-lock.json").read_text()
    packages = {name: told for name, told in json.loads(lock)["packages"].items() if name}
    assert all(told["integrity"].startswith("sha512-") for told in packages.values())
    assert not [name for name, told in packages.items() if "resolved" in told]
