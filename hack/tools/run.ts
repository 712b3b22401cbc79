/** Runs programs for the tools: quiet while they succeed, with their last words when they fail. */
import { spawn } from 'node:child_process';
import { GatehouseError } from '../../lib/errors.ts';

export class CommandFailed extends GatehouseError {
  readonly code = 'command_failed';
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string;
  /** Milliseconds after which the program is killed; without it, it may take as long as it likes. */
  readonly timeout?: number;
}

const KEPT_ERROR_LINES = 15;

/** Resolves with standard output; rejects with CommandFailed, which carries the last lines of standard error. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: 'pipe',
      ...(options.timeout === undefined ? {} : { timeout: options.timeout, killSignal: 'SIGKILL' as const }),
    });
    const out: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
    child.on('error', (error) =>
      reject(new CommandFailed(`${program} could not be started: ${error.message}`)),
    );
    child.on('close', (code, signal) => {
      if (code === 0) {
        resolve(Buffer.concat(out).toString());
        return;
      }
      const said = Buffer.concat(errors).toString().trimEnd().split('\n').slice(-KEPT_ERROR_LINES).join('\n');
      const how = code === null ? `was ended by ${String(signal)}` : `ended with status ${code}`;
      reject(new CommandFailed(`${program} ${args.slice(0, 4).join(' ')} ${how}:\n${said}`));
    });
    // A program that ends before it has read its input is judged by its status.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
  });
}
