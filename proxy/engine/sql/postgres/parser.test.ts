import { describe, expect, it } from 'vitest';
import { PgParser } from './parser.ts';

describe('PgParser', () => {
  const tooDeep = [
    `SELECT ${'NOT '.repeat(5000)}true`,
    `SELECT ${'(SELECT '.repeat(1500)}1${')'.repeat(1500)}`,
    `SELECT ${'1+'.repeat(10_000)}1`,
  ];

  it('goes on after texts that overflow the stack inside it, however often', async () => {
    const parser = await PgParser.load();
    const healthy = parser.parse('DELETE FROM a WHERE b = 1');
    expect(healthy.ok).toBe(true);
    for (let round = 0; round < 90; round++) {
      parser.parse(tooDeep[round % tooDeep.length] ?? '');
      await parser.renewed();
      expect(parser.parse('DELETE FROM a WHERE b = 1')).toEqual(healthy);
    }
  });

  it('tells what the grammar refuses from what it takes', async () => {
    const parser = await PgParser.load();
    expect(parser.parse('SELECT 1').ok).toBe(true);
    expect(parser.parse('SELEC 1').ok).toBe(false);
    expect(parser.parsePlPgSql('DO $$ BEGIN NULL; END $$').ok).toBe(true);
    expect(parser.parsePlPgSql('DO $$ nothing $$').ok).toBe(false);
  });
});
