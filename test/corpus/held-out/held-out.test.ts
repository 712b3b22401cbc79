/**
 * How the classifiers do on statements and commands that were written after them (docs/guard.md tells of the first run):
 * nothing that does more than read goes by without a class, and few that only read are taken for more.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CommandEffect } from '../../../crds/bundle.ts';
import { loadCommands, type CommandEngines } from '../../../proxy/engine/shell/classify.ts';
import { loadSql, type ClassifySql } from '../../../proxy/engine/sql/classify.ts';
import {
  heldOutKubectlEvil,
  heldOutKubectlHarmless,
  heldOutShellEvil,
  heldOutShellHarmless,
} from './commands.ts';
import { heldOutEvil } from './sql-evil.ts';
import { heldOutHarmless } from './sql-harmless.ts';

interface Row {
  readonly language: string;
  readonly evil: number;
  /** Without any class. */
  silent: readonly string[];
  /** Without the class that it is labelled with. */
  readonly mistaken: readonly string[];
  readonly harmless: number;
  readonly refused: readonly string[];
}

let sql: ClassifySql;
let commands: CommandEngines;
beforeAll(async () => {
  sql = await loadSql(heldOutEvil.map(([dialect]) => dialect));
  commands = await loadCommands();
});

const rows: Row[] = [];
afterAll(() => {
  const line = (row: (string | number)[]): string =>
    row.map((cell, at) => (at === 0 ? String(cell).padEnd(12) : String(cell).padStart(10))).join('');
  const table = rows.map(({ language, evil, silent, mistaken, harmless, refused }) =>
    line([language, evil, silent.length, mistaken.length, harmless, refused.length]),
  );
  console.log([line(['', 'to catch', 'silent', 'mistaken', 'harmless', 'refused']), ...table].join('\n'));
});

/** What a text is taken for, reads aside. */
type Seen = (text: string) => readonly string[];

function judge(
  language: string,
  seen: Seen,
  set: { evil: readonly (readonly [string, string])[]; harmless: readonly string[] },
): Row {
  const found = set.evil.map(([expected, text]) => ({
    expected: expected.split('|'),
    text,
    seen: seen(text),
  }));
  const row: Row = {
    language,
    evil: found.length,
    silent: found.filter((one) => one.seen.length === 0).map(({ text }) => text),
    mistaken: found
      .filter((one) => ![...one.expected, 'Unparsable'].some((name) => one.seen.includes(name)))
      .map(({ text }) => text),
    harmless: set.harmless.length,
    refused: set.harmless.filter((text) => seen(text).length > 0),
  };
  rows.push(row);
  return row;
}

function expectGood({ silent, mistaken, harmless, refused }: Row): void {
  expect(silent).toEqual([]);
  expect(mistaken).toEqual([]);
  // Under 2%; one of a set of fewer than fifty is more than that already.
  expect(refused.length, refused.join('\n')).toBeLessThanOrEqual(Math.floor(harmless * 0.02));
}

test.each(heldOutEvil)('SQL of %s', (dialect, evil) => {
  const harmless = heldOutHarmless.find(([name]) => name === dialect)?.[1] ?? [];
  expect(harmless.length).toBeGreaterThan(0);
  expectGood(judge(dialect, (text) => sql(text, dialect).classes, { evil, harmless }));
});

const beyondReading = (effects: readonly CommandEffect[]): readonly string[] =>
  effects.filter((effect) => effect !== 'Read');

test('shell', () => {
  const seen: Seen = (text) => beyondReading(commands.shell(text).effects);
  expectGood(judge('shell', seen, { evil: heldOutShellEvil, harmless: heldOutShellHarmless }));
});

test('kubectl', () => {
  const seen: Seen = (text) => beyondReading(commands.kubectl(text).effects);
  expectGood(judge('kubectl', seen, { evil: heldOutKubectlEvil, harmless: heldOutKubectlHarmless }));
});
