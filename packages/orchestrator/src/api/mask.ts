/** Values of fields whose name says that they are secret, hidden before a config is shown. Pure. */

const SECRET_FIELD = /(password|passwd|secret|token|private_?key|access_?key|api_?key|credential)/i;
/** References to a secret, such as `env:NAME`, are not the secret. */
const REFERENCE = /^(env|file):/;
const MASK = '***';

export function maskSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(maskSecrets);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      SECRET_FIELD.test(name) && typeof inner === 'string' && inner !== '' && !REFERENCE.test(inner)
        ? MASK
        : maskSecrets(inner),
    ]),
  );
}
