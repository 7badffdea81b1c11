"""Why the costs of a period differ from those of the one before: causes that add up to the printed change."""

from cost_reporting.domain.causes.facts import Basis, Cause, Explanation, Headline, Kind, Part, Share

__all__ = ["Basis", "Cause", "Explanation", "Headline", "Kind", "Part", "Share"]
