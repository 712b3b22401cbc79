/** Protobuf fields masked on the way from a real server process to a client, by a descriptor from a ConfigMap. */
import {
  createFileRegistry,
  fromBinary,
  fromJson,
  toBinary,
  toJson,
  type DescMessage,
} from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { runTry } from '../../cli/try.ts';
import { answerOf, bearer, openSession, type Way } from '../fixtures/hand-client.ts';
import { portOf } from '../fixtures/mcp/listen.ts';
import { compileProtos, ORDERS_PROTO } from '../fixtures/protobuf.ts';
import { startWorld, statusOf, type World } from './world.ts';

const POLICY = {
  kind: 'MaskingPolicy',
  metadata: { name: 'cards' },
  spec: {
    targetRefs: [{ kind: 'McpGateway', name: 'main' }],
    protobuf: [
      {
        mimeType: 'application/x-protobuf',
        descriptorConfigMap: { name: 'protos', key: 'orders.binpb' },
        message: 'acme.Order',
        fields: ['card.number'],
      },
    ],
  },
};

let set: Buffer;
let order: DescMessage;
let world: World;
let ana: Way;
beforeAll(async () => {
  set = await compileProtos({ 'orders.proto': ORDERS_PROTO });
  const found = createFileRegistry(fromBinary(FileDescriptorSetSchema, set)).getMessage('acme.Order');
  if (found === undefined) throw new Error('There is no order.');
  order = found;
  world = await startWorld({
    policies: [POLICY],
    files: { 'protos.yaml': configMap(set) },
  });
  ana = await world.as('ana');
});
afterAll(() => world[Symbol.asyncDispose]());

function configMap(bytes: Buffer): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'protos' },
    binaryData: { 'orders.binpb': bytes.toString('base64') },
  });
}

test('a field is masked, the rest arrives as it was', async () => {
  const value = { id: '7', card: { number: '4000', holderName: 'Ada' }, codes: ['9007199254740993'] };
  const bytes = Buffer.concat([toBinary(order, fromJson(order, value)), Buffer.of(0xf8, 0x3f, 0x05)]);
  world.server.on('resources/read', (heard) =>
    heard.result({
      contents: [{ uri: 'a:b', mimeType: 'application/x-protobuf', blob: bytes.toString('base64') }],
    }),
  );
  const session = await openSession(ana);
  const answer = await answerOf(await session.request('resources/read', { uri: 'a:b' }));
  const [, blob = ''] = /"blob":"([^"]*)"/.exec(JSON.stringify(answer)) ?? [];
  const released = Buffer.from(blob, 'base64');
  expect(toJson(order, fromBinary(order, released))).toEqual({
    ...value,
    card: { number: '[REDACTED:protobuf:card.number]', holderName: 'Ada' },
  });
  expect(released.subarray(-3)).toEqual(Buffer.of(0xf8, 0x3f, 0x05));
});

test('in what passes through beside MCP, in binary, and gatehouse try shows the same of a result', async () => {
  const value = { id: '7', card: { number: '4000', holderName: 'Ada' } };
  const bytes = Buffer.concat([toBinary(order, fromJson(order, value)), Buffer.of(0xf8, 0x3f, 0x05)]);
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end(bytes);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  await using passing = await startWorld({
    spec: { server: { url: `http://127.0.0.1:${portOf(server)}/mcp`, passthrough: [{ path: '/order' }] } },
    policies: [POLICY],
    files: { 'protos.yaml': configMap(set) },
  });
  const { token } = await passing.as('ana');
  const response = await fetch(new URL('/order', passing.url), { headers: bearer(token) });
  const released = Buffer.from(await response.arrayBuffer());
  server.close();
  const masked = { ...value, card: { number: '[REDACTED:protobuf:card.number]', holderName: 'Ada' } };
  expect(response.headers.get('content-length')).toBe(String(released.length));
  expect(toJson(order, fromBinary(order, released))).toEqual(masked);
  expect(released.subarray(-3)).toEqual(Buffer.of(0xf8, 0x3f, 0x05));

  const contents = [{ uri: 'a:b', mimeType: 'application/x-protobuf', blob: bytes.toString('base64') }];
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const stdin = Readable.from([
    `${JSON.stringify({ result: { jsonrpc: '2.0', id: 1, result: { contents } } })}\n`,
  ]);
  const stop = new AbortController().signal;
  await runTry(['-f', passing.gatehouse.directory], { stdin, stdout, stderr, stop });
  const shown = String(stdout.read());
  expect(shown).toContain(released.toString('base64'));
  expect(JSON.parse(shown)).toMatchObject({
    masked: [{ path: '$.result.contents[0].blob.card.number', detector: 'protobuf:card.number' }],
  });
});

test('a descriptor that cannot be used is refused with a sentence, and what was in force stays', async () => {
  const file = join(world.gatehouse.directory, 'protos.yaml');
  const problems = async (): Promise<string> => (await statusOf(world.gatehouse)).problems.join('\n');
  await writeFile(file, configMap(set.subarray(0, 500)));
  await expect.poll(problems, { timeout: 20_000 }).toMatch(/protos is not a whole descriptor set/);
  await rm(file);
  await expect
    .poll(problems, { timeout: 20_000 })
    .toMatch(/names the ConfigMap default\/protos, which is not there/);
  expect((await (await openSession(ana)).request('tools/call', { name: 'any' })).status).toBe(200);
  await writeFile(file, configMap(set));
  await expect.poll(problems, { timeout: 20_000 }).toBe('');
});
