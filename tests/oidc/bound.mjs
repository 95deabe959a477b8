// A service whose token is bound to a key of its own (DPoP, RFC 9449): gets the token, and asks the service with it.
// Prints how it was answered: with a proof, with the same proof again, and as a bearer token.
//
//   ISSUER=http://127.0.0.1:4711 SERVICE=http://127.0.0.1:8080 PUBLIC_URL=https://vks.example node bound.mjs

import { createHash, randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

const { ISSUER, SERVICE, PUBLIC_URL } = process.env;
const { publicKey, privateKey } = await generateKeyPair('ES256');
const jwk = await exportJWK(publicKey);

const prove = (htm, htu, token) =>
  new SignJWT({
    htm,
    htu,
    jti: randomUUID(),
    ...(token && { ath: createHash('sha256').update(token).digest('base64url') }),
  })
    .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk })
    .setIssuedAt()
    .sign(privateKey);

const given = await fetch(`${ISSUER}/token`, {
  method: 'POST',
  headers: {
    authorization: `Basic ${btoa('revision:secret')}`,
    dpop: await prove('POST', `${ISSUER}/token`),
  },
  body: new URLSearchParams({
    grant_type: 'client_credentials',
    scope: 'read',
    resource: 'https://vks.example/',
  }),
});
const { access_token: token, token_type: type } = await given.json();

async function ask(scheme, proof) {
  const response = await fetch(`${SERVICE}/graphql`, {
    method: 'POST',
    headers: {
      authorization: `${scheme} ${token}`,
      'content-type': 'application/json',
      ...(proof && { dpop: proof }),
    },
    body: JSON.stringify({ query: '{ viewer { subject } }' }),
  });
  const { data, errors } = await response.json();
  return data?.viewer.subject ?? errors[0].extensions.reason;
}

const proof = await prove('POST', `${PUBLIC_URL}/graphql`, token);
console.log(
  JSON.stringify({
    type,
    proven: await ask('DPoP', proof),
    again: await ask('DPoP', proof),
    bearer: await ask('Bearer'),
  }),
);
