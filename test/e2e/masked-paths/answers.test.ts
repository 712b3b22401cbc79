/** Every place of an answer, in both protocol families. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openSession } from '../../fixtures/hand-client.ts';
import { plantedIn } from '../../fixtures/planted.ts';
import { BLOB, FAMILIES, MASK, SECRET, WITHHELD, shown, startMasked, type Masked } from './masked.ts';
import { ANSWERS, CAPABLE, rowsOf, SERVER } from './table.ts';

let masked: Masked;
beforeAll(async () => {
  masked = await startMasked();
});
afterEach(() => masked.world.server.reset());
afterAll(() => masked[Symbol.asyncDispose]());

/** What a refusal says, as a tool's result or as an error. */
function said(answer: Record<string, unknown>): unknown {
  const { error, result } = answer as {
    error?: { message: string };
    result?: { isError?: boolean; content: { text: string }[] };
  };
  return error?.message ?? (result?.isError === true ? result.content[0]?.text : undefined);
}

describe('answers', () => {
  test.for(rowsOf(ANSWERS))('%s: %s is %s (%s)', async ([method, path, fate, family, { params, result }]) => {
    const sent = plantedIn(result, path, SECRET, BLOB);
    masked.world.server.on(method, (heard) => heard.result(sent));
    const body = await (await masked.ask(family, method, params)).text();
    expect(body).not.toContain(SECRET);
    const answer = JSON.parse(body) as Record<string, unknown>;
    if (fate === 'withheld') expect(said(answer)).toMatch(WITHHELD);
    else if (fate === 'replaced') expect(answer['result']).toMatchObject(shown(withoutState(sent)) as object);
    else if (fate === 'hidden')
      expect(JSON.stringify(answer['result'])).toMatch(/:\[\{"(?:name|uri|uriTemplate)":"keep[^[]*\]/);
    else expect(answer['result']).toMatchObject(withoutState(sent));
  });

  test.for([
    ['message', FAMILIES],
    ['data', FAMILIES],
    ['data.stack[0]', FAMILIES],
    ['data.uri', FAMILIES],
    ['data.elicitations[0].url', FAMILIES],
    ['data.elicitations[0].message', FAMILIES],
    ['data.*', FAMILIES],
    ['vendor', FAMILIES],
  ] as const)('error: %s is replaced', async ([path, families]) => {
    for (const family of families) {
      const error = plantedIn({ code: -32000, message: 'no' }, path, SECRET);
      masked.world.server.on('tools/call', ({ message, send }) =>
        send(200, 'application/json', JSON.stringify({ jsonrpc: '2.0', id: message.id, error })),
      );
      const answer = (await (await masked.ask(family, 'tools/call', { name: 'a' })).json()) as {
        error: object;
      };
      expect(answer.error).toMatchObject(shown(error) as object);
    }
  });
});

/** What servers keep with the client arrives sealed. */
function withoutState(result: Record<string, unknown>): object {
  return Object.fromEntries(
    Object.entries(result).filter(([member]) => member !== 'requestState' && member !== 'nextCursor'),
  );
}

describe('initialize', () => {
  test.for(SERVER)('%s is %s', async ([path]) => {
    const sent = plantedIn({ protocolVersion: '2025-11-25', ...CAPABLE }, path, SECRET);
    masked.world.server.on('initialize', (heard) => heard.result(sent));
    const { initialized } = await openSession(masked.way);
    const answer = (await initialized.json()) as { result: object };
    expect(JSON.stringify(answer)).not.toContain(SECRET);
    expect(JSON.stringify(answer)).toContain(MASK);
  });
});
