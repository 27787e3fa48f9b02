/**
 * Where each value of a config comes from: the schema's default, the partition, a preset, or the person at the
 * launchpad; and what becomes of edits when the preset below them changes. Pure.
 */

import { merge } from '../editor/diff.ts';
import { type Json, type JsonObject, isObject, same } from '../editor/json.ts';

type Layer = 'default' | 'partition' | 'preset' | 'edited';

export interface Layered {
  readonly name: string;
  readonly value: Json | undefined;
  readonly layer: Layer;
  /** What it would be without the edit; undefined where nothing lies below. */
  readonly below: Json | undefined;
}

export interface Layers {
  readonly defaults: JsonObject;
  readonly preset: JsonObject;
  /** What will be sent: the preset with the edits. */
  readonly config: JsonObject;
  /** What the server made of it, once it is known. */
  readonly effective: JsonObject | undefined;
}

export function layersOf({ defaults, preset, config, effective }: Layers): readonly Layered[] {
  const names = [
    ...new Set([
      ...Object.keys(defaults),
      ...Object.keys(preset),
      ...Object.keys(config),
      ...Object.keys(effective ?? {}),
    ]),
  ];
  return names.map((name) => {
    const below = own(preset, name) ?? own(defaults, name);
    const mine = own(config, name);
    if (mine !== undefined && !same(mine, own(preset, name))) {
      // Written out as the default is: nobody changed anything.
      const layer = !Object.hasOwn(preset, name) && same(mine, own(defaults, name)) ? 'default' : 'edited';
      return { name, value: mine, layer, below };
    }
    if (mine !== undefined) return { name, value: mine, layer: 'preset', below };
    // The preset had it, the person took it out.
    if (Object.hasOwn(preset, name)) return { name, value: own(defaults, name), layer: 'edited', below };
    const filled = effective === undefined ? own(defaults, name) : own(effective, name);
    return { name, value: filled, layer: same(filled, own(defaults, name)) ? 'default' : 'partition', below };
  });
}

const own = (object: JsonObject, name: string): Json | undefined =>
  Object.hasOwn(object, name) ? object[name] : undefined;

/** The edits made on one preset, on top of another: nothing that was typed is lost. */
export function rebase(config: Json, from: JsonObject, onto: JsonObject): JsonObject {
  const { merged } = merge(from, config, onto);
  return isObject(merged) ? merged : onto;
}
