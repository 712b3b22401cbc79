/** Everything that runs during the demo, in a directory of its own, and how all of it ends. */
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Child, freePort, startNode } from '../../test/fixtures/child.ts';
import { cardNumber } from './cards.ts';
import { CONSOLE_CLIENT_ID } from './people.ts';

export interface Parts extends AsyncDisposable {
  /** Where clients call. */
  readonly url: string;
  readonly admin: string;
  readonly issuer: string;
  /** The directory of manifests that `gatehouse standalone` watches. */
  readonly manifests: string;
  /** Where the recorder keeps what it recorded. */
  readonly store: string;
  /** A directory for what the demo itself writes. */
  readonly scratch: string;
  /** The numbers that the orders table holds. */
  readonly cards: readonly string[];
  /** What the server wants in X-Api-Key, and the proxy puts there. */
  readonly apiKey: string;
  /** How often the server has executed exactly this. */
  readonly executed: (sql: string) => number;
}

const here = import.meta.dirname;
const cli = resolve(here, '../../cli/main.ts');
const ORDERS = 4;

export async function startParts(): Promise<Parts> {
  const scratch = await mkdtemp(join(tmpdir(), 'gatehouse-demo-'));
  process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));
  const children: Child[] = [];
  const end = async (): Promise<void> => {
    // The proxy before what it talks to, so that it does not complain on its way out.
    for (const child of children.toReversed()) await child.stop();
    await rm(scratch, { recursive: true, force: true });
  };
  const start = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Child => {
    const child = startNode(args, { env });
    children.push(child);
    return child;
  };
  try {
    return { ...(await startAll(scratch, start)), [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw error;
  }
}

type Start = (args: readonly string[], env?: Readonly<Record<string, string>>) => Child;

async function startAll(scratch: string, start: Start): Promise<Omit<Parts, keyof AsyncDisposable>> {
  const [listen, admin] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
  const url = `http://${listen}/mcp`;
  const cards = Array.from({ length: ORDERS }, cardNumber);
  const apiKey = `orders-${randomBytes(18).toString('base64url')}`;

  const provider = start([
    join(here, 'provider.ts'),
    ...[String(await freePort()), url, `http://${admin}/console`],
  ]);
  const orders = start([join(here, 'orders-server.ts')], {
    ORDERS_API_KEY: apiKey,
    ORDERS_CARDS: JSON.stringify(cards),
  });
  const [, issuer = ''] = await provider.printed(/issuer (\S+)/);
  const [, serverUrl = ''] = await orders.printed(/listens on (\S+)/);

  const manifests = join(scratch, 'gateway');
  await writeManifests(manifests, { ISSUER: issuer, SERVER_URL: serverUrl, PUBLIC_URL: url });
  await writeSecret(manifests, { key: apiKey });
  const settings = join(scratch, 'settings.yaml');
  await writeFile(settings, settingsText(`http://${admin}`, issuer));
  const where = ['--listen', listen, '--admin', admin, '--settings', settings];
  const standalone = start([cli, 'standalone', manifests, ...where]);
  await standalone.printed(new RegExp(`^.*ready.*${listen}`, 'im'));
  return {
    url,
    admin: `http://${admin}`,
    issuer,
    manifests,
    store: join(manifests, '.gatehouse/records'),
    scratch,
    cards,
    apiKey,
    executed: (sql) =>
      orders
        .output()
        .split('\n')
        .filter((line) => line === `executes: ${sql}`).length,
  };
}

/** What the installation says, beside its manifests: where approvers sign in for the console. */
function settingsText(publicUrl: string, issuer: string): string {
  return `publicUrl: ${publicUrl}\nconsole: { issuer: '${issuer}', clientId: ${CONSOLE_CLIENT_ID}, scopes: [openid] }\n`;
}

/** Copies the templates of `gateway/`, with `${NAME}` replaced. */
async function writeManifests(directory: string, values: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(directory);
  for (const name of await readdir(join(here, 'gateway'))) {
    const template = await readFile(join(here, 'gateway', name), 'utf8');
    const filled = template.replace(/\$\{([A-Z_]+)\}/g, (whole, key: string) => values[key] ?? whole);
    await writeFile(join(directory, name), filled);
  }
}

async function writeSecret(manifests: string, value: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(join(manifests, 'secrets'));
  await writeFile(join(manifests, 'secrets/orders-key.json'), JSON.stringify(value), { mode: 0o600 });
}
