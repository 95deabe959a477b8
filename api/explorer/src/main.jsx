// The explorer: GraphiQL against the endpoint of the host that served this page, and nothing else.
import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import './page.css';

import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { GraphiQL } from 'graphiql';
import { createRoot } from 'react-dom/client';

import { initialHeaders, rememberHeaders, sentHeaders } from './headers.js';

const FIRST_QUERY = `# Prüfpfad. Press Ctrl-Enter to run the query, Ctrl-Space for suggestions.
# The token stands under "Headers" below; without one only public fields answer.

{
  serviceInfo {
    version
  }
}
`;

const webSocketScheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
const firstHeaders = initialHeaders();

const fetchAnswer = createGraphiQLFetcher({
  url: '/graphql',
  // The headers travel as the payload of `connection_init`.
  subscriptionUrl: `${webSocketScheme}//${location.host}/graphql/ws`,
  // The service answers in one piece; without this the request would ask for multipart.
  enableIncrementalDelivery: false,
});

function fetcher(parameters, options) {
  // The schema is asked for before the header editor is there; it needs the token just as much.
  const headers = options?.headers ?? firstHeaders;
  rememberHeaders(headers);
  return fetchAnswer(parameters, { ...options, headers: sentHeaders(headers) });
}

createRoot(document.getElementById('explorer')).render(
  <GraphiQL
    fetcher={fetcher}
    defaultQuery={FIRST_QUERY}
    initialHeaders={JSON.stringify(firstHeaders, null, 2)}
    defaultHeaders={JSON.stringify(firstHeaders, null, 2)}
    defaultEditorToolsVisibility="headers"
    // Documents and variables may name cases: what is typed here ends with the browser tab.
    storage={sessionStorage}
    showPersistHeadersSettings={false}
  />,
);
