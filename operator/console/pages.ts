/** The pages: what waits, one request, and a sentence where something is not possible. Pure. */
import { plainText } from '../../lib/plain-text.ts';
import { MAX_COMMENT, type ApprovalRequest } from '../approve/object.ts';
import { callLines, factsOf } from '../approve/view.ts';
import { html, type Html } from './html.ts';

export interface Viewer {
  /** What the sign-in calls them. */
  readonly name: string;
  /** Goes with every form. */
  readonly formToken: string;
}

export function listPage(
  requests: { readonly waiting: readonly ApprovalRequest[]; readonly ended: readonly ApprovalRequest[] },
  viewer: Viewer,
): string {
  const { waiting, ended } = requests;
  const none = html`<p>No calls wait for a decision.</p>`;
  return page(
    'Approvals',
    html`<h1>Approvals</h1>
      <h2 id="waiting">Waiting</h2>
      ${waiting.length === 0 ? none : table(waiting, 'waiting')}
      <p><a href="/console/">Look again</a></p>
      ${
        ended.length === 0
          ? html``
          : html`<h2 id="ended">Decided or ended</h2>
              ${table(ended, 'ended')}`
      }`,
    viewer,
  );
}

/** `may`: what keeps the viewer from deciding, as a sentence; undefined where nothing does. */
export function requestPage(request: ApprovalRequest, viewer: Viewer, why: string | undefined): string {
  const { name } = request.metadata;
  const facts = factsOf(request).map(
    (fact) =>
      html`<dt>${fact.name}</dt>
        <dd>${fact.value}</dd>`,
  );
  const [head = '', ...added] = callLines(request);
  const lines = added.map((line) => html`<ins>${`${line}\n`}</ins>`);
  return page(
    name,
    html`<p><a href="/console/">All approvals</a></p>
      <h1>
        ${name} <span class="phase ${request.status.phase.toLowerCase()}">${request.status.phase}</span>
      </h1>
      <h2 id="call">What would run</h2>
      <pre tabindex="0" aria-labelledby="call">
${head}
${lines}</pre>
      <h2>Who asks, and why it waits</h2>
      <dl>${facts}</dl>
      ${why === undefined ? form(name, viewer) : html`<p class="note" role="status">${why}</p>`}`,
    viewer,
  );
}

/** Shown to whoever is not signed in, or where a browser keeps the sign-in back because of where it came from. */
export function messagePage(title: string, sentence: string, link: { href: string; text: string }): string {
  return page(
    title,
    html`<h1>${title}</h1>
      <p role="status">${sentence}</p>
      <p><a class="button" href="${link.href}">${link.text}</a></p>`,
  );
}

/** Leads on by the browser itself, from this site: so strict cookies are shown, which a redirect would not do. */
export function goOnPage(to: string): string {
  return page(
    'One moment',
    html`<h1>One moment</h1>
      <p><a href="${to}">Go on</a></p>`,
    undefined,
    to,
  );
}

function form(id: string, viewer: Viewer): Html {
  return html`<form method="post" action="/console/approvals/${id}">
    <h2>Decide</h2>
    ${token(viewer)}
    <label for="comment">Comment, for the caller and the record (may be left out)</label>
    <input id="comment" name="comment" maxlength="${MAX_COMMENT}" autocomplete="off" />
    <button name="verdict" value="Approve" class="approve">Approve</button>
    <button name="verdict" value="Deny" class="deny">Deny</button>
  </form>`;
}

function table(requests: readonly ApprovalRequest[], label: string): Html {
  const rows = requests.map(
    ({ metadata, spec, status }) =>
      html`<tr>
        <th scope="row"><a href="/console/approvals/${metadata.name}">${metadata.name}</a></th>
        <td>${status.phase}</td>
        <td>${plainText(spec.requester.username)}</td>
        <td>${plainText(spec.call.tool)}</td>
        <td>${metadata.namespace}/${spec.gateway}</td>
        <td class="number">${spec.call.risk}</td>
        <td><time datetime="${spec.expiresAt}">${spec.expiresAt}</time></td>
      </tr>`,
  );
  const head = ['Approval', 'Phase', 'Requester', 'Tool', 'Gateway', 'Risk', 'Expires'].map(
    (name) => html`<th scope="col">${name}</th>`,
  );
  return html`<div class="scroll" tabindex="0" role="region" aria-labelledby="${label}">
    <table>
      <thead>
        <tr>
          ${head}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
}

function token({ formToken }: Viewer): Html {
  return html`<input type="hidden" name="token" value="${formToken}" />`;
}

function page(title: string, main: Html, viewer?: Viewer, onTo?: string): string {
  const who =
    viewer === undefined
      ? html``
      : html`<form method="post" action="/console/sign-out">
          ${token(viewer)}<span>${plainText(viewer.name)}</span> <button>Sign out</button>
        </form>`;
  const refresh = onTo === undefined ? html`` : html`<meta http-equiv="refresh" content="0;url=${onTo}" />`;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        ${refresh}
        <title>${title} · Gatehouse</title>
        <link rel="stylesheet" href="/console/style.css" />
      </head>
      <body>
        <header><a href="/console/">Gatehouse</a>${who}</header>
        <main>${main}</main>
      </body>
    </html> `.text;
}
