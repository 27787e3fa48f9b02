/**
 * What JSON loses on its way into a program: a number that a double would change (2^53+1, 1e400, −0, more digits than
 * fit), and all but the last of equal keys. What people send is kept as it was sent or refused by its place, so this
 * looks at the text, which alone still has it. Pure.
 */

export interface Loss {
  /** Such as `cursor.offsets.3`. */
  readonly path: string;
  readonly message: string;
}

/** Strings, numbers and what structures; of a text that is JSON. */
const TOKEN = /[[\]{},]|"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g;
/** So many are told: the first is what a person looks at. */
const MAX_LOSSES = 20;
/** Of characters; nobody writes deeper by hand. */
const MAX_PATH = 500;

interface Frame {
  /** Undefined in a list. */
  readonly keys: Set<string> | undefined;
  at: string | number;
  isKeyNext: boolean;
}

/** @param text must be JSON: `JSON.parse` has taken it */
export function lossesOf(text: string): readonly Loss[] {
  const losses: Loss[] = [];
  const frames: Frame[] = [];
  const lose = (message: string) => {
    const path = frames.map(({ at }) => at).join('.');
    losses.push({ path: path.slice(0, MAX_PATH), message });
  };
  for (const [token] of text.matchAll(TOKEN)) {
    if (losses.length >= MAX_LOSSES) break;
    const frame = frames.at(-1);
    if (token === '{') frames.push({ keys: new Set(), at: '', isKeyNext: true });
    else if (token === '[') frames.push({ keys: undefined, at: 0, isKeyNext: false });
    else if (token === '}' || token === ']') frames.pop();
    else if (token === ',') {
      if (frame?.keys) frame.isKeyNext = true;
      else if (frame) frame.at = Number(frame.at) + 1;
    } else if (token.startsWith('"')) {
      if (!frame?.keys || !frame.isKeyNext) continue;
      const key = JSON.parse(token) as string;
      frame.at = key;
      frame.isKeyNext = false;
      if (frame.keys.has(key)) lose('stands here twice: only the last would be kept');
      frame.keys.add(key);
    } else if (!isExact(token)) {
      lose(`cannot be kept exactly: ${token.slice(0, 40)} would become ${nearest(token)}; write it as text`);
    }
  }
  return losses;
}

function nearest(number: string): string {
  const value = JSON.stringify(Number(number));
  return value === 'null' ? 'nothing' : value;
}

function isExact(number: string): boolean {
  const value = Number(number);
  return Number.isFinite(value) && !Object.is(value, -0) && decimal(number) === decimal(String(value));
}

/** The same text for the same number: `1.50`, `15e-1` and `1.5` are one. */
function decimal(number: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(number) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const short = digits.replace(/0+$/, '');
  if (short === '') return '0';
  return `${sign}${short}e${Number(exponent) - fraction.length + digits.length - short.length}`;
}
