import { Button } from '@mantine/core';
import { House } from 'lucide-react';
import { useState } from 'react';

import { notify } from '../app/notify.ts';
import { type View, isSameView, keepDefaultView, readDefaultView } from './default-view.ts';

/** Makes what is shown the view that the list opens with, for this person in this browser. */
export function DefaultView({ view }: { view: View }) {
  const [own, setOwn] = useState(() => readDefaultView() ?? {});
  if (isSameView(view, own)) return null;
  const isAll = isSameView(view, {});
  return (
    <Button
      variant="subtle"
      size="compact-sm"
      leftSection={<House size={14} />}
      onClick={() => {
        keepDefaultView(isAll ? undefined : view);
        setOwn(isAll ? {} : view);
        notify('good', 'Runs open like this for you, in this browser.');
      }}
    >
      Open like this
    </Button>
  );
}
