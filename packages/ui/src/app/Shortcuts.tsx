import { Dialog } from '../parts/Dialog.tsx';
import { NAV } from './nav.ts';

const OTHERS: readonly (readonly [string, string])[] = [
  ['⌘ K', 'Search everything, or do something'],
  ['?', 'This sheet'],
  ['/', 'To the filter of the page'],
  ['j  k', 'Next and previous row of a table'],
  ['Enter', 'Open the row'],
  ['x', 'Tick the row, where rows can be ticked'],
  ['.', 'What can be done with the row'],
  ['⌘ Enter', 'Confirm a dialog, launch in the launchpad'],
  ['⌘ F', 'Find in the whole log, on a run’s log'],
  ['e', 'Only errors, on a run’s log'],
  ['Arrows', 'Move in the heat map; with Shift, select'],
  ['Enter', 'Open the cell of the heat map'],
  ['p', 'Pin the row of the heat map, or let it go'],
  ['Arrows', 'Follow the edges of the graph; Space chooses'],
];

export function Shortcuts({ onClose }: { onClose: () => void }) {
  return (
    <Dialog onClose={onClose} title="Keyboard shortcuts" centered={false}>
      <div className="split">
        <dl className="facts">
          {OTHERS.map(([keys, what], i) => (
            <Entry key={i} keys={keys} what={what} />
          ))}
        </dl>
        <dl className="facts">
          {NAV.map((item) => (
            <Entry key={item.to} keys={`g ${item.key}`} what={item.name} />
          ))}
        </dl>
      </div>
    </Dialog>
  );
}

function Entry({ keys, what }: { keys: string; what: string }) {
  return (
    <>
      <dt>
        <kbd className="kbd">{keys}</kbd>
      </dt>
      <dd>{what}</dd>
    </>
  );
}
