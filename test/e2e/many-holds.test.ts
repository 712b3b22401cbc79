/** As many open holds as a gateway takes, at once: each is answered as it was decided, none runs without, and memory is what it was. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { memoryOf } from '../bench/proc.ts';
import { messageOf, modernCall, type Reply, type Way } from '../fixtures/hand-client.ts';
import { approvals, decide } from './desk.ts';
import { childOf } from './processes.ts';
import { startWorld, type World } from './world.ts';

/** operator/approve/room.ts: at most so many wait for one person, and for one gateway. */
const PEOPLE = 20;
const EACH = 50;
const ALL = PEOPLE * EACH;
const MINUTE = 60_000;
/** Decided side by side, as a desk with many hands would. */
const HANDS = 16;

let world: World;
let dba: string;
beforeAll(async () => {
  world = await startWorld({
    policies: [
      {
        kind: 'ApprovalRule',
        metadata: { name: 'held' },
        spec: {
          targetRefs: [{ kind: 'McpGateway', name: 'main' }],
          match: { tools: ['held'] },
          effect: 'RequireApproval',
          approvers: { groups: ['dba'] },
          expiresAfter: '1h',
        },
      },
    ],
  });
  dba = (await world.as('dora', ['dba'])).token;
}, MINUTE);
afterAll(() => world[Symbol.asyncDispose]());

const call = async (way: Way, row: string, requestState?: unknown): Promise<Reply> =>
  messageOf(
    await modernCall(way, 'tools/call', {
      name: 'held',
      arguments: { row },
      ...(requestState !== undefined && { requestState }),
    }),
  );

/** Goes round after round, as a client does, until there is an answer. */
async function answered(way: Way, row: string): Promise<Reply> {
  let reply = await call(way, row);
  while (reply.result?.['resultType'] === 'input_required') {
    reply = await call(way, row, reply.result['requestState']);
  }
  return reply;
}

const pending = async () => (await approvals(world, dba)).filter(({ status }) => status.phase === 'Pending');
const rowOf = z.object({ row: z.string() });
const number = (row: string): number => Number(row.split('-')[1]);

test(
  `${ALL} holds are open at once, and every one of them is answered`,
  { timeout: 10 * MINUTE },
  async () => {
    const proxy = await childOf(world.gatehouse, 'proxy');
    const people = await Promise.all(Array.from({ length: PEOPLE }, (_, at) => world.as(`person-${at}`)));
    const before = (await memoryOf(proxy)).resident;
    const early: string[] = [];
    let decided = false;
    const calls = people.flatMap((way, person) =>
      Array.from({ length: EACH }, (_, at) => {
        const row = `row-${person * EACH + at}-`;
        return answered(way, row).then((reply) => {
          if (!decided) early.push(`${row} ${JSON.stringify(reply)}`);
          return { row, reply };
        });
      }),
    );
    await expect
      .poll(async () => ({ early, open: (await pending()).length }), { timeout: 4 * MINUTE, interval: 500 })
      .toEqual({ early: [], open: ALL });
    const during = (await memoryOf(proxy)).resident;
    expect(world.server.heard.filter(({ message }) => message.method === 'tools/call')).toEqual([]);

    const late = await call(await world.as('late'), 'row-late-');
    expect(late.result).toMatchObject({ isError: true });
    expect(JSON.stringify(late.result)).toContain(
      `${ALL} calls through default/main wait for approval already`,
    );

    decided = true;
    const desk = (await pending()).values();
    const began = performance.now();
    await Promise.all(
      Array.from({ length: HANDS }, async () => {
        for (const { metadata, spec } of desk) {
          const { row } = rowOf.parse(JSON.parse(spec.call.preview));
          const verdict = number(row) % 2 === 0 ? 'Approve' : 'Deny';
          expect((await decide(world, dba, metadata.name, { verdict })).status).toBe(200);
        }
      }),
    );
    const replies = await Promise.all(calls);
    const seconds = (performance.now() - began) / 1000;
    const after = (await memoryOf(proxy)).resident;
    for (const { row, reply } of replies) {
      expect(reply.result?.['isError'] === true, `${row} ${JSON.stringify(reply)}`).toBe(
        number(row) % 2 === 1,
      );
    }
    const ran = world.server.heard.filter(({ message }) => message.method === 'tools/call');
    expect(ran).toHaveLength(ALL / 2);
    const rows = ran.map(({ message }) => z.object({ arguments: rowOf }).parse(message.params).arguments.row);
    expect(new Set(rows).size).toBe(ALL / 2);
    expect(rows.every((row) => number(row) % 2 === 0)).toBe(true);
    expect(await pending()).toEqual([]);
    const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
    console.log(
      `The proxy holds ${mib(before)} MiB before, ${mib(during)} MiB with ${ALL} open holds, ${mib(after)} MiB after; ` +
        `all were decided and answered in ${seconds.toFixed(1)} s.`,
    );
    // What a hold costs is bounded: some tens of KiB for two connections, not the call's or the approval's history.
    expect((during - before) / ALL).toBeLessThan(512 * 1024);
  },
);
