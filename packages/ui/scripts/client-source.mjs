// Turns the committed OpenAPI document into the dashboard's typed client: one interface for each schema, one typed
// operation for each route. Small on purpose: it knows only the shapes that zod emits for our API, and stops with the
// place when it meets another one, so that a client is never silently wrong.

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;
const NUMBERS = new Set(['number', 'integer']);

/** @param document the parsed OpenAPI document @returns the text of the generated module */
export function clientSource(document) {
  const schemas = Object.entries(document.components?.schemas ?? {}).map(
    ([name, schema]) => `${comment(schema)}export type ${name} = ${typeOf(schema, name)};\n`,
  );
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, route]) => operationSource(path, method, route)),
  );
  return [
    '// Made by `npm run generate -w @skein/ui` from the OpenAPI document. Do not edit.\n',
    "import { operation } from '../operation.ts';\n",
    ...schemas,
    ...operations,
  ].join('\n');
}

function operationSource(path, method, route) {
  const name = route.operationId;
  const parameters = (route.parameters ?? []).filter((one) => one.in !== 'header');
  const ifMatch = (route.parameters ?? []).some((one) => one.in === 'header' && one.name === 'if-match');
  const bodySchema = route.requestBody?.content?.['application/json']?.schema;
  const fields = [
    ...parameters.map((one) => `${property(one.name)}${one.required ? '' : '?'}: ${typeOf(one.schema, name)}`),
    ...(bodySchema ? [`body${isOptional(bodySchema) ? '?' : ''}: ${typeOf(bodySchema, name)}`] : []),
    ...(ifMatch ? ['ifMatch?: string'] : []),
  ];
  const query = parameters.filter((one) => one.in === 'query').map((one) => `'${one.name}'`);
  const args = fields.length === 0 ? 'Record<never, never>' : `{ ${fields.join('; ')} }`;
  const call = `'${name}', '${method.toUpperCase()}', '${path}', [${query.join(', ')}]`;
  return `${comment({ description: route.summary })}export const ${name} = /* @__PURE__ */ operation<${args}, ${answerOf(route, name)}>(${call});\n`;
}

function answerOf(route, where) {
  const [, answer] = Object.entries(route.responses).find(([code]) => code.startsWith('2')) ?? [];
  const schema = answer?.content?.['application/json']?.schema;
  return schema === undefined ? 'unknown' : typeOf(schema, where);
}

const isOptional = (schema) => (schema.anyOf ?? []).some((one) => one.type === 'null');
const property = (name) => (IDENTIFIER.test(name) ? name : JSON.stringify(name));
const comment = ({ description }) => (description ? `/** ${description.replaceAll('*/', '*∕')} */\n` : '');

function typeOf(schema, where) {
  if (schema.$ref) return schema.$ref.split('/').at(-1);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(' | ');
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return choices.map((one) => typeOf(one, where)).join(' | ');
  if (Array.isArray(schema.type)) return schema.type.map((type) => typeOf({ ...schema, type }, where)).join(' | ');
  if (NUMBERS.has(schema.type)) return 'number';
  switch (schema.type) {
    case 'string':
    case 'boolean':
    case 'null':
      return schema.type;
    case 'array':
      return `readonly (${typeOf(schema.items ?? {}, where)})[]`;
    case 'object':
      return objectOf(schema, where);
    case undefined:
      return 'unknown';
    default:
      throw new TypeError(`${where}: a schema of type ${schema.type} is not known to the generator.`);
  }
}

function objectOf(schema, where) {
  if (!schema.properties) {
    const values = schema.additionalProperties;
    return `{ readonly [key: string]: ${values && typeof values === 'object' ? typeOf(values, where) : 'unknown'} }`;
  }
  const required = new Set(schema.required ?? []);
  const fields = Object.entries(schema.properties).map(
    ([name, value]) =>
      `${comment(value)}readonly ${property(name)}${required.has(name) ? '' : '?'}: ${typeOf(value, `${where}.${name}`)}`,
  );
  return `{ ${fields.join('; ')} }`;
}
