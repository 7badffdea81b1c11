"""The client record: hostile until it has passed the model."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cost_reporting.clients import Client, is_due, parse_client
from cost_reporting.contracts import Cadence, Issue
from cost_reporting.errors import ClientMisconfigured
from tests.builders import a_client

FIELDS = sorted(Client.model_fields)
CANARY = "canary-7f3a@leak.example"
EUROS = {"currency": "EUR", "exchange_rate": {"rate": Decimal("0.92"), "as_of": "2026-10-31", "source": "ECB"}}


def a_row(**changes: Any) -> dict[str, Any]:
    """A sound row of the clients table, as DynamoDB gives it, changed."""
    return a_client().model_dump(mode="json", exclude_none=True) | changes


def fault_of(row: dict[str, Any]) -> str:
    with pytest.raises(ClientMisconfigured) as raised:
        parse_client(row)
    return str(raised.value)


def test_a_sound_row_is_the_client_that_it_was_made_from() -> None:
    assert parse_client(a_row()) == a_client()


@pytest.mark.parametrize("field", sorted(name for name, field in Client.model_fields.items() if field.is_required()))
def test_a_missing_field_is_named_and_never_guessed(field: str) -> None:
    row = a_row()
    del row[field]
    assert f"{field}: Field required" in fault_of(row)


def test_every_wrong_field_is_named_at_once() -> None:
    fault = fault_of(a_row(locale="English", currency="dollars", branding={"colour": "blue"}))
    assert all(f"{field}: " in fault for field in ("locale", "currency", "branding.colour"))


@pytest.mark.parametrize(
    "changes",
    [
        {"recipients": ["finance@northwind.example", f"<{CANARY}>"]},
        {"recipients": CANARY},
        {"reply_to": f"{CANARY}\r\nBcc: x@y.example"},
        {"access": {"kind": CANARY}},
        {"access": {"kind": "role", "role_arn": CANARY, "external_id": f"{CANARY} "}},
        {"access": {"kind": "secret", "secret_arn": CANARY}},
        {"access": {"kind": "role", "secret_arn": CANARY}},
        {"branding": {"colour": CANARY, "logo": CANARY}},
        {"status": CANARY},
        {"cadences": [CANARY]},
        {"locale": CANARY},
        {"currency": CANARY},
        {"exchange_rate": {"rate": CANARY, "as_of": CANARY, "source": CANARY}},
        {"cost_metric": CANARY},
        {"sections": [CANARY]},
        {"version": CANARY},
        {"unexpected": CANARY},
    ],
)
def test_a_fault_names_the_field_and_never_the_value(changes: dict[str, Any]) -> None:
    fault = fault_of(a_row(**changes))
    assert next(iter(changes)) in fault
    assert CANARY not in fault


@pytest.mark.parametrize(
    "address",
    [
        *("", "nobody", "@nowhere.example", "a@b", "a b@c.example", "Ann <ann@c.example>", "a@b.example,c@d.example"),
        *("a@b.example\r\nBcc: c@d.example", "a\x1cb@c.example", "a\x00b@c.example", "a\u2028b@c.example"),
        *("müller@c.example", "a(comment)@c.example", f"{'a' * 250}@c.example"),
    ],
)
def test_an_address_that_a_header_could_not_carry_as_it_stands_is_refused(address: str) -> None:
    assert "recipients.0: " in fault_of(a_row(recipients=[address]))


def test_blanks_around_an_address_are_no_fault() -> None:
    assert parse_client(a_row(recipients=[" a@b.example "])).recipients == ("a@b.example",)


@pytest.mark.parametrize("address", ["o'brien+aws@sub.c.example", "x_y%z@c-d.example", "{a}|b~c@d.example"])
def test_an_unusual_but_sound_address_is_accepted(address: str) -> None:
    assert parse_client(a_row(recipients=[address])).recipients == (address,)


def test_the_same_address_in_two_spellings_is_one_too_many() -> None:
    assert "recipients: each address once" in fault_of(a_row(recipients=["Ann@c.example", "ann@C.example"]))


@pytest.mark.parametrize("client_id", ["", "-a", "a-", "A", "a_b", "a/b", "a#b", "a.b", "a b", "a\n", "ä", "a" * 49])
def test_an_id_that_could_be_confused_with_a_key_is_refused(client_id: str) -> None:
    assert "client_id: " in fault_of(a_row(client_id=client_id))


@given(st.from_regex(r"[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?", fullmatch=True))
def test_an_id_holds_no_separator_of_a_key_a_path_or_a_tag(client_id: str) -> None:
    assert not set(parse_client(a_row(client_id=client_id)).client_id) & set("/#_.:\\ \n")


def test_an_exchange_rate_is_given_for_every_currency_but_the_one_of_the_bill() -> None:
    rate = EUROS["exchange_rate"]
    assert parse_client(a_row(**EUROS)).exchange_rate is not None
    assert "exchange_rate: " in fault_of(a_row(currency="EUR"))
    assert "exchange_rate: " in fault_of(a_row(currency="USD", exchange_rate=rate))


@pytest.mark.parametrize("rate", [0, -1, "NaN", "Infinity"])
def test_a_rate_that_would_turn_money_into_nonsense_is_refused(rate: Any) -> None:
    fault = fault_of(a_row(currency="EUR", exchange_rate={"rate": rate, "as_of": "2026-10-31", "source": "ECB"}))
    assert "exchange_rate.rate: " in fault


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:iam::11112222333:role/reader",
        "arn:aws:iam::111122223333:user/reader",
        "arn:aws:iam::111122223333:role/",
        "arn:aws:iam::111122223333:role/a b",
        "arn:aws:iam::١١١١٢٢٢٢٣٣٣٣:role/reader",
    ],
)
def test_only_a_role_can_be_assumed(arn: str) -> None:
    assert "role_arn: " in fault_of(a_row(access={"kind": "role", "role_arn": arn, "external_id": "some-id"}))


@pytest.mark.parametrize("logo", ["../other-client/logo.png", "a/b.png", "logo.gif", ".png", "logo.png\n"])
def test_a_logo_cannot_lead_out_of_the_clients_folder(logo: str) -> None:
    assert "branding.logo: " in fault_of(a_row(branding={"colour": "#0b4f6c", "logo": logo}))


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text(max_size=40)
    | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=12), JUNK, max_size=8), st.booleans())
def test_a_hostile_row_is_a_client_or_misconfigured_and_nothing_else(junk: dict[str, Any], sound: bool) -> None:
    try:
        client = parse_client(a_row(**junk) if sound else junk)
    except ClientMisconfigured:
        return
    assert Client.model_validate_json(client.model_dump_json()) == client


@pytest.mark.parametrize(
    ("row", "due"),
    [
        ({"status": "active", "cadences": ["monthly"]}, True),
        ({"status": "active", "cadences": {"monthly", "weekly"}}, True),
        ({"status": "active", "cadences": ["weekly"]}, False),
        ({"status": "suspended", "cadences": ["monthly"]}, False),
        ({"status": "suspended"}, False),
        ({"status": "active"}, True),
        ({"status": "paused", "cadences": "monthly"}, True),
        ({}, True),
    ],
)
def test_a_row_that_does_not_say_is_due_so_that_it_fails_by_name(row: dict[str, Any], due: bool) -> None:
    assert is_due(row, "monthly", "final") is due


@pytest.mark.parametrize(
    ("row", "cadence", "issue", "due"),
    [
        ({"preliminary": True}, "monthly", "preliminary", True),
        ({"preliminary": False}, "monthly", "preliminary", False),
        ({}, "monthly", "preliminary", False),
        ({}, "weekly", "preliminary", True),
        ({"preliminary": "yes"}, "monthly", "preliminary", True),
        ({"preliminary": Decimal(1)}, "monthly", "preliminary", True),
        ({"preliminary": None}, "monthly", "preliminary", True),
    ],
)
def test_a_monthly_report_before_the_bill_is_closed_is_for_those_who_asked(
    row: dict[str, Any], cadence: Cadence, issue: Issue, due: bool
) -> None:
    assert is_due(row, cadence, issue) is due


def _a_role(account: str) -> dict[str, str]:
    return {"kind": "role", "role_arn": f"arn:aws:iam::{account}:role/reader", "external_id": "ours"}


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ([("One", "222233334444"), ("Two", "222233334444")], "each account once: one is a duplicate"),
        ([("One", "111122223333")], "each account once: one is a duplicate, or is that of access"),
        ([("One", "222233334444"), ("ONE", "333344445555")], "two have the same name"),
        ([("northwind retail", "222233334444")], "one has the client's"),
        ([(f"Account {n}", f"{n:012d}") for n in range(21)], "at most 20"),
    ],
)
def test_no_account_and_no_name_stands_there_twice(more: list[tuple[str, str]], fault: str) -> None:
    accounts = [{"name": name, "access": _a_role(account)} for name, account in more]
    assert fault in fault_of(a_row(more_accounts=accounts))


def test_a_record_from_before_there_were_more_accounts_is_sound() -> None:
    row = a_row()
    assert "more_accounts" not in row or row.pop("more_accounts") in ((), [])
    assert parse_client(row).more_accounts == ()
