"""The cases on moto's engine, which is LocalStack's: mocks by MockConfigFile.json, and no waiting.

moto 5.2.5 has the classes of such mocks and reads no file. What is added here: the file, the name of a case behind the
ARN (``#Case``), and that a state which is entered again goes on counting its calls, where the engine would begin anew.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest import mock

import boto3
from moto import mock_aws
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.mocking import mock_config
from moto.stepfunctions.parser.models import StepFunctionsParserBackend


class Told:
    """Something of the file, as moto's classes ask for it."""

    def __init__(self, body: Any) -> None:
        self.body = body

    def model_dump(self) -> Any:
        return self.body


def read(config: dict[str, Any]) -> Any:
    """MockConfigFile.json in the shape that moto's classes take."""
    responses = {
        name: {
            calls: SimpleNamespace(
                Return=Told(answer["Return"]) if "Return" in answer else None,
                Throw=SimpleNamespace(**answer["Throw"]) if "Throw" in answer else None,
            )
            for calls, answer in response.items()
        }
        for name, response in config["MockedResponses"].items()
    }
    machines = {
        name: SimpleNamespace(
            TestCases={case: SimpleNamespace(root=mocks) for case, mocks in machine["TestCases"].items()}
        )
        for name, machine in config["StateMachines"].items()
    }
    return SimpleNamespace(MockedResponses=responses, StateMachines=machines)


@contextmanager
def engine(config: dict[str, Any]) -> Iterator[Any]:
    """A client of Step Functions that runs cases as Step Functions Local would."""
    told, chosen = read(config), dict[str, tuple[str, str]]()
    begin, start = ExecutionWorker.__init__, StepFunctionsParserBackend.start_execution

    def begin_mocked(self: Any, evaluation_details: Any, *given: Any, **more: Any) -> None:
        begin(self, evaluation_details, *given, **more)
        case = mock_config._mock_test_case_from_raw(*chosen[evaluation_details.execution_details.name], told)
        case.calls = Counter()
        self._mock_test_case = case

    def start_case(self: Any, state_machine_arn: str, name: str, *given: Any, **more: Any) -> Any:
        arn, _, case = state_machine_arn.partition("#")
        chosen[name] = (arn.rpartition(":")[2], case)
        return start(self, arn, name, *given, **more)

    def counted(self: Environment) -> Any:
        state, case = self.next_state_name, self.mock_test_case
        answers = case.state_mocked_responses[state].mocked_responses
        number = case.calls[state]
        case.calls[state] += 1
        if number >= len(answers):
            raise RuntimeError(f"{state}: the case has no answer to call {number}")
        return answers[number]

    at_once = SimpleNamespace(sleep=lambda seconds: None)
    with (
        mock.patch.object(ExecutionWorker, "__init__", begin_mocked),
        mock.patch.object(StepFunctionsParserBackend, "start_execution", start_case),
        mock.patch.object(Environment, "get_current_mocked_response", counted),
        mock.patch.object(retrier_decl, "time", at_once),
        mock_aws(config={"lambda": {"use_docker": False}, "stepfunctions": {"execute_state_machine": True}}),
    ):
        yield boto3.client("stepfunctions", "us-east-1", aws_access_key_id="none", aws_secret_access_key="none")
