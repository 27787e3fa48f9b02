import { Link } from '@tanstack/react-router';
import { Handle, type Node, type NodeProps, Position } from '@xyflow/react';
import { Box as BoxIcon, Boxes, Radar } from 'lucide-react';

import type { Asset } from '../../api/generated/client.ts';
import { Proportion } from '../../parts/Proportion.tsx';

export interface About {
  readonly kind: 'asset' | 'sensor' | 'group';
  readonly title: string;
  readonly detail: string;
  readonly failed: number;
  /** Of each state how many; undefined where there are no partitions. */
  readonly states: Readonly<Record<string, number>> | undefined;
}

export type Box = Node<
  About & { readonly faded: boolean; readonly onOpen: (group: string) => void } & Record<string, unknown>,
  'box'
>;

const ICONS = { asset: BoxIcon, sensor: Radar, group: Boxes };

/** What a box says of the node with this id. */
export function aboutOf(id: string, assets: readonly Asset[]): About {
  const [kind, name] = [id.slice(0, id.indexOf(':')), id.slice(id.indexOf(':') + 1)];
  if (kind === 'sensor') return { kind, title: name, detail: 'sensor', failed: 0, states: undefined };
  const of = assets.filter(({ key, group }) => (kind === 'group' ? group === name : key === name));
  const sum = (count: (asset: Asset) => number) => of.reduce((n, asset) => n + count(asset), 0);
  const made = sum(({ counts }) => counts.materialized);
  const total = sum((asset) => asset.total);
  const parts = `${made.toLocaleString('en')} of ${total.toLocaleString('en')}`;
  const isGroup = kind === 'group';
  return {
    kind: isGroup ? 'group' : 'asset',
    title: isGroup ? name || 'No group' : name,
    detail: isGroup ? `${of.length} ${of.length === 1 ? 'asset' : 'assets'}` : parts,
    failed: sum(({ counts }) => counts.failed),
    states: {
      materialized: made,
      failed: sum(({ counts }) => counts.failed),
      running: sum(({ counts }) => counts.running),
      queued: sum(({ counts }) => counts.queued),
      missing: sum(({ missing }) => missing),
    },
  };
}

export function BoxView({ id, data }: NodeProps<Box>) {
  const Icon = ICONS[data.kind];
  return (
    <div className="graph-box" data-kind={data.kind} data-faded={data.faded || undefined}>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <div className="row" style={{ gap: 6 }}>
        <Icon size={13} aria-hidden />
        {data.kind === 'asset' && (
          <Link to="/assets/$key" params={{ key: data.title }} className="clip" title={data.title}>
            {data.title}
          </Link>
        )}
        {data.kind === 'sensor' && (
          <Link to="/sensors/$name" params={{ name: data.title }} className="clip" title={data.title}>
            {data.title}
          </Link>
        )}
        {data.kind === 'group' && (
          <button
            type="button"
            className="clip"
            aria-label={`Open the group ${data.title}`}
            onClick={() => data.onOpen(id.slice('group:'.length))}
          >
            {data.title}
          </button>
        )}
      </div>
      {data.states && <Proportion of={data.states} />}
      <span className="small dim num clip">
        {data.detail}
        {data.failed > 0 && <strong className="bad"> · {data.failed.toLocaleString('en')} failed</strong>}
      </span>
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </div>
  );
}
