/** To a server that is a child process: one process a session, one line a message. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { sentenceOf } from '../../lib/errors.ts';
import { Refusal } from '../refusal.ts';
import { Connection } from './connection.ts';
import { readLines, readNoise } from '../lib/lines.ts';
import type { Answer, Upstream, UpstreamCall, UpstreamLink } from '../upstream.ts';

export interface StdioOptions {
  readonly command: readonly string[];
  /** The whole environment of a session's child: nothing of ours is inherited. `end` is called when the child has ended. */
  readonly environmentOf: (session: string) => {
    readonly environment: Readonly<Record<string, string>>;
    readonly end: () => void;
  };
  readonly maxMessageBytes: number;
  /** What the child writes to stderr, and stdout that is no JSON; it may hold anything. */
  readonly onNoise: (line: string) => void;
}

const GRACE_MS = 2_000;

export function createStdioUpstream(options: StdioOptions): Upstream {
  const children = new Set<StdioChild>();

  const connect = ({ link, headers }: Pick<UpstreamCall, 'link' | 'headers'>): StdioChild => {
    const existing = link.connection;
    if (existing instanceof StdioChild && existing.connection.open) return existing;
    // A new process knows nothing of what the client agreed on with the one that died.
    if (existing !== undefined && !isModern(headers)) throw processEnded();
    const { environment, end } = options.environmentOf(link.session);
    const child = new StdioChild(options, environment, () => {
      children.delete(child);
      end();
    });
    children.add(child);
    link.connection = child;
    return child;
  };

  return {
    call: async (request) => {
      if (request.method === 'initialize') forget(request.link);
      const cancelOnAbort = isModern(request.headers);
      const events = await connect(request).connection.call(request.text, { ...request, cancelOnAbort });
      return { kind: 'stream', begun: false, events };
    },
    post: async (message: UpstreamCall): Promise<Answer> => {
      await connect(message).connection.post(message.text, message.headers);
      return { kind: 'none', status: 202 };
    },
    // eslint-disable-next-line @typescript-eslint/require-await -- so that a Refusal rejects and does not throw
    stream: async (request) => ({
      kind: 'stream',
      begun: false,
      events: connect(request).connection.unsolicited,
    }),
    end: (request) => {
      request.link.connection?.close();
      return Promise.resolve(200);
    },
    // The process is the session: without it there is nothing to go on with.
    resumable: (link) => link.connection instanceof StdioChild && link.connection.connection.open,
    close: async () => {
      await Promise.all([...children].map((child) => child.stop()));
    },
  };
}

function forget(link: UpstreamLink): void {
  link.connection?.close();
  link.connection = undefined;
}

function isModern(headers: Readonly<Record<string, string>>): boolean {
  return headers['mcp-protocol-version'] === '2026-07-28';
}

function processEnded(): Refusal {
  return new Refusal(
    'session_not_found',
    "The MCP server's process of this session has ended; send initialize to open a new one.",
    { status: 404, as: -32001 },
  );
}

class StdioChild {
  readonly connection: Connection;
  readonly #process: ChildProcessWithoutNullStreams;

  constructor(options: StdioOptions, environment: Readonly<Record<string, string>>, onExit: () => void) {
    const [program = '', ...args] = options.command;
    // A group of its own, so that what the server starts ends with it.
    this.#process = spawn(program, args, { env: { ...environment }, stdio: 'pipe', detached: true });
    this.connection = new Connection({ send: (text) => this.#write(text), close: () => void this.stop() });
    this.#process.on('error', (cause) => {
      // One that never started does not exit.
      if (this.#process.pid === undefined) onExit();
      this.#gone(`could not be started: ${sentenceOf(cause)}`, cause);
    });
    this.#process.once('exit', (code, signal) => {
      onExit();
      this.#gone(`ended (${signal ?? `exit code ${code ?? 'unknown'}`})`, undefined);
    });
    this.#process.stdin.on('error', () => undefined);
    void this.#read(options);
    void readNoise(this.#process.stderr, options.maxMessageBytes, options.onNoise).catch(() => undefined);
  }

  close(): void {
    this.connection.close();
  }

  /** Closes stdin, then asks, then insists. */
  async stop(): Promise<void> {
    if (
      this.#process.exitCode !== null ||
      this.#process.signalCode !== null ||
      this.#process.pid === undefined
    )
      return;
    const exited = once(this.#process, 'exit');
    this.#process.stdin.end();
    const ask = setTimeout(() => this.#signal('SIGTERM'), GRACE_MS);
    const insist = setTimeout(() => this.#signal('SIGKILL'), 2 * GRACE_MS);
    await exited;
    clearTimeout(ask);
    clearTimeout(insist);
    this.#signal('SIGKILL');
  }

  #signal(name: NodeJS.Signals): void {
    try {
      if (this.#process.pid !== undefined) process.kill(-this.#process.pid, name);
    } catch {
      // ESRCH: the group is gone already, which is what was wanted.
    }
  }

  async #read(options: StdioOptions): Promise<void> {
    await readLines(this.#process.stdout, options.maxMessageBytes, (line) => {
      try {
        this.connection.receive(line);
      } catch {
        options.onNoise(line);
      }
    }).catch((cause: unknown) => {
      this.#gone(`broke the protocol: ${sentenceOf(cause)}`, cause);
      void this.stop();
    });
  }

  async #write(text: string): Promise<void> {
    // A message is one line; JSON allows line breaks only between tokens, so they can go.
    const line = `${text.replaceAll(/[\r\n]+/g, ' ')}\n`;
    if (!this.#process.stdin.write(line)) await once(this.#process.stdin, 'drain');
  }

  #gone(what: string, cause: unknown): void {
    this.connection.fail(
      new Refusal('upstream_unavailable', `The MCP server's process ${what}.`, {
        status: 502,
        as: -32603,
        cause,
      }),
    );
  }
}
