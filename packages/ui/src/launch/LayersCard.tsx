import { Button } from '@mantine/core';

import { Card } from '../parts/Page.tsx';
import type { Layered } from './layers.ts';

/** Every field with its value and the layer that it comes from; an edit can be taken back by itself. */
export function LayersCard({
  layers,
  presetWord,
  onRevert,
}: {
  layers: readonly Layered[];
  /** What the layer below the edits is called. */
  presetWord: string;
  onRevert: (name: string) => void;
}) {
  const words = { default: 'default', partition: 'partition', preset: presetWord, edited: 'edited' };
  const edited = layers.filter(({ layer }) => layer === 'edited').length;
  return (
    <Card
      flush
      title="Layers"
      aside={<span className="dim small">{edited === 0 ? 'nothing edited' : `${edited} edited`}</span>}
    >
      <div className="table-wrap">
        <table className="table layers">
          <thead>
            <tr>
              <th scope="col">Field</th>
              <th scope="col">Value</th>
              <th scope="col">From</th>
            </tr>
          </thead>
          <tbody>
            {layers.map(({ name, value, layer, below }) => (
              <tr key={name}>
                <td className="anywhere">
                  <bdi>{name}</bdi>
                </td>
                <td>
                  <div className="value clip" title={JSON.stringify(value)}>
                    {value === undefined ? <span className="dim">unset</span> : JSON.stringify(value)}
                  </div>
                </td>
                <td className="nowrap">
                  <span className="layer" data-layer={layer}>
                    {words[layer]}
                  </span>
                  {layer === 'edited' && (
                    <Button
                      size="compact-xs"
                      variant="subtle"
                      aria-label={`Take back ${name}`}
                      title={below === undefined ? 'Leave it out' : `Back to ${JSON.stringify(below)}`}
                      onClick={() => onRevert(name)}
                    >
                      undo
                    </Button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}
