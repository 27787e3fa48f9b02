/**
 * docs/errors.md: every stable code with its meaning, from the registries in the code, and its HTTP status, exit code and
 * retry from the class that carries it. A code in the sources that no registry knows is a mistake that is told.
 */

import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

import { DUCKLING_ERRORS, LABEL_ERRORS, RAW_EVENTS_ERRORS } from '@skein/jobs';
import { ERRORS } from '@skein/orchestrator';

import { API_ERRORS } from '../packages/orchestrator/src/api/errors.ts';

const ROOT = path.resolve(import.meta.dirname, '..');

/** Codes that are made where no registry is: by Lua scripts, by processes that end, by the embedded services. */
const MADE_ELSEWHERE: Readonly<Record<string, string>> = {
  WORKER_LOST: 'Workers of a unit were lost too often in a row without progress; the last one is named.',
  UPSTREAM_FAILED: 'A step that this one depends on failed, so this one was not begun.',
  OUT_OF_MEMORY: 'An isolated step needed more memory than its asset allows.',
  PROCESS_EXITED: 'The process of an isolated step ended by itself.',
  UNEXPECTED: 'A fault of Skein or of user code that nobody foresaw; SKEIN_DEBUG=1 shows the stack.',
  TEAM_BUSY: 'Another run reconciles or restores the same team; tried again.',
  SERVICE_MISSING_PROGRAM: 'An embedded service needs a program that is not installed; the message names it.',
  SERVICE_DID_NOT_START: 'An embedded service did not answer in time; the message has the end of its log.',
  SERVICE_UNKNOWN: '“--only” names a service that does not exist.',
  SERVICE_SETUP_FAILED: 'What an embedded service needs could not be installed.',
  SERVICE_STATE_BROKEN: 'The state folder of the embedded services cannot be read; “skein services down” and up again.',
  SERVICE_NOT_CONFIGURED: 'A command of the embedded services needs a service that is neither set nor running.',
  SCHEMA_FAILED: 'A table of a source system could not be created; the message names the statement.',
};

interface ErrorClass {
  readonly code: string;
  readonly httpStatus: number;
  readonly exitCode: number;
  readonly retried: boolean;
}

const BASES: Readonly<Record<string, Omit<ErrorClass, 'code'>>> = {
  RequestError: { httpStatus: 400, exitCode: 2, retried: false },
  WorkError: { httpStatus: 422, exitCode: 1, retried: false },
  SkeinError: { httpStatus: 503, exitCode: 3, retried: true },
};

const CLASS = /class (?<name>\w+) extends (?<base>\w+) \{(?<body>[^]*?)\n\}/g;

/** Of every package's sources, by code. */
export function findErrorClasses(): ReadonlyMap<string, ErrorClass> {
  const found = new Map<string, ErrorClass>();
  for (const text of sources()) {
    for (const { groups } of text.matchAll(CLASS)) {
      const code = /readonly code = '([A-Z_]+)'/.exec(groups?.body ?? '')?.[1];
      const base = BASES[groups?.base ?? ''];
      if (code === undefined || base === undefined) continue;
      const status = /httpStatus[^=\n]*= (\d+)/.exec(groups?.body ?? '')?.[1];
      const retried = /retryable = true/.test(groups?.body ?? '');
      found.set(code, {
        code,
        httpStatus: status === undefined ? base.httpStatus : Number(status),
        exitCode: base.exitCode,
        retried: retried || base.retried,
      });
    }
  }
  return found;
}

/** Every `readonly code = '…'`, also of classes whose shape the pattern above does not know. */
export function findCodes(): string[] {
  return [
    ...new Set(sources().flatMap((text) => [...text.matchAll(/readonly code = '([A-Z_]+)'/g)].map((m) => m[1] ?? ''))),
  ];
}

export function registry(): Readonly<Record<string, string>> {
  return {
    ...ERRORS,
    ...joined(),
    ...API_ERRORS,
    ...DUCKLING_ERRORS,
    ...LABEL_ERRORS,
    ...RAW_EVENTS_ERRORS,
    ...MADE_ELSEWHERE,
  };
}

/** What a module adds to the registry when it is loaded, such as one that loads a database engine: read, not loaded. */
function joined(): Record<string, string> {
  const found = sources().flatMap((text) => [...text.matchAll(/^ERRORS\.([A-Z_]+) =\s*'([^']+)';/gm)]);
  return Object.fromEntries(found.map(([, code = '', meaning = '']) => [code, meaning]));
}

export function describeErrors(): string {
  const meanings = registry();
  const unknown = findCodes().filter((code) => meanings[code] === undefined);
  if (unknown.length > 0) throw new RangeError(`No registry has a meaning for ${unknown.join(', ')}.`);
  const classes = findErrorClasses();
  const rows = Object.keys(meanings)
    .sort()
    .map((code) => {
      const known = classes.get(code);
      const cells = known
        ? [String(known.httpStatus), String(known.exitCode), known.retried ? 'yes' : 'no']
        : ['', '', ''];
      return `| <a id="${code.toLowerCase().replaceAll('_', '-')}"></a>\`${code}\` | ${meanings[code] ?? ''} | ${cells.join(' | ')} |`;
    });
  return `${HEAD}\n${rows.join('\n')}\n`;
}

const HEAD = `# Errors

<!-- Made by \`npm run docs\` from the registries in the code; change them there. -->

Every error has a stable code: in brackets behind a message of the command line, as \`code\` in its \`--json\` and in the
API’s \`application/problem+json\`, and in the failed partitions of a run. Match on the code, never on the message. A
message says what was wrong, where, and what to do, and holds no secret.

*Retried* says whether the engine tries again by itself, as far as the asset’s retry policy goes. Errors that are not
listed, thrown by user code, count as \`ASSET_FAILED\` and are retried. Where HTTP status and exit code are empty, the code
stands in a run or an attempt only, or the status depends on the case.

Code of your own throws errors of its own: a class that extends \`WorkError\` (the work failed) or \`RequestError\` (it was asked
for what cannot be) with a \`code\`, whose meaning \`registerErrors({ SINK_FULL: '…' })\` adds to the registry.

| code | meaning | HTTP | exit | retried |
| --- | --- | --- | --- | --- |`;

function sources(): string[] {
  const roots = ['packages/orchestrator/src', 'packages/jobs/src', 'packages/sensors/src', 'infra/embedded/src'];
  return roots.flatMap((root) =>
    readdirSync(path.join(ROOT, root), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => readFileSync(path.join(ROOT, root, file), 'utf8')),
  );
}
