/** Text that someone is editing, kept for a day in this browser, so that a reload or a crash loses nothing. */

import { useEffect, useState } from 'react';

const KEPT_MS = 86_400_000;
const MAX_KEPT_CHARACTERS = 500_000;

interface Kept {
  readonly text: string;
  /** What the text builds on. */
  readonly version: number;
  readonly at: number;
}

function readDraft(key: string): Kept | undefined {
  try {
    const kept = JSON.parse(localStorage.getItem(`skein.draft.${key}`) ?? 'null') as Kept | null;
    return kept && Date.now() - kept.at < KEPT_MS ? kept : undefined;
  } catch {
    return undefined;
  }
}

/** @returns the draft, what sets it, what drops it */
export function useDraft(
  key: string,
): readonly [Kept | undefined, (text: string, version: number) => void, () => void] {
  const [draft, setDraft] = useState(() => readDraft(key));
  useEffect(() => {
    try {
      if (draft === undefined) localStorage.removeItem(`skein.draft.${key}`);
      else if (draft.text.length < MAX_KEPT_CHARACTERS)
        localStorage.setItem(`skein.draft.${key}`, JSON.stringify(draft));
    } catch {
      // Storage is full or forbidden; the draft then lasts as long as the page.
    }
  }, [key, draft]);
  return [draft, (text, version) => setDraft({ text, version, at: Date.now() }), () => setDraft(undefined)];
}
