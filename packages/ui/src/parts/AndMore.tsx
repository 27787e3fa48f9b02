/** After the first of a list, how many there are beside them; nothing where that is all. */
export function AndMore({ of, shown }: { of: number; shown: number }) {
  return of > shown ? <span className="dim">and {(of - shown).toLocaleString('en')} more</span> : null;
}
