/** A browser that fills in every form it meets, until it is sent to the address where the code is handed over. */

const MAX_PAGES = 12;

/** Follows `start` as a person who types `login` where a form asks for it; returns where it was sent in the end. */
export async function browse(start: URL, login: string, until: string): Promise<URL> {
  const cookies = new Map<string, string>();
  let request = new Request(start);
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const response = await visit(request, cookies);
    const location = response.headers.get('location');
    const next = new URL(location ?? request.url, request.url);
    if (next.href.startsWith(until)) return next;
    request = location === null ? filledIn(await response.text(), next, login) : new Request(next);
  }
  throw new Error(`The sign-in did not end within ${MAX_PAGES} pages.`);
}

async function visit(request: Request, cookies: Map<string, string>): Promise<Response> {
  request.headers.set('cookie', [...cookies].map(([name, value]) => `${name}=${value}`).join('; '));
  const response = await fetch(request, { redirect: 'manual' });
  for (const cookie of response.headers.getSetCookie()) {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
    cookies.set(name, value);
  }
  return response;
}

function filledIn(page: string, address: URL, login: string): Request {
  const action = /<form[^>]* action="([^"]+)"/.exec(page)?.[1];
  const prompt = /name="prompt" value="([^"]+)"/.exec(page)?.[1];
  if (action === undefined || prompt === undefined)
    throw new Error(`There is no form to fill in at ${address.href}.`);
  const body = new URLSearchParams({ prompt, login, password: 'not looked at' });
  return new Request(new URL(action, address), { method: 'POST', body });
}
