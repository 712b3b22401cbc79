// Gets a URL with a bearer token, by fetch and by the default agent of node:https.
import { get } from 'node:https';
import process from 'node:process';

const [, , url] = process.argv;
const headers = { authorization: `Bearer ${process.env.API_TOKEN}` };
const response = await globalThis.fetch(url, { headers });
process.stdout.write(`${response.status} ${await response.text()} `);
get(url, { headers }, (incoming) => {
  incoming.setEncoding('utf8');
  incoming.on('data', (text) => process.stdout.write(`${incoming.statusCode} ${text}`));
});
