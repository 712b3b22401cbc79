/** Runs `gatehouse …` to its end, as a person would in a terminal. */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';

const cli = resolve(import.meta.dirname, '../../cli/main.ts');

export interface Ran {
  readonly code: number;
  /** Both outputs. */
  readonly output: string;
}

export function gatehouse(...args: readonly string[]): Promise<Ran> {
  return new Promise((done) => {
    execFile(process.execPath, [cli, ...args], (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      done({ code, output: `${stdout}${stderr}` });
    });
  });
}
