"""An e-mail subscription of SNS hears nothing until the link in SNS's mail is opened.

Restored here, where MiniStack takes every address as confirmed:

- an e-mail subscription of Subscribe or of a template waits, and hears nothing; lists have ``PendingConfirmation`` in
  the place of its ARN, Subscribe answers ``pending confirmation`` (botocore, sns, Subscribe: "pending confirmation";
  SNS Developer Guide, "Deleting an Amazon SNS topic and subscription");
- CloudFormation does not wait for it (CloudFormation User Guide, "AWS::SNS::Subscription");
- ConfirmSubscription takes the token of the link, once.

Unlike AWS, an unconfirmed subscription is not taken away after 48 hours, and the mail with the link is not kept: ``POST
/_local/confirm`` opens the links of every account. `make local-up` does so.
"""

import uuid
from typing import Any

from local.differences.upstream import upstream

EMAIL = ("email", "email-json")


def restore() -> None:
    """Let e-mail subscriptions wait."""
    sns = upstream("services.sns")
    provisioners = upstream("services.cloudformation.provisioners")
    theirs_subscribe, theirs_create = sns._subscribe, provisioners._sns_sub_create
    theirs_by_topic, theirs_list = sns._list_subscriptions_by_topic, sns._list_subscriptions

    def subscribe(params: Any) -> Any:
        known = {each["arn"] for each in subscriptions()}
        answer = theirs_subscribe(params)
        for each in subscriptions():
            if each["arn"] not in known:
                wait(each)
        return shown(answer, "pending confirmation")

    def create(logical_id: str, properties: dict[str, Any], stack: str) -> Any:
        answer = theirs_create(logical_id, properties, stack)
        for each in subscriptions():
            if each["arn"] == answer[0]:
                wait(each)
        return answer

    sns._subscribe = subscribe
    sns._list_subscriptions_by_topic = lambda params: shown(theirs_by_topic(params), "PendingConfirmation")
    sns._list_subscriptions = lambda params: shown(theirs_list(params), "PendingConfirmation")
    provisioners._sns_sub_create = create
    handlers = provisioners._RESOURCE_HANDLERS["AWS::SNS::Subscription"]
    provisioners._RESOURCE_HANDLERS["AWS::SNS::Subscription"] = handlers | {"create": create}


def confirm_all() -> int:
    """Open the link of every subscription that waits, in every account; how many there were."""
    waiting = [
        each
        for topic in upstream("services.sns")._topics._data.values()
        for each in topic["subscriptions"]
        if each["protocol"] in EMAIL and not each["confirmed"]
    ]
    for each in waiting:
        each |= {"confirmed": True, "token": None}
        each["attributes"] |= {"PendingConfirmation": "false"}
    return len(waiting)


def subscriptions() -> list[dict[str, Any]]:
    """Those of the caller's account."""
    return [each for topic in upstream("services.sns")._topics.values() for each in topic["subscriptions"]]


def wait(subscription: dict[str, Any]) -> None:
    """Let a subscription wait for its confirmation, if it is of a kind that has to."""
    if subscription["protocol"] in EMAIL:
        subscription |= {"confirmed": False, "token": uuid.uuid4().hex}
        subscription["attributes"] |= {"PendingConfirmation": "true"}


def shown(answer: Any, instead: str) -> Any:
    """An answer of SNS with ``instead`` in the place of the ARNs of subscriptions that wait."""
    status, headers, body = answer
    text = body.decode() if isinstance(body, bytes) else body
    for each in subscriptions():
        if not each["confirmed"]:
            text = text.replace(
                f"<SubscriptionArn>{each['arn']}</SubscriptionArn>", f"<SubscriptionArn>{instead}</SubscriptionArn>"
            )
    return status, headers, text.encode() if isinstance(body, bytes) else text
