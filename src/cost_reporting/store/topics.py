"""Who hears of what a topic of SNS is told."""

from cost_reporting import aws
from cost_reporting.domain.readiness import PENDING, Subscription
from cost_reporting.store.translation import translated


def read_subscriptions(topic: str) -> tuple[Subscription, ...]:
    """The subscriptions of a topic, those that wait for their confirmation too; those taken back are left out."""
    found: list[Subscription] = []
    token: dict[str, str] = {}
    while True:
        with translated("list the subscriptions of the topic"):
            page = aws.client("sns").list_subscriptions_by_topic(TopicArn=topic, **token)
        for each in page.get("Subscriptions", []):
            arn = each.get("SubscriptionArn", "")
            if arn != "Deleted":
                confirmed = arn.startswith("arn:") and arn not in PENDING
                found.append(Subscription(protocol=each.get("Protocol", "unknown"), confirmed=confirmed))
        if not page.get("NextToken"):
            return tuple(found)
        token = {"NextToken": page["NextToken"]}
