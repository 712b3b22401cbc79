/** The operator's own metrics, and those of its processes beside them. */
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { Approvals } from './approve/approvals.ts';

const PREFIX = 'gatehouse_operator_';
const SCRAPE_TIMEOUT_MS = 2_000;

/** The part of fetch that reading a metrics page takes. */
export type FetchText = (
  url: string,
  init: { signal: AbortSignal },
) => Promise<{ readonly ok: boolean; text(): Promise<string> }>;

export interface OperatorMetrics {
  compiled(result: 'accepted' | 'refused'): void;
  decided(verdict: 'Approve' | 'Deny'): void;
  /** A proxy began (+1) or ceased (−1) to follow the bundles. */
  follower(change: 1 | -1): void;
  /** The text of this process, then of each page that `pages` names, read now. */
  text(pages: readonly MetricsPage[]): Promise<string>;
}

export interface MetricsPage {
  readonly process: string;
  readonly url: string;
}

export function createOperatorMetrics(deps: {
  approvals: Pick<Approvals, 'list'>;
  fetch: FetchText;
}): OperatorMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, prefix: PREFIX });
  const compiles = new Counter({
    name: `${PREFIX}compiles_total`,
    help: 'States of the manifests by whether they were put in force.',
    labelNames: ['result'],
    registers,
  });
  const decisions = new Counter({
    name: `${PREFIX}approval_decisions_total`,
    help: 'Decisions of people on approvals.',
    labelNames: ['verdict'],
    registers,
  });
  const followers = new Gauge({
    name: `${PREFIX}connected_proxies`,
    help: 'Proxies that follow the bundles now.',
    registers,
  });
  const scraped = new Gauge({
    name: `${PREFIX}process_up`,
    help: 'Whether a process of this installation answered with its metrics.',
    labelNames: ['process'],
    registers,
  });
  new Gauge({
    name: `${PREFIX}approvals`,
    help: 'Approvals that are kept, by phase.',
    labelNames: ['phase'],
    registers,
    collect: async function () {
      this.reset();
      for (const { status } of await deps.approvals.list()) this.inc({ phase: status.phase });
    },
  });

  return {
    compiled: (result) => compiles.inc({ result }),
    decided: (verdict) => decisions.inc({ verdict }),
    follower: (change) => followers.inc(change),
    text: async (pages) => {
      const texts = await Promise.all(
        pages.map(async ({ process, url }) => {
          const text = await pageAt(url, deps.fetch);
          scraped.set({ process }, text === undefined ? 0 : 1);
          return text ?? '';
        }),
      );
      return [await registry.metrics(), ...texts].filter((text) => text !== '').join('\n');
    },
  };
}

async function pageAt(url: string, fetch: FetchText): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(SCRAPE_TIMEOUT_MS) });
    return response.ok ? await response.text() : undefined;
  } catch {
    return undefined;
  }
}
