"""Every record type that the emulated accounts have, and every one that is publicly known, has a meaning of its own."""

from datetime import date
from typing import Final

import pytest

from cost_reporting.record_types import RECORD_TYPES, group_of, meaning_of
from local.accounts import ACCOUNTS, ledger

PUBLIC: Final[dict[str, tuple[str, ...]]] = {
    "AWS Cost Management User Guide, Budget filters, Charge type (the console's labels)": (
        "Credit",
        "Other out-of-cycle charges",
        "Recurring reservation fee",
        "Refund",
        "Reservation applied usage",
        "Savings Plan covered usage",
        "Savings Plan negation",
        "Savings Plan recurring fee",
        "Savings Plan upfront fee",
        "Support fee",
        "Tax",
        "Upfront reservation fee",
        "Usage",
    ),
    "AWS Data Exports User Guide, Line item details, lineItem/LineItemType": (
        "BundledDiscount",
        "Credit",
        "Discount",
        "DiscountedUsage",
        "Fee",
        "FlatRateSubscription",
        "Refund",
        "RIFee",
        "Tax",
        "Usage",
        "SavingsPlanUpfrontFee",
        "SavingsPlanRecurringFee",
        "SavingsPlanCoveredUsage",
        "SavingsPlanNegation",
    ),
    "AWS Data Exports User Guide, Discount details (types of line items with manual discount compatibility)": (
        "EdpDiscount",
        "PrivateRateDiscount",
        "SppDiscount",
        "BundledDiscount",
    ),
    "public users of Cost Explorer's API, among them aws-samples/aws-cost-explorer-report": (
        "Recurring",
        "Upfront",
        "Support",
        "DiscountedUsage",
        "Enterprise Discount Program Discount",
        "Private Rate Card Discount",
        "Private Rate Discount",
        "Solution Provider Program Discount",
        "Distributor Discount",
        "Bundled Discount",
    ),
}
"""Where a record type is written, and how."""


@pytest.mark.parametrize(
    ("source", "record_type"), [(source, each) for source, names in PUBLIC.items() for each in names]
)
def test_a_record_type_that_is_publicly_known_is_in_the_table(source: str, record_type: str) -> None:
    assert group_of(record_type) != "other", f"{record_type} ({source}) has no group"


@pytest.mark.parametrize("account", ACCOUNTS.values(), ids=lambda account: account.name)
def test_every_record_type_of_the_emulated_accounts_is_written_as_the_table_has_it(account) -> None:
    for row in ledger(account, date(2026, 11, 28)).rows:
        assert row.record_type in RECORD_TYPES
        assert meaning_of(row.record_type).bucket != "other"
