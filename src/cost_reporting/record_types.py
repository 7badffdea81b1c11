"""AWS's record types (RECORD_TYPE, "Charge type"), and what each means in a report: the one table of them.

Amounts are split by record type under three spellings, and no AWS document lists all of them:

- Cost Explorer's API: ``Recurring`` and ``Upfront`` are reservations' fees, and a discount is written in words
  ("Enterprise Discount Program Discount"). From public users of the API, among them
  aws-samples/aws-cost-explorer-report (``src/lambda.py`` filters "Upfront").
- The Cost and Usage Report's ``lineItem/LineItemType``: ``RIFee``, ``Fee``, ``EdpDiscount``, …
  (AWS Data Exports User Guide, "Line item details")
- The console's labels: "Recurring reservation fee", "Savings Plan negation", "Support fee", …
  (AWS Cost Management User Guide, "Budget filters" and "Filtering the data that you want to view", Charge type)

So a type is looked up without regard to case, blanks and punctuation.
"""

import re
from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

Group = Literal["usage", "commitment", "discount", "subscription", "credit", "refund", "support", "tax", "other"]
GROUPS: Final[tuple[Group, ...]] = (
    "usage",
    "commitment",
    "discount",
    "subscription",
    "support",
    "credit",
    "refund",
    "tax",
    "other",
)
"""The steps from usage to invoice, in the order in which a report walks them."""

Bucket = Literal[
    "usage", "discounts", "plans", "reservations", "purchase", "credits", "refunds", "tax", "support", "other"
]
"""What explains a change: finer than a group, since a fee of each month and a purchase move a bill in other ways.

usage: what was used, on demand and covered. discounts: agreed ones, which follow the usage. plans: fees of Savings
Plans and the usage that they negate. reservations: fees of each month. purchase: bought once. other: all else.
"""

ChargeCategory = Literal["Usage", "Purchase", "Tax", "Credit", "Adjustment"]
"""FOCUS 1.2's ChargeCategory."""


class Meaning(NamedTuple):
    """What a record type is in the walk from usage to invoice, in the reasons of a change, and in FOCUS."""

    group: Group
    bucket: Bucket
    category: ChargeCategory


_USAGE: Final = Meaning("usage", "usage", "Usage")
_NEGATION: Final = Meaning("commitment", "plans", "Usage")
_PLAN_FEE: Final = Meaning("commitment", "plans", "Purchase")
_RESERVATION_FEE: Final = Meaning("commitment", "reservations", "Purchase")
_BOUGHT: Final = Meaning("commitment", "purchase", "Purchase")
_SUBSCRIPTION: Final = Meaning("subscription", "other", "Purchase")
_SUPPORT: Final = Meaning("support", "support", "Usage")
_TAX: Final = Meaning("tax", "tax", "Tax")
_CREDIT: Final = Meaning("credit", "credits", "Credit")
_REFUND: Final = Meaning("refund", "refunds", "Adjustment")
_DISCOUNT: Final = Meaning("discount", "discounts", "Adjustment")
_BUNDLED: Final = Meaning("discount", "discounts", "Usage")
_UNKNOWN: Final = Meaning("other", "other", "Adjustment")

RECORD_TYPES: Final[Mapping[str, Meaning]] = {
    "Usage": _USAGE,
    "DiscountedUsage": _USAGE,
    "Reservation applied usage": _USAGE,
    "SavingsPlanCoveredUsage": _USAGE,
    "SavingsPlanNegation": _NEGATION,
    "SavingsPlanRecurringFee": _PLAN_FEE,
    "SavingsPlanUpfrontFee": _BOUGHT,
    "Recurring": _RESERVATION_FEE,
    "Recurring reservation fee": _RESERVATION_FEE,
    "RIFee": _RESERVATION_FEE,
    "Upfront": _BOUGHT,
    "Upfront reservation fee": _BOUGHT,
    "Fee": _BOUGHT,
    "FlatRateSubscription": _SUBSCRIPTION,
    "Other out-of-cycle charges": _SUBSCRIPTION,
    "Support": _SUPPORT,
    "Support fee": _SUPPORT,
    "Tax": _TAX,
    "Credit": _CREDIT,
    "Refund": _REFUND,
    "Discount": _DISCOUNT,
    "Enterprise Discount Program Discount": _DISCOUNT,
    "EdpDiscount": _DISCOUNT,
    "Private Rate Discount": _DISCOUNT,
    "PrivateRateDiscount": _DISCOUNT,
    "Private Rate Card Discount": _DISCOUNT,
    "Solution Provider Program Discount": _DISCOUNT,
    "SppDiscount": _DISCOUNT,
    "Distributor Discount": _DISCOUNT,
    "RI Volume Discount": _DISCOUNT,
    "Bundled Discount": _BUNDLED,
    "BundledDiscount": _BUNDLED,
}
"""Each record type that is publicly known. Categories are those of the FOCUS specification's example mappings for AWS
(``supporting_content/columns/chargecategory.md``); support is usage there, and bundled discounts are. A subscription is
what FOCUS calls a purchase: "bought upfront or on a recurring basis". Reservations bought upfront are commitments like
their fees. "Other out-of-cycle charges" are, in AWS's words, "any subscription charges that aren't upfront reservation
charges or support charges"."""


def meaning_of(record_type: str) -> Meaning:
    """What ``record_type`` means. An unknown one that calls itself a discount is one; any other is "other"."""
    key = _key(record_type)
    return _BY_KEY.get(key) or (_DISCOUNT if "discount" in key else _UNKNOWN)


def group_of(record_type: str) -> Group:
    """Its step on the way from usage to invoice."""
    return meaning_of(record_type).group


def bucket_of(record_type: str) -> Bucket:
    """What it is among the reasons of a change."""
    return meaning_of(record_type).bucket


def charge_category_of(record_type: str) -> ChargeCategory:
    """Its ChargeCategory in FOCUS; a type that is not known is an Adjustment."""
    return meaning_of(record_type).category


def _key(record_type: str) -> str:
    return re.sub(r"[\W_]", "", record_type).casefold()


_BY_KEY: Final = {_key(name): meaning for name, meaning in RECORD_TYPES.items()}
