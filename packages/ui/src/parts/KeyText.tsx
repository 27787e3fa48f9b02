/** Keys are opaque text of any length: cut in the middle, whole in the title, isolated from the direction around them. */
export function KeyText({ of, max = 44 }: { of: string; max?: number }) {
  const half = Math.floor((max - 1) / 2);
  const letters = [...of];
  const shown = letters.length <= max ? of : `${letters.slice(0, half).join('')}…${letters.slice(-half).join('')}`;
  return (
    <bdi className="mono" title={shown === of ? undefined : of}>
      {shown}
    </bdi>
  );
}
