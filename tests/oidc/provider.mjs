// A certified OpenID provider (npm oidc-provider) as an identity provider of a Kreis: access tokens as JWT (RFC 9068) for the
// audience `pruefpfad`, groups in a nested claim, people who log in by code and PKCE, services with client credentials.
//
//   PORT=4711 KEYS=keys.json node provider.mjs
//
// KEYS keeps the signing keys over a restart. For tests there is, beside the protocol:
//   POST /control/rotate            sign with a new key from now on; the old ones stay published
//   POST /control/rotate?withdraw   sign with a new key from now on; nothing else is published
//   GET  /control/requests          how often discovery document and keys were asked for

import { createServer } from 'node:http';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';

const port = Number(process.env.PORT);
const issuer = `http://127.0.0.1:${port}`;

// Who is in which groups: services by client id, people by login.
const groups = {
  revision: ['vks-revision', 'drucker'],
  stelle: ['vks-bezirksstelle-03-leitung'],
  niemand: [],
  muster: ['vks-revision'],
};

const audiences = { 'https://vks.example/': 'pruefpfad', 'https://drucker.example/': 'drucker' };

const service = (client_id) => ({
  client_id,
  client_secret: 'secret',
  grant_types: ['client_credentials'],
  redirect_uris: [],
  response_types: [],
});

let published = existsSync(process.env.KEYS) ? JSON.parse(readFileSync(process.env.KEYS, 'utf8')) : [];
let answer;

async function rotate(withdraw) {
  const key = await exportJWK((await generateKeyPair('ES256', { extractable: true })).privateKey);
  const named = { ...key, alg: 'ES256', use: 'sig', kid: `key-${published.length + 1}-${Date.now()}` };
  published = withdraw ? [named] : [named, ...published];
  writeFileSync(process.env.KEYS, JSON.stringify(published));
  serve();
}

function serve() {
  const provider = new Provider(issuer, {
    jwks: { keys: published },
    clients: [
      service('revision'),
      service('stelle'),
      service('niemand'),
      {
        client_id: 'spa',
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code'],
        redirect_uris: ['http://127.0.0.1/back'],
        application_type: 'native',
        id_token_signed_response_alg: 'ES256',
      },
    ],
    cookies: { keys: ['only for tests'] },
    claims: { openid: ['sub'], profile: ['name'] },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, name: 'Frau Muster' }) }),
    enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    extraTokenClaims: (_, token) => ({
      realm_access: { roles: groups[token.accountId ?? token.clientId] ?? [] },
    }),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (_, resource) => ({
          scope: 'read',
          audience: audiences[resource],
          accessTokenFormat: 'jwt',
          accessTokenTTL: 600,
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  });
  answer = provider.callback();
}

if (published.length === 0) await rotate(true);
else serve();

let requests = 0;
createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, issuer);
  if (pathname === '/control/rotate') {
    await rotate(searchParams.has('withdraw'));
    return response.end();
  }
  if (pathname === '/control/requests') return response.end(String(requests));
  if (pathname === '/jwks' || pathname.startsWith('/.well-known/')) requests += 1;
  return answer(request, response);
}).listen(port, '127.0.0.1', () => console.log('listening'));
