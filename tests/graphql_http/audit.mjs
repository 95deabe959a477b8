// Runs all server audits of graphql-http against GRAPHQL_URL, with GRAPHQL_TOKEN as bearer token if it is set.
// One line a check, a summary at the end; exits with 1 unless every one of them is "ok" (a notice or warning is not).

import { serverAudits } from 'graphql-http';

const EXPECTED = 61;

const url = process.env.GRAPHQL_URL;
if (!url) {
  console.error('GRAPHQL_URL is not set');
  process.exit(2);
}
const token = process.env.GRAPHQL_TOKEN;

const fetchFn = (target, init = {}) =>
  fetch(target, token ? { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } } : init);

const counts = { ok: 0, notice: 0, warn: 0, error: 0 };
for (const audit of serverAudits({ url, fetchFn })) {
  const result = await audit.fn();
  counts[result.status] += 1;
  const reason = result.status === 'ok' ? '' : `: ${result.reason}`;
  console.log(`${result.status.padEnd(6)} ${audit.id} ${audit.name}${reason}`);
}

const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
const caller = token ? 'with a token' : 'anonymous';
console.log(
  `${caller}: ${counts.ok} of ${total} ok, ${counts.notice} notices, ${counts.warn} warnings, ${counts.error} errors`,
);
process.exit(counts.ok === EXPECTED && total === EXPECTED ? 0 : 1);
