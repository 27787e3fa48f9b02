import { Link } from '@tanstack/react-router';
import { Braces, ChevronDown } from 'lucide-react';

import type { LogLine } from '../api/generated/client.ts';
import { type Clock, formatTime } from '../parts/time.ts';
import { piecesOf, shortAttempt, textOf } from './log-text.ts';

const TONES: Readonly<Record<string, string>> = { error: 'bad', warn: 'warn', info: 'busy', debug: 'calm' };

export interface LogRowProps {
  readonly line: LogLine;
  readonly clock: Clock;
  /** Marked in the text; '' for an expression, of which the line as a whole is the hit. */
  readonly find: string;
  readonly hasAttempt: boolean;
  readonly isOpen: boolean;
  readonly onOpen: () => void;
  readonly onPick: () => void;
}

/** One line: when, how bad, whose, what; its fields open below it. */
export function LogRow({ line, clock, find, hasAttempt, isOpen, onOpen, onPick }: LogRowProps) {
  const { text, left, json } = textOf(line);
  const whole = isOpen && json === undefined ? line.message : text;
  return (
    <>
      <Link
        to="."
        search={(all) => ({ ...all, tab: 'log', line: line.id }) as never}
        replace
        resetScroll={false}
        title="A link to this line"
        onClick={onPick}
      >
        {formatTime(line.at, clock, true)}
      </Link>
      <span data-tone={TONES[line.level] ?? 'calm'} className="log-level">
        <span>{line.level}</span>
        {hasAttempt && <span className="log-attempt">{shortAttempt(line.attempt)}</span>}
      </span>
      <span className="message">
        {piecesOf(whole, find).map((piece, i) => (
          <Drawn key={i} {...piece} />
        ))}
        {(left > 0 || json !== undefined) && (
          <button
            type="button"
            className="log-more"
            aria-expanded={isOpen}
            aria-label={json === undefined ? 'Show the whole line' : 'Fields'}
            onClick={onOpen}
          >
            {json === undefined ? <ChevronDown size={12} /> : <Braces size={12} />}
            {left > 0 && !isOpen && `${left.toLocaleString('en')} more characters`}
          </button>
        )}
        {isOpen && json !== undefined && <span className="log-json">{JSON.stringify(json, undefined, 2)}</span>}
      </span>
    </>
  );
}

function Drawn({ text, colour, isBold, isHit }: ReturnType<typeof piecesOf>[number]) {
  const name = [colour, isBold && 'ansi-bold'].filter(Boolean).join(' ') || undefined;
  if (isHit) return <mark className={name}>{text}</mark>;
  return name === undefined ? text : <span className={name}>{text}</span>;
}
