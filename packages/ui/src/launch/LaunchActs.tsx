import { Button } from '@mantine/core';
import { Copy, Rocket } from 'lucide-react';

import { notify } from '../app/notify.ts';
import { Act } from '../parts/Act.tsx';
import { type Launch, commandLine, curlLine } from './command-line.ts';

/** Launch, and the same launch for a shell. */
export function LaunchActs(props: {
  request: Launch;
  because: string | undefined;
  isBusy: boolean;
  onStart: (follow: boolean) => void;
}) {
  const { request, because, isBusy, onStart } = props;
  const copy = (text: string, what: string) =>
    void navigator.clipboard?.writeText(text).then(() => notify('good', `The ${what} is copied.`));
  return (
    <div className="stack tight">
      <div className="row wrap">
        <Act
          permission="launch_run"
          variant="filled"
          leftSection={<Rocket size={14} />}
          rightSection={<span className="kbd on-fill">⌘↵</span>}
          because={because}
          loading={isBusy}
          onAct={() => onStart(true)}
        >
          Launch and follow
        </Act>
        <Act permission="launch_run" because={because} loading={isBusy} onAct={() => onStart(false)}>
          Launch
        </Act>
      </div>
      <pre className="small command" aria-label="As a command">
        {commandLine(request)}
      </pre>
      <div className="row wrap">
        <Button
          variant="subtle"
          color="gray"
          size="compact-sm"
          leftSection={<Copy size={13} />}
          onClick={() => copy(commandLine(request), 'command')}
        >
          Copy as CLI
        </Button>
        <Button
          variant="subtle"
          color="gray"
          size="compact-sm"
          leftSection={<Copy size={13} />}
          onClick={() => copy(curlLine(request, location.origin), 'call')}
        >
          Copy as curl
        </Button>
      </div>
    </div>
  );
}
