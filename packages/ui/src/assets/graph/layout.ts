/** Where the boxes of the graph stand. Layered from left to right; `tight-tree`, because `network-simplex` takes minutes at a thousand nodes. */

import { Graph, layout as layOut } from '@dagrejs/dagre';

export const NODE = { width: 290, height: 74 };

export interface LayoutRequest {
  readonly nodes: readonly string[];
  readonly edges: readonly (readonly [from: string, to: string])[];
}

export type Layout = Readonly<Record<string, { readonly x: number; readonly y: number }>>;

export function layOutGraph({ nodes, edges }: LayoutRequest): Layout {
  const graph = new Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: 10, ranksep: 120, ranker: 'tight-tree' });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const node of nodes) graph.setNode(node, { ...NODE });
  for (const [from, to] of edges) graph.setEdge(from, to);
  layOut(graph);
  return Object.fromEntries(
    nodes.map((node) => {
      const { x = 0, y = 0 } = graph.node(node) as { x?: number; y?: number };
      return [node, { x: x - NODE.width / 2, y: y - NODE.height / 2 }];
    }),
  );
}
