import { Link, type LinkProps } from '@tanstack/react-router';
import { Ellipsis } from 'lucide-react';
import { type KeyboardEvent, useLayoutEffect, useRef, useState } from 'react';

import { useAllowed } from '../app/access.ts';

export interface RowAct {
  readonly name: string;
  readonly link?: LinkProps;
  readonly onAct?: () => void;
  readonly permission?: string;
  /** Why it cannot be done now. */
  readonly because?: string | undefined;
}

/** What can be done with one row: a button at its end, opened by `.` too. */
export function RowMenu({ of, acts }: { of: string; acts: () => readonly RowAct[] }) {
  const [isOpen, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  return (
    <>
      <button
        ref={button}
        type="button"
        className="row-menu"
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-label={`What can be done with ${of}`}
        onClick={() => setOpen(true)}
      >
        <Ellipsis size={15} aria-hidden />
      </button>
      {isOpen && <Menu anchor={button.current} acts={acts()} onClose={() => setOpen(false)} />}
    </>
  );
}

interface MenuProps {
  readonly anchor: HTMLElement | null;
  readonly acts: readonly RowAct[];
  readonly onClose: () => void;
}

/** In the browser's top layer, so that no table cuts it; the browser closes it on Escape and on a press elsewhere. */
function Menu({ anchor, acts, onClose }: MenuProps) {
  const menu = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const own = menu.current;
    if (own === null || anchor === null) return;
    own.showPopover();
    const [at, size] = [anchor.getBoundingClientRect(), own.getBoundingClientRect()];
    const isBelow = at.bottom + size.height < window.innerHeight;
    own.style.left = `${Math.max(4, at.right - size.width)}px`;
    own.style.top = `${isBelow ? at.bottom + 2 : Math.max(4, at.top - size.height - 2)}px`;
    itemsOf(own)[0]?.focus();
  }, [anchor]);
  // The focus goes back to where it was in the row.
  const leave = () => menu.current?.hidePopover();
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const items = itemsOf(event.currentTarget);
    const next = target(items, event.key);
    if (event.key === 'Tab') leave();
    else if (next === undefined) return;
    else next.focus();
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      ref={menu}
      popover="auto"
      role="menu"
      className="menu"
      tabIndex={-1}
      onToggle={(event) => {
        if (event.newState === 'closed') onClose();
      }}
      onKeyDown={onKeyDown}
    >
      {acts.map((act) => (
        <Item key={act.name} act={act} onLeave={leave} />
      ))}
    </div>
  );
}

function Item({ act, onLeave }: { act: RowAct; onLeave: () => void }) {
  const { allowed, reason } = useAllowed(act.permission ?? 'read');
  const why = allowed ? act.because : reason;
  if (act.link && why === undefined)
    return (
      <Link role="menuitem" tabIndex={-1} {...act.link} onClick={onLeave}>
        {act.name}
      </Link>
    );
  return (
    <button
      type="button"
      role="menuitem"
      tabIndex={-1}
      aria-disabled={why !== undefined}
      onClick={() => {
        if (why !== undefined) return;
        onLeave();
        act.onAct?.();
      }}
    >
      {act.name}
      {why !== undefined && <span className="dim small">{why}</span>}
    </button>
  );
}

const itemsOf = (menu: HTMLElement) => [...menu.querySelectorAll<HTMLElement>('[role="menuitem"]')];

/** Where a key leads: up, down, the ends, or the next entry that begins with the letter. */
function target(items: readonly HTMLElement[], key: string): HTMLElement | undefined {
  const at = items.findIndex((item) => item === document.activeElement);
  if (key === 'ArrowDown') return items[(at + 1) % items.length];
  if (key === 'ArrowUp') return items[(Math.max(at, 0) + items.length - 1) % items.length];
  if (key === 'Home') return items[0];
  if (key === 'End') return items.at(-1);
  if (!/^\p{L}$/u.test(key)) return undefined;
  const after = [...items.slice(at + 1), ...items.slice(0, at + 1)];
  return after.find((item) => item.textContent?.toLowerCase().startsWith(key.toLowerCase()));
}
