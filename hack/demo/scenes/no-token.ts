import { say, show, told } from '../narrator.ts';
import type { Cast } from '../cast.ts';
import { post, toolCall } from './raw.ts';

export async function noToken({ parts }: Cast): Promise<void> {
  say('A client calls a tool and shows no token.');
  const response = await post(parts.url, toolCall('query', { sql: 'SELECT * FROM orders' }));
  const challenge = response.headers.get('www-authenticate') ?? '';
  show(`HTTP ${response.status}\nWWW-Authenticate: ${challenge}`);
  told(response.status === 401, 'the call is refused with 401', String(response.status));
  const metadata = /resource_metadata="([^"]+)"/.exec(challenge)?.[1];
  told(metadata !== undefined, 'the answer says where to find out how to sign in', challenge);
  const document = await (await fetch(metadata)).text();
  say('The answer names a document (RFC 9728) that names the issuer. MCP clients find their way from there:');
  show(document);
  told(document.includes(parts.issuer), 'the document names the issuer', document);
}
