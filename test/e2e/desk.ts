/** Where approvers sit: the admin API, asked as the CLI asks it. */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { Gatehouse } from '../fixtures/gatehouse.ts';

const request = z.looseObject({
  metadata: z.looseObject({ name: z.string() }),
  spec: z.looseObject({
    requester: z.looseObject({ username: z.string() }),
    call: z.looseObject({ tool: z.string(), preview: z.string() }),
  }),
  status: z.looseObject({ phase: z.string(), outcome: z.string().optional() }),
});

interface Seen {
  readonly gatehouse: Pick<Gatehouse, 'admin'>;
}

export type Approval = z.infer<typeof request>;

/** All that this person may see. */
export async function approvals({ gatehouse }: Seen, token: string): Promise<Approval[]> {
  const response = await fetch(`${gatehouse.admin}/v1/approvals`, {
    headers: { authorization: `Bearer ${token}` },
  });
  return z.object({ items: z.array(request) }).parse(await response.json()).items;
}

/** The approval whose preview holds `text`, once it is there and has come so far. */
export async function approvalOf(
  world: Seen,
  token: string,
  text: string,
  phase = 'Pending',
): Promise<Approval & { readonly id: string }> {
  // Not expect.poll, which belongs to one test and is no use among tests that run at once.
  const deadline = performance.now() + 15_000;
  for (;;) {
    const found = (await approvals(world, token)).find(
      ({ spec, status }) => spec.call.preview.includes(text) && status.phase === phase,
    );
    if (found !== undefined) return { ...found, id: found.metadata.name };
    if (performance.now() > deadline) throw new Error(`No approval of ${text} became ${phase}.`);
    await delay(50);
  }
}

/** The HTTP status of the decision. */
export async function decide(
  { gatehouse }: Seen,
  token: string,
  id: string,
  decision: { verdict: 'Approve' | 'Deny'; comment?: string },
): Promise<{ status: number; text: string }> {
  const response = await fetch(`${gatehouse.admin}/v1/approvals/${id}/decisions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(decision),
  });
  return { status: response.status, text: await response.text() };
}
