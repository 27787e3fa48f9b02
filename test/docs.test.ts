/** The pages: generated ones are fresh, links lead somewhere, commands that they show exist. */

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

import { codeBlocks } from './markdown.ts';

const ROOT = path.resolve(__dirname, '..');
const pages = [
  ...readdirSync(path.join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
  ...readdirSync(ROOT).filter((file) => file.endsWith('.md')),
];
const read = (page: string) => readFileSync(path.join(ROOT, page), 'utf8');

test('cli.md and errors.md are what the code says, and every error code has a meaning', () => {
  const check = spawnSync(process.execPath, ['-C', 'source', '--import', 'tsx', 'scripts/docs.ts', '--check'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  expect(check).toMatchObject({ stderr: '', status: 0 });
});

test.each(pages)('every link of %s leads to a file, and to a heading of it', (page) => {
  const text = read(page).replace(/```[^]*?```/g, '');
  const links = [...text.matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)].map(([, link = '']) => link);
  const broken = links.filter((link) => {
    const [file = '', heading] = link.split('#');
    const target = file === '' ? path.join(ROOT, page) : path.resolve(ROOT, path.dirname(page), file);
    if (!existsSync(target)) return true;
    return heading !== undefined && !anchors(readFileSync(target, 'utf8')).includes(heading);
  });
  expect(broken).toEqual([]);
});

test.each(pages.filter((page) => !page.endsWith('cli.md')))('%s shows only commands that there are', (page) => {
  const known = new Set([...read('docs/cli.md').matchAll(/^## skein (.+)$/gm)].map(([, name = '']) => name));
  const shown = codeBlocks(read(page))
    .filter(({ language }) => language === 'sh' || language === 'text')
    .flatMap(({ code }) => [...code.matchAll(/^(?:npx )?skein (?<words>[a-z-]+(?: [a-z-]+)*)/gm)])
    .map(({ groups }) => (groups?.words ?? '').split(' '));
  // “skein sensors preview my_sensor”: as many words as are a command.
  const unknown = shown.filter((words) => !known.has(words[0] ?? ''));
  expect(unknown.map((words) => words.join(' '))).toEqual([]);
});

function anchors(text: string): string[] {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
  return [...headings, ...[...text.matchAll(/<a id="([^"]+)">/g)].map(([, id = '']) => id)];
}
