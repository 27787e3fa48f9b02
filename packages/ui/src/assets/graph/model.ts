/** What the graph shows: sensors and assets with what feeds what, some groups closed to one box, or only what is near. Pure. */

import type { Asset } from '../../api/generated/client.ts';

export interface SensorLink {
  readonly name: string;
  readonly assets: readonly string[];
}

type Edge = readonly [from: string, to: string];

export interface Shape {
  /** `asset:KEY`, `sensor:NAME`, `group:NAME`. */
  readonly nodes: readonly string[];
  readonly edges: readonly Edge[];
}

/** From this many boxes on, groups begin closed. */
export const MANY = 300;
/** From this many on, a list says more than a picture. */
export const TOO_MANY = 2_000;

export function shapeOf(assets: readonly Asset[], sensors: readonly SensorLink[]): Shape {
  const keys = new Set(assets.map((one) => one.key));
  const fed = sensors.flatMap((sensor) =>
    sensor.assets.filter((key) => keys.has(key)).map((key): Edge => [`sensor:${sensor.name}`, `asset:${key}`]),
  );
  const between = assets.flatMap((one) =>
    one.depends_on
      .filter(({ asset }) => keys.has(asset))
      .map(({ asset }): Edge => [`asset:${asset}`, `asset:${one.key}`]),
  );
  const nodes = new Set([...assets.map((one) => `asset:${one.key}`), ...fed.map(([from]) => from)]);
  return { nodes: [...nodes], edges: [...fed, ...between] };
}

/** What feeds a node and what it feeds, so many steps before and after it; not what its neighbours feed besides. */
export function near(
  { edges }: Pick<Shape, 'edges'>,
  start: string,
  before = Infinity,
  after = before,
): ReadonlySet<string> {
  const follow = (from: 0 | 1, depth: number) => {
    const next = new Map<string, string[]>();
    for (const edge of edges) next.set(edge[from], [...(next.get(edge[from]) ?? []), edge[from === 0 ? 1 : 0]]);
    const seen = new Map([[start, 0]]);
    for (const [node, steps] of seen)
      if (steps < depth) for (const one of next.get(node) ?? []) if (!seen.has(one)) seen.set(one, steps + 1);
    return seen.keys();
  };
  return new Set([...follow(0, after), ...follow(1, before)]);
}

export function only({ nodes, edges }: Shape, kept: ReadonlySet<string>): Shape {
  return {
    nodes: nodes.filter((node) => kept.has(node)),
    edges: edges.filter(([from, to]) => kept.has(from) && kept.has(to)),
  };
}

/** Puts one box in the place of the assets of each closed group, with the edges of all of them. */
export function closeGroups({ nodes, edges }: Shape, assets: readonly Asset[], closed: ReadonlySet<string>): Shape {
  const boxes = new Map(
    assets.filter(({ group }) => closed.has(group)).map(({ key, group }) => [`asset:${key}`, `group:${group}`]),
  );
  const boxOf = (node: string) => boxes.get(node) ?? node;
  const joined = new Map<string, Edge>();
  for (const edge of edges) {
    const [from, to] = [boxOf(edge[0]), boxOf(edge[1])];
    if (from !== to) joined.set(JSON.stringify([from, to]), [from, to]);
  }
  return { nodes: [...new Set(nodes.map(boxOf))], edges: [...joined.values()] };
}

export type Arrow = 'ArrowLeft' | 'ArrowRight' | 'ArrowUp' | 'ArrowDown';

/**
 * The node that an arrow leads to: right to what a node feeds, left to what feeds it, up and down to the next one that
 * stands in the same layer.
 */
export function stepFrom(
  { nodes, edges }: Shape,
  places: Readonly<Record<string, { readonly x: number; readonly y: number }>>,
  node: string,
  arrow: Arrow,
): string | undefined {
  const here = places[node];
  if (!here) return undefined;
  const distance = (other: string) => Math.abs((places[other]?.y ?? Infinity) - here.y);
  const nearest = (all: readonly string[]) => all.toSorted((a, b) => distance(a) - distance(b))[0];
  if (arrow === 'ArrowRight') return nearest(edges.filter(([from]) => from === node).map(([, to]) => to));
  if (arrow === 'ArrowLeft') return nearest(edges.filter(([, to]) => to === node).map(([from]) => from));
  const isDown = arrow === 'ArrowDown';
  return nearest(
    nodes.filter((other) => {
      const place = places[other];
      return place?.x === here.x && (isDown ? place.y > here.y : place.y < here.y);
    }),
  );
}
