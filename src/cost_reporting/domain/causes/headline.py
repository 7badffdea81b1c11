"""What a headline may say of a change: its main causes, and whether the usage tells more than the total."""

from decimal import Decimal
from typing import Final

from cost_reporting.costs import CostDocument
from cost_reporting.domain.causes.bill import NETTED, bill_of
from cost_reporting.domain.causes.explaining import explain
from cost_reporting.domain.causes.facts import Cause, Explanation, Headline, Share
from cost_reporting.money import cents, total

_ALL: Final = (Decimal("0.95"), Decimal("1.05"))
_MOST: Final = Decimal("0.60")
_HALF: Final = Decimal("0.45")
_TOGETHER: Final = Decimal("0.80")
_NEVER: Final = frozenset({"not_billed_yet", "else"})
_OFFSETS: Final = frozenset({"credits", "refunds"})
_WITH_USAGE: Final = _OFFSETS | {"plans", "new_plan"}


def headline_cause(explanation: Explanation) -> Headline | None:
    """The cause, or the two, that make most of the change; None if no cause does.

    The largest one counts if it goes the way that the total goes, and is not the calendar. What is not billed yet is
    passed over, and so is everything else.
    """
    change = explanation.change
    causes = [cause for cause in explanation.causes if cause.kind not in _NEVER]
    if not change or not causes or not _counts(causes[0], change):
        return None
    first = causes[0]
    part = first.amount / change
    with_usage = any(cause.kind in _WITH_USAGE for cause in explanation.causes[:2])
    if part > _ALL[1]:
        return Headline(causes=(first,), share=None, with_usage=with_usage)
    if part >= _MOST:
        share: Share = "all" if part >= _ALL[0] else "most"
        return Headline(causes=(first,), share=share, with_usage=with_usage)
    two = tuple(causes[:2])
    if len(two) == 2 and _counts(two[1], change) and total(cause.amount for cause in two) / change >= _TOGETHER:
        return Headline(causes=two, share="together", with_usage=with_usage)
    return Headline(causes=(first,), share="half", with_usage=with_usage) if part >= _HALF else None


def _counts(cause: Cause, change: Decimal) -> bool:
    return cause.kind != "calendar" and cause.amount * change > 0


def judged_by_usage(costs: CostDocument, explanation: Explanation | None = None) -> bool:
    """Whether credits or refunds moved the total, so that headline and subject are judged by usage.

    They did if they paid for everything, if they are among the first two causes, or if without them the total would
    have gone the other way. ``explanation`` is the one of ``costs``, where it has been made already.
    """
    made = explain(costs) if explanation is None else explanation
    if not made.compares:
        return False
    if made.basis == "usage" or any(cause.kind in _OFFSETS for cause in made.causes[:2]):
        return True
    bill = bill_of(costs)
    moved = bill.now.sum(*NETTED) - bill.before.sum(*NETTED)
    charged = cents(bill.now.charges) - cents(bill.before.charges)
    return bool(cents(moved)) and charged * (made.change or 0) < 0
