"""What is left of stored facts without an address, and which items are about a client."""

from decimal import Decimal

import pytest

from cost_reporting.domain.erasure import kind_of, mentions, without
from cost_reporting.ledger import fingerprint

ANNA = "anna@acme.example"


def test_an_address_goes_from_lists_and_reply_to_in_every_spelling_and_nothing_else_does() -> None:
    record = {
        "recipients": ["Anna@ACME.example", "joanna@acme.example", "anna@acme.example.org"],
        "reply_to": ANNA,
        "monthly_budget": Decimal("12.50"),
        "branding": {"colour": "#0b4f6c"},
    }
    assert without(record, ANNA) == {
        "recipients": ["joanna@acme.example", "anna@acme.example.org"],
        "monthly_budget": Decimal("12.50"),
        "branding": {"colour": "#0b4f6c"},
    }
    assert without(record, "carl@acme.example") == record


@pytest.mark.parametrize(
    "text", [ANNA, f"asked by {ANNA}.", f'["{ANNA.upper()}", "b@c.example"]', f"<{ANNA}>", f"mailto:{ANNA}"]
)
def test_in_a_text_the_fingerprint_takes_its_place(text: str) -> None:
    left = without({"who": text}, ANNA)["who"]
    assert f"(erased {fingerprint(ANNA)})" in left
    assert not mentions(left, address=ANNA)


@pytest.mark.parametrize("text", ["x.anna@acme.example", "anna@acme.example.org", "anna@acme.example-2.org"])
def test_another_address_that_holds_it_is_another_one(text: str) -> None:
    assert without(text, ANNA) == text
    assert not mentions(text, address=ANNA)


@pytest.mark.parametrize(
    ("pk", "sk", "kind"),
    [
        ("CLIENT#acme", "VERSION#000001", "versions"),
        ("CLIENT#acme", "RECIPIENT#0#1", "recipients' notes"),
        ("CLIENT#acme", "EXTERNAL_ID#210000000003", "rotations"),
        ("CLIENT#acme", "WHATEVER", "other items"),
        ("CLIENT#acme-2", "VERSION#000001", None),
        ("LEDGER#acme#monthly#2026-10#final#live", "TO#0", "mail ledger"),
        ("LEDGER#acme-2#monthly#2026-10#final#live", "TO#0", None),
        ("APPROVED#acme", "REPORTS", "approvals"),
        ("APPROVED#acme-2", "REPORTS", None),
        ("HELD#monthly#2026-10#final", "acme", "held reports"),
        ("DELIVERED#monthly#2026-10#final", "acme", "marks"),
        ("FAILED#monthly#2026-10#final", "acme-2", None),
        ("RUN#r1", "OUTCOME#acme", "outcomes"),
        ("RUN#r1", "OUTCOME#acme-2", None),
        ("RUN#r1", "RUN", None),
        ("EXPECTED#monthly#2026-10#final", "r1", None),
    ],
)
def test_an_item_is_the_client_s_by_its_whole_id(pk: str, sk: str, kind: str | None) -> None:
    assert kind_of({"pk": pk, "sk": sk}, "acme") == kind


def test_an_account_is_the_client_s_that_owns_it() -> None:
    item = {"pk": "ACCOUNTS#acme", "sk": "HELD", "client_id": "acme"}
    assert (kind_of(item, "acme"), kind_of(item, "acme-2")) == ("accounts", None)


@pytest.mark.parametrize(
    ("text", "is_named"),
    [('{"client_id": "acme"}', True), ('"reports/acme/x"', True), ('{"client_id": "acme-2"}', False), ("acme", False)],
)
def test_a_document_names_a_client_by_its_whole_id(text: str, is_named: bool) -> None:
    assert mentions(text, client_id="acme") is is_named
