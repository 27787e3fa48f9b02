import { useComputedColorScheme } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { Background, Controls, type Edge, Handle, type Node, type NodeProps, Position, ReactFlow } from '@xyflow/react';
import '@xyflow/react/dist/base.css';
import { useMemo } from 'react';

import { type Asset, listSensors } from '../../api/generated/client.ts';
import { useApi } from '../../api/use-api.ts';
import { Card } from '../../parts/Page.tsx';
import { Proportion } from '../../parts/Proportion.tsx';
import { Read } from '../../parts/States.tsx';
import { NODE } from './layout.ts';
import { useLayout } from './use-layout.ts';
import './graph.css';

type Box = Node<
  { kind: 'asset' | 'sensor'; title: string; detail: string; counts?: Asset['counts']; faded: boolean },
  'box'
>;

export interface AssetGraphProps {
  readonly assets: readonly Asset[];
  readonly selected: string | undefined;
  readonly onSelect: (key: string | undefined) => void;
}

/** Sensors → assets → assets that depend on them. A list for screen readers says the same. */
export function AssetGraph({ assets, selected, onSelect }: AssetGraphProps) {
  const scheme = useComputedColorScheme('light');
  const sensors = useApi(listSensors, {});
  const links = useMemo(() => linksOf(assets, sensors.data?.items ?? []), [assets, sensors.data]);
  const layout = useLayout(links);
  const near = useMemo(
    () => (selected === undefined ? undefined : new Set(reachable(links.edges, `asset:${selected}`))),
    [links, selected],
  );
  const boxes = useMemo(() => {
    const at = layout.data ?? {};
    return links.nodes.flatMap((id): Box[] => {
      const place = at[id];
      if (!place) return [];
      const key = id.slice(id.indexOf(':') + 1);
      const asset = id.startsWith('asset:') ? assets.find((one) => one.key === key) : undefined;
      const faded = near !== undefined && !near.has(id);
      const about = asset
        ? {
            kind: 'asset' as const,
            title: key,
            detail: `${asset.counts.materialized.toLocaleString('en')} of ${asset.total.toLocaleString('en')}`,
            counts: asset.counts,
            faded,
          }
        : { kind: 'sensor' as const, title: key, detail: 'sensor', faded };
      return [{ id, type: 'box', position: place, data: about, draggable: false, ...NODE }];
    });
  }, [links, layout.data, assets, near]);
  const edges = useMemo(
    () =>
      links.edges.map(([source, target]): Edge => ({
        id: `${source}→${target}`,
        source,
        target,
        className: near && !(near.has(source) && near.has(target)) ? 'faded' : '',
      })),
    [links, near],
  );
  return (
    <Card flush>
      <Read of={layout}>
        {() => (
          <div style={{ height: 'max(420px, calc(100vh - 215px))' }}>
            <ReactFlow
              nodes={boxes}
              edges={edges}
              nodeTypes={NODE_TYPES}
              colorMode={scheme}
              fitView
              fitViewOptions={{ maxZoom: 1.1, padding: 0.04, minZoom: 0.5 }}
              minZoom={0.1}
              nodesConnectable={false}
              edgesFocusable={false}
              proOptions={{ hideAttribution: true }}
              onNodeClick={(_, { id }) =>
                onSelect(id === `asset:${selected}` || !id.startsWith('asset:') ? undefined : id.slice(6))
              }
              onPaneClick={() => onSelect(undefined)}
              aria-label="Graph of sensors and assets"
            >
              <Background gap={20} />
              <Controls showInteractive={false} />
            </ReactFlow>
          </div>
        )}
      </Read>
      <ul className="visually-hidden">
        {links.edges.map(([from, to]) => (
          <li key={`${from}${to}`}>
            {from.replace(':', ' ')} feeds {to.replace(':', ' ')}
          </li>
        ))}
      </ul>
    </Card>
  );
}

const NODE_TYPES = { box: BoxView };

function BoxView({ data }: NodeProps<Box>) {
  return (
    <div className="graph-box" data-kind={data.kind} data-faded={data.faded || undefined}>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      {data.kind === 'asset' ? (
        <Link to="/assets/$key" params={{ key: data.title }} className="clip" title={data.title}>
          {data.title}
        </Link>
      ) : (
        <Link to="/sensors/$name" params={{ name: data.title }} className="clip" title={data.title}>
          {data.title}
        </Link>
      )}
      {data.counts && (
        <Proportion
          of={{
            materialized: data.counts.materialized,
            failed: data.counts.failed,
            running: data.counts.running,
            queued: data.counts.queued,
          }}
        />
      )}
      <span className="small dim num">{data.detail}</span>
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </div>
  );
}

interface SensorLink {
  readonly name: string;
  readonly assets: readonly string[];
}

function linksOf(assets: readonly Asset[], sensors: readonly SensorLink[]) {
  const keys = new Set(assets.map((one) => one.key));
  const edges: [string, string][] = assets.flatMap((one) =>
    one.depends_on
      .filter(({ asset }) => keys.has(asset))
      .map(({ asset }): [string, string] => [`asset:${asset}`, `asset:${one.key}`]),
  );
  const fed = sensors.flatMap((sensor) =>
    sensor.assets
      .filter((key) => keys.has(key))
      .map((key): [string, string] => [`sensor:${sensor.name}`, `asset:${key}`]),
  );
  const nodes = [...new Set([...assets.map((one) => `asset:${one.key}`), ...fed.map(([from]) => from)])];
  return { nodes, edges: [...fed, ...edges] };
}

/** Everything before and after a node. */
function reachable(edges: readonly (readonly [string, string])[], start: string): string[] {
  const follow = (from: 0 | 1) => {
    const seen = new Set([start]);
    for (const node of seen) for (const edge of edges) if (edge[from] === node) seen.add(edge[from === 0 ? 1 : 0]);
    return [...seen];
  };
  return [...follow(0), ...follow(1)];
}
