"""When a report's files are too large for a mail, and what the mail says instead of carrying them.

The links themselves are made by Send Email, because they end within the hour (decision 0005).
"""

from collections.abc import Iterable
from typing import Final

from cost_reporting.contracts import DownloadWords
from cost_reporting.report.edition import Edition
from cost_reporting.report.language import to_say

LARGEST_TOGETHER: Final = 7_000_000
"""Bytes of all files. Base64 makes 9.6 million of them, and many recipients' servers take no message above 10."""


def too_large(sizes: Iterable[int]) -> bool:
    """Whether files of these ``sizes`` are more than a mail should carry."""
    return sum(sizes) > LARGEST_TOGETHER


def download_words(edition: Edition) -> DownloadWords:
    """What stands before and after the links. The moment at which they end is filled in when they are made."""
    intro = to_say("The files of this report are too large for a mail. They can be downloaded here until {until}:")
    after = to_say("Whoever has a link can open its file until then. After that, ask us to send the report again.")
    return DownloadWords(intro=edition.say(intro, until="{until}"), after=edition.say(after))
