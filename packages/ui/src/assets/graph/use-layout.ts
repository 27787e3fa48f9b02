import { useQuery } from '@tanstack/react-query';

import type { Layout, LayoutRequest } from './layout.ts';

/** The layout of a graph, made once for each shape of it, when all that it is made of is known. */
export function useLayout(request: LayoutRequest, isWhole: boolean) {
  return useQuery({
    queryKey: ['layout', request.nodes, request.edges],
    enabled: isWhole,
    staleTime: Number.POSITIVE_INFINITY,
    refetchInterval: false,
    queryFn: ({ signal }) =>
      new Promise<Layout>((resolve, reject) => {
        const worker = new Worker(new URL('./layout-worker.ts', import.meta.url), { type: 'module' });
        const stop = () => worker.terminate();
        signal.addEventListener('abort', stop);
        worker.onmessage = ({ data }: MessageEvent<Layout>) => {
          resolve(data);
          stop();
        };
        worker.onerror = (event) => {
          reject(new TypeError(event.message));
          stop();
        };
        worker.postMessage(request);
      }),
  });
}
