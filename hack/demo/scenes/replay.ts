import { say, show, told } from '../narrator.ts';
import type { Cast } from '../cast.ts';
import { DELETE } from './approval.ts';
import { post } from './raw.ts';

export async function replay({ parts, ana }: Cast): Promise<void> {
  say('The very bytes of the approved request, requestState and token included, are posted once more:');
  const response = await post(parts.url, ana.lastSent());
  const body = await response.text();
  show(`HTTP ${response.status}\n${body}`);
  told(/"error"|"isError":true/.test(body), 'the replay is refused', body);
  told(parts.executed(DELETE) === 1, 'it still has run once', `${parts.executed(DELETE)} times`);
}
