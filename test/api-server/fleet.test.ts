/** A policy change reaches every sidecar of a large gateway over the streams that are open; how fast, `make bench` says. */
import { describe, expect, test } from 'vitest';
import { hasApiServer } from './api-server.ts';
import { startFleet } from './fleet.ts';

const SIZE = 200;

describe.skipIf(!hasApiServer())('an operator with 200 sidecars', () => {
  test('tells each of them of each change, and none has to connect again', async () => {
    await using fleet = await startFleet(SIZE);
    for (let edits = 0; edits < 3; edits += 1) expect((await fleet.edit()).afterMs).toHaveLength(SIZE);
    expect(fleet.opened()).toBe(SIZE);
    expect(await fleet.complaints()).toBe('');
  }, 300_000);
});
