import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { kubectlBenign, kubectlEvil } from '../../../test/corpus/kubectl.ts';
import { shellBenign, shellEvil } from '../../../test/corpus/shell.ts';
import { loadCommands, type ClassifyCommand, type CommandEngines } from './classify.ts';

let engines: CommandEngines;
beforeAll(async () => {
  engines = await loadCommands();
});

const named = (text: string) => ({ text, name: JSON.stringify(text.slice(0, 100)) });

describe.each([
  ['shell', shellEvil, shellBenign],
  ['kubectl', kubectlEvil, kubectlBenign],
] as const)('%s', (language, evil, benign) => {
  const classify: ClassifyCommand = (command) => engines[language](command);

  it.each(evil.map(([expected, text]) => ({ expected, ...named(text) })))(
    '$expected: $name',
    ({ expected, text }) => {
      expect(classify(text).effects).toContain(expected);
    },
  );

  it.each(benign.map(named))('only reads: $name', ({ text }) => {
    expect(classify(text).effects.filter((effect) => effect !== 'Read')).toEqual([]);
  });

  it('never throws, whatever the text', () => {
    const piece = fc.constantFrom(
      ...'rm ls $x $( ) ` " \' \\ ; | & && || < > << EOF { } if then fi [[ ]] (( )) \n * ~ -c sh eval'.split(
        ' ',
      ),
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(piece, { maxLength: 20 }).map((list) => list.join(' ')),
    );
    fc.assert(
      fc.property(text, (command) => {
        expect(Array.isArray(classify(command).effects)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('never throws, whatever the words', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (command) => {
        expect(Array.isArray(classify(command).effects)).toBe(true);
      }),
    );
  });
});

describe('what only adds', () => {
  it('finds what is wrong behind any harmless command', () => {
    const lines = shellBenign.filter((line) => !line.includes('\n') && !line.startsWith('#'));
    fc.assert(
      fc.property(
        fc.constantFrom(...lines.filter(Boolean)),
        fc.constantFrom('; ', ' && ', ' || ', '\n'),
        (line, joint) => {
          expect(engines.shell(`${line}${joint}rm x`).effects).toContain('Destructive');
        },
      ),
    );
  });
});

describe('words', () => {
  it('are one command, which no shell reads', () => {
    expect(engines.shell(['echo', '$(rm x)', ';', 'rm']).effects).toEqual(['Read']);
    expect(engines.shell(['rm', 'x']).effects).toEqual(['Destructive']);
    expect(engines.shell(['sh', '-c', 'rm x']).effects).toEqual(['Destructive']);
    expect(engines.kubectl(['get', 'pods']).effects).toEqual(['Read']);
    expect(engines.kubectl(['kubectl', 'delete', 'pod', 'x']).effects).toEqual(['Destructive']);
    expect(engines.shell([]).effects).toEqual([]);
  });
});

describe('targets', () => {
  it('are programs with their verbs, never arguments', () => {
    expect(engines.shell('sudo git push origin hunter2 && rm hunter2').targets).toEqual([
      'git push',
      'rm',
      'sudo',
    ]);
    expect(engines.kubectl('delete pod hunter2').targets).toEqual(['kubectl delete pod']);
    expect(engines.kubectl('delete secret/hunter2').targets).toEqual(['kubectl delete secret']);
  });
});
