// A person logs in: authorization code with PKCE (RFC 7636) through the provider's pages, as a browser would.
// Prints the token endpoint's answer: access_token and id_token.
//
//   ISSUER=http://127.0.0.1:4711 LOGIN=muster node login.mjs

import { createHash, randomBytes } from 'node:crypto';

const issuer = process.env.ISSUER;
const jar = new Map();

async function go(address, form) {
  const response = await fetch(new URL(address, issuer), {
    method: form ? 'POST' : 'GET',
    body: form && new URLSearchParams(form),
    headers: { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') },
    redirect: 'manual',
  });
  for (const line of response.headers.getSetCookie()) {
    const [, name, value] = line.match(/^([^=]+)=([^;]*)/);
    jar.set(name, value);
  }
  return response;
}

const verifier = randomBytes(32).toString('base64url');
const query = new URLSearchParams({
  client_id: 'spa',
  response_type: 'code',
  redirect_uri: 'http://127.0.0.1/back',
  scope: 'openid profile read',
  resource: 'https://vks.example/',
  code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  code_challenge_method: 'S256',
});

let response = await go(`/auth?${query}`);
let code;
for (let step = 0; step < 20 && !code; step += 1) {
  const location = response.headers.get('location');
  if (location?.startsWith('http://127.0.0.1/back')) {
    code = new URL(location).searchParams.get('code');
    if (!code) throw new Error(location);
  } else if (location) {
    response = await go(location);
  } else {
    // The pages of login and consent: their form goes where it says, with the login in it.
    const page = await response.text();
    const action = page.match(/<form[^>]*action="([^"]+)"/)?.[1];
    const prompt = page.match(/name="prompt" value="([^"]+)"/)?.[1];
    if (!action || !prompt) throw new Error(`no form: ${response.status} ${page.slice(0, 500)}`);
    response = await go(action, { prompt, login: process.env.LOGIN, password: 'x' });
  }
}
response = await go('/token', {
  grant_type: 'authorization_code',
  client_id: 'spa',
  code,
  redirect_uri: 'http://127.0.0.1/back',
  code_verifier: verifier,
});
console.log(await response.text());
