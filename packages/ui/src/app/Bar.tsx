import {
  ActionIcon,
  Button,
  SegmentedControl,
  Tooltip,
  useComputedColorScheme,
  useMantineColorScheme,
} from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Keyboard, Link2, LogOut, Moon, Search, Sun } from 'lucide-react';

import { type Me, signOut } from '../api/generated/client.ts';
import { useLiveState } from './live-context.ts';
import { notify } from './notify.ts';
import { type ClockChoice, setClock, useClockChoice, usePageZone } from './preferences.ts';
import { signalSignedOut } from './session.ts';

export function Bar({ me, onPalette, onShortcuts }: { me: Me; onPalette: () => void; onShortcuts: () => void }) {
  const clock = useClockChoice();
  return (
    <header className="bar">
      <Button variant="default" leftSection={<Search size={14} />} onClick={onPalette} c="dimmed" fw={400}>
        <span style={{ minWidth: 150, textAlign: 'left' }}>Search or do…</span>
        <span className="kbd">⌘K</span>
      </Button>
      <span className="grow" />
      <LiveBadge />
      <ClockSwitch clock={clock} />
      <Tooltip label="Copy a link to exactly this view">
        <ActionIcon
          aria-label="Copy link"
          onClick={() =>
            void navigator.clipboard?.writeText(linkWith(clock)).then(() => notify('good', 'Link copied.'))
          }
        >
          <Link2 size={16} />
        </ActionIcon>
      </Tooltip>
      <ThemeSwitch />
      <Tooltip label="Keyboard shortcuts">
        <ActionIcon aria-label="Keyboard shortcuts" onClick={onShortcuts}>
          <Keyboard size={16} />
        </ActionIcon>
      </Tooltip>
      <Who me={me} />
    </header>
  );
}

/** Whoever opens it sees times in the same zone. */
function linkWith(clock: ClockChoice): string {
  const link = new URL(location.href);
  link.searchParams.set('tz', clock);
  return link.href;
}

function ClockSwitch({ clock }: { clock: ClockChoice }) {
  const zone = usePageZone();
  const isInAddress = useSearch({ from: '__root__', select: ({ tz }) => tz !== undefined });
  const navigate = useNavigate();
  const onChange = (value: ClockChoice) => {
    setClock(value);
    if (isInAddress) void navigate({ to: '.', search: (before) => ({ ...before, tz: value }), replace: true });
  };
  return (
    <Tooltip label={`Times in UTC, in this browser’s zone, or in that of the asset on the page, here ${zone}`}>
      <SegmentedControl
        size="xs"
        aria-label="Time zone of times"
        value={clock}
        onChange={(value) => onChange(value as ClockChoice)}
        data={[
          { value: 'utc', label: 'UTC' },
          { value: 'local', label: 'Local' },
          { value: 'partition', label: 'Partition' },
        ]}
      />
    </Tooltip>
  );
}

const LIVE = {
  live: ['good', 'Live'],
  connecting: ['calm', 'Connecting'],
  reconnecting: ['warn', 'Reconnecting'],
} as const;

function LiveBadge() {
  const [tone, word] = LIVE[useLiveState()];
  return (
    <span className="status" data-tone={tone} role="status">
      <svg width="8" height="8" aria-hidden>
        <circle cx="4" cy="4" r="4" fill="currentColor" />
      </svg>
      {word}
    </span>
  );
}

function ThemeSwitch() {
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme('light');
  const other = scheme === 'dark' ? 'light' : 'dark';
  return (
    <Tooltip label={`Switch to ${other}`}>
      <ActionIcon aria-label={`Switch to ${other}`} onClick={() => setColorScheme(other)}>
        {scheme === 'dark' ? <Sun size={16} /> : <Moon size={16} />}
      </ActionIcon>
    </Tooltip>
  );
}

function Who({ me }: { me: Me }) {
  const cache = useQueryClient();
  const leave = async () => {
    await signOut({});
    signalSignedOut();
    cache.clear();
    location.reload();
  };
  return (
    <>
      <Tooltip label={`Role ${me.role}, ${me.auth_mode === 'none' ? 'no sign-in on loopback' : `by ${me.via}`}`}>
        <span className="small dim clip" style={{ maxWidth: 140 }} tabIndex={0}>
          {me.name} · {me.role}
        </span>
      </Tooltip>
      {me.via === 'session' && (
        <Tooltip label="Sign out">
          <ActionIcon aria-label="Sign out" onClick={() => void leave()}>
            <LogOut size={16} />
          </ActionIcon>
        </Tooltip>
      )}
    </>
  );
}
