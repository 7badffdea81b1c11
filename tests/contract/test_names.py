"""One word in every casing: fetch_costs, Fetch Costs, FetchCostsFunction, fetch-costs."""

import re

import pytest

from cost_reporting.outcomes import STAGES
from cost_reporting.settings import _VARIABLES
from tests.contract.documents import (
    CALLED,
    EVENTS,
    FUNCTIONS,
    ON_EVENTS,
    ROOT,
    SOURCE,
    functions,
    resources,
    tasks,
    template,
)
from tests.contract.handlers import app

SECOND_TRIES = {"Render Without Logo": "Render PDF"}
"""States that call the function of another one, differently."""
STATES = {state.name.casefold().replace(" ", "_"): state for state in tasks() if state.name not in SECOND_TRIES}
"""Each other task by the name of the function that it should call."""


def logical_id(function: str) -> str:
    """``fetch_costs`` → ``FetchCostsFunction``."""
    return "".join(part.title() for part in function.split("_")) + "Function"


def test_every_folder_is_a_state_or_listens_or_is_called_and_a_function_of_the_template_and_the_other_way_round() -> (
    None
):
    assert sorted([*STATES, *ON_EVENTS, *CALLED]) == FUNCTIONS
    assert sorted(functions()) == sorted(map(logical_id, FUNCTIONS))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_has_one_name_wherever_it_is_named(function: str) -> None:
    properties = functions()[logical_id(function)]
    # The default prefix is the first part of this one's name already.
    kebab = function.removeprefix("cost_reporting_").replace("_", "-")
    assert properties["CodeUri"] == f"functions/{function}/"
    assert properties["FunctionName"] == f"${{Prefix}}-{kebab}"
    log_group = logical_id(function).removesuffix("Function") + "LogGroup"
    assert properties["LoggingConfig"]["LogGroup"] == f"${{{log_group}}}"
    assert resources("AWS::Logs::LogGroup")[log_group]["LogGroupName"] == f"/aws/lambda/${{Prefix}}-{kebab}"
    assert function in EVENTS
    assert (SOURCE / "operations" / f"{function}.py").is_file()
    assert (ROOT / "tests" / "functional" / f"test_{function}.py").is_file()
    assert (app(function).__doc__ or "").casefold().startswith(f"{function.replace('_', ' ')}: ")


@pytest.mark.parametrize("function", sorted(STATES))
def test_a_state_calls_the_function_of_its_name(function: str) -> None:
    state = STATES[function]
    assert state.body["Parameters"]["FunctionName"] == f"${{{logical_id(function)}Arn}}"
    assert (app(function).__doc__ or "").startswith(f"{state.name}: ")


@pytest.mark.parametrize(("second", "first"), SECOND_TRIES.items())
def test_a_second_try_calls_the_function_of_the_first(second: str, first: str) -> None:
    called = {state.name: state.body["Parameters"] for state in tasks()}
    assert called[second] == called[first]


def test_every_event_is_for_a_function_or_for_a_run() -> None:
    assert {name for name in EVENTS if not name.startswith("run_")} == set(FUNCTIONS)


def test_the_stages_of_an_outcome_are_states() -> None:
    assert {stage for _, stage in STAGES} <= {state.name for state in tasks()}


def test_the_environment_is_what_the_settings_read() -> None:
    variables = template()["Globals"]["Function"]["Environment"]["Variables"]
    assert {name for name in variables if not name.startswith("POWERTOOLS_")} == set(_VARIABLES)
    written_out = [name for name in _VARIABLES if not re.fullmatch(r"\$\{\w+(\.Arn)?\}", str(variables[name]))]
    assert written_out == []


def test_only_who_starts_runs_is_told_which_machine() -> None:
    own = {name: each.get("Environment", {}).get("Variables", {}) for name, each in functions().items()}
    told = {name: each["STATE_MACHINE_ARN"] for name, each in own.items() if "STATE_MACHINE_ARN" in each}
    assert told == {"CostReportingLambdaFunction": "${CostReportsStateMachine}"}


def test_no_service_name_is_set_since_powertools_would_make_it_a_dimension_of_every_metric() -> None:
    environments = [properties.get("Environment", {}).get("Variables", {}) for properties in functions().values()]
    assert not [each for each in environments if "POWERTOOLS_SERVICE_NAME" in each]
