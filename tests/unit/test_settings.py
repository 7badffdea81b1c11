"""The environment of a function."""

from datetime import timedelta

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
    "CONCURRENT_CLIENTS": "5",
    "LOOK_AGAIN_SECONDS": "1800,7200",
    "AWS_SESSION_TOKEN": "not ours",
}
OURS = sorted(WHOLE.keys() - {"AWS_SESSION_TOKEN"})
READ = {"CONCURRENT_CLIENTS", "LOOK_AGAIN_SECONDS"}
"""Those that are more than a name."""


def test_settings_are_what_the_environment_says() -> None:
    settings = parse(WHOLE)
    names = [name for name in OURS if name not in READ]
    assert [getattr(settings, name.lower()) for name in names] == [WHOLE[name] for name in names]
    assert settings.zone.key == "Australia/Sydney"
    assert settings.concurrent_clients == 5
    assert settings.waits == (timedelta(minutes=30), timedelta(hours=2))


def test_a_run_may_be_told_never_to_look_again() -> None:
    assert parse(WHOLE | {"LOOK_AGAIN_SECONDS": "never"}).waits == ()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CONCURRENT_CLIENTS", "0"),  # to AWS, 0 is 10,000
        ("CONCURRENT_CLIENTS", "1001"),
        ("CONCURRENT_CLIENTS", "five"),
        ("CONCURRENT_CLIENTS", "5.5"),
        ("LOOK_AGAIN_SECONDS", "0"),
        ("LOOK_AGAIN_SECONDS", "soon"),
        ("LOOK_AGAIN_SECONDS", "1800,"),
        ("LOOK_AGAIN_SECONDS", "86401"),
        ("LOOK_AGAIN_SECONDS", "1,1,1,1,1,1"),
    ],
)
def test_a_number_that_makes_no_sense_is_named(name: str, text: str) -> None:
    with pytest.raises(ContractViolated, match=name.lower()):
        parse(WHOLE | {name: text})


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
