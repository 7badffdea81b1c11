"""Alerts to the operators, through the topic that the alarms use: SNS mails it to them."""

from cost_reporting import aws
from cost_reporting.store.translation import translated


class AlertTopic:
    """The topic ``arn``."""

    def __init__(self, arn: str) -> None:
        self._arn = arn
        self._sns = aws.client("sns")

    def raise_alert(self, subject: str, text: str) -> None:
        """Publish. ``subject``: ASCII, at most 100 characters. Raises StoreThrottled or StoreRefused."""
        with translated("publish an alert"):
            self._sns.publish(TopicArn=self._arn, Subject=subject[:100], Message=text)
