// The cases on aws-local-stepfunctions: reads {machines, config, cases} from stdin, writes {case: {ends, trace}}.
//
// Which states are entered the engine says itself; which calls fail, the mocks say. Both are put together at the end, since
// the engine's log comes later than the calls that it is about.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

// The package asks for Node 22, which has this; Node 20 lacks nothing else of what it uses.
Promise.withResolvers ??= function () {
  let resolve, reject;
  const promise = new Promise((one, other) => ((resolve = one), (reject = other)));
  return { promise, resolve, reject };
};
// A failed execution is rejected twice by the package, as its result and inside it.
process.on("unhandledRejection", () => {});

const require = createRequire(`${process.env.NODE_FOLDER}/`);
const { StateMachine } = require("aws-local-stepfunctions");
const { machines, config, cases } = JSON.parse(readFileSync(0, "utf8"));

function answerTo(response, number) {
  for (const [range, answer] of Object.entries(response)) {
    const [first, last] = range.split("-").map(Number);
    if (number >= first && number <= (last ?? first)) return answer;
  }
  throw new Error(`no answer to call ${number}`);
}

const made = Object.fromEntries(
  Object.entries(machines).map(([name, definition]) => [
    name,
    new StateMachine(definition, { validationOptions: { checkArn: false } }),
  ]),
);

async function run(name, { machine, input }) {
  const calls = {};
  const handlers = {};
  for (const [state, mock] of Object.entries(config.StateMachines[machine].TestCases[name])) {
    calls[state] = [];
    handlers[state] = () => {
      const answer = answerTo(config.MockedResponses[mock], calls[state].length);
      calls[state].push(answer.Throw?.Error);
      if (!answer.Throw) return answer.Return;
      throw Object.assign(new Error(answer.Throw.Cause), { name: answer.Throw.Error });
    };
  }
  const waits = Object.fromEntries(Object.keys(handlers).map((state) => [state, 0]));
  const execution = made[machine].run(input, {
    overrides: { taskResourceLocalHandlers: handlers, retryIntervalOverrides: waits },
    context: { Execution: { Id: "arn:aws:states:::execution:case", StartTime: "2025-11-08T06:00:00Z" } },
  });
  const entered = [];
  const log = (async () => {
    for await (const event of execution.eventLogs) if (event.type === "StateEntered") entered.push(event.state.name);
  })();
  let ends = "SUCCEEDED";
  try {
    await execution.result;
  } catch (error) {
    ends = error.name;
  }
  await log;
  const trace = [];
  for (const state of entered) {
    trace.push(state);
    for (let failed; (failed = (calls[state] ?? []).shift()); ) trace.push(`!${failed}`);
  }
  return { ends, trace };
}

const went = {};
for (const [name, wanted] of Object.entries(cases)) went[name] = await run(name, wanted);
process.stdout.write(JSON.stringify(went));
