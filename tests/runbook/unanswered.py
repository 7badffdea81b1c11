"""Calls of the runbook that the local stack does not answer, and why: only their arguments are checked."""

from typing import Final

UNANSWERED: Final[dict[str, str]] = {}
