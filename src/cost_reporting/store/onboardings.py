"""What was agreed with a client before there is a record: one item ``CLIENT#<id>`` / ``ONBOARDING``, written once."""

from typing import Any

from pydantic import AwareDatetime

from cost_reporting import aws
from cost_reporting.clients import RoleAccess
from cost_reporting.contracts import Fact
from cost_reporting.store.translation import translated


class Onboarding(Fact):
    """The access that a client is to set up, and who of our account may use it besides the function (ARN patterns).

    ``made_at`` is when its ExternalId was made; None if it was there before, nobody knows since when.
    """

    client_id: str
    access: RoleAccess
    operators: tuple[str, ...]
    who: str
    at: AwareDatetime
    made_at: AwareDatetime | None = None


class OnboardingStore:
    """Onboardings in the outcomes table."""

    def __init__(self, table: str) -> None:
        self._table = aws.table(table)

    def find(self, client_id: str) -> Onboarding | None:
        """What was agreed, if anything was."""
        with translated("read an onboarding"):
            item = self._table.get_item(Key=_key(client_id), ConsistentRead=True).get("Item")
        if item is None:
            return None
        return Onboarding.model_validate({name: value for name, value in item.items() if name not in ("pk", "sk")})

    def write(self, onboarding: Onboarding, *, replacing: Onboarding | None) -> bool:
        """Write it if the table still says ``replacing``. False: somebody else was first."""
        item: dict[str, Any] = _key(onboarding.client_id) | onboarding.model_dump(mode="json")
        with translated("write an onboarding"):
            try:
                if replacing is None:
                    self._table.put_item(Item=item, ConditionExpression="attribute_not_exists(pk)")
                else:
                    self._table.put_item(
                        Item=item,
                        ConditionExpression="#access.external_id = :known",
                        ExpressionAttributeNames={"#access": "access"},
                        ExpressionAttributeValues={":known": replacing.access.external_id},
                    )
            except aws.Refused as refused:
                if aws.code(refused) == "ConditionalCheckFailedException":
                    return False
                raise
        return True


def _key(client_id: str) -> dict[str, str]:
    return {"pk": f"CLIENT#{client_id}", "sk": "ONBOARDING"}
