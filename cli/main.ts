#!/usr/bin/env node
/** `gatehouse VERB …`, and the same as `kubectl gatehouse VERB …`: finds the verb and runs it. */
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { crashLine } from '../lib/crash.ts';
import { GatehouseError, sentenceOf } from '../lib/errors.ts';
import { DirectoryInUse } from '../lib/exclusive-lock.ts';
import { AddressError, ListenError } from '../lib/listen.ts';
import { UsageError, type Io, type Verb } from './io.ts';

interface VerbEntry {
  readonly about: string;
  /** Imported when called for: `approvals list` need not load a SQL grammar. */
  readonly load: () => Promise<Verb>;
}

const VERBS: Readonly<Record<string, VerbEntry>> = {
  standalone: {
    about: 'guard MCP servers on this machine, with a directory of manifests',
    load: async () => (await import('./standalone.ts')).runStandalone,
  },
  operator: {
    about: 'watch the policies of a cluster and serve its sidecars',
    load: async () => (await import('./operator.ts')).runOperator,
  },
  proxy: {
    about: 'the guarding proxy (started by standalone or as a sidecar)',
    load: async () => (await import('./proxy.ts')).runProxy,
  },
  'net-init': {
    about: 'set the network rules of a guarded pod (run by its first init container)',
    load: async () => (await import('./net-init.ts')).runNetInit,
  },
  recorder: {
    about: 'the recorder (started by standalone or as a service)',
    load: async () => (await import('./recorder.ts')).runRecorder,
  },
  try: {
    about: 'judge messages from a file against manifests, offline',
    load: async () => (await import('./try.ts')).runTry,
  },
  tools: {
    about: 'print the pins of the tools that a server lists',
    load: async () => (await import('./tools.ts')).runTools,
  },
  approvals: {
    about: 'list, show, approve and deny calls that wait for a decision',
    load: async () => (await import('./approvals.ts')).runApprovals,
  },
  sessions: {
    about: 'list, show, replay, export and verify recordings',
    load: async () => (await import('./sessions.ts')).runSessions,
  },
};

/** Runs one command line; returns the exit code. Whatever goes wrong ends as a sentence on stderr. */
export async function main(args: readonly string[], io: Io): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') return help(name, io);
  const verb = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
  if (verb === undefined) {
    io.stderr.write(
      `There is no verb "${printable(name)}"; gatehouse knows ${Object.keys(VERBS).join(', ')}.\n`,
    );
    return 2;
  }
  try {
    const run = await verb.load();
    return await run(rest, io);
  } catch (error) {
    io.stderr.write(`${explain(error)}\n`);
    return isCallersToMend(error) ? 2 : 1;
  }
}

function help(name: string | undefined, io: Io): number {
  const lines = Object.entries(VERBS).map(([verb, { about }]) => `  ${verb.padEnd(12)}${about}`);
  const text = `Usage: gatehouse VERB [options]\n\n${lines.join('\n')}\n\nEach verb explains itself: gatehouse VERB --help\n`;
  (name === undefined ? io.stderr : io.stdout).write(text);
  return name === undefined ? 2 : 0;
}

/** node:util's parseArgs already says what is wrong in a sentence or two. */
function isParseArgsError(error: unknown): error is Error {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    error.code.startsWith('ERR_PARSE_ARGS')
  );
}

/** Another word on the command line, another address or another directory mends it. */
function isCallersToMend(error: unknown): boolean {
  return (
    [UsageError, AddressError, ListenError, DirectoryInUse].some((kind) => error instanceof kind) ||
    isParseArgsError(error)
  );
}

function explain(error: unknown): string {
  if (error instanceof GatehouseError || isParseArgsError(error)) return error.message;
  return `gatehouse failed unexpectedly: ${sentenceOf(error)}`;
}

function printable(text: string): string {
  return text.replace(/[^ -~]/g, '?').slice(0, 64);
}

/** Ends when told to; a second signal ends at once, as people expect of Ctrl-C. */
function stopOnSignals(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(130);
      controller.abort();
    });
  }
  return controller.signal;
}

function isEntry(): boolean {
  const script = process.argv[1];
  return script !== undefined && realpathSync(script) === fileURLToPath(import.meta.url);
}

if (isEntry()) {
  const { stdin, stdout, stderr } = process;
  // A reader that has had enough (`| head`) is no failure.
  stdout.on('error', () => process.exit(0));
  process.on('uncaughtException', (thrown) => {
    stderr.write(crashLine(thrown, new Date()));
    process.exit(1);
  });
  process.exitCode = await main(process.argv.slice(2), { stdin, stdout, stderr, stop: stopOnSignals() });
}
