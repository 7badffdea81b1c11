"""The environment of a function."""

import pytest

from cost_reporting.errors import ContractViolated
from cost_reporting.settings import parse, state_machine_arn

WHOLE = {
    "CLIENTS_TABLE": "clients",
    "OUTCOMES_TABLE": "outcomes",
    "BUCKET": "bucket",
    "SENDER": "reports@consultancy.example",
    "OPERATORS": "operations@consultancy.example",
    "CONFIGURATION_SET": "cost-reporting",
    "CONSULTANCY": "Cloudwright Advisory",
    "LINK_ROLE_ARN": "arn:aws:iam::123456789012:role/links",
    "TIME_ZONE": "Australia/Sydney",
    "AWS_SESSION_TOKEN": "not ours",
}
OURS = sorted(WHOLE.keys() - {"AWS_SESSION_TOKEN"})


def test_settings_are_what_the_environment_says() -> None:
    settings = parse(WHOLE)
    assert [getattr(settings, name.lower()) for name in OURS] == [WHOLE[name] for name in OURS]
    assert settings.zone.key == "Australia/Sydney"


def test_all_missing_variables_are_named_at_once() -> None:
    with pytest.raises(ContractViolated) as raised:
        parse({})
    assert all(name in str(raised.value) for name in OURS)


@pytest.mark.parametrize("name", OURS)
def test_an_empty_variable_is_a_missing_one(name: str) -> None:
    with pytest.raises(ContractViolated) as raised:
        parse(WHOLE | {name: ""})
    assert [each for each in OURS if each in str(raised.value)] == [name]


@pytest.mark.parametrize("zone", ["Mars/Olympus_Mons", "/etc/passwd", "../secrets", "Berlin"])
def test_a_zone_that_does_not_exist_is_named(zone: str) -> None:
    settings = parse(WHOLE | {"TIME_ZONE": zone})
    with pytest.raises(ContractViolated, match="TIME_ZONE"):
        _ = settings.zone


def test_a_function_that_is_to_start_runs_and_is_not_told_which_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STATE_MACHINE_ARN", raising=False)
    with pytest.raises(ContractViolated, match="STATE_MACHINE_ARN"):
        state_machine_arn()
