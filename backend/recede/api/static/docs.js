// Draws /openapi.json: routes by noun, parameters, bodies, answers and a curl line for each.
"use strict";

const make = (tag, className, ...children) => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
};

const refName = (schema) => (schema.$ref ? schema.$ref.split("/").pop() : null);

/** What a schema is, in a few words: "integer, 1 to 200", "list of RunOut". */
function words(schema) {
  if (!schema) return "";
  if (schema.$ref) return refName(schema);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const several = schema.anyOf || schema.oneOf || schema.allOf;
  if (several) return several.map(words).join(" | ");
  if (schema.type === "array") return `list of ${words(schema.items) || "anything"}`;
  const low = schema.minimum ?? schema.exclusiveMinimum;
  const high = schema.maximum ?? schema.exclusiveMaximum;
  const bounds = [];
  if (low !== undefined) bounds.push(`${schema.minimum === undefined ? "above" : "from"} ${low}`);
  if (high !== undefined) bounds.push(`${schema.maximum === undefined ? "below" : "to"} ${high}`);
  return [schema.type || "anything", bounds.join(" ")].filter(Boolean).join(", ");
}

/** Rows of a table: name, kind, default and meaning. */
function fields(rows) {
  const table = make("table");
  for (const { name, schema, required, says } of rows) {
    const initial = schema?.default;
    const about = [
      says || schema?.description || "",
      required ? "required" : initial === undefined || initial === null ? "" : `default ${JSON.stringify(initial)}`,
    ];
    const row = table.insertRow();
    row.append(
      make("td", "", make("code", "", name)),
      make("td", "", words(schema)),
      make("td", "", about.filter(Boolean).join(" · ")),
    );
  }
  return table;
}

function properties(api, schema) {
  const model = schema.$ref ? api.components.schemas[refName(schema)] : schema;
  return Object.entries(model?.properties || {}).map(([name, inner]) => ({
    name, schema: inner, required: (model.required || []).includes(name),
  }));
}

/** A value that fits a schema, for the curl line: required fields only. */
function sample(api, schema) {
  if (schema.$ref) return sample(api, api.components.schemas[refName(schema)]);
  if (schema.default !== undefined) return schema.default;
  if (schema.enum) return schema.enum[0];
  if (schema.title === "Plan") return { ratio: 0.5 };
  if (schema.type === "object") {
    const wanted = (schema.required || []).map((name) => [name, sample(api, schema.properties[name])]);
    return Object.fromEntries(wanted);
  }
  return { integer: 1, number: 0.5, boolean: true, array: [] }[schema.type] ?? "…";
}

function curl(api, verb, path, body) {
  const parts = [`curl ${location.origin}${path}`];
  if (verb === "GET" && /download|snapshots\/|log\.txt/.test(path)) parts.push("-OJ");
  if (path.endsWith("/events")) parts.push("-N");
  if (verb !== "GET") parts.splice(0, 1, `curl -X ${verb} ${location.origin}${path}`);
  if (body) parts.push(`--json '${JSON.stringify(sample(api, body))}'`);
  return parts.join(" ");
}

function bodySchema(operation) {
  return operation.requestBody?.content?.["application/json"]?.schema;
}

function answers(api, operation) {
  const table = make("table");
  for (const [status, answer] of Object.entries(operation.responses)) {
    const [kind, content] = Object.entries(answer.content || {})[0] || ["", {}];
    const schema = content.schema || {};
    const row = table.insertRow();
    row.append(
      make("td", "", make("code", "", status)),
      make("td", "", words(schema) === "anything" ? kind : schema.$ref ? refName(schema) : kind),
      make("td", "", answer.description),
    );
  }
  return table;
}

function route(api, path, verb, operation) {
  const body = bodySchema(operation);
  const inside = make("div", "inside", make("p", "", operation.description || operation.summary));
  if (operation.parameters?.length) {
    const rows = operation.parameters.map((p) => ({
      name: `${p.name} (${p.in})`, schema: p.schema, required: p.required, says: p.description,
    }));
    inside.append(make("h3", "", "Parameters"), fields(rows));
  }
  if (body) inside.append(make("h3", "", `Body: ${words(body)}`), fields(properties(api, body)));
  inside.append(make("h3", "", "Example"), make("pre", "", curl(api, verb, path, body)));
  inside.append(make("h3", "", "Answers"), answers(api, operation));
  const good = operation.responses[200] || operation.responses[201] || operation.responses[202];
  const schema = good?.content?.["application/json"]?.schema;
  if (schema && properties(api, schema).length) {
    inside.append(make("h3", "", `${words(schema)}`), fields(properties(api, schema)));
  }
  const says = (operation.description || operation.summary).split(/[.;:]\s|\.$/)[0];
  const summary = make("summary", "",
    make("span", `verb ${verb}`, verb), make("span", "path", path), make("span", "says", says));
  const box = make("details", "", summary, inside);
  box.id = `${verb} ${path}`;
  box.dataset.text = `${verb} ${path} ${operation.summary} ${operation.description}`.toLowerCase();
  return box;
}

function filter(query) {
  const wanted = query.trim().toLowerCase();
  let shown = 0;
  for (const group of document.querySelectorAll("#routes > section")) {
    let here = 0;
    for (const box of group.querySelectorAll("details")) {
      box.hidden = !box.dataset.text.includes(wanted);
      here += box.hidden ? 0 : 1;
    }
    group.hidden = here === 0;
    shown += here;
  }
  document.getElementById("none").hidden = shown > 0;
}

async function main() {
  const answer = await fetch("/openapi.json");
  const api = await answer.json();
  document.getElementById("version").textContent = api.info.version;
  document.getElementById("about").textContent = api.info.description;
  const groups = new Map();
  for (const [path, verbs] of Object.entries(api.paths)) {
    for (const [verb, operation] of Object.entries(verbs)) {
      const tag = operation.tags?.[0] || "Other";
      if (!groups.has(tag)) groups.set(tag, make("section", "", make("h2", "", tag)));
      groups.get(tag).append(route(api, path, verb.toUpperCase(), operation));
    }
  }
  document.getElementById("routes").append(...groups.values());
  const search = document.getElementById("search");
  search.addEventListener("input", () => filter(search.value));
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== search) {
      event.preventDefault();
      search.focus();
    }
  });
}

main().catch((error) => {
  document.getElementById("about").textContent = `The description cannot be read: ${error.message}`;
});
