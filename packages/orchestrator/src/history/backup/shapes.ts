/** The shapes of the ledger's records that the engine relies on; each gives what is wrong, or undefined. */

type Fields = ReadonlyMap<string, string>;

const RUN_ENDS = ['SUCCESS', 'FAILURE', 'CANCELED'];
const RUN_STATUSES = ['QUEUED', 'STARTING', 'STARTED', 'CANCELING', ...RUN_ENDS];
const UNIT_STATES = ['HELD', 'QUEUED', 'DISPATCHED', 'RUNNING', 'DELAYED', 'SUCCEEDED', 'FAILED', 'CANCELED'];
const TICK_STATUSES = ['STARTED', 'SUCCESS', 'SKIPPED', 'FAILURE'];

export function runProblem(id: string, f: Fields): string | undefined {
  const wrong = [
    ...(f.get('id') === id ? [] : ['id']),
    ...oneOf(f, 'status', RUN_STATUSES),
    ...numbers(f, ['created', 'total']),
    ...documents(f, ['config', 'tags', 'steps', 'parts'], ['error', 'result', 'part', 'progress']),
    ...(f.get('job') ? [] : ['job']),
    ...(RUN_ENDS.includes(f.get('status') ?? '') ? numbers(f, ['ended']) : []),
  ];
  return problem('run', id, wrong);
}

export function unitProblem(id: string, f: Fields): string | undefined {
  const wrong = [
    ...oneOf(f, 'state', UNIT_STATES),
    ...numbers(f, ['attempt', 'epoch']),
    ...documents(f, ['parts'], []),
    ...(f.get('run') && id.startsWith(`${f.get('run') ?? ''}.`) ? [] : ['run']),
  ];
  return problem('unit', id, wrong);
}

export function sensorProblem(name: string, f: Fields): string | undefined {
  const wrong = [
    ...oneOf(f, 'status', ['RUNNING', 'STOPPED']),
    ...numbers(f, ['version', 'generation']),
    ...documents(f, [], ['cursor']),
  ];
  return problem('sensor', name, wrong);
}

export function tickProblem(id: string, f: Fields): string | undefined {
  return problem('tick', id, [...oneOf(f, 'status', TICK_STATUSES), ...numbers(f, ['started'])]);
}

function problem(kind: string, name: string, wrong: readonly string[]): string | undefined {
  return wrong.length === 0 ? undefined : `${kind} ${name.slice(0, 100)}: ${wrong.join(', ')} missing or malformed`;
}

function oneOf(f: Fields, field: string, allowed: readonly string[]): string[] {
  return allowed.includes(f.get(field) ?? '') ? [] : [field];
}

function numbers(f: Fields, names: readonly string[]): string[] {
  return names.filter((name) => !/^-?\d+(\.\d+)?$/.test(f.get(name) ?? ''));
}

function documents(f: Fields, needed: readonly string[], optional: readonly string[]): string[] {
  return [...needed, ...optional].filter((name) => {
    const text = f.get(name);
    if (text === undefined || text === '') return needed.includes(name);
    try {
      JSON.parse(text);
      return false;
    } catch {
      return true;
    }
  });
}
