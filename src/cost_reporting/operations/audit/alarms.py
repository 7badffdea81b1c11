"""Whether alarms are what the template says, and whether anybody hears them."""

from collections.abc import Iterator

from cost_reporting import aws
from cost_reporting.audit import Finding
from cost_reporting.operations import readiness
from cost_reporting.operations.audit.scope import Scope, found_by
from cost_reporting.store.stacks import read_template


def replaced(scope: Scope) -> Iterator[Finding]:
    """Alarms that are gone, or that somebody has put beside the template: such a one may never ring."""
    verdicts = readiness.alarms(lambda: read_template(scope.stack.name), aws.region())
    yield from found_by(verdicts, scope, "ALARM-REPLACED", "high", scope.stack.name)


def heard(scope: Scope) -> Iterator[Finding]:
    """Whether the topics that alarms go to have subscriptions, all of them confirmed."""
    for topic in scope.physical("AWS::SNS::Topic"):
        verdicts = readiness.alerts(topic, "", aws.region())
        yield from found_by(verdicts, scope, "ALERTS-UNHEARD", "high", topic.rpartition(":")[2])
