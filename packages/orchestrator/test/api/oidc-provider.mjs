/**
 * A real OpenID provider on loopback, for the tests of sign-in: one client, people by their login hint, no pages. Started
 * as `node oidc-provider.mjs REDIRECT_URI`; prints its issuer. It is a process of its own because it is ESM only.
 */

import { createServer } from 'node:http';

import { Provider } from 'oidc-provider';

const GROUPS = { ana: ['data', 'skein-admins'], otto: ['skein-operators'], vera: ['everyone-else'] };

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'skein',
        client_secret: 'the-secret-of-this-test',
        redirect_uris: [process.argv[2]],
        token_endpoint_auth_method: 'client_secret_post',
      },
    ],
    pkce: { required: () => true },
    claims: { openid: ['sub', 'groups'], email: ['email', 'email_verified'], profile: ['preferred_username'] },
    conformIdTokenClaims: false,
    cookies: { keys: ['of this test'] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@example.org`, email_verified: true, groups: GROUPS[id] ?? [] }),
    }),
    // Nobody is asked whether they agree.
    async loadExistingGrant({ oidc }) {
      const grant = new provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
      grant.addOIDCScope('openid profile email');
      await grant.save();
      return grant;
    },
  });
  const answer = provider.callback();
  server.on('request', (request, response) => {
    if (!request.url.startsWith('/interaction/')) return answer(request, response);
    provider
      .interactionDetails(request, response)
      .then(({ params }) =>
        provider.interactionFinished(
          request,
          response,
          params.login_hint === 'nobody'
            ? { error: 'access_denied', error_description: 'the person said no' }
            : { login: { accountId: params.login_hint } },
        ),
      )
      .catch((error) => response.writeHead(500).end(String(error)));
  });
  process.stdout.write(`${issuer}\n`);
});
