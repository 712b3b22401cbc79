import { say, show, told } from '../narrator.ts';
import type { Cast } from '../cast.ts';

export async function ownKey({ parts, ana }: Cast): Promise<void> {
  say(
    'The server wants a key in X-Api-Key. Ana has none: the proxy puts it in. Now a tool prints what the server got:',
  );
  const { text } = await ana.call('debug_env');
  show(text.replaceAll('","', '",\n "'), 20);
  told(text.toLowerCase().includes('x-api-key'), 'the server did get a key', text);
  told(!text.includes(parts.apiKey), 'the key does not come through', 'the key');
  told(/"ORDERS_API_KEY":"[^"]*\[REDACTED/.test(text), 'the key is masked in the environment too', text);
  told(!/authorization/i.test(text), "Ana's own token never reached the server", text);
}
