"""What makes sense in a record: each kind of fault by its field, all at once; one reading of each odd row."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from cost_reporting import records
from cost_reporting.clients import Client, is_due, parse_client, parse_report_record, said
from cost_reporting.contracts import Cadence, Issue, Period
from cost_reporting.errors import ClientMisconfigured
from cost_reporting.soundness import Fault, Standpoint, is_old, today
from tests.builders import a_client

HERE = Standpoint(date(2026, 11, 28), "aws")
RUNS: tuple[tuple[Cadence, Issue], ...] = (
    ("monthly", "preliminary"),
    ("monthly", "final"),
    ("weekly", "preliminary"),
)


def a_row(**changes: Any) -> dict[str, Any]:
    return a_client().model_dump(mode="json", exclude_none=True) | changes


def euros(**changes: Any) -> dict[str, Any]:
    return {
        "currency": "EUR",
        "exchange_rate": {"rate": "0.92", "as_of": "2026-10-30", "source": "ECB"} | changes,
    }


def a_role(arn: str) -> dict[str, Any]:
    return {"access": {"kind": "role", "role_arn": arn, "external_id": "an-external-id"}}


def a_secret(arn: str) -> dict[str, Any]:
    return {"access": {"kind": "secret", "secret_arn": arn}}


FAULTY: dict[str, tuple[dict[str, Any], str, str]] = {
    "a locale that CLDR does not know": ({"locale": "no_NO"}, "locale", "Did you mean nb_NO"),
    "a language that is none": ({"locale": "xx"}, "locale", "Did you mean xh?"),
    "a currency that does not exist": (euros() | {"currency": "EUD"}, "currency", "Did you mean EUR or USD"),
    "a currency that was withdrawn": (euros() | {"currency": "DEM"}, "currency", "like USD or EUR"),
    "a rate from the future": (euros(as_of="2062-10-30"), "exchange_rate.as_of", "the day of which"),
    "a rate of nothing": (euros(rate="0"), "exchange_rate.rate", "One US dollar"),
    "a negative rate": (euros(rate="-0.9"), "exchange_rate.rate", "One US dollar"),
    "a rate with a decimal comma": (euros(rate="0,92"), "exchange_rate.rate", "decimal point"),
    "a budget with separators": ({"monthly_budget": "1.234,56"}, "monthly_budget", "decimal point"),
    "a budget with underscores": ({"monthly_budget": "1_234"}, "monthly_budget", "decimal point"),
    "a role of China": (a_role("arn:aws-cn:iam::210000000001:role/reader"), "access.role_arn", "another partition"),
    "a role of GovCloud": (
        a_role("arn:aws-us-gov:iam::210000000001:role/reader"), "access.role_arn", "another partition",
    ),
    "a secret of China": (
        a_secret("arn:aws-cn:secretsmanager:cn-north-1:210000000001:secret:cr/clients/northwind-retail"),
        "access.secret_arn", "another partition",
    ),
    "a further role of China": (
        {"more_accounts": [{"name": "Lab"} | a_role("arn:aws-cn:iam::210000000002:role/reader")]},
        "more_accounts.0.access.role_arn", "another partition",
    ),
    "two points in an address": ({"recipients": ["a..b@c.example"]}, "recipients.0", "Who gets"),
    "a point at the beginning": ({"recipients": [".a@c.example"]}, "recipients.0", "Who gets"),
    "a point at the end": ({"reply_to": "a.@c.example"}, "reply_to", "answers go"),
    "hyphens around a label": ({"recipients": ["a@-x-.example"]}, "recipients.0", "Who gets"),
    "a long local part": ({"recipients": [f"{'a' * 65}@c.example"]}, "recipients.0", "Who gets"),
    "a long label": ({"recipients": [f"a@{'b' * 64}.example"]}, "recipients.0", "Who gets"),
    "a long address": ({"recipients": [f"a@{'.'.join(['b' * 60] * 5)}.example"]}, "recipients.0", "Who gets"),
    "a point behind the domain": ({"recipients": ["a@c.example."]}, "recipients.0", "Who gets"),
    "a domain of numbers": ({"recipients": ["a@10.0.0.1"]}, "recipients.0", "Who gets"),
    "an address twice": ({"recipients": ["a@c.example", "A@C.example"]}, "recipients", "duplicate"),
    "a tag key twice": ({"sections": ["tags"], "tag_keys": ["Team", "Team"]}, "tag_keys", "duplicate"),
    "a section twice": ({"sections": ["accounts", "accounts"]}, "sections", "duplicate"),
    "a cadence twice": ({"cadences": ["monthly", "monthly"]}, "cadences", "duplicate"),
    "a file twice": ({"attachments": ["csv", "csv"]}, "attachments", "duplicate"),
    "a name of zero-width spaces": ({"client_name": "\u200b\u200b"}, "client_name", "name"),
    "a name of a Hangul filler": ({"client_name": "\u3164"}, "client_name", "name"),
    "a name of marks of direction": ({"client_name": "\u202e\u200f\u2066"}, "client_name", "name"),
    "a control character": ({"client_name": "Acme\x85Ltd"}, "client_name", "name"),
    "a line separator": ({"client_name": "Acme\u2028Ltd"}, "client_name", "name"),
    "two accounts of one look": (
        {"more_accounts": [{"name": "Northwind\u200b RETAIL"} | a_role("arn:aws:iam::210000000002:role/reader")]},
        "more_accounts", "reader can tell",
    ),
    "tags without keys": ({"sections": ["tags"]}, "tag_keys", "tag_keys"),
    "no rate": ({"currency": "EUR"}, "exchange_rate", "Write"),
    "a rate for dollars": (euros() | {"currency": "USD"}, "exchange_rate", "Remove it"),
    "another client's secret": (
        a_secret("arn:aws:secretsmanager:eu-central-1:210000000001:secret:cr/clients/other"),
        "access.secret_arn", "Store the keys",
    ),
}  # fmt: skip
"""By kind: the change of a sound record, the field that is named, and a part of the remedy."""


def by_field(found: Client | records.Faults) -> dict[str, Fault]:
    assert not isinstance(found, Client)
    return {each.field: each for each in found}


@pytest.mark.parametrize("kind", FAULTY)
def test_each_fault_is_named_with_its_remedy_by_file_row_table_and_run_alike(kind: str) -> None:
    changes, field, remedy = FAULTY[kind]
    row = {name: value for name, value in a_row(**changes).items() if name != "version"}
    of_file = by_field(records.read(json.dumps(row).encode(), HERE))
    assert list(of_file) == [field]
    assert remedy in of_file[field].remedy
    assert of_file[field].expected
    assert by_field(records.faults_of(row, HERE)) == of_file
    assert list(by_field(records.check(row, HERE, typed=False))) == [field]
    with pytest.raises(ClientMisconfigured, match=f"^northwind-retail: .*{field.rpartition('.')[2]}"):
        parse_client(row, HERE)


@pytest.mark.parametrize("kind", [kind for kind, (changes, *_) in FAULTY.items() if changes.keys() & {
    "locale", "currency", "exchange_rate", "client_name", "monthly_budget", "attachments",
}])  # fmt: skip
def test_the_renderer_reads_its_part_of_the_record_as_strictly(kind: str) -> None:
    changes, field, _ = FAULTY[kind]
    shown = (
        "client_id",
        "client_name",
        "branding",
        "locale",
        "currency",
        "exchange_rate",
        "monthly_budget",
        "attachments",
    )
    row = {name: value for name, value in a_row(**changes).items() if name in shown}
    with pytest.raises(ClientMisconfigured, match=field.rpartition(".")[2]):
        parse_report_record(row, HERE)


def test_a_fault_of_the_form_hides_no_fault_of_a_value() -> None:
    row = a_row(
        locale="no_NO", recipients=["a..b@c.example"], client_name="\u200b", status="paused",
        cadences=["weekly", "daily"],
        sections=["regions", "regions"], monthly_budget="12,50", unknown=1,
        **(euros(as_of="2062-10-30") | {"currency": "EUD"}),
        **a_role("arn:aws-cn:iam::210000000001:role/reader"),
    )  # fmt: skip
    del row["branding"]
    assert set(by_field(records.check({name: row[name] for name in row if name != "version"}, HERE))) == {
        "locale", "recipients.0", "client_name", "status", "cadences.1", "sections", "monthly_budget", "unknown",
        "exchange_rate.as_of", "currency", "access.role_arn", "branding",
    }  # fmt: skip


def test_a_sound_record_has_no_fault_in_any_place() -> None:
    row = a_row(locale="nb_NO", tag_keys=["Team", "team"], sections=["tags"], **euros())
    assert records.faults_of(row, HERE) == ()
    assert isinstance(records.check({name: row[name] for name in row if name != "version"}, HERE), Client)


@pytest.mark.parametrize(
    "name", ["Müller & Söhne", "東京電力", "شركة ‌النور", "कंपनी\u200d", "Ωmega 2", "🚀 Labs", "\u200fאבג"]
)
def test_a_name_in_any_script_is_a_name(name: str) -> None:
    assert parse_client(a_row(client_name=name)).client_name == name


@pytest.mark.parametrize(
    "address", ["a.b@c.example", "a@xn--mller-kva.example", "x@a-b.co.uk", f"{'a' * 64}@c.example"]
)
def test_an_address_that_mail_servers_take_is_taken(address: str) -> None:
    assert parse_client(a_row(recipients=[address])).recipients == (address,)


def test_an_address_that_was_quarantined_by_older_rules_does_not_stop_the_client() -> None:
    assert parse_client(a_row(quarantined=["a..b@c.example"])).quarantined == ("a..b@c.example",)


def test_a_recipient_by_older_rules_fails_the_client_by_name_and_leaves_it_due() -> None:
    row = a_row(recipients=["a..b@c.example"])
    assert is_due(row, "monthly", "final")
    with pytest.raises(ClientMisconfigured, match=r"northwind-retail: recipients\.0: "):
        parse_client(row)


def test_a_rate_of_today_is_sound_wherever_it_is_today_already() -> None:
    assert today(datetime(2026, 11, 27, 11, tzinfo=UTC)) == date(2026, 11, 28)
    assert records.faults_of(a_row(**euros(as_of="2026-11-28")), HERE) == ()
    assert [each.field for each in records.faults_of(a_row(**euros(as_of="2026-11-29")), HERE)] == [
        "exchange_rate.as_of"
    ]


@pytest.mark.parametrize(
    ("as_of", "limit", "old"),
    [("2026-09-26", None, False), ("2026-09-25", None, True), ("2026-09-25", 36, False), ("2026-11-20", None, False)],
)
def test_a_rate_is_old_after_35_days_unless_the_record_says_another_number(
    as_of: str, limit: int | None, old: bool
) -> None:
    october = Period(start=date(2026, 10, 1), end=date(2026, 11, 1))
    assert is_old(date.fromisoformat(as_of), october, limit) is old


def test_a_rate_that_is_too_old_for_the_next_report_is_a_warning() -> None:
    now = date(2026, 11, 28)
    assert records.warnings_of(parse_client(a_row(**euros())), now) == ()
    (warning,) = records.warnings_of(parse_client(a_row(**euros(as_of="2026-08-01"))), now)
    assert (warning.field, "2026-10 shows no amounts in EUR" in warning.remedy) == ("exchange_rate.as_of", True)
    assert records.warnings_of(parse_client(a_row(**euros(as_of="2026-08-01", max_age_days=100))), now) == ()


# -- one reading of a row ----------------------------------------------------------------------------------------------

ODD: dict[str, Callable[[Any], Any]] = {
    "as text": json.dumps,
    "as plain text": str,
    "in capitals": lambda it: str(it).upper(),
    "with blanks": lambda it: f" {it} ",
    "as a set": lambda it: set(map(str, it)) if isinstance(it, list) else {str(it)},
    "as its first member": lambda it: it[0] if isinstance(it, list) and it else it,
    "in a list": lambda it: [it],
    "as an object": lambda it: {"value": it},
    "null": lambda it: None,
    "empty text": lambda it: "",
    "an empty list": lambda it: [],
    "one": lambda it: Decimal(1),
    "zero": lambda it: Decimal(0),
    "true": lambda it: True,
    "false": lambda it: False,
    "yes": lambda it: "yes",
    "no": lambda it: "no",
    "bytes": lambda it: b"\x00",
    "another word": lambda it: "paused",
    "with blanks inside": lambda it: [f" {each}" for each in it] if isinstance(it, list) else f"{it}\t",
    "members in capitals": lambda it: [str(each).upper() for each in it] if isinstance(it, list) else it,
}
WHOLE = a_client(
    cadences=("monthly", "weekly"), preliminary=True, sections=("accounts", "tags"), tag_keys=("Team", "App"),
    attachments=("csv", "xlsx"), monthly_budget=Decimal("1200.50"), approve_first=2, quarantined=("x@c.example",),
    more_accounts=[{"name": "Lab"} | a_role("arn:aws:iam::210000000002:role/reader")],
    shared_with=("other",), shared_reason="two boards", **euros(),
).model_dump(mode="json", exclude_none=True)  # fmt: skip
DECIDE = ("status", "cadences", "preliminary")
"""The fields by which a client is due."""


LINKED = {
    "sections": ("tag_keys",), "tag_keys": ("sections",), "currency": ("exchange_rate",),
    "exchange_rate": ("currency",),
    "shared_with": ("shared_reason",), "shared_reason": ("shared_with",), "client_id": ("shared_with",),
}  # fmt: skip
"""Where the fault of a field is told of its partner."""


@pytest.mark.parametrize("field", sorted(Client.model_fields))
@pytest.mark.parametrize("form", ODD)
def test_an_odd_form_reads_the_same_everywhere_or_fails_by_name_and_is_due(form: str, field: str) -> None:
    row = WHOLE | {field: ODD[form](WHOLE.get(field, "a@c.example"))}
    try:
        client = parse_client(row)
    except ClientMisconfigured as misconfigured:
        fault = str(misconfigured)
    else:
        fault = ""
    if fault:
        assert any(each in fault for each in (field, *LINKED.get(field, ())))
        for cadence, issue in RUNS:
            assert is_due(row, cadence, issue) or field not in DECIDE, "left out of the run, it would fail in silence"
        return
    assert said(row, field) == getattr(client, field)
    for cadence, issue in RUNS:
        wanted = client.preliminary or (cadence, issue) != ("monthly", "preliminary")
        due = client.status == "active" and cadence in client.cadences and wanted
        assert is_due(row, cadence, issue) is due


@pytest.mark.parametrize("field", DECIDE)
def test_a_field_that_is_missing_says_its_default_or_leaves_the_client_due(field: str) -> None:
    row = {name: value for name, value in WHOLE.items() if name != field}
    assert is_due(row, "monthly", "final")


@pytest.mark.parametrize("stored", [True, "true", "TRUE", "yes", "1", 1, Decimal(1)], ids=repr)
def test_true_in_each_form_in_which_a_console_stores_it_is_true(stored: Any) -> None:
    row = a_row(preliminary=stored)
    assert parse_client(row).preliminary
    assert is_due(row, "monthly", "preliminary")


def test_a_set_is_read_in_one_order() -> None:
    row = a_row(recipients={f"{letter}@c.example" for letter in "zyxwvutabc"})
    assert list(parse_client(row).recipients) == sorted(row["recipients"])


# -- tables ------------------------------------------------------------------------------------------------------------

COLUMNS = (
    "client_id", "client_name", "status", "cadences", "recipients", "access.kind", "access.role_arn",
    "access.external_id", "branding.colour", "locale", "currency", "cost_metric",
)  # fmt: skip
CELLS = (
    "fjord", "Fjord, AS", "active", "monthly", "a@fjord.example;b@fjord.example", "role",
    "arn:aws:iam::210000000001:role/reader", "an-external-id", "#0b4f6c", "nb_NO", "USD", "unblended",
)  # fmt: skip


def a_table(separator: str, end: str = "\r\n", **more: str) -> str:
    lines = [(*COLUMNS, *more), (*CELLS, *more.values())]
    quoted = ([f'"{cell}"' if separator in cell or "," in cell else cell for cell in line] for line in lines)
    return "".join(separator.join(cells) + end for cells in quoted)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\r\n", "\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("said_first", [False, True])
def test_a_table_is_read_as_spreadsheets_of_any_country_write_it(
    separator: str, end: str, encoding: str, said_first: bool
) -> None:
    text = (f"sep={separator}{end}" if said_first else "") + a_table(separator, end)
    (read,) = records.read_many(text.encode(encoding), HERE, as_csv=True)
    assert isinstance(read, records.Numbered)
    assert isinstance(read.read, Client), read
    assert (read.read.client_name, read.read.locale) == ("Fjord, AS", "nb_NO")
    assert read.read.recipients == ("a@fjord.example", "b@fjord.example")


@pytest.mark.parametrize("budget", ["1.234,56", "1,234.56", "1 234", "12,50", "EUR 12", "1'234.50"])
def test_a_budget_in_a_country_s_own_way_is_refused_and_never_read_as_another(budget: str) -> None:
    (read,) = records.read_many(a_table(";", monthly_budget=budget).encode(), HERE, as_csv=True)
    assert isinstance(read, records.Numbered)
    (fault,) = by_field(read.read).values()  # type: ignore[arg-type]
    assert (fault.field, "decimal point" in fault.remedy) == ("monthly_budget", True)


def test_a_table_with_another_number_of_cells_says_what_separates_them() -> None:
    (fault,) = records.read_many(b"client_id;status;locale\na;b\n", HERE, as_csv=True)
    assert isinstance(fault, Fault)
    assert "separated by semicolons" in fault.expected
