"""Who the emulated clients are, and what each of them spends per day.

Every figure is worked out, never stored: from a hash of account, service and month, from the account's own traits,
and from today's date for what is told relative to it ("a refund last month"). The same account on the same day always
spends the same. Money is an int of 10**-10 USD, the finest amount that Cost Explorer prints, so every sum is exact.
"""

from local.accounts.account import Account
from local.accounts.clients import ACCOUNTS, crowd
from local.accounts.spend import ledger

__all__ = ["ACCOUNTS", "Account", "crowd", "ledger"]
