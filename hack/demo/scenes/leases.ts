import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { Cast } from '../cast.ts';
import type { Desk } from '../desk.ts';
import { openLedger, whyNoLedger, type Ledger } from '../ledger/ledger.ts';
import { say, show, told } from '../narrator.ts';

const GONE_MS = 20_000;
const WHO = 'SELECT md5(session_user) AS who, entry, what FROM ledger';

export async function leases({ parts, ana, bo }: Cast): Promise<void> {
  const missing = whyNoLedger();
  if (missing !== undefined) {
    say(`Left out, because it is played with a real Vault and PostgreSQL. ${missing}`);
    return;
  }
  say(
    'A Vault, a PostgreSQL, and the published server for PostgreSQL, which is given a URL of this machine.',
  );
  await using ledger = await openLedger(parts);
  const anas = await sessionOf(ana, ledger);
  const bos = await sessionOf(bo, ledger);

  say('Ana and Bo each read the ledger, at the same time:');
  const [one, other] = await Promise.all([anas.query(WHO), bos.query(WHO)]);
  show(`${one}\n${other}`);
  told(one.includes('opening balance') && other.includes('opening balance'), 'both read it', one + other);
  told(one !== other, 'each was somebody else to the database', `${one}\n${other}`);

  const users = await ledger.users();
  say('Vault has made a user for each of their sessions. Its administrator sees them:');
  show(users.join('\n'));
  told(users.length === 2, 'there is one user a session', users.join('\n'));

  const name = await anas.query('SELECT session_user::text AS me');
  say('Who Ana is there, neither she nor the server that she asks is told:');
  show(name);
  told(!users.some((user) => name.includes(user)), 'the name of the user does not come through', name);

  await anas.end();
  await bos.end();
  const left = await gone(ledger);
  say('Both end their sessions. The users that are left in the database:');
  show(left.length === 0 ? '(none)' : left.join('\n'));
  told(left.length === 0, 'the users are gone with the sessions', left.join('\n'));
}

interface LedgerSession {
  readonly query: (sql: string) => Promise<string>;
  readonly end: () => Promise<void>;
}

async function sessionOf(desk: Desk, { url }: Ledger): Promise<LedgerSession> {
  const token = await readFile(desk.tokenFile, 'utf8');
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
  });
  const client = new Client({ name: 'desk-client', version: '1.0.0' });
  await client.connect(transport);
  return {
    query: async (sql) => {
      const { content } = await client.callTool({ name: 'query', arguments: { sql } });
      const text = content.map((block) => (block.type === 'text' ? block.text : '')).join('');
      return text.replaceAll(/\s+/g, ' ');
    },
    end: async () => {
      await transport.terminateSession();
      await client.close();
    },
  };
}

async function gone(ledger: Ledger): Promise<readonly string[]> {
  const until = Date.now() + GONE_MS;
  for (;;) {
    const users = await ledger.users();
    if (users.length === 0 || Date.now() > until) return users;
    await delay(100);
  }
}
