/** Keys that work on every page. Nothing happens while someone types into a field. */

import { useEffect, useRef } from 'react';

import { NAV, type NavItem } from './nav.ts';

export interface ShortcutActs {
  palette(): void;
  sheet(): void;
  goTo(item: NavItem): void;
}

const CHORD_MS = 1_200;

export function useShortcuts(acts: ShortcutActs): void {
  const latest = useRef(acts);
  useEffect(() => {
    latest.current = acts;
  });
  useEffect(() => {
    let chordUntil = 0;
    const onKey = (event: KeyboardEvent) => {
      if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        latest.current.palette();
        return;
      }
      if (isTyping(event) || event.metaKey || event.ctrlKey || event.altKey) return;
      const now = performance.now();
      const item = now < chordUntil ? NAV.find((one) => one.key === event.key) : undefined;
      chordUntil = event.key === 'g' && !item ? now + CHORD_MS : 0;
      if (item) latest.current.goTo(item);
      else if (event.key === '?') latest.current.sheet();
      else if (event.key === '/') focusFilter(event);
      else if (event.key === 'j' || event.key === 'k') moveInTable(event.key === 'j' ? 1 : -1);
      else actOnRow(event);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
}

function isTyping(event: KeyboardEvent): boolean {
  const target = event.target instanceof HTMLElement ? event.target : undefined;
  if (target instanceof HTMLInputElement && target.type === 'checkbox' && !target.closest('[role="dialog"]'))
    return false;
  return (
    target?.closest('input, textarea, select, [contenteditable="true"], [role="dialog"], .cm-editor') !== null &&
    target !== undefined
  );
}

function focusFilter(event: KeyboardEvent): void {
  const filter = document.querySelector<HTMLInputElement>('[data-filter]');
  if (!filter) return;
  event.preventDefault();
  filter.focus();
  filter.select();
}

/** Rows of tables carry their link in the first cell that has one; a row without one is reached by its button. */
function moveInTable(step: 1 | -1): void {
  const links = [...document.querySelectorAll<HTMLElement>('main .table tbody tr')].flatMap(
    (row) => row.querySelector<HTMLElement>('a') ?? row.querySelector<HTMLElement>('button') ?? [],
  );
  const at = links.findIndex((link) => link.closest('tr')?.contains(document.activeElement));
  links[at < 0 ? (step === 1 ? 0 : links.length - 1) : Math.min(Math.max(at + step, 0), links.length - 1)]?.focus();
}

/** `x` ticks the row that has the focus, `.` opens its menu, Enter its page; a link or button follows Enter by itself. */
function actOnRow(event: KeyboardEvent): void {
  const row = document.activeElement?.closest<HTMLElement>('main .table tbody tr');
  const isOnControl = document.activeElement?.matches('a, button') === true;
  const control =
    event.key === 'x'
      ? row?.querySelector<HTMLElement>('input[type="checkbox"]')
      : event.key === '.'
        ? row?.querySelector<HTMLElement>('[aria-haspopup="menu"]')
        : event.key === 'Enter' && !isOnControl
          ? row?.querySelector<HTMLElement>('a')
          : undefined;
  if (!control) return;
  event.preventDefault();
  control.click();
}
