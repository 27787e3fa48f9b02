import { Button } from '@mantine/core';

interface Pages {
  readonly hasNextPage: boolean;
  readonly isFetchingNextPage: boolean;
  fetchNextPage(): unknown;
}

/** The next page of a list, when there is one. */
export function More({ of }: { of: Pages }) {
  if (!of.hasNextPage) return null;
  return (
    <div style={{ padding: 10, textAlign: 'center' }}>
      <Button variant="default" loading={of.isFetchingNextPage} onClick={() => void of.fetchNextPage()}>
        Show more
      </Button>
    </div>
  );
}
