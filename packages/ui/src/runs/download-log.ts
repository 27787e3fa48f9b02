/** The whole log as a file of JSON lines, read page by page. */

import { readRunLog } from '../api/generated/client.ts';

const PAGE = 500;

export async function downloadLog(id: string): Promise<void> {
  const parts: string[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await readRunLog({ id, limit: PAGE, ...(after === undefined ? {} : { after }) });
    parts.push(...page.items.map((line) => `${JSON.stringify(line)}\n`));
    if (page.items.length < PAGE || page.next === null) break;
    after = page.next;
  }
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob(parts, { type: 'application/x-ndjson' }));
  link.download = `${id}.log.jsonl`;
  link.click();
  URL.revokeObjectURL(link.href);
}
