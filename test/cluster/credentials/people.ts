/** Ana, who calls the server from a pod, and somebody who looks through the server's container. */
import { z } from 'zod';
import type { Cluster } from '../cluster.ts';
import { SERVER, urlIn } from './manifests.ts';

const reply = z.object({ status: z.number(), session: z.string().nullable(), body: z.string() });
const REVISION = '2025-11-25';

/** Calls as an MCP client does, with sessions; remembers all that she was told. */
export class Ana {
  readonly #cluster: Cluster;
  readonly #namespace: string;
  /** Everything that came back, headers of sessions included. */
  heard = '';

  constructor(cluster: Cluster, namespace: string) {
    this.#cluster = cluster;
    this.#namespace = namespace;
  }

  async open(): Promise<string> {
    const params = { protocolVersion: REVISION, capabilities: {}, clientInfo: { name: 'ana', version: '1' } };
    const { session, status, body } = await this.#send('POST', undefined, { method: 'initialize', params });
    if (session === null) throw new Error(`No session was opened: ${status} ${body}`);
    return session;
  }

  /** The text of the answer, whatever it is. */
  async call(session: string, name: string, args: object): Promise<string> {
    const params = { name, arguments: args };
    const { status, body } = await this.#send('POST', session, { method: 'tools/call', params });
    return `${status} ${body}`;
  }

  async end(session: string): Promise<number> {
    return (await this.#send('DELETE', session)).status;
  }

  async #send(
    method: string,
    session: string | undefined,
    message?: object,
  ): Promise<z.output<typeof reply>> {
    const body = message === undefined ? undefined : JSON.stringify({ jsonrpc: '2.0', id: 1, ...message });
    const headers = {
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      ...(session === undefined ? {} : { 'mcp-session-id': session, 'mcp-protocol-version': REVISION }),
    };
    const script = `
      const { readFileSync } = await import('node:fs');
      const authorization = 'Bearer ' + readFileSync('/tokens/token', 'utf8').trim();
      const response = await fetch(${JSON.stringify(urlIn(this.#namespace))}, {
        method: ${JSON.stringify(method)},
        headers: { authorization, ...${JSON.stringify(headers)} },
        body: ${JSON.stringify(body)},
      });
      console.log(JSON.stringify({
        status: response.status,
        session: response.headers.get('mcp-session-id'),
        body: await response.text(),
      }));`;
    const text = await this.#cluster.script('ana', script, { namespace: this.#namespace });
    this.heard += text;
    return reply.parse(JSON.parse(text));
  }
}

/**
 * Looks for values (which come on standard input, or it would find its own command line) in everything that the
 * server's user can read in its container: environments, command lines, memory of processes, files.
 */
const LOOK = `
  const { openSync, readSync, closeSync, readFileSync, readdirSync, lstatSync } = await import('node:fs');
  const values = JSON.parse(readFileSync(0, 'utf8'));
  const forms = values.flatMap((value) => [value, Buffer.from(value).toString('base64').slice(0, -4), Buffer.from(value).toString('hex')]);
  const found = {};
  const examine = (place, bytes) => {
    for (const [index, form] of forms.entries())
      if (bytes.includes(form)) (found[values[Math.floor(index / 3)]] ??= []).push(place);
  };
  const file = (path) => { try { examine(path, readFileSync(path)); return true; } catch { return false; } };
  let memory = 0;
  for (const id of readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name) && Number(name) !== process.pid)) {
    for (const name of ['environ', 'cmdline', 'status', 'mountinfo']) file('/proc/' + id + '/' + name);
    let maps = '';
    try { maps = readFileSync('/proc/' + id + '/maps', 'utf8'); } catch { continue; }
    let mem;
    try { mem = openSync('/proc/' + id + '/mem', 'r'); } catch { continue; }
    for (const line of maps.split('\\n')) {
      const range = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line);
      if (range === null) continue;
      const [from, until] = [BigInt('0x' + range[1]), BigInt('0x' + range[2])];
      for (let at = from; at < until; at += 8388608n) {
        const bytes = Buffer.alloc(Number(until - at < 8389120n ? until - at : 8389120n));
        try { memory += readSync(mem, bytes, 0, bytes.length, at); examine('/proc/' + id + '/mem', bytes); } catch {}
      }
    }
    closeSync(mem);
  }
  let files = 0;
  const walk = (directory) => {
    let names = [];
    try { names = readdirSync(directory + '/'); } catch { return; }
    for (const name of names) {
      const path = directory + '/' + name;
      if (['/proc', '/sys', '/dev', '/vault'].includes(path)) continue;
      let stat;
      try { stat = lstatSync(path); } catch { continue; }
      if (stat.isDirectory()) walk(path);
      else if (stat.isFile() && stat.size < 16777216 && file(path)) files += 1;
    }
  };
  walk('');
  console.log(JSON.stringify({ found, files, memory }));`;

const looked = z.object({
  found: z.record(z.string(), z.array(z.string())),
  files: z.number(),
  /** Bytes of other processes that were read. */
  memory: z.number(),
});

/** Where each of the values is found in the server's container. */
export async function lookThrough(
  cluster: Cluster,
  namespace: string,
  values: readonly string[],
): Promise<z.output<typeof looked>> {
  const text = await cluster.kubectl(
    [
      ...['exec', '-i', 'calling', `--namespace=${namespace}`, `--container=${SERVER}`, '--'],
      ...['node', '--input-type=module', '--eval', LOOK],
    ],
    { input: JSON.stringify(values) },
  );
  return looked.parse(JSON.parse(text));
}
