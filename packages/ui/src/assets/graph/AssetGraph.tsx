import { useComputedColorScheme } from '@mantine/core';
import { Background, Controls, type Edge, type Node, ReactFlow, type ReactFlowInstance } from '@xyflow/react';
import '@xyflow/react/dist/base.css';
import { type KeyboardEvent, useEffect, useMemo, useRef } from 'react';

import { type Asset, listSensors } from '../../api/generated/client.ts';
import { useAll } from '../../api/use-api.ts';
import { Card } from '../../parts/Page.tsx';
import { Notice, Read } from '../../parts/States.tsx';
import { AssetSide } from './AssetSide.tsx';
import { type Box, BoxView, aboutOf } from './BoxView.tsx';
import { GraphTools } from './GraphTools.tsx';
import { NODE } from './layout.ts';
import { type Arrow, type Shape, MANY, TOO_MANY, closeGroups, near, only, shapeOf, stepFrom } from './model.ts';
import { useLayout } from './use-layout.ts';
import './graph.css';

export interface GraphChoice {
  readonly sel?: string | undefined;
  /** Steps around what is selected; undefined shows everything and fades the rest. */
  readonly depth?: number | undefined;
  /** Names of groups as JSON; undefined: what the size of the graph asks for. */
  readonly closed?: string | undefined;
}

export interface AssetGraphProps {
  readonly assets: readonly Asset[];
  readonly choice: GraphChoice;
  readonly onChoose: (choice: GraphChoice) => void;
}

const FIT = { maxZoom: 1.1, padding: 0.04, minZoom: 0.5 };
const NODE_TYPES = { box: BoxView };
const ARROWS: readonly string[] = ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown'] satisfies readonly Arrow[];

/** Sensors → assets → assets that depend on them. A list for screen readers says the same. */
export function AssetGraph({ assets, choice, onChoose }: AssetGraphProps) {
  const scheme = useComputedColorScheme('light');
  const sensors = useAll(listSensors, {});
  const flow = useRef<ReactFlowInstance<Box>>(undefined);
  const host = useRef<HTMLDivElement>(null);
  const { sel, depth, closed: closedText } = choice;
  const groups = useMemo(() => [...new Set(assets.map(({ group }) => group))].sort(), [assets]);
  const whole = useMemo(() => shapeOf(assets, sensors.data?.items ?? []), [assets, sensors.data]);
  const closed = useMemo(
    () => closedOf(closedText, groups, whole.nodes.length > MANY),
    [closedText, groups, whole.nodes.length],
  );
  const selected = sel === undefined ? undefined : `asset:${sel}`;
  const shape = useMemo(() => {
    const kept = selected !== undefined && depth !== undefined ? only(whole, near(whole, selected, depth)) : whole;
    // What is chosen is not hidden inside its own group.
    const own = assets.find(({ key }) => key === sel)?.group;
    return closeGroups(kept, assets, new Set([...closed].filter((group) => group !== own)));
  }, [whole, selected, depth, assets, closed, sel]);
  const layout = useLayout(shape, !sensors.isPending);
  const lit = useMemo(() => (selected === undefined ? undefined : near(shape, selected)), [shape, selected]);
  const open = (group: string) =>
    onChoose({ ...choice, closed: JSON.stringify([...closed].filter((one) => one !== group)) });
  const boxes = useMemo(
    () =>
      shape.nodes.flatMap((id): Box[] => {
        const place = layout.data?.[id];
        const data = { ...aboutOf(id, assets), faded: lit !== undefined && !lit.has(id), onOpen: open };
        return place ? [{ id, type: 'box', position: place, data, draggable: false, ...NODE }] : [];
      }),
    [shape, layout.data, assets, lit, choice, closed],
  );
  const edges = useMemo(
    () =>
      shape.edges.map(([source, target]): Edge => {
        const isLit = lit === undefined || (lit.has(source) && lit.has(target));
        return { id: `${source}→${target}`, source, target, className: isLit ? (lit ? 'lit' : '') : 'faded' };
      }),
    [shape, lit],
  );
  useEffect(() => {
    if (layout.data) void flow.current?.fitView(FIT);
  }, [layout.data]);

  const choose = (node: string) =>
    onChoose({ ...choice, sel: node === selected || !node.startsWith('asset:') ? undefined : node.slice(6) });
  const onKeyDown = (event: KeyboardEvent) => {
    const node = (event.target as HTMLElement).closest<HTMLElement>('.react-flow__node')?.dataset.id;
    if (node === undefined) return;
    if (event.key === ' ' && node.startsWith('asset:')) choose(node);
    else if (ARROWS.includes(event.key)) {
      const next = stepFrom(shape, layout.data ?? {}, node, event.key as Arrow);
      if (next !== undefined) focusNode(host.current, next);
    } else return;
    event.preventDefault();
  };
  const asset = assets.find(({ key }) => key === sel);
  return (
    <div className="stack">
      <GraphTools {...{ groups, closed, choice, onChoose }} />
      {shape.nodes.length > TOO_MANY && (
        <Notice tone="warn">
          {shape.nodes.length.toLocaleString('en')} boxes are too many to be read. Filter them, close groups, choose an
          asset with a depth, or take the list.
        </Notice>
      )}
      <div className={asset ? 'split side' : undefined}>
        <Card flush>
          <Read of={layout}>
            {() => (
              <div ref={host} onKeyDown={onKeyDown} style={{ height: 'max(420px, calc(100vh - 265px))' }}>
                <ReactFlow<Node & Box>
                  nodes={boxes}
                  edges={edges}
                  nodeTypes={NODE_TYPES}
                  colorMode={scheme}
                  fitView
                  fitViewOptions={FIT}
                  minZoom={0.1}
                  nodesConnectable={false}
                  nodesFocusable={false}
                  edgesFocusable={false}
                  proOptions={{ hideAttribution: true }}
                  onInit={(instance) => {
                    flow.current = instance;
                  }}
                  onNodeClick={(_, { id }) => choose(id)}
                  onPaneClick={() => onChoose({ ...choice, sel: undefined })}
                  aria-label="Graph of sensors and assets. Arrow keys follow the edges, Space chooses, Enter opens."
                >
                  <Background gap={20} />
                  <Controls showInteractive={false} />
                </ReactFlow>
              </div>
            )}
          </Read>
          <Edges of={shape} />
        </Card>
        {asset && <AssetSide asset={asset} all={assets} onClose={() => onChoose({ ...choice, sel: undefined })} />}
      </div>
    </div>
  );
}

/** The same for those who do not see it. */
function Edges({ of }: { of: Shape }) {
  return (
    <ul className="visually-hidden">
      {of.edges.map(([from, to]) => (
        <li key={`${from}${to}`}>
          {from.replace(':', ' ')} feeds {to.replace(':', ' ')}
        </li>
      ))}
    </ul>
  );
}

function focusNode(host: HTMLElement | null, id: string): void {
  for (const node of host?.querySelectorAll<HTMLElement>('.react-flow__node') ?? [])
    if (node.dataset.id === id) node.querySelector<HTMLElement>('a, button')?.focus();
}

function closedOf(text: string | undefined, groups: readonly string[], isLarge: boolean): ReadonlySet<string> {
  if (text === undefined) return new Set(isLarge ? groups : []);
  try {
    const named: unknown = JSON.parse(text);
    return new Set(Array.isArray(named) ? groups.filter((group) => named.includes(group)) : []);
  } catch {
    return new Set();
  }
}
