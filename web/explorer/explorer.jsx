// The API explorer: GraphiQL with its documentation panel, on this server's own API. It runs with the
// session of whoever is logged in; the page brings everything along and talks to no other host.

import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import "graphiql/style.css";
import { createClient } from "graphql-ws";
import { createRoot } from "react-dom/client";
import "./explorer.css";

// The paths of the workers' bundles: explorer.mjs puts them in when it builds this file.
const workers = { editor: EDITOR_WORKER, json: JSON_WORKER, graphql: GRAPHQL_WORKER };
globalThis.MonacoEnvironment = {
  getWorker: (_id, label) => new Worker(workers[label] ?? workers.editor),
};

const firstQuery = `# Runs as the user who is logged in.
# Ctrl-Space completes, Ctrl-Enter runs.
# The book at the left opens the docs.

query Pipelines {
  viewer {
    user { name }
    organization { name plan }
  }
  pipelines(first: 10) {
    totalCount
    nodes {
      id
      name
      state
      recordCount
      lastRecordAt
    }
  }
}
`;

const socket = new URL("/graphql/ws", location.href);
socket.protocol = socket.protocol.replace("http", "ws");

const fetcher = createGraphiQLFetcher({
  url: "/graphql",
  wsClient: createClient({ url: socket.href, lazy: true }),
});

createRoot(document.getElementById("explorer")).render(
  <GraphiQL
    fetcher={fetcher}
    defaultQuery={firstQuery}
    inputValueDeprecation
    shouldPersistHeaders={false}
  >
    <GraphiQL.Logo>
      <a href="/">Dash API</a>
    </GraphiQL.Logo>
  </GraphiQL>,
);
