/** A whole resource, page by page. */
import { z } from 'zod';
import type { KubeClient, KubeQuery } from './client.ts';
import { KubeUnreachable } from './errors.ts';

const page = z.object({
  metadata: z.object({ resourceVersion: z.string(), continue: z.string().optional() }),
  items: z.array(z.unknown()).nullish(),
});

export interface Listed {
  readonly items: readonly unknown[];
  /** What a watch begins after. */
  readonly resourceVersion: string;
}

const PAGE_SIZE = 500;
/** A server that hands out pages for ever must not fill the memory. */
const MAX_PAGES = 2_000;

/** Throws KubeRefused with status 410 when it took so long that the rest is gone; the caller begins anew. */
export async function listAll(
  client: Pick<KubeClient, 'request'>,
  wanted: { path: string; query?: KubeQuery; signal: AbortSignal },
): Promise<Listed> {
  const items: unknown[] = [];
  let next: string | undefined;
  for (let count = 0; count < MAX_PAGES; count += 1) {
    const query = { ...wanted.query, limit: PAGE_SIZE, continue: next };
    const answer = page.safeParse(await client.request({ ...wanted, method: 'GET', query }));
    if (!answer.success)
      throw new KubeUnreachable(`The list at ${wanted.path} has no form that can be read.`);
    const { metadata } = answer.data;
    items.push(...(answer.data.items ?? []));
    next = metadata.continue === '' ? undefined : metadata.continue;
    if (next === undefined) return { items, resourceVersion: metadata.resourceVersion };
  }
  throw new KubeUnreachable(`The list at ${wanted.path} does not end.`);
}
