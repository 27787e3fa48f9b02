/** Bodies are kept as they were sent or refused by the place where they would not be: numbers, and keys that stand twice. */

import { lossesOf } from '../definitions/exact-json.ts';
import type { App } from './context.ts';
import { RequestInvalidError } from './errors.ts';

export function takeExactBodies(app: App): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, text, done) => {
    void parse(request, text, (error, body) => done(error ?? refusal(text), body));
  });
}

function refusal(text: string): RequestInvalidError | null {
  const losses = lossesOf(text);
  if (losses.length === 0) return null;
  const fields = losses.map(({ path, message }) => ({ path: path === '' ? 'body' : `body.${path}`, message }));
  const [first] = fields;
  return new RequestInvalidError(`${first?.path} ${first?.message}.`, { details: { fields } });
}
