import { Button, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { Dialog } from '../parts/Dialog.tsx';
import { signIn } from '../api/generated/client.ts';
import { ProblemNotice } from '../parts/States.tsx';
import { signalSignedIn } from './session.ts';

function SignInForm() {
  const cache = useQueryClient();
  const [token, setToken] = useState('');
  const act = useMutation({
    mutationFn: () => signIn({ body: { token: token.trim() } }),
    onSuccess: () => {
      signalSignedIn();
      return cache.invalidateQueries();
    },
  });
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        act.mutate();
      }}
    >
      <p className="dim">
        Paste an API token. An admin makes one on the System page, or from the command line with{' '}
        <code className="mono">skein tokens create</code>.
      </p>
      <TextInput
        label="Token"
        type="password"
        autoComplete="current-password"
        required
        autoFocus
        placeholder="skein_…"
        value={token}
        onChange={(event) => setToken(event.currentTarget.value)}
      />
      {act.error ? <ProblemNotice error={act.error} /> : null}
      <Button type="submit" loading={act.isPending} disabled={token.trim() === ''}>
        Sign in
      </Button>
    </form>
  );
}

/** In place of everything, at the address that was asked for. */
export function SignInPage() {
  return (
    <main style={{ display: 'grid', placeItems: 'center', minHeight: '100vh', padding: 20 }}>
      <div className="card" style={{ width: 'min(400px, 100%)' }}>
        <header>
          <img src="/skein.svg" width={22} height={22} alt="" />
          <h1>Sign in to Skein</h1>
        </header>
        <div className="body">
          <SignInForm />
        </div>
      </div>
    </main>
  );
}

/** Over the page whose session ended, so that nothing typed in it is lost. */
export function SignInAgain() {
  return (
    <Dialog onClose={() => {}} withCloseButton={false} title="Your session has ended" size="md">
      <SignInForm />
    </Dialog>
  );
}
