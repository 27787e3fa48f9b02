import { Button, TextInput } from '@mantine/core';
import { useState } from 'react';

import { Dialog } from '../parts/Dialog.tsx';
import { type Token, createToken, listJobs, listTokens, revokeToken } from '../api/generated/client.ts';
import { useAct, useAll, useApi } from '../api/use-api.ts';
import { useAllowed } from '../app/access.ts';
import { notify } from '../app/notify.ts';
import { Act } from '../parts/Act.tsx';
import { Confirm } from '../parts/Confirm.tsx';
import { DataTable } from '../parts/DataTable.tsx';
import { Card } from '../parts/Page.tsx';
import { Empty, Notice, ProblemNotice, Read } from '../parts/States.tsx';
import { Time } from '../parts/Time.tsx';
import { Select } from '../parts/fields.ts';

type Role = 'viewer' | 'operator' | 'admin';

export function TokensTab() {
  const { allowed, reason } = useAllowed('manage_tokens');
  return allowed ? <Tokens /> : <Notice tone="warn">{reason}</Notice>;
}

function Tokens() {
  const tokens = useApi(listTokens, {});
  const [revoking, setRevoking] = useState<Token>();
  const revoke = useAct(revokeToken, () => 'The token and its sessions are revoked.');
  return (
    <>
      <NewToken />
      <Card flush title="Tokens">
        <Read of={tokens}>
          {({ items }) =>
            items.length === 0 ? (
              <Empty title="No tokens yet.">A token is how scripts, and people where sign-in is on, come in.</Empty>
            ) : (
              <DataTable
                rows={items}
                keyOf={({ id }) => id}
                columns={[
                  { name: 'Name', cell: (token) => <bdi>{token.name}</bdi> },
                  { name: 'Role', cell: (token) => token.role },
                  {
                    name: 'Jobs',
                    className: 'anywhere',
                    cell: ({ jobs }) => (jobs === null ? 'all' : <bdi className="mono">{jobs.join(', ')}</bdi>),
                  },
                  { name: 'Made by', cell: (token) => token.created_by },
                  { name: 'Made', cell: (token) => <Time at={token.created_at} /> },
                  { name: 'Last used', cell: (token) => <Time at={token.last_used_at} relative /> },
                  { name: 'Ends', cell: (token) => (token.expires_at ? <Time at={token.expires_at} /> : 'never') },
                  {
                    name: 'Acts',
                    isQuiet: true,
                    cell: (token) => (
                      <Act
                        permission="manage_tokens"
                        size="compact-xs"
                        aria-label={`Revoke… ${token.name}`}
                        onAct={() => setRevoking(token)}
                      >
                        Revoke…
                      </Act>
                    ),
                  },
                ]}
              />
            )
          }
        </Read>
      </Card>
      {revoking && (
        <Confirm
          title={`Revoke ${revoking.name}`}
          verb="Revoke"
          dangerous
          busy={revoke.isPending}
          error={revoke.error}
          onClose={() => setRevoking(undefined)}
          onConfirm={(reason) =>
            revoke.mutate({ id: revoking.id, reason }, { onSuccess: () => setRevoking(undefined) })
          }
        >
          <p>Whoever uses it is signed out at once. It cannot be undone; make a new one instead.</p>
        </Confirm>
      )}
    </>
  );
}

function NewToken() {
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const [lastDay, setLastDay] = useState('');
  const [chosen, setJobs] = useState<ReadonlySet<string>>(new Set());
  // Who may do everything is not limited to jobs: the server refuses it, too.
  const jobs = role === 'admin' ? [] : [...chosen];
  const create = useAct(createToken, () => undefined);
  return (
    <Card title="New token">
      <form
        className="row wrap"
        style={{ alignItems: 'flex-end' }}
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate(
            {
              body: {
                name,
                role,
                ...(jobs.length > 0 ? { jobs } : {}),
                ...(lastDay === '' ? {} : { expires_at: `${lastDay}T23:59:59Z` }),
              },
            },
            {
              onSuccess: () => {
                setName('');
                setJobs(new Set());
              },
            },
          );
        }}
      >
        <TextInput
          label="Name"
          required
          maxLength={100}
          w={240}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Select
          label="Role"
          w={140}
          allowDeselect={false}
          data={['viewer', 'operator', 'admin']}
          value={role}
          onChange={(value) => setRole((value ?? 'viewer') as Role)}
        />
        <TextInput
          label="Last day (UTC)"
          type="date"
          w={150}
          value={lastDay}
          onChange={(event) => setLastDay(event.currentTarget.value)}
        />
        <Button type="submit" loading={create.isPending} disabled={name.trim() === ''}>
          Make a token
        </Button>
        {role === 'admin' ? (
          <p className="small dim" style={{ flexBasis: '100%' }}>
            An administrator’s token is for all jobs.
          </p>
        ) : (
          <OnlyJobs chosen={chosen} onChange={setJobs} />
        )}
      </form>
      {create.error ? <ProblemNotice error={create.error} /> : null}
      {create.data && (
        <Dialog onClose={() => create.reset()} title="The token, shown this once">
          <div className="stack">
            <pre tabIndex={0}>{create.data.token}</pre>
            <div className="row">
              <Button
                onClick={() =>
                  void navigator.clipboard?.writeText(create.data.token).then(() => notify('good', 'Copied.'))
                }
              >
                Copy
              </Button>
              <Button variant="default" onClick={() => create.reset()}>
                I have it
              </Button>
            </div>
          </div>
        </Dialog>
      )}
    </Card>
  );
}

/** Limits the token to some jobs, their assets, sensors, schedules, runs and backfills. */
function OnlyJobs({
  chosen,
  onChange,
}: {
  chosen: ReadonlySet<string>;
  onChange: (next: ReadonlySet<string>) => void;
}) {
  const jobs = useAll(listJobs, {});
  return (
    <div
      className="row wrap"
      style={{ flexBasis: '100%', maxHeight: 160, overflowY: 'auto' }}
      role="group"
      aria-label="Only these jobs"
    >
      <span className="small dim">{chosen.size === 0 ? 'For all jobs, or only for:' : 'Only for:'}</span>
      {jobs.data?.items.map(({ name }) => (
        <button
          key={name}
          type="button"
          className="chip"
          aria-pressed={chosen.has(name)}
          onClick={() => {
            const next = new Set(chosen);
            if (!next.delete(name)) next.add(name);
            onChange(next);
          }}
        >
          {name}
        </button>
      ))}
    </div>
  );
}
