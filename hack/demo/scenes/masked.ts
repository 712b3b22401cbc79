import { say, show, told } from '../narrator.ts';
import type { Cast } from '../cast.ts';

export async function masked({ parts, ana }: Cast): Promise<void> {
  const version = ana.client.getNegotiatedProtocolVersion();
  say(`Ana's client is the official SDK and has agreed on MCP ${version ?? '(unknown)'}. Her tools:`);
  const { tools } = await ana.client.listTools();
  show(tools.map((tool) => tool.name).join(', '));
  say('SELECT id, customer, card, total FROM orders ORDER BY id');
  const { text } = await ana.call('query', {
    sql: 'SELECT id, customer, card, total FROM orders ORDER BY id',
  });
  show(text.replaceAll('},{', '},\n {'));
  told(text.includes('1001') && text.includes('Ines Okafor'), 'Ana sees the orders', text);
  const seen = parts.cards.filter((card) => text.includes(card) || text.includes(card.replaceAll(' ', '')));
  told(seen.length === 0, 'no card number comes through', text);
  const marks = text.match(/\[REDACTED:[^\]]+\]/g) ?? [];
  told(marks.length === parts.cards.length, 'each card number is marked as redacted', text);
}
