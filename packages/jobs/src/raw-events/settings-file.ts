/**
 * Reads named sections of a configuration file in the original's layout: YAML of `section:` and indented `key: value`
 * lines. Other sections may hold any YAML; they are passed over.
 */

export type Sections = Readonly<Record<string, Readonly<Record<string, string>>>>;

export function readSections(text: string, names: ReadonlySet<string>): Sections {
  const sections: Record<string, Record<string, string>> = {};
  let current: Record<string, string> | undefined;
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*(?:#.*)?$/.test(line)) continue;
    const head = /^([A-Za-z0-9_]+)\s*:/.exec(line);
    if (head) {
      const name = head[1] ?? '';
      current = names.has(name) ? (sections[name] ??= {}) : undefined;
      continue;
    }
    const entry = /^\s+([A-Za-z0-9_]+)\s*:\s*(.*)$/.exec(line);
    if (entry && current) current[entry[1] ?? ''] = scalar(entry[2] ?? '');
  }
  return sections;
}

function scalar(text: string): string {
  const quoted = /^(?:"([^"]*)"|'([^']*)')\s*(?:#.*)?$/.exec(text);
  if (quoted) return quoted[1] ?? quoted[2] ?? '';
  const plain = text.replace(/(?:^|\s+)#.*$/, '').trim();
  return plain === 'null' || plain === '~' ? '' : plain;
}
