/** One session by its id, or by the beginning of it. */
import { UsageError } from '../io.ts';
import { summarize } from './list.ts';
import { readRecords, type ReadRecord, type Warn } from './read.ts';
import { NO_SESSION, type Summary } from './summary.ts';
import { visible } from './text.ts';

/** Shorter beginnings name a session by accident. */
const MIN_PREFIX = 4;

export interface Wanted {
  readonly id: string;
  /** namespace/name; needed only where sessions of several gateways share an id. */
  readonly gateway: string | undefined;
}

/** Throws UsageError when no session has this id, or several do. */
export async function findSession(store: string, wanted: Wanted, warn: Warn): Promise<Summary> {
  const { id, gateway } = wanted;
  const all = (await summarize(store, warn)).filter(
    (each) => gateway === undefined || each.gateway === gateway,
  );
  const exact = all.filter(({ session }) => session === id);
  const found =
    exact.length > 0 || id.length < MIN_PREFIX ? exact : all.filter(({ session }) => session.startsWith(id));
  const [first, second] = found;
  if (first === undefined) {
    throw new UsageError(
      `No session ${visible(id)} is in the store; "gatehouse sessions list" says which are.`,
    );
  }
  if (second !== undefined) {
    const names = found.slice(0, 5).map(({ session, gateway }) => `${session} of ${gateway}`);
    throw new UsageError(
      visible(`${id} stands for several sessions: ${names.join(', ')}; give more of the id, or --gateway.`),
    );
  }
  return first;
}

/** The records of that session, in the order of the log. */
export async function* recordsOf(
  store: string,
  summary: Summary,
): AsyncGenerator<ReadRecord, void, undefined> {
  for await (const record of readRecords(store, () => undefined)) {
    if (belongsTo(record, summary)) yield record;
  }
}

export function belongsTo(
  { line }: ReadRecord,
  { session, gateway }: Pick<Summary, 'session' | 'gateway'>,
): boolean {
  return line.event.gateway === gateway && (line.event.session ?? NO_SESSION) === session;
}
