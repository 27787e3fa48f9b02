// A live look at runs, assets and sensors: reads the API, listens to its stream of changes, reads again what changed.

const API = '/api/v1';
const byId = (id) => document.getElementById(id);

/** An element with text and children; text is never read as HTML. */
function el(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children.map((child) => (child instanceof Node ? child : String(child))));
  return made;
}

async function read(path) {
  const reply = await fetch(API + path, { headers: { accept: 'application/json' } });
  if (reply.status === 401) {
    byId('sign-in').hidden = false;
    byId('board').hidden = true;
  }
  if (!reply.ok) throw new Error(`${path}: ${reply.status}`);
  return reply.json();
}

/** A list that definitions bound, whole. */
async function readAll(path) {
  const all = [];
  let after = null;
  do {
    const page = await read(after === null ? path : `${path}?after=${encodeURIComponent(after)}`);
    all.push(...page.items);
    after = page.next;
  } while (after !== null);
  return all;
}

const STATUS = {
  QUEUED: ['wait', '◷ queued'],
  STARTING: ['wait', '◷ starting'],
  STARTED: ['busy', '▶ running'],
  SUCCESS: ['good', '✓ success'],
  FAILURE: ['bad', '✕ failed'],
  CANCELING: ['quiet', '◌ canceling'],
  CANCELED: ['quiet', '◌ canceled'],
};

const time = (text) => new Date(text).toLocaleTimeString(undefined, { hour12: false });

function took(run) {
  if (!run.started_at) return run.blocked ? `waits: ${run.blocked}` : '';
  const ms = new Date(run.ended_at ?? Date.now()) - new Date(run.started_at);
  if (ms < 1000) return `${Math.max(0, ms)} ms`;
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`;
}

function runRow(run) {
  const [kind, text] = STATUS[run.status] ?? ['quiet', run.status];
  const { total, materialized, failed, skipped } = run.counts;
  const done = materialized + failed + skipped;
  const job = el('td', '', run.job);
  if (run.error) job.append(el('div', 'error', run.error.message.slice(0, 200)));
  const parts = el('td', '', `${done} of ${total}`);
  if (failed > 0) parts.append(el('div', 'error', `${failed} failed`));
  if (run.progress && !run.ended_at)
    parts.append(el('div', 'soft', `${run.progress.done}/${run.progress.total} ${run.progress.note}`));
  return el(
    'tr',
    '',
    el('td', `status ${kind}`, text),
    job,
    parts,
    el('td', 'soft', run.cause),
    el('td', 'soft', time(run.created_at)),
    el('td', 'soft', took(run)),
  );
}

async function showRuns() {
  const { items } = await read('/runs?limit=25');
  byId('runs').replaceChildren(...items.map(runRow));
  byId('no-runs').hidden = items.length > 0;
}

function bar(parts, total) {
  const made = el('div', 'bar');
  for (const [name, n] of parts) {
    if (n === 0) continue;
    const piece = el('i', name);
    piece.style.width = `${(100 * n) / Math.max(1, total)}%`;
    piece.title = `${n} ${name}`;
    made.append(piece);
  }
  return made;
}

async function showAssets() {
  const items = await readAll('/assets');
  byId('assets').replaceChildren(
    ...items.map(({ key, description, counts, missing, partitions }) => {
      const active = counts.queued + counts.running + counts.cancelling;
      const words = [
        `${counts.materialized} made`,
        counts.failed > 0 ? `${counts.failed} failed` : '',
        counts.skipped > 0 ? `${counts.skipped} skipped` : '',
        active > 0 ? `${active} under way` : '',
        `${missing} missing`,
        partitions.row_name ? `${partitions.rows} × ${partitions.row_name}` : '',
      ];
      const parts = [
        ['materialized', counts.materialized],
        ['failed', counts.failed],
        ['skipped', counts.skipped],
        ['running', active],
      ];
      return el(
        'div',
        '',
        el('div', 'row', el('b', '', key), el('span', 'soft', words.filter(Boolean).join(' · '))),
        el('div', 'soft', description),
        bar(parts, counts.materialized + counts.failed + counts.skipped + active),
      );
    }),
  );
}

async function showSensors() {
  const items = await readAll('/sensors');
  byId('sensors').replaceChildren(
    ...items.map((sensor) => {
      const last = sensor.last_tick;
      const said = last
        ? `${time(last.ended_at)} ${last.decision}${last.reason ? `: ${last.reason}` : ''}`
        : 'no tick yet';
      const running = sensor.status === 'RUNNING';
      return el(
        'div',
        '',
        el(
          'div',
          'row',
          el('b', '', sensor.name),
          el('span', `status ${running ? 'good' : 'quiet'}`, running ? '▶ running' : '■ stopped'),
        ),
        el('div', sensor.error_streak > 0 ? 'error' : 'soft', said),
      );
    }),
  );
}

async function showOverview() {
  const overview = await read('/overview');
  const tiles = [
    ['queued', overview.runs.queued],
    ['under way', overview.runs.active],
    ['succeeded', overview.runs.success],
    ['failed', overview.runs.failure],
    ['workers', overview.workers],
    ['attempts now', `${overview.attempts_active}/${overview.slots}`],
  ];
  byId('tiles').replaceChildren(
    ...tiles.map(([name, value]) => el('div', 'tile', el('b', '', value), el('span', '', name))),
  );
  const most = Math.max(1, ...overview.hours.map((hour) => hour.success + hour.failure + hour.canceled));
  byId('hours').replaceChildren(
    ...overview.hours.map((hour) => {
      const column = el('div');
      column.title = `${time(hour.at)}: ${hour.success} succeeded, ${hour.failure} failed, ${hour.canceled} canceled`;
      for (const name of ['canceled', 'failure', 'success']) {
        const piece = el('i', name);
        piece.style.height = `${(100 * hour[name]) / most}%`;
        column.append(piece);
      }
      return column;
    }),
  );
}

/** Each part is read again at most once a second, however much changes. */
const PARTS = { runs: showRuns, assets: showAssets, sensors: showSensors, overview: showOverview };
const stale = new Set();
let timer;

function refresh(...names) {
  for (const name of names) stale.add(name);
  timer ??= setTimeout(async () => {
    const now = [...stale];
    stale.clear();
    await Promise.allSettled(now.map((name) => PARTS[name]()));
    timer = undefined;
    if (stale.size > 0) refresh();
  }, 400);
}

function listen() {
  const live = byId('live');
  const say = (state, text) => {
    live.dataset.state = state;
    live.textContent = text;
  };
  const source = new EventSource(`${API}/events`);
  source.addEventListener('hello', () => say('live', 'Live'));
  source.addEventListener('reset', () => refresh(...Object.keys(PARTS)));
  source.addEventListener('change', (event) => {
    say('live', 'Live');
    const { type } = JSON.parse(event.data);
    if (/^(tick|sensor|cursor)\./.test(type)) refresh('sensors');
    else if (/^partition/.test(type)) refresh('assets', 'runs');
    else refresh('runs', 'overview', ...(type === 'run.ended' ? ['assets'] : []));
  });
  source.addEventListener('error', () => say('lost', 'Reconnecting'));
}

async function start() {
  try {
    await read('/me');
  } catch {
    return;
  }
  byId('sign-in').hidden = true;
  byId('board').hidden = false;
  refresh(...Object.keys(PARTS));
  listen();
  setInterval(() => refresh('overview', 'sensors'), 10_000);
}

byId('sign-in').addEventListener('submit', async (event) => {
  event.preventDefault();
  const reply = await fetch(`${API}/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token: byId('token').value }),
  });
  byId('token').value = '';
  if (reply.ok) return start();
  byId('sign-in-error').textContent = (await reply.json()).detail;
});

byId('theme').addEventListener('click', () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  root.dataset.theme = dark ? 'light' : 'dark';
  localStorage.setItem('skein-theme', root.dataset.theme);
});
const theme = localStorage.getItem('skein-theme');
if (theme) document.documentElement.dataset.theme = theme;

await start();
