import { say, show, told } from '../narrator.ts';
import type { Cast } from '../cast.ts';

const SQL = 'SELECT 1; /* just reading, nothing to see */ DROP TABLE orders';

export async function hiddenDrop({ parts, ana }: Cast): Promise<void> {
  say(SQL);
  const { text, isError } = await ana.call('query', { sql: SQL });
  show(text);
  told(isError && parts.executed(SQL) === 0, 'it is denied before it reaches the server', text);
  const still = await ana.call('query', { sql: 'SELECT count(*) FROM orders' });
  say('The table is still there:');
  show(still.text);
  told(still.text.includes('"count":3'), 'three orders are left', still.text);
}
