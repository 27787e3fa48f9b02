// A page to read and try the API: built from its own OpenAPI document, no library.

const byId = (id) => document.getElementById(id);

function el(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

const document_ = await (await fetch('/api/v1/openapi.json')).json();
const resolve = (schema) =>
  schema?.$ref ? document_.components.schemas[schema.$ref.split('/').pop()] : (schema ?? {});

/** A value that fits a schema, as a start for a body. */
function example(schema, depth = 0) {
  const at = resolve(schema);
  if (at.default !== undefined) return at.default;
  if (at.enum) return at.enum[0];
  if (at.anyOf) return example(at.anyOf[0], depth);
  if (at.type === 'object' || at.properties) {
    const wanted = Object.entries(at.properties ?? {}).filter(([name]) => depth > 0 || at.required?.includes(name));
    return Object.fromEntries(wanted.map(([name, inner]) => [name, example(inner, depth + 1)]));
  }
  if (at.type === 'array') return [];
  if (at.type === 'integer' || at.type === 'number') return at.minimum ?? 0;
  if (at.type === 'boolean') return false;
  return at.type === 'string' ? '' : null;
}

async function send(method, url, form, output) {
  const values = Object.fromEntries(new FormData(form));
  const query = new URLSearchParams();
  const headers = {};
  let path = url;
  for (const field of form.querySelectorAll('[data-in]')) {
    const { name, value } = field;
    if (value === '') continue;
    if (field.dataset.in === 'path') path = path.replace(`{${name}}`, encodeURIComponent(value));
    else if (field.dataset.in === 'query') query.append(name, value);
    else headers[name] = value;
  }
  const token = byId('token').value;
  if (token) headers.authorization = `Bearer ${token}`;
  const options = { method: method.toUpperCase(), headers };
  if (values.body) {
    headers['content-type'] = 'application/json';
    options.body = values.body;
  }
  const began = performance.now();
  const reply = await fetch(query.size > 0 ? `${path}?${query}` : path, options);
  const text = await reply.text();
  let shown = text;
  try {
    shown = JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    // not JSON: as it is
  }
  const ms = Math.round(performance.now() - began);
  output.textContent = `${reply.status} ${reply.statusText} · ${ms} ms\n\n${shown.slice(0, 200_000)}`;
}

function operation(method, url, spec) {
  const output = el('pre', { hidden: true });
  const form = el('form', {});
  if (spec.description) form.append(el('p', { textContent: spec.description }));
  for (const parameter of spec.parameters ?? []) {
    const field = el('input', { name: parameter.name, required: parameter.required ?? false });
    field.dataset.in = parameter.in;
    field.placeholder = parameter.description ?? String(parameter.schema?.default ?? '');
    form.append(el('label', {}, `${parameter.name} (${parameter.in})`, field));
  }
  const body = spec.requestBody?.content?.['application/json']?.schema;
  if (body) {
    const field = el('textarea', { name: 'body', value: JSON.stringify(example(body), null, 2) });
    form.append(el('label', {}, 'body', field));
  }
  if (spec.operationId === 'streamEvents')
    form.append(el('p', { textContent: 'A stream without end: listen with EventSource or curl -N.' }));
  else form.append(el('button', { type: 'submit', textContent: 'Send' }), output);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    output.hidden = false;
    output.textContent = '…';
    try {
      await send(method, url, form, output);
    } catch (error) {
      output.textContent = String(error);
    }
  });
  const title = el(
    'summary',
    {},
    el('b', { textContent: method.toUpperCase() }),
    el('code', { textContent: url }),
    el('span', { textContent: spec.summary ?? '' }),
  );
  const made = el('details', {}, title, form);
  made.dataset.text = `${method} ${url} ${spec.summary} ${spec.operationId}`.toLowerCase();
  return made;
}

const groups = new Map();
for (const [url, methods] of Object.entries(document_.paths)) {
  for (const [method, spec] of Object.entries(methods)) {
    const tag = spec.tags?.[0] ?? 'other';
    groups.set(tag, [...(groups.get(tag) ?? []), operation(method, url, spec)]);
  }
}
byId('operations').replaceChildren(
  ...[...groups].map(([tag, operations]) => el('section', {}, el('h2', { textContent: tag }), ...operations)),
);

byId('find').addEventListener('input', (event) => {
  const needle = event.target.value.toLowerCase();
  for (const section of document.querySelectorAll('section')) {
    let shown = 0;
    for (const one of section.querySelectorAll('details')) {
      one.hidden = !one.dataset.text.includes(needle);
      if (!one.hidden) shown++;
    }
    section.hidden = shown === 0;
  }
});
