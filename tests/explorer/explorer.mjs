// Opens the explorer in a headless Chromium, runs one query and watches the network meanwhile: the page has to
// work on a closed network, so any request to another host than BASE_URL's is a failure.
//
// Environment: BASE_URL (the running service), TOKEN (an access token), CHROMIUM (default /usr/bin/chromium).
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

const QUERY = '{ serviceInfo { version } }';
const PATIENCE_MS = 30_000;

// Chromium asks its maker's hosts in the background; these flags keep it quiet, so that what is seen is the page's.
const QUIET = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

function required(name) {
  const value = process.env[name];
  if (!value) {
    throw new Error(`the environment variable ${name} is missing`);
  }
  return value;
}

/** Everything the page asked for, said or broke. */
function watch(context, page) {
  const seen = { requests: [], sockets: [], answers: [], problems: [] };
  context.on('request', (request) => {
    seen.requests.push({ url: request.url(), authorization: request.headers().authorization });
  });
  context.on('response', (response) => {
    if (new URL(response.url()).pathname === '/graphql') {
      seen.answers.push(response);
    }
  });
  page.on('websocket', (socket) => seen.sockets.push(socket.url()));
  page.on('pageerror', (error) => seen.problems.push(`page error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') {
      seen.problems.push(`console: ${message.text()}`);
    }
  });
  return seen;
}

function foreignHosts(seen, base) {
  return [...seen.requests.map((request) => request.url), ...seen.sockets]
    .map((url) => new URL(url))
    .filter((url) => !['data:', 'blob:'].includes(url.protocol) && url.host !== base.host)
    .map((url) => url.href);
}

/** The editor suggests and closes brackets while one types; pasting the whole text is free of both. */
async function enterQuery(page, text) {
  const editor = page.locator('.graphiql-query-editor .monaco-editor').first();
  await editor.waitFor({ timeout: PATIENCE_MS });
  await editor.click();
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.press('Delete');
  await page.keyboard.insertText(text);
}

async function answerOf(page, start) {
  const sent = page.waitForResponse(
    (response) =>
      new URL(response.url()).pathname === '/graphql' &&
      response.request().method() === 'POST' &&
      !response.request().postData()?.includes('IntrospectionQuery'),
    { timeout: PATIENCE_MS },
  );
  await start();
  return (await sent).json();
}

async function explorerRunsAQuery(page, seen, base, token) {
  await page.goto(new URL(`/explorer#token=${token}`, base).href, { waitUntil: 'load', timeout: PATIENCE_MS });

  await enterQuery(page, QUERY);
  assert.equal(new URL(page.url()).hash, '', 'the token must leave the address bar');

  const answer = await answerOf(page, () => page.locator('.graphiql-execute-button').click());
  assert.equal(answer.errors, undefined, `the query failed: ${JSON.stringify(answer)}`);
  const { version } = answer.data.serviceInfo;
  assert.match(version, /^\d+\.\d+\.\d+/);

  // Spaces in the editor's rendering are no-break spaces.
  await page.waitForFunction(
    (expected) =>
      document.querySelector('.graphiql-response .view-lines')?.textContent.replaceAll('\u00a0', ' ').includes(expected),
    `"version": "${version}"`,
    { timeout: PATIENCE_MS },
  );

  const graphql = seen.requests.filter((request) => new URL(request.url).pathname === '/graphql');
  assert.ok(graphql.length > 0, 'no request reached /graphql');
  for (const request of graphql) {
    assert.equal(request.authorization, `Bearer ${token}`, 'a request went out without the token');
  }
  assert.ok(seen.requests.every((request) => !request.url.includes(token)), 'the token must not stand in an address');
  assert.deepEqual(foreignHosts(seen, base), [], 'the explorer asked a foreign host');
  assert.deepEqual(seen.problems, [], 'the page reported errors (a Content-Security-Policy refusal is one)');
}

const base = new URL(required('BASE_URL'));
const token = required('TOKEN');
const profile = await mkdtemp(join(tmpdir(), 'pruefpfad-explorer-'));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  headless: true,
  // Chromium's sandbox refuses to start as root.
  args: process.getuid?.() === 0 ? [...QUIET, '--no-sandbox'] : QUIET,
});

let failure;
try {
  const page = context.pages()[0] ?? (await context.newPage());
  const seen = watch(context, page);
  try {
    await explorerRunsAQuery(page, seen, base, token);
  } catch (error) {
    failure = error;
    if (process.env.SCREENSHOT) {
      await page.screenshot({ path: process.env.SCREENSHOT });
    }
    for (const problem of seen.problems) {
      console.error(problem);
    }
  }
} finally {
  await context.close();
  await rm(profile, { recursive: true, force: true });
}

if (failure) {
  console.error(failure.message);
}
console.log(failure ? '0 passed, 1 failed' : '1 passed, 0 failed');
process.exitCode = failure ? 1 : 0;
