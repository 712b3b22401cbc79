/** `gatehouse approvals`: what waits for a decision, and deciding it, with a token of one's own or a kubeconfig. */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { fetch } from 'undici';
import { GatehouseError, sentenceOf } from '../lib/errors.ts';
import { createApprovalsClient, type ApprovalsClient, type Verdict } from './approvals/client.ts';
import { details, table } from './approvals/show.ts';
import { watchApprovals, watchLine } from './approvals/watch.ts';
import { UsageError, type Io } from './io.ts';

const HELP = `Usage: gatehouse approvals list
       gatehouse approvals show ID
       gatehouse approvals approve ID [--comment TEXT]
       gatehouse approvals deny ID [--comment TEXT]
       gatehouse approvals watch

With a token of an identity provider of the gateway, over the admin API:

  --admin URL       admin API (default http://127.0.0.1:8420)
  --token FILE      your OIDC token

Without one, in a cluster, as the user of your kubeconfig:

  --kubeconfig FILE   default KUBECONFIG, or the usual place
  --context NAME      default the current one
  --namespace NAME    default every namespace

  --comment TEXT    why; the caller and the record get to see it
  --output FORMAT   table (default) or json; watch writes one line a change
  --all             list decided ones too

Exit code 0 when it was done, 1 when it was refused, 2 when the command line is wrong.
`;

const ADMIN = 'http://127.0.0.1:8420';
const VERDICTS: Readonly<Record<string, Verdict>> = { approve: 'Approve', deny: 'Deny' };

class TokenFileError extends GatehouseError {
  readonly code = 'bad_token_file';
}

interface Options {
  readonly admin: string | undefined;
  readonly token: string | undefined;
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  readonly namespace: string | undefined;
  readonly comment: string | undefined;
  readonly output: string;
  readonly all: boolean;
  readonly help: boolean;
}

export async function runApprovals(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      admin: { type: 'string' },
      token: { type: 'string' },
      kubeconfig: { type: 'string' },
      context: { type: 'string' },
      namespace: { type: 'string', short: 'n' },
      comment: { type: 'string' },
      output: { type: 'string', short: 'o', default: 'table' },
      all: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const { admin, token, comment, kubeconfig, context, namespace } = values;
  const options: Options = { ...values, admin, token, comment, kubeconfig, context, namespace };
  if (options.help) {
    io.stdout.write(HELP);
    return 0;
  }
  const [action = '', id, ...more] = positionals;
  checkUsage({ action, id, more }, options);
  const client = await clientFor(options);
  try {
    if (action === 'watch') {
      await watch(client, options, io);
      return 0;
    }
    io.stdout.write(await answer({ action, id: id ?? '' }, client, options));
    return 0;
  } finally {
    await client.close();
  }
}

/** Whoever names the admin API or shows a token means it; everyone else has a kubeconfig. */
async function clientFor(options: Options): Promise<ApprovalsClient & { close(): Promise<void> }> {
  const { admin, token, kubeconfig: file, context, namespace } = options;
  if (admin === undefined && token === undefined) {
    // Loaded when called for: it takes a second.
    const { KubeConfigError, openKubernetesApprovals } = await import('./approvals/kubernetes.ts');
    try {
      return openKubernetesApprovals({ file, context, namespace });
    } catch (cause) {
      if (!(cause instanceof KubeConfigError)) throw cause;
      throw new UsageError(
        `${cause.message} Name one with --kubeconfig FILE, or show your OIDC token with --token FILE.`,
        { cause },
      );
    }
  }
  const client = createApprovalsClient({ admin: admin ?? ADMIN, token: await readToken(token), fetch });
  return { ...client, close: () => Promise.resolve() };
}

async function answer(
  { action, id }: { action: string; id: string },
  client: ApprovalsClient,
  options: Options,
): Promise<string> {
  const json = options.output === 'json';
  if (action === 'list') {
    const items = (await client.list()).filter(({ status }) => options.all || status.phase === 'Pending');
    return json ? `${JSON.stringify({ items }, undefined, 2)}\n` : table(items, Date.now());
  }
  const verdict = VERDICTS[action];
  const request =
    verdict === undefined ? await client.get(id) : await client.decide(id, verdict, options.comment);
  if (json) return `${JSON.stringify(request, undefined, 2)}\n`;
  return verdict === undefined ? details(request) : said(verdict, id, request.status.phase);
}

const WATCH_EVERY_MS = 2_000;

function watch(client: ApprovalsClient, { output }: Options, io: Io): Promise<void> {
  return watchApprovals(client, {
    everyMs: WATCH_EVERY_MS,
    stop: io.stop,
    print: (request) =>
      io.stdout.write(`${output === 'json' ? JSON.stringify(request) : watchLine(request, new Date())}\n`),
    say: (sentence) => io.stderr.write(`${sentence}\n`),
  });
}

function said(verdict: Verdict, id: string, phase: string): string {
  const done = verdict === 'Approve' ? 'approved' : 'denied';
  return phase === 'Pending' ? `${id} ${done} by you; it waits for further approvers.\n` : `${id} ${done}.\n`;
}

function checkUsage(
  words: { action: string; id: string | undefined; more: readonly string[] },
  options: Options,
): void {
  const { action, id, more } = words;
  if (!['list', 'show', 'watch', ...Object.keys(VERDICTS)].includes(action)) {
    throw new UsageError('gatehouse approvals takes one of list, show, approve, deny, watch; see --help.');
  }
  const wanted = ['list', 'watch'].includes(action) ? 0 : 1;
  if ((id === undefined ? 0 : 1) + more.length !== wanted) {
    throw new UsageError(
      wanted === 0
        ? `gatehouse approvals ${action} takes no further words.`
        : `gatehouse approvals ${action} takes the id of one approval: gatehouse approvals ${action} ID.`,
    );
  }
  if (options.comment !== undefined && VERDICTS[action] === undefined) {
    throw new UsageError('--comment goes with approve and deny only.');
  }
  checkWay(options);
  checkOutput(options.output);
  if (options.admin !== undefined) checkAdmin(options.admin);
}

function checkOutput(output: string): void {
  if (['table', 'json'].includes(output)) return;
  throw new UsageError(`--output is "${output}", but must be table or json.`);
}

function checkWay({ admin, token, ...cluster }: Options): void {
  const named = [cluster.kubeconfig, cluster.context, cluster.namespace].some((value) => value !== undefined);
  if (!named || (admin === undefined && token === undefined)) return;
  throw new UsageError(
    '--admin and --token go with the admin API, --kubeconfig, --context and --namespace with a cluster.',
  );
}

function checkAdmin(admin: string): void {
  const url = URL.parse(admin);
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return;
  throw new UsageError(`--admin is "${admin}", but must be a URL such as http://127.0.0.1:8420.`);
}

async function readToken(file: string | undefined): Promise<string> {
  if (file === undefined) {
    throw new UsageError(
      'Deciding needs to know who you are: give a file with your OIDC token as --token FILE.',
    );
  }
  try {
    const token = (await readFile(file, 'utf8')).trim();
    if (token === '' || /\s/.test(token)) throw new Error('it does not hold one token');
    return token;
  } catch (cause) {
    throw new TokenFileError(`The token file ${file} cannot be used: ${sentenceOf(cause)}.`, { cause });
  }
}
