"""What Step Functions Local needs of the state machine: an INLINE definition, the mocks, and the traces to expect.

    python local/stepfunctions-local/derive.py            writes the four files beside it anew
    python local/stepfunctions-local/derive.py --check    exit code 1 if they are not what the definition gives

Step Functions Local, and the engines of the tests, know no Distributed Map that reads a bucket. The derived definition
has the same states, retries and catches; the map takes the clients from its input, and catches what 100 % of tolerated
failures would let pass. Paths of the context object that not every engine knows become fields of the input.
"""

import argparse
import copy
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from cases import CASES, Answer, Case, Mocks

HERE: Final = Path(__file__).parent
SOURCE: Final = HERE.parent.parent / "statemachine" / "cost_reports.asl.json"
MACHINE: Final = "cost-reporting"
REDRIVEN: Final = "cost-reporting-redriven"
"""The same states, begun at Settle Run: where AWS goes on after a redrive, with the input that the state had."""
MAP: Final = "For Each Client"
LIMIT: Final = 50
"""Entries of a trace. A longer one goes round."""

Json = dict[str, Any]
_DROPPED: Final = ("ItemReader", "ResultWriter", "Label", "ToleratedFailurePercentage")
_FROM_CONTEXT: Final = {
    "$$.Execution.RedriveCount": "$.redrives",
    "$$.State.EnteredTime": "$.entered_at",
}
_SUBSTITUTION: Final = re.compile(r"\$\{(\w+)FunctionArn\}")


def inline(definition: Mapping[str, Any]) -> Json:
    """The definition without what only a Distributed Map has. Raises ValueError if something is left to substitute."""
    derived: Json = copy.deepcopy(dict(definition))
    each = derived["States"][MAP]
    for field in _DROPPED:
        del each[field]
    each["ItemsPath"] = "$.clients"
    each["ItemProcessor"]["ProcessorConfig"] = {"Mode": "INLINE"}
    each["Catch"] = [{"ErrorEquals": ["States.ALL"], "ResultPath": None, "Next": "Settle Run"}]
    settle = derived["States"]["Settle Run"]["Parameters"]["Payload"]
    derived["States"]["Settle Run"]["Parameters"]["Payload"] = {
        name: _FROM_CONTEXT.get(path, path) for name, path in settle.items()
    }
    text = _SUBSTITUTION.sub(_function_arn, json.dumps(derived))
    if "${" in text:
        raise ValueError(f"{SOURCE.name}: not every substitution is known here")
    return dict(json.loads(text))


def _function_arn(found: re.Match[str]) -> str:
    kebab = re.sub(r"(?<!^)([A-Z])", r"-\1", found[1]).lower()
    return f"arn:aws:lambda:us-east-1:123456789012:function:cost-reporting-{kebab}"


def begun_at(definition: Mapping[str, Any], state: str | None) -> Json:
    """The definition, begun at ``state``, without the states that cannot be reached from there."""
    if state is None:
        return dict(definition)
    states, waiting, reached = definition["States"], [state], set[str]()
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += [states[name][field] for field in ("Next", "Default") if field in states[name]]
            waiting += [each["Next"] for field in ("Choices", "Catch") for each in states[name].get(field, ())]
    return dict(definition) | {"StartAt": state, "States": {name: states[name] for name in states if name in reached}}


def machine_of(case: Case) -> str:
    """The name of the state machine that a case belongs to."""
    return MACHINE if case.start is None else REDRIVEN


def mock_config() -> Json:
    """MockConfigFile.json: https://docs.aws.amazon.com/step-functions/latest/dg/sfn-local-mock-cfg-file.html."""
    machines: Json = {MACHINE: {"TestCases": {}}, REDRIVEN: {"TestCases": {}}}
    responses: Json = {}
    for name, case in CASES.items():
        lengths = calls(inline(json.loads(SOURCE.read_text(encoding="utf-8"))), case)
        told = {}
        for state, answers in case.mocks.items():
            if not lengths[state]:
                continue
            response = _ranges(answers, lengths[state])
            called = f"{name}{state.title().replace(' ', '')}"
            same = next((known for known, other in responses.items() if other == response), None)
            told[state] = same or called
            responses[told[state]] = response
        machines[machine_of(case)]["TestCases"][name] = told
    return {"StateMachines": machines, "MockedResponses": responses}


def _ranges(answers: tuple[Answer, ...], count: int) -> Json:
    """The answers to so many calls; the last one is repeated."""
    ranges: Json = {}
    for at, answer in enumerate(answers[:count]):
        last = count - 1 if at == len(answers) - 1 else at
        ranges[str(at) if last == at else f"{at}-{last}"] = _response(answer)
    return ranges


def _response(answer: Answer) -> Json:
    if isinstance(answer, str):
        cause = json.dumps({"errorType": answer, "errorMessage": "as the case says"})
        return {"Throw": {"Error": answer, "Cause": cause}}
    return {"Return": {"StatusCode": 200, "Payload": answer}}


# -- the traces -------------------------------------------------------------------------------------------------------


class Failed(Exception):
    """A state failed, and nothing catches it."""


class Walk:
    """A walk through a definition: which states are entered, and which calls fail.

    It knows what this definition uses, and refuses what it does not know. It is no engine: no parameters, no times.
    What it says is compared with two engines that other people wrote.
    """

    def __init__(self, mocks: Mocks) -> None:
        self.trace: list[str] = []
        self.calls: Counter[str] = Counter()
        self._mocks = mocks

    def through(self, graph: Mapping[str, Any], given: Json) -> Json:
        """Walk from the first state to the end. Raises Failed with the name of the error."""
        name = graph["StartAt"]
        while True:
            self.trace.append(name)
            if len(self.trace) > LIMIT:
                raise ValueError(f"{self.trace[:8]}… does not end")
            state = graph["States"][name]
            given, name = self._step(name, state, given)
            if name is None:
                return given

    def _step(self, name: str, state: Mapping[str, Any], given: Json) -> tuple[Json, Any]:
        match state["Type"]:
            case "Task":
                return self._task(name, state, given)
            case "Map":
                return self._map(state, given)
            case "Choice":
                return given, next((rule["Next"] for rule in state["Choices"] if _holds(rule, given)), state["Default"])
            case "Pass":
                return {
                    key.removesuffix(".$"): _value(key, said, given) for key, said in state["Parameters"].items()
                }, (state["Next"])
            case "Wait":
                return given, state["Next"]
            case "Succeed":
                return given, None
        raise ValueError(f"{name}: a state of type {state['Type']} is not known here")

    def _task(self, name: str, state: Mapping[str, Any], given: Json) -> tuple[Json, Any]:
        retried: Counter[int] = Counter()
        while True:
            answers = self._mocks.get(name)
            if answers is None:
                raise ValueError(f"{name}: the case has no answer")
            answer = answers[min(self.calls[name], len(answers) - 1)]
            self.calls[name] += 1
            if not isinstance(answer, str):
                return answer, state.get("Next")
            self.trace.append(f"!{answer}")
            retry = next((at for at, each in enumerate(state.get("Retry", ())) if _names(each, answer)), None)
            if retry is not None and retried[retry] < state["Retry"][retry]["MaxAttempts"]:
                retried[retry] += 1
                continue
            return _caught(state, answer, given)

    def _map(self, state: Mapping[str, Any], given: Json) -> tuple[Json, Any]:
        try:
            for client in given["clients"]:
                self.through(state["ItemProcessor"], client)
        except Failed as failed:
            return _caught(state, str(failed), given)
        return given, state["Next"]


def _caught(state: Mapping[str, Any], error: str, given: Json) -> tuple[Json, Any]:
    for each in state.get("Catch", ()):
        if _names(each, error):
            path = each["ResultPath"]
            added = {} if path is None else {path.removeprefix("$."): {"Error": error, "Cause": ""}}
            return given | added, each["Next"]
    raise Failed(error)


def _names(matcher: Mapping[str, Any], error: str) -> bool:
    return error in matcher["ErrorEquals"] or "States.ALL" in matcher["ErrorEquals"]


def _value(key: str, said: Any, given: Json) -> Any:
    return given[said.removeprefix("$.")] if key.endswith(".$") else said


def _holds(rule: Mapping[str, Any], given: Json) -> bool:
    if "And" in rule:
        return all(_holds(each, given) for each in rule["And"])
    field = rule["Variable"].removeprefix("$.")
    value = given.get(field)
    match rule:
        case {"IsPresent": wanted}:
            return (field in given) is wanted
        case {"BooleanEquals": wanted}:
            return value is wanted
        case {"IsString": wanted}:
            return isinstance(value, str) is wanted
        case {"NumericGreaterThan": bound}:
            return isinstance(value, int) and value > bound
    raise ValueError(f"a rule that is not known here: {rule}")


def walked(definition: Mapping[str, Any], case: Case) -> tuple[str, list[str], Counter[str]]:
    """How a case ends, its trace, and how often each state is called."""
    walk = Walk(case.mocks)
    try:
        walk.through(begun_at(definition, case.start), case.asked)
    except Failed as failed:
        return str(failed), walk.trace, walk.calls
    return "SUCCEEDED", walk.trace, walk.calls


def calls(definition: Mapping[str, Any], case: Case) -> Counter[str]:
    """How often each state is called in a case."""
    return walked(definition, case)[2]


def traces(definition: Mapping[str, Any]) -> Json:
    """What to expect of each case."""
    return {name: _trace(definition, case) for name, case in CASES.items()}


def _trace(definition: Mapping[str, Any], case: Case) -> Json:
    ends, trace, _ = walked(definition, case)
    return {
        "says": case.says,
        "machine": machine_of(case),
        "input": case.asked,
        "ends": ends,
        "trace": trace,
    }


def files() -> Iterator[tuple[str, Json]]:
    """The derived files by name."""
    derived = inline(json.loads(SOURCE.read_text(encoding="utf-8")))
    yield f"{MACHINE}.asl.json", derived
    yield f"{REDRIVEN}.asl.json", begun_at(derived, "Settle Run")
    yield "MockConfigFile.json", mock_config()
    yield "traces.json", traces(derived)


def text_of(document: Json) -> str:
    """A derived file as it is written."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def stale() -> list[str]:
    """The derived files that are not what the definition and the cases give."""
    return [
        name
        for name, document in files()
        if not (HERE / name).exists() or (HERE / name).read_text(encoding="utf-8") != text_of(document)
    ]


def main() -> int:
    """Write the files, or only look at them."""
    parser = argparse.ArgumentParser(description="Derive the files of Step Functions Local from the state machine.")
    parser.add_argument("--check", action="store_true", help="Write nothing; exit code 1 if a file is not up to date.")
    asked = parser.parse_args()
    differing = stale()
    if not asked.check:
        for name, document in files():
            (HERE / name).write_text(text_of(document), encoding="utf-8")
    for name in differing:
        print(f"{name}: {'not up to date' if asked.check else 'written'}")
    if asked.check and differing:
        print("Run `python local/stepfunctions-local/derive.py`.", file=sys.stderr)
    return 1 if asked.check and differing else 0


if __name__ == "__main__":
    sys.exit(main())
