"""Costs from AWS Cost Explorer: two paid questions for a report, and more only for sections that a client asks for.

1. Record types: SERVICE by RECORD_TYPE with four metrics, over 13 months for a monthly report, or by day over this week
   and the one before for a weekly one.
2. Days: SERVICE by day, over the period and the one before, in the report's metric.

`sections.py` has what a client's record may ask for beyond that. Cost Explorer answers in us-east-1 whatever the
stack's region, counts in UTC days, takes an exclusive end, and asks one US cent for each request and each further page
(AWS Cost Management pricing).
"""

from cost_reporting.sources.cost_explorer.source import CostExplorerSource, forgotten, requests_for

__all__ = ["CostExplorerSource", "forgotten", "requests_for"]
