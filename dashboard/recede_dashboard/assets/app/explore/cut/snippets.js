/** Each action on a cut as command line, curl and Python, with the whole plan. */

import { plainNumber } from "../target/words.js";

const quoted = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** Name of an aim's option, and its value as people write it. */
const AIMS = {
  macs: "--macs", params: "--params", bytes: "--size", accuracy: "--accuracy", drop: "--drop", latency: "--latency",
};

/** An aim as the command line reads it: 40%, 120000, 0.5 (points), 4ms. */
function aimText({ kind, value, relative }) {
  if (kind === "latency") return `${plainNumber(value)}ms`;
  if (kind === "drop") return plainNumber(100 * value);
  return relative || kind === "accuracy" ? `${plainNumber(100 * value)}%` : plainNumber(value);
}

/** What is asked for as options: the aim where there is one, else the ratio or threshold. */
function aimOptions(plan, ask) {
  if (ask) return [AIMS[ask.kind], aimText(ask)];
  return plan.threshold !== undefined ? ["--threshold", String(plan.threshold)] : ["--ratio", String(plan.ratio)];
}

/** All options of a plan. */
function planOptions(plan, ask = null) {
  const words = aimOptions(plan, ask);
  if (plan.scope === "local") words.push("--scope", "local");
  words.push("--epoch", String(plan.epoch));
  for (const name of plan.locks || []) words.push("--lock", quoted(name));
  for (const [name, ratio] of Object.entries(plan.overrides || {})) words.push("--override", quoted(`${name}=${ratio}`));
  for (const [name, option] of [["criterion", "--criterion"], ["round_to", "--round-to"], ["min_channels", "--min-channels"], ["bias", "--bias"]]) {
    if (plan[name] !== undefined && plan[name] !== null) words.push(option, quoted(String(plan[name])));
  }
  return words.join(" ");
}

const literal = (value) => ({ null: "None", true: "True", false: "False" })[String(value)] ?? JSON.stringify(value);

/** A plan as the client takes it. */
function planPython(plan) {
  return `Plan(${Object.entries(plan).map(([name, value]) => `${name}=${literal(value)}`).join(", ")})`;
}

/** The plan without the choice that an aim replaces. */
function open(plan) {
  const { ratio: _ratio, threshold: _threshold, ...rest } = plan;
  return rest;
}

const target = ({ kind, value, relative }) => ({ kind, value, ...(relative ? { relative: true } : {}) });

/** The criterion, scope and bias of a curve that a plan lies on. */
const curveOf = ({ epoch, scope, criterion, bias }) =>
  Object.fromEntries(Object.entries({ epoch, scope, criterion, bias }).filter(([, value]) => value !== undefined));

const pythonArgs = (given) => Object.entries(given).map(([name, value]) => `, ${name}=${literal(value)}`).join("");

/**
 * What can be done with a cut: its name, its request, the client's call, and the command.
 * `c`: {run, plan, ask, name}; a `null` leaves that way out.
 */
const ACTIONS = {
  prune: {
    label: "Prune and download", path: () => "/prune", body: ({ plan }) => ({ plan }),
    cli: ({ run, plan, ask }) => `recede prune ${run} ${planOptions(plan, ask)} --out .`,
    python: ({ id, plan }) => [`job = client.prune(${id}, ${planPython(plan)}).job`, "print(job.id, job.state)"],
  },
  preview: {
    label: "Preview: cost and what is kept", path: () => "/preview", body: ({ plan }) => ({ plan }),
    cli: ({ run, plan, ask }) => `recede preview ${run} ${planOptions(plan, ask)}`,
    python: ({ id, plan }) => [`cut = client.preview(${id}, ${planPython(plan)})`, "print(cut.kept, cut.cost, cut.accuracy)"],
  },
  measure: {
    label: "Measure this cut", path: () => "/evaluate", body: ({ plan }) => ({ plan }),
    cli: ({ run, plan, ask }) => `recede evaluate ${run} ${planOptions(plan, ask)}`,
    python: ({ id, plan }) => [`answer = client.evaluate(${id}, ${planPython(plan)})`, "print(answer.evaluation or answer.job)"],
  },
  curve: {
    label: "Measure the accuracy curve", path: () => "/curve", body: ({ plan }) => curveOf(plan),
    cli: ({ run, plan }) => [`recede curve ${run}`, ...Object.entries(curveOf(plan)).map(([name, value]) => `--${name} ${quoted(String(value))}`)].join(" "),
    python: ({ id, plan }) => [`job = client.measure_curve(${id}${pythonArgs(curveOf(plan))}).job`, "print(job.id, job.state)"],
  },
  solve: {
    label: "Solve for what is asked", needs: ({ ask }) => ask && ask.kind !== "latency",
    path: () => "/solve", body: ({ plan, ask }) => ({ plan: open(plan), target: target(ask) }),
    cli: ({ run, plan, ask }) => `recede preview ${run} ${planOptions(plan, ask)}`,
    python: ({ id, plan, ask }) => [
      `target = Target(${pythonArgs(target(ask)).slice(2)})`,
      `found = client.solve(${id}, target, ${planPython(plan)})`,
      "print(found.plan.ratio, found.reached)",
    ],
  },
  latency: {
    label: "Measure the latency", path: () => "/latency",
    body: ({ plan, ask }) => (ask?.kind === "latency" ? { plan, target_ms: ask.value, batch: ask.batch || 1 } : { plan }),
    cli: ({ run, plan, ask }) => `recede latency ${run} ${planOptions(plan, ask?.kind === "latency" ? ask : null)}`,
    python: ({ id, plan, ask }) => (ask?.kind === "latency" ? [
      `job = client.fast_enough(${id}, ${literal(ask.value)}, ${planPython(plan)}, batch=${ask.batch || 1}).job`, "print(job.id, job.state)",
    ] : [`answer = client.measure_latency(${id}, ${planPython(plan)})`, "print(answer.items or answer.job)"]),
  },
  save: {
    label: "Save this plan", path: () => "/plans", body: ({ plan, name }) => ({ name, plan }),
    cli: ({ run, plan, ask, name }) => `recede keep ${run} ${quoted(name)} ${planOptions(plan, ask)}`,
    python: ({ id, plan, name }) => [`kept = client.save_plan(${id}, ${literal(name)}, ${planPython(plan)})`, "print(kept.id)"],
  },
};

/** What a snippet needs of ours. */
const imports = (text) => [
  `from recede.client import ${text.includes("Plan(") ? "Plan, " : ""}RecedeClient`,
  ...(text.includes("Target(") ? ["from recede.contract.cut.targets import Target"] : []),
];

const LONGEST_NAME = 80;

/** A name that no plan of the run has: that of the present plan, or "my plan", with a number. */
function freeName(app) {
  const taken = new Set((app.plans?.items || []).map((one) => one.name));
  const base = app.plans?.present?.name || "my plan";
  let name = base;
  for (let n = 2; taken.has(name); n += 1) name = `${base.slice(0, LONGEST_NAME - ` ${n}`.length).trimEnd()} ${n}`;
  return name;
}

/** Where the service listens, as an option: nothing where the command looks by itself. */
const service = (app) => (location.origin === app.root.dataset.defaultUrl ? "" : ` --url ${quoted(location.origin)}`);

/** The three ways of one action for what is chosen now: [[label, id, text]]. */
export function snippetWays(app, name, plan) {
  const action = ACTIONS[name];
  const about = { run: quoted(app.runId), id: JSON.stringify(app.runId), plan, ask: app.state.target, name: freeName(app) };
  const url = `${location.origin}${app.api}/runs/${encodeURIComponent(app.runId)}${action.path(about)}`;
  const body = JSON.stringify(action.body(about));
  return [
    ["Command line", "copy-cli", action.cli(about) + service(app)],
    ["curl", "copy-curl", `curl -X POST ${quoted(url)} \\\n  -H 'Content-Type: application/json' \\\n  -d ${quoted(body)}`],
    ["Python", "copy-python", [
      ...imports(action.python(about).join("\n")), "",
      `with RecedeClient(${JSON.stringify(location.origin)}) as client:`, ...action.python(about).map((line) => `    ${line}`),
    ].join("\n")],
  ];
}

/** The actions that make sense now: [name, label]. */
export const snippetActions = (app) => Object.entries(ACTIONS)
  .filter(([, action]) => !action.needs || action.needs({ ask: app.state.target }))
  .map(([name, action]) => [name, action.label]);
