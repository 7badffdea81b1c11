"""The ledger under any interleaving, many times: with a table of this process."""

from hypothesis import settings

from tests.ledger_machine import LedgerMachine

TestLedger = LedgerMachine.TestCase
TestLedger.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)
