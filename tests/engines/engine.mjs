// The cases on aws-local-stepfunctions: reads {machines, config, cases} from stdin, writes {case: {ends, trace}}.
//
// Which states are entered the engine says itself, which calls fail the mocks. The engine's log lags behind: what happens in
// a Map may be told after the next state was entered, or not at all if the execution has ended. So each call takes its time.
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

const told = () => new Promise((resolve) => setTimeout(resolve, 20));

async function run(name, { machine, input }) {
  const trace = [];
  const calls = {};
  const handlers = {};
  for (const [state, mock] of Object.entries(config.StateMachines[machine].TestCases[name])) {
    calls[state] = 0;
    handlers[state] = async () => {
      await told();
      const answer = answerTo(config.MockedResponses[mock], calls[state]++);
      if (!answer.Throw) return answer.Return;
      trace.push(`!${answer.Throw.Error}`);
      throw Object.assign(new Error(answer.Throw.Cause), { name: answer.Throw.Error });
    };
  }
  const waits = Object.fromEntries(Object.keys(handlers).map((state) => [state, 0]));
  const execution = made[machine].run(input, {
    overrides: { taskResourceLocalHandlers: handlers, retryIntervalOverrides: waits },
    context: { Execution: { Id: "arn:aws:states:::execution:case", StartTime: "2025-11-08T06:00:00Z" } },
  });
  let ends;
  const log = (async () => {
    for await (const event of execution.eventLogs) {
      if (event.type === "StateEntered") trace.push(event.state.name);
      if (event.type === "ExecutionFailed") ends = event.Error;
    }
  })();
  await execution.result.catch((error) => (ends ??= error.name));
  await log;
  return { ends: ends ?? "SUCCEEDED", trace };
}

const went = {};
for (const [name, wanted] of Object.entries(cases)) went[name] = await run(name, wanted);
process.stdout.write(JSON.stringify(went));
