"""Mail through Amazon SES. It accepts a message or refuses it; without an answer, nobody knows."""

from typing import Final

from cost_reporting import aws
from cost_reporting.delivery import Letter
from cost_reporting.errors import DeliveryRejected, DeliveryThrottled, DeliveryUncertain

READ_TIMEOUT: Final = 20
"""Seconds. Well below the function's 60, so that an unknown outcome is an error with a name and not a kill."""


class SesChannel:
    """SES v2 with exactly one try per call: SendEmail has no client token, so a second try may be a second mail."""

    def __init__(self, configuration_set: str) -> None:
        self._configuration_set = configuration_set
        self._ses = aws.client("sesv2", attempts=1, read_timeout=READ_TIMEOUT)

    def send(self, letter: Letter) -> str:
        """SES's message id: the message is accepted, not yet delivered."""
        try:
            answer = self._ses.send_email(
                FromEmailAddress=letter.sender,
                Destination={"ToAddresses": [letter.recipient]},
                Content={"Raw": {"Data": letter.message}},
                ConfigurationSetName=self._configuration_set,
                EmailTags=[{"Name": name, "Value": value} for name, value in letter.tags.items()],
            )
        except aws.Refused as refused:
            code = aws.code(refused)
            if aws.status(refused) >= 500:
                raise DeliveryUncertain(f"SES: {code}: the message may have been accepted") from refused
            if code in aws.THROTTLES:
                raise DeliveryThrottled(f"SES: {code}") from refused
            raise DeliveryRejected(f"SES: {code}") from refused
        except aws.NeverReached as unreached:
            raise DeliveryThrottled(f"SES: {type(unreached).__name__}") from unreached
        except aws.NoAnswer as none:
            raise DeliveryUncertain(f"SES: {type(none).__name__}: the message may have been accepted") from none
        if "MessageId" not in answer:
            raise DeliveryUncertain("SES: half an answer: the message may have been accepted")
        return answer["MessageId"]
