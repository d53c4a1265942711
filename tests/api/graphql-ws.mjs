// Follows a pipeline's records with the client of npm's graphql-ws, and prints what it receives as
// lines of JSON. Arguments: the websocket's URL, the cookie, the pipeline, how many records.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const [url, cookie, id, count] = process.argv.slice(2);

class WithCookie extends WebSocket {
  constructor(address, protocols) {
    super(address, protocols, { headers: { cookie } });
  }
}

const client = createClient({ url, webSocketImpl: WithCookie, retryAttempts: 0 });
const query = `subscription ($id: ID!) {
  pipelineRecords(pipelineId: $id, after: "0") { records { fields } }
}`;
let left = Number(count);
for await (const { data, errors } of client.iterate({ query, variables: { id } })) {
  if (errors) throw new Error(JSON.stringify(errors));
  for (const { fields } of data.pipelineRecords.records) console.log(JSON.stringify(fields));
  left -= data.pipelineRecords.records.length;
  if (left <= 0) break;
}
for await (const { data } of client.iterate({ query: '{ viewer { user { email } } }' })) {
  console.log(JSON.stringify(data));
}
await client.dispose();
