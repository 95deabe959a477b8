/**
 * The request headers of the explorer: where they come from, and where they stay.
 *
 * They are kept in the session storage, so that a reload has them and the closed tab has forgotten them.
 */
const KEY = 'pruefpfad:headers';

/** The token of an address like `/explorer#token=…`, or undefined. */
function takeToken() {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (token === null) {
    return undefined;
  }
  // A fragment is never sent to a server; taken out of the address bar, it is not copied along with it either.
  history.replaceState(null, '', location.pathname + location.search);
  return token;
}

/** The headers to start with, as an object. */
export function initialHeaders() {
  const token = takeToken();
  if (token !== undefined) {
    rememberHeaders({ Authorization: `Bearer ${token}` });
  }
  return JSON.parse(sessionStorage.getItem(KEY) ?? '{"Authorization": "Bearer "}');
}

export function rememberHeaders(headers) {
  sessionStorage.setItem(KEY, JSON.stringify(headers));
}

/** The headers to send: a "Bearer" nobody filled in yet means an anonymous request, not a wrong token. */
export function sentHeaders(headers) {
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => !/^Bearer\s*$/.test(value)));
}
