import { createVisitor, type Page, signIn, type Visitor } from '../../../test/fixtures/visitor.ts';
import type { Cast } from '../cast.ts';
import { say, show, told } from '../narrator.ts';
import { pending } from './approval.ts';

/** The server prints what it executes; this is the first of its lines. */
const FIRST_LINE = 'UPDATE orders';
const UPDATE = `${FIRST_LINE}\nSET total = 80.00\nWHERE customer = 'Ines Okafor'`;

/** The pages work without scripts, so what a browser does is to follow them and to send their forms. */
export async function page({ parts, ana, bo }: Cast): Promise<void> {
  say('UPDATE orders SET total = 80.00, on three lines');
  const updating = ana.call('query', { sql: UPDATE });
  updating.catch(() => undefined);
  const { id } = await pending(['--admin', parts.admin, '--token', bo.tokenFile]);
  const runs = (): number => parts.executed(FIRST_LINE);
  const address = `${parts.admin}/console/approvals/${id}`;
  say(`Bo opens ${address}`);
  const browser = createVisitor();
  const stranger = await browser.open(address);
  told(stranger.status === 401 && !stranger.text.includes('UPDATE'), 'nobody is shown it', stranger.text);
  say('has to sign in first, and sees:');
  const opened = await signedIn(browser, stranger, 'bo');
  show(callIn(opened.text));
  told(opened.url.href === address && opened.text.includes('ana (staff;'), 'he sees it', opened.text);

  const own = createVisitor();
  const hers = await signedIn(own, await own.open(address), 'ana');
  say('Ana, on the same page, finds no buttons:');
  show(/<p class="note"[^>]*>([^<]+)</.exec(hers.text)?.[1] ?? '');
  told(!hers.text.includes('value="Approve"'), 'she may not', hers.text);

  told(runs() === 0, 'nothing has run', 'the server executed it');
  say('Bo presses Approve:');
  const decided = await browser.submit(opened, '/approvals/', { verdict: 'Approve', comment: 'as agreed' });
  show(/<dt>Approved<\/dt>\s*<dd>([^<]+)</.exec(decided.text)?.[1] ?? '');
  told(decided.status === 200, 'he may', decided.text);
  const { text, isError } = await updating;
  say("Ana's call comes back:");
  show(text);
  told(!isError && text.includes('"affected":1'), 'one row was changed', text);
  told(runs() === 1, 'it ran once', `${runs()} times`);
}

async function signedIn(browser: Visitor, from: Page, login: string): Promise<Page> {
  const link = /<a class="button" href="([^"]+)"/.exec(from.text)?.[1] ?? '';
  return signIn(browser, await browser.open(new URL(link.replaceAll('&amp;', '&'), from.url)), login);
}

/** What the page shows that would run, as text. */
function callIn(text: string): string {
  const shown = /<pre[^>]*>\n?(.*?)<\/pre>/s.exec(text)?.[1] ?? '';
  return shown
    .replace(/<\/?ins>/g, '')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
    .trimEnd();
}
