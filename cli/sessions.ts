/** `gatehouse sessions list|show|replay|export|verify`: reads what a recorder stored. Needs no server. */
import { parseArgs } from 'node:util';
import { UsageError, type Io } from './io.ts';
import { exportSession } from './sessions/export.ts';
import { RecordFault } from './sessions/fault.ts';
import { findSession, recordsOf } from './sessions/find.ts';
import { readKey } from './sessions/key.ts';
import { asJson, asTable, summarize } from './sessions/list.ts';
import { checkStore, type Warn } from './sessions/read.ts';
import { heading, replay, show } from './sessions/show.ts';
import { visible } from './sessions/text.ts';
import { verifyExport } from './sessions/verify-export.ts';
import { verifyStore, type Verified } from './sessions/verify.ts';

const HELP = `Usage: gatehouse sessions COMMAND --store DIR

  list [--output table|json]      the sessions in the store
  show ID [--gateway NS/NAME]     what happened in one, event by event
  replay ID [--speed N]           the conversation as it went; with --speed in its own time, N times faster
  export ID                       its records with proofs, as JSON Lines that "verify --export" checks elsewhere
  verify [--key KEY|FILE] [--expect-size N]
                                  checks every hash, chain and signature; exit 1 names the first broken record
  verify --export FILE [--key KEY|FILE]
                                  the same for an exported session; needs no store

ID may be the beginning of an id; "-" stands for what belongs to no session. verify trusts the key in the store
unless --key names one. A store that was put back as a whole to an earlier state of its own cannot be told from
that state: note the size that verify prints, and give it to --expect-size the next time.
`;

const OPTIONS = {
  store: { type: 'string' },
  output: { type: 'string', short: 'o', default: 'table' },
  gateway: { type: 'string' },
  speed: { type: 'string' },
  key: { type: 'string' },
  'expect-size': { type: 'string' },
  export: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

type SessionsIo = Pick<Io, 'stdout' | 'stderr'> & Partial<Pick<Io, 'stop'>>;
type Parsed = ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>>;
type Options = Parsed['values'];

/** Exit code 0 done, 1 a record is broken. Throws UsageError for a command line that is wrong. */
export async function runSessions(args: readonly string[], io: SessionsIo): Promise<number> {
  const { values, positionals } = parse(args);
  if (values.help) {
    io.stdout.write(HELP);
    return 0;
  }
  const [command, id, ...rest] = positionals;
  if (rest.length > 0) throw new UsageError(`There is an argument too many: ${visible(rest.join(' '))}.`);
  try {
    return await dispatch({ command, id, options: values }, io);
  } catch (error) {
    if (!(error instanceof RecordFault)) throw error;
    io.stderr.write(`first broken record: ${visible(error.message)}\n`);
    if (values.output === 'json')
      io.stdout.write(`${JSON.stringify({ verified: false, ...error.place, what: error.what })}\n`);
    return 1;
  }
}

function parse(args: readonly string[]): Parsed {
  return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
}

interface Command {
  readonly command: string | undefined;
  readonly id: string | undefined;
  readonly options: Options;
}

async function dispatch(parsed: Command, io: SessionsIo): Promise<number> {
  switch (parsed.command) {
    case 'list':
      return list(parsed, io);
    case 'show':
    case 'replay':
    case 'export':
      return one(parsed.command, parsed, io);
    case 'verify':
      return verify(parsed, io);
    default:
      throw new UsageError(
        `sessions ${visible(parsed.command ?? '')} is no command; it has list, show, replay, export and verify (--help says more).`,
      );
  }
}

async function list({ options }: Command, io: SessionsIo): Promise<number> {
  if (options.output !== 'table' && options.output !== 'json') {
    throw new UsageError(`--output is "${visible(options.output)}", but must be table or json.`);
  }
  const summaries = await summarize(await storeOf(options), warnTo(io));
  io.stdout.write(options.output === 'json' ? asJson(summaries) : asTable(summaries));
  return 0;
}

async function one(
  command: 'show' | 'replay' | 'export',
  { id, options }: Command,
  io: SessionsIo,
): Promise<number> {
  if (id === undefined)
    throw new UsageError(`sessions ${command} needs the id of a session; "sessions list" has them.`);
  const speed = options.speed === undefined ? undefined : positive('--speed', options.speed);
  const store = await storeOf(options);
  const summary = await findSession(store, { id, gateway: options.gateway }, warnTo(io));
  const write = (text: string): void => void io.stdout.write(text);
  if (command === 'export') {
    await exportSession(store, summary, write);
    return 0;
  }
  write(heading(summary));
  if (command === 'show') await show(recordsOf(store, summary), write);
  else
    await replay(recordsOf(store, summary), { write, speed, stop: io.stop ?? new AbortController().signal });
  return 0;
}

async function verify({ id, options }: Command, io: SessionsIo): Promise<number> {
  if (id !== undefined) throw new UsageError('sessions verify takes no id: it verifies the whole store.');
  const key = options.key === undefined ? undefined : await readKey(options.key);
  const expect = options['expect-size'];
  const expectSize = expect === undefined ? undefined : positive('--expect-size', expect);
  const verified =
    options.export === undefined
      ? await verifyStore({ store: await storeOf(options), key, expectSize })
      : await verifyExport(options.export, key);
  if (options.output === 'json') io.stdout.write(`${JSON.stringify({ verified: true, ...verified })}\n`);
  else io.stdout.write(sentence(verified));
  if (!verified.pinned)
    io.stderr.write('The key is the one beside the records; --key verifies against one that you trust.\n');
  return 0;
}

function sentence({ records, streams, size, key }: Verified): string {
  return `verified ${records} records in ${streams} streams, checkpoint size ${size}, key ${key}\n`;
}

async function storeOf(options: Options): Promise<string> {
  if (options.store === undefined)
    throw new UsageError('--store is missing: name the directory of the records.');
  await checkStore(options.store);
  return options.store;
}

function positive(option: string, text: string): number {
  const value = /^\d{1,15}(\.\d{1,6})?$/.test(text) ? Number(text) : 0;
  if (value > 0) return value;
  throw new UsageError(`${option} is "${visible(text)}", but must be a number above 0.`);
}

function warnTo(io: SessionsIo): Warn {
  return (sentence) => void io.stderr.write(`warning: ${visible(sentence)}\n`);
}
