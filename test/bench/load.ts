/**
 * Calls one URL over keep-alive connections for a time or a number of calls, and prints one JSON line of figures.
 *
 *   load.ts --url URL [--token TOKEN] (--seconds N | --calls N) [--connections 16]
 */
import { parseArgs } from 'node:util';
import { Pool } from 'undici';
import type { LoadFigures } from './figures.ts';

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: '' },
    token: { type: 'string' },
    seconds: { type: 'string', default: '3600' },
    calls: { type: 'string', default: 'Infinity' },
    connections: { type: 'string', default: '16' },
  },
});
const url = new URL(values.url);
const calls = Number(values.calls);
const pool = new Pool(url.origin, { connections: Number(values.connections), pipelining: 1 });
const headers = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  'mcp-protocol-version': '2026-07-28',
  'mcp-method': 'tools/call',
  'mcp-name': 'query',
  ...(values.token !== undefined && { authorization: `Bearer ${values.token}` }),
};
const _meta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'gatehouse-bench', version: '1.0.0' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
const latencies: number[] = [];
let begun = 0;

async function callOnce(): Promise<void> {
  begun += 1;
  const sql = `SELECT id, customer, item, total, note FROM orders WHERE id > ${begun % 997} ORDER BY id LIMIT 8`;
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: begun,
    method: 'tools/call',
    params: { name: 'query', arguments: { sql }, _meta },
  });
  const start = performance.now();
  const answer = await pool.request({ path: url.pathname, method: 'POST', headers, body });
  const text = await answer.body.text();
  latencies.push(performance.now() - start);
  // A refusal is quick; counted as a call it would flatter whoever refuses.
  if (answer.statusCode !== 200 || !text.includes('"content"') || text.includes('"isError":true')) {
    throw new Error(`Call ${begun} was answered ${answer.statusCode}: ${text.slice(0, 400)}`);
  }
}

const start = performance.now();
const deadline = start + Number(values.seconds) * 1000;
await Promise.all(
  Array.from({ length: Number(values.connections) }, async () => {
    while (begun < calls && performance.now() < deadline) await callOnce();
  }),
);
const seconds = (performance.now() - start) / 1000;
await pool.close();
latencies.sort((a, b) => a - b);
const percentile = (share: number): number => latencies[Math.floor(share * (latencies.length - 1))] ?? 0;
const figures: LoadFigures = {
  calls: latencies.length,
  perSecond: latencies.length / seconds,
  p50Ms: percentile(0.5),
  p99Ms: percentile(0.99),
};
console.log(JSON.stringify(figures));
