import { Button, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { Dialog } from '../parts/Dialog.tsx';
import { listSignInMethods, signIn } from '../api/generated/client.ts';
import { useApi } from '../api/use-api.ts';
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
      <ProviderButton />
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

/** What a provider sent people back with; the address says no more than that. */
const REFUSALS: Readonly<Record<string, string>> = {
  forbidden: 'You are signed in there, but have no role in this Skein. Ask an administrator.',
  service_unavailable: 'The sign-in provider does not answer. Try again in a moment.',
};

/** Where a provider is configured: there and back to this page. */
function ProviderButton() {
  const { data } = useApi(listSignInMethods, {});
  if (!data?.oidc) return null;
  const here = new URL(window.location.href);
  const refusal = here.searchParams.get('sign_in');
  here.searchParams.delete('sign_in');
  const returnTo = encodeURIComponent(`${here.pathname}${here.search}`);
  return (
    <>
      {refusal === null ? null : <p role="alert">{REFUSALS[refusal] ?? 'The sign-in did not succeed. Begin again.'}</p>}
      <Button component="a" href={`${data.oidc.url}?return_to=${returnTo}`}>
        {data.oidc.label}
      </Button>
    </>
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
