/** `gatehouse try`: judges messages from standard input with the stages of the proxy, offline (docs/try.md). */
import { once } from 'node:events';
import { addAbortSignal, type Writable } from 'node:stream';
import { parseArgs } from 'node:util';
import { GatehouseError, sentenceOf } from '../lib/errors.ts';
import { UsageError, type Io } from './io.ts';
import { byteLines, type ByteLine } from './try/byte-lines.ts';
import { readIdentity, readSecrets } from './try/files.ts';
import { judgeLine, type Stages } from './try/judge.ts';
import { readQuestion, writeError, writeVerdict } from './try/line.ts';
import { loadPolicy } from './try/policy.ts';
import { createStages } from './try/stages.ts';

const HELP = `Usage: gatehouse try -f DIR [options] < LINES

Judges messages offline, as the proxy would. Each line of standard input is a JSON object with "message"
(from the client), "result" (from the server) or both, and any "id". Each gets one line of output.

  -f DIR             directory of manifests
  --gateway NAME     the McpGateway, where there are several (NAME or NAMESPACE/NAME)
  --identity FILE    who calls: {"subject", "groups", "serviceAccount"?, "claims"?}; anonymous without it
  --secrets FILE     a JSON object of name to value: secrets that the proxy would hold
  --at TIME          the time to judge at, such as 2030-01-01T00:00:00Z; now without it

Exits 0 when every line was judged, 2 otherwise.
`;

const MAX_LINE_BYTES = 64 * 1024 * 1024;

interface Options {
  readonly directory: string;
  readonly gateway: string | undefined;
  readonly identity: string | undefined;
  readonly secrets: string | undefined;
  readonly now: () => number;
}

/** Returns 0 when every line was judged, else 2. Throws GatehouseError for options, manifests and files that are wrong. */
export async function runTry(args: readonly string[], io: Io): Promise<number> {
  const options = readOptions(args);
  if (options === 'help') {
    io.stdout.write(HELP);
    return 0;
  }
  let stages: Stages;
  try {
    const policy = await loadPolicy(options.directory, options.gateway);
    policy.warnings.forEach((warning) => io.stderr.write(`${warning}\n`));
    stages = await createStages(policy.bundle, {
      identity: options.identity === undefined ? undefined : await readIdentity(options.identity),
      secrets: options.secrets === undefined ? {} : await readSecrets(options.secrets),
      now: options.now,
    });
  } catch (error) {
    if (!(error instanceof GatehouseError)) throw error;
    io.stderr.write(`${error.message}\n`);
    return 2;
  }
  return judgeLines(stages, io);
}

function readOptions(args: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      file: { type: 'string', short: 'f' },
      gateway: { type: 'string' },
      identity: { type: 'string' },
      secrets: { type: 'string' },
      at: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) return 'help';
  if (values.file === undefined) throw new UsageError('Say where the manifests are: gatehouse try -f DIR.');
  return {
    directory: values.file,
    gateway: values.gateway,
    identity: values.identity,
    secrets: values.secrets,
    now: clockAt(values.at),
  };
}

function clockAt(at: string | undefined): () => number {
  if (at === undefined) return () => Date.now();
  const time = Date.parse(at);
  if (Number.isNaN(time)) throw new UsageError('--at is not a time; write it as 2030-01-01T00:00:00Z.');
  return () => time;
}

async function judgeLines(stages: Stages, io: Io): Promise<number> {
  let judgedAll = true;
  let number = 0;
  try {
    for await (const line of byteLines(addAbortSignal(io.stop, io.stdin), MAX_LINE_BYTES)) {
      number += 1;
      const answer = await answerTo(line, number, stages);
      judgedAll &&= answer.judged;
      await put(io.stdout, answer.text);
    }
  } catch (error) {
    if (!io.stop.aborted) throw error;
    return 2;
  }
  return judgedAll ? 0 : 2;
}

async function answerTo(
  line: ByteLine,
  number: number,
  stages: Stages,
): Promise<{ text: string; judged: boolean }> {
  try {
    const question = readQuestion(line);
    return { text: writeVerdict(question.id, await judgeLine(question, stages)), judged: true };
  } catch (error) {
    return { text: writeError(`Line ${number}: ${sentenceOf(error)}`), judged: false };
  }
}

/** A reader that is slow is waited for, so that a long input does not pile up here. */
async function put(stream: Writable, text: string): Promise<void> {
  if (!stream.write(text)) await once(stream, 'drain');
}
