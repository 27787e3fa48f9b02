import { lookOf } from './status.ts';

/** A state as icon, word and colour. `bare` drops the pill, for dense tables. */
export function Status({ of, bare = false, label }: { of: string; bare?: boolean; label?: string }) {
  const { word, icon: Icon, tone, moves } = lookOf(of);
  return (
    <span className={bare ? 'status bare' : 'status'} data-tone={tone}>
      <Icon size={13} strokeWidth={2.4} aria-hidden className={moves ? 'spin' : undefined} />
      {label ?? word}
    </span>
  );
}
