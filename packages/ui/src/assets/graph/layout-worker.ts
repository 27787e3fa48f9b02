/** Lays the graph out beside the page, so that a large one does not hold it up. */

import { type LayoutRequest, layOutGraph } from './layout.ts';

self.onmessage = ({ data }: MessageEvent<LayoutRequest>) => {
  self.postMessage(layOutGraph(data));
};
