"""Why the costs of a period differ from those of the one before: causes that add up to the printed change.

``bill`` is what the causes are worked out from, ``fees``, ``incidents``, ``services`` and ``calendar`` work them out,
``choice`` names them, and ``explaining`` has the order. What :func:`explain` says is in ``facts``.
"""

from cost_reporting.domain.causes.bill import demand, usage_total
from cost_reporting.domain.causes.explaining import explain
from cost_reporting.domain.causes.facts import Basis, Cause, Explanation, Headline, Kind, Part, Share
from cost_reporting.domain.causes.headline import headline_cause, judged_by_usage

__all__ = [
    "Basis",
    "Cause",
    "Explanation",
    "Headline",
    "Kind",
    "Part",
    "Share",
    "demand",
    "explain",
    "headline_cause",
    "judged_by_usage",
    "usage_total",
]
