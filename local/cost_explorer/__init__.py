"""AWS Cost Explorer for laptops and tests: requests, answers and refusals of the real service, over invented accounts.

``CostExplorer.answer`` takes what a client sent in AWS JSON 1.1 and gives what the service would send back. Requests
are held against botocore's own model of the service. Rules that the model does not carry (history, clock, paging,
wording) come from AWS's API reference and from messages that users of the real service have published; what is only
plausible says so.

To add an operation: a function of a ``Call`` in ``operations``, and one line in ``OPERATIONS``.
"""

from local.cost_explorer.filters import DIMENSIONS
from local.cost_explorer.operations import OPERATIONS
from local.cost_explorer.service import CostExplorer

__all__ = ["DIMENSIONS", "OPERATIONS", "CostExplorer"]
