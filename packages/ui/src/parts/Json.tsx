/** JSON as text, for reading. Always text nodes, so nothing in it is ever run. */
export function Json({ of, maxHeight = 360 }: { of: unknown; maxHeight?: number }) {
  return (
    <pre style={{ maxHeight, overflow: 'auto' }} tabIndex={0} aria-label="JSON">
      {JSON.stringify(of, null, 2) ?? 'nothing'}
    </pre>
  );
}
