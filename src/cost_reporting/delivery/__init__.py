"""How a report reaches a recipient. One file for each channel; a channel says only things that are certain."""

from typing import Protocol

from cost_reporting.contracts import Fact


class Letter(Fact):
    """A report on its way to one recipient, as a MIME message. ``tags`` come back with every delivery event."""

    sender: str
    recipient: str
    message: bytes
    tags: dict[str, str]


class Channel(Protocol):
    """Anything that can carry a letter."""

    def send(self, letter: Letter) -> str:
        """Hand the letter over and return the carrier's message id.

        Raises DeliveryThrottled if it was certainly not accepted and may be later, DeliveryRejected if it certainly was
        not and will not be, DeliveryUncertain if nobody knows.
        """
        ...
