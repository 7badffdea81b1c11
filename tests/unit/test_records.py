"""Records as people write them: every file is a record, or faults that name the field."""

import json
import re
from decimal import Decimal
from typing import Any

import pytest
from cfnlint.jsonschema import StandardValidator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cost_reporting import records
from cost_reporting.clients import Client
from cost_reporting.records import PLACEHOLDERS, SAMPLE, Fault
from tests.builders import a_client

CANARY = "canary-7f3a"
SOUND = json.loads(a_client().model_dump_json(exclude_none=True))


def read(document: Any) -> Client | records.Faults:
    return records.read(document if isinstance(document, bytes) else json.dumps(document).encode())


def faults(document: Any) -> dict[str, Fault]:
    found = read(document)
    assert isinstance(found, tuple)
    return {each.field: each for each in found}


def test_a_sound_file_is_the_record() -> None:
    assert read(SOUND) == a_client()


@pytest.mark.parametrize("text", ["12000.10", '"12000.10"', "0.1", "1234567890123456.78"])
def test_an_amount_is_its_digits_and_never_a_float(text: str) -> None:
    body = json.dumps(SOUND)[:-1] + f', "monthly_budget": {text}}}'
    found = read(body.encode())
    assert isinstance(found, Client)
    assert found.monthly_budget == Decimal(text.strip('"'))


@pytest.mark.parametrize(
    ("body", "field", "expected"),
    [
        (b"", "file", "line 1 column 1"),
        (b"[]", "file", "one JSON object"),
        (b'"text"', "file", "one JSON object"),
        (b'{"status": NaN}', "status", "NaN"),
        (b'{"recipients": [[1, -Infinity]]}', "recipients", "-Infinity"),
        (b"[1, NaN]", "file", "NaN"),
        (b'{"status": 1, "status": 2}', "status", "each key once"),
        (b'{"branding": {"logo": 1, "logo": 2}}', "logo", "each key once"),
        (b"[" * 200_000, "file", "levels of brackets"),
        (b'{"branding":' * 100_000, "file", "levels of brackets"),
        (b'{"version": ' + b"9" * 100_000 + b"}", "version", "40 digits"),
        (b'{"version": 1e999999999}', "version", "40 digits"),
        (b'{"monthly_budget": 1E-999999999}', "monthly_budget", "40 digits"),
        (b"\xef\xbb\xbf{}", "file", "byte order mark"),
        ("{}".encode("utf-16"), "file", "byte order mark"),
        (b'{"client_name": "M\xfcller"}', "file", "UTF-8, which byte 18 is not"),
        (b'{"client_name": "\\ud800"}', "client_name", "Unicode"),
        (b'{"\\ud800": 1}', "\\ud800", "Unicode"),
        (b'{"recipients": ["\\ud800"]}', "recipients", "Unicode"),
        (b" " * 11_000_000, "file", "10 MB"),
    ],
    ids=range(20),
)
def test_a_file_that_is_no_sound_json_says_what_and_where(body: bytes, field: str, expected: str) -> None:
    (fault,) = faults(body).values()
    assert fault.field == field
    assert expected in fault.expected
    assert fault.remedy


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"preliminary": "yes"}, "preliminary"),
        ({"preliminary": 1}, "preliminary"),
        ({"version": "7"}, "version"),
        ({"version": True}, "version"),
        ({"version": 1.0}, "version"),
        ({"client_name": 5}, "client_name"),
        ({"recipients": "a@b.example"}, "recipients"),
        ({"recipients": {"a@b.example": 1}}, "recipients"),
        ({"monthly_budget": True}, "monthly_budget"),
        ({"monthly_budget": [1]}, "monthly_budget"),
        ({"monthly_budget": 1.005}, "monthly_budget"),
        ({"access": None}, "access"),
        ({"access": []}, "access"),
        ({"branding": "blue"}, "branding"),
        ({"cadences": ["monthly", "monthly"]}, "cadences"),
        ({"currency": "EUR", "exchange_rate": {"rate": 1, "as_of": 1730246400, "source": "x"}}, "exchange_rate.as_of"),
        ({"currency": "EUR"}, "exchange_rate"),
        ({"recipients": ["a@b.example", "A@b.example"]}, "recipients"),
    ],
)
def test_a_value_of_another_type_is_a_fault_of_its_field(changes: dict[str, Any], field: str) -> None:
    assert list(faults(SOUND | changes)) == [field]


def test_a_misspelt_field_is_told_how_it_is_spelt() -> None:
    found = faults({**SOUND, "recipient": [], "access": SOUND["access"] | {"external-id": CANARY}})
    assert found["recipient"].remedy == "Did you mean recipients?"
    assert found["access.external-id"].remedy == "Did you mean external_id?"


@pytest.mark.parametrize("field", sorted(Client.model_fields))
def test_every_field_is_explained_in_the_schema_and_in_its_faults(field: str) -> None:
    schema = json.loads(records.schema())
    assert len(schema["properties"][field]["description"]) > 10
    assert records.explained(field) == schema["properties"][field]["description"]
    if Client.model_fields[field].is_required():
        without = {key: value for key, value in SOUND.items() if key != field}
        assert faults(without)[field].remedy == f"Add it. {records.explained(field)}"


def test_every_inner_field_is_explained_too() -> None:
    schema = json.loads(records.schema())
    inner = {
        f"{name}.{field}": told for name, each in schema["$defs"].items() for field, told in each["properties"].items()
    }
    assert [name for name, told in inner.items() if len(told.get("description", "")) < 10] == []
    assert "title" not in json.dumps(schema)


def schema_faults(document: Any) -> list[Any]:
    return list(StandardValidator(json.loads(records.schema())).iter_errors(document))


def test_the_schema_takes_what_add_takes_and_refuses_what_it_can() -> None:
    assert schema_faults(SOUND) == []
    assert schema_faults(json.loads(records.sample("./x.schema.json"))) == []
    for wrong in ({"locale": "English"}, {"unknown": 1}, {"recipients": "x"}, {"branding": {"color": "blue"}}):
        assert schema_faults(SOUND | wrong)


def test_the_sample_is_sound_but_for_what_every_client_has_of_its_own() -> None:
    assert list(faults(records.sample("./x.schema.json"))) == list(PLACEHOLDERS)
    assert Client.model_validate(SAMPLE)


@given(
    st.dictionaries(st.sampled_from(["a", "b", "version", "access"]), st.integers() | st.text(max_size=3)),
    st.dictionaries(st.sampled_from(["a", "b", "version", "access"]), st.integers() | st.text(max_size=3)),
)
def test_records_differ_where_they_say_so_and_nowhere_else(one: dict[str, Any], two: dict[str, Any]) -> None:
    fields = {each.field for each in records.differences(one, two)}
    keys = one.keys() | two.keys()
    assert fields == {
        key for key in keys if key != "version" and (key in one, one.get(key)) != (key in two, two.get(key))
    }
    assert [each.field for each in records.differences(two, one)] == sorted(fields)


def test_a_difference_of_the_external_id_shows_neither() -> None:
    (found,) = records.differences(SOUND, SOUND | {"access": SOUND["access"] | {"external_id": CANARY}})
    assert CANARY not in found.model_dump_json()
    assert SOUND["access"]["external_id"] not in found.model_dump_json()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("client_id,client_id\na,b\n", "each column once"),
        ("client_id,status\na\n", "2 cells in line 2"),
        ('client_id\n"a\n', "CSV, which line 2 is not"),
        ("", "at least one record"),
        ("client_id\n\n", "at least one record"),
        ("access,access.kind\nx,role\n", "a column inside another"),
    ],
)
def test_a_table_that_is_no_table_says_where(text: str, expected: str) -> None:
    (fault,) = records.read_many(text.encode(), as_csv=True)
    assert isinstance(fault, Fault)
    assert expected in fault.expected


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode), st.booleans())
def test_a_file_of_many_is_records_or_faults_and_nothing_else(body: bytes, as_csv: bool) -> None:
    for each in records.read_many(body, as_csv=as_csv):
        assert isinstance(each, Fault | records.Numbered)


def test_nothing_of_a_stranger_s_text_reaches_a_terminal_unwritten() -> None:
    assert records.printable("a\x1b[31mb\u202ec\ud800") == "a\\u001b[31mb\\u202ec\\ud800"
    assert len(records.printable("x" * 10_000)) == 201
    assert re.fullmatch(r"\\u000a", records.printable("\n"))
