/** Programs whose options decide what they do. A word that is not known until run time may be any option. */
import type { CommandEffect } from '../../../crds/bundle.ts';
import { effect, type Finding, type Surroundings, type Word } from './facts.ts';
import { holdsSubscript, list, steering } from './words.ts';

type Classify = (args: readonly Word[], surroundings: Surroundings) => Finding;

/** An option and what it makes of a program: alone, with `=value`, or among short options. */
interface Graded {
  readonly base: CommandEffect;
  readonly options: readonly (readonly [CommandEffect, string])[];
}

const TAR: Graded = {
  base: 'Write',
  options: [
    ['Read', '-t --list'],
    [
      'Dynamic',
      '-I --use-compress-program --to-command --checkpoint-action -F --info-script --new-volume-script --rsh-command',
    ],
    ['Destructive', '--remove-files --delete'],
  ],
};

const graded: Readonly<Record<string, Graded>> = {
  hash: { base: 'Read', options: [['Dynamic', '-p']] },
  sort: {
    base: 'Read',
    options: [
      ['Write', '-o --output'],
      ['Dynamic', '--compress-program'],
    ],
  },
  date: { base: 'Read', options: [['Write', '--set']] },
  tree: { base: 'Read', options: [['Write', '-o']] },
  ss: { base: 'Read', options: [['Destructive', '-K --kill']] },
  dmesg: {
    base: 'Read',
    options: [
      ['Destructive', '-C -c --clear --read-clear'],
      ['Write', '-D -E -n'],
    ],
  },
  journalctl: {
    base: 'Read',
    options: [
      ['Destructive', '--vacuum-size --vacuum-time --vacuum-files'],
      ['Write', '--rotate --flush --sync'],
    ],
  },
  iconv: { base: 'Read', options: [['Write', '-o --output']] },
  crontab: {
    base: 'Write',
    options: [
      ['Read', '-l'],
      ['Destructive', '-r'],
    ],
  },
  rsync: {
    base: 'Write',
    options: [
      [
        'Destructive',
        '--delete --delete-before --delete-after --delete-during --delete-excluded --remove-source-files',
      ],
      ['Dynamic', '-e --rsh --rsync-path'],
    ],
  },
  iptables: {
    base: 'Write',
    options: [
      ['Read', '-L --list -S --list-rules -C --check'],
      ['Destructive', '-F --flush -X -D -P'],
    ],
  },
  ip6tables: {
    base: 'Write',
    options: [
      ['Read', '-L --list -S'],
      ['Destructive', '-F --flush -X -D -P'],
    ],
  },
  dd: { base: 'Read', options: [['Destructive', 'of']] },
};

export const byOptions: Readonly<Record<string, Classify>> = {
  ...Object.fromEntries(Object.entries(graded).map(([name, table]) => [name, gradedBy(table)])),
  date: (args, surroundings) =>
    known(args).some((word) => /^-[uR]*s/.test(word)) ? effect('Write') : byDate(args, surroundings),
  tar: (args, surroundings) => byTar(withDash(args), surroundings),
  find: classifyFind,
  sed: classifySed,
  awk: classifyAwk,
  gawk: classifyAwk,
  mawk: classifyAwk,
  curl: classifyCurl,
  hostname: (args) => (known(args).some((word) => !word.startsWith('-')) ? effect('Write') : effect('Read')),
  uniq: (args) =>
    known(args).filter((word) => !word.startsWith('-')).length > 1 ? effect('Write') : unknown(args, 'Read'),
  xxd: (args) =>
    known(args).filter((word) => !word.startsWith('-')).length > 1 ? effect('Write') : unknown(args, 'Read'),
  ...Object.fromEntries(
    list('export declare typeset local readonly read mapfile readarray printf unset let test [ getopts').map(
      (name) => [name, classifySetter],
    ),
  ),
};

const byDate = gradedBy({ base: 'Read', options: [['Write', '--set']] });

const byTar = gradedBy(TAR);

/** tar takes its first word as options, with a dash or without. */
function withDash([first, ...rest]: readonly Word[]): readonly Word[] {
  return [first === undefined || first.startsWith('-') ? first : `-${first}`, ...rest];
}

function known(args: readonly Word[]): string[] {
  return args.filter((word) => word !== undefined);
}

function unknown(args: readonly Word[], otherwise: CommandEffect): Finding {
  return effect(args.includes(undefined) ? 'Dynamic' : otherwise);
}

/** The first option in the table's order that is there decides; a dangerous one counts beside a harmless one. */
function gradedBy({ base, options }: Graded): Classify {
  return (args) => {
    const surely: CommandEffect[] = args.includes(undefined) ? ['Dynamic'] : [];
    const found = options.filter(([, names]) =>
      list(names).some((name) => known(args).some((word) => isOption(word, name))),
    );
    const dangerous = found.map(([name]) => name).filter((name) => name !== 'Read');
    if (dangerous.length > 0) return effect(...dangerous, ...surely);
    return effect(found.length > 0 ? 'Read' : base, ...surely);
  };
}

/** `-o`, `-ofile`, `-ro`, `--output`, `--output=x`, `--outp`, and `of=x`. GNU programs take long options cut short. */
function isOption(word: string, name: string): boolean {
  const [given = ''] = word.split('=');
  if (name.startsWith('--')) return given.length > 3 && given.startsWith('--') && name.startsWith(given);
  if (name.startsWith('-')) return /^-[^-]/.test(word) && word.includes(name.slice(1));
  // tar takes its first word without a dash, dd takes words with `=`.
  return given === name;
}

const FIND_COMMANDS = new Set(list('-exec -execdir -ok -okdir'));
const FIND_WRITES = new Set(list('-fprint -fprint0 -fprintf -fls'));

function classifyFind(args: readonly Word[], { command }: Surroundings): Finding {
  const effects: CommandEffect[] = args.includes(undefined) ? ['Dynamic'] : ['Read'];
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? '';
    if (word === '-delete') effects.push('Destructive');
    if (FIND_WRITES.has(word)) effects.push('Write');
    if (!FIND_COMMANDS.has(word)) continue;
    const found = args.findIndex((next, place) => place > at && (next === ';' || next === '+'));
    const end = found === -1 ? args.length : found;
    effects.push(...command(args.slice(at + 1, end).map(withoutFile)).effects);
    at = end;
  }
  return { effects };
}

/** `{}` becomes the name of a file. */
function withoutFile(word: Word): Word {
  return word?.includes('{}') === true ? undefined : word;
}

/** Addresses before one command that prints, deletes from the output, or substitutes within it. */
const SED_HARMLESS =
  /^\s*(?:(?:\d+|\$|\/[^/]*\/)(?:,(?:\+?\d+|\$|\/[^/]*\/))?)?\s*!?\s*(?:[pdqQ=]|s([/|#,:@])(?:(?!\1)[^\\]|\\.)*\1(?:(?!\1)[^\\]|\\.)*\1[gpiIm\d]*)\s*$/;

function classifySed(args: readonly Word[]): Finding {
  const words = known(args);
  const inPlace = words.some((word) => isOption(word, '--in-place') || /^-[a-zA-Z]*i/.test(word));
  if (
    args.includes(undefined) ||
    words.some((word) => isOption(word, '--file') || /^-[a-zA-Z]*f/.test(word))
  ) {
    return effect('Dynamic', ...(inPlace ? (['Write'] as const) : []));
  }
  const options = words.filter((word) => word.startsWith('-'));
  const expressions = words.flatMap((word, at) =>
    /^-[a-zA-Z]*e$|^--expression$/.test(words[at - 1] ?? '') ? [word] : [],
  );
  const scripts =
    expressions.length > 0 ? expressions : words.filter((word) => !word.startsWith('-')).slice(0, 1);
  const joined = options.filter((word) => word.startsWith('--expression='));
  const harmless =
    joined.length === 0 &&
    scripts.every((script) => script.split(';').every((part) => SED_HARMLESS.test(part)));
  return effect(harmless ? 'Read' : 'Dynamic', ...(inPlace ? (['Write'] as const) : []));
}

function classifyAwk(args: readonly Word[]): Finding {
  const words = known(args);
  if (args.includes(undefined)) return effect('Dynamic');
  if (words.some((word) => /^-[a-zA-Z]*[fiEl]|^--(file|exec|include|load)/.test(word)))
    return effect('Dynamic');
  const text = words.join('\n');
  if (/system|getline|@|\||close|fflush/.test(text)) return effect('Dynamic');
  return effect(/printf?\b[^;}\n]*>/.test(text) ? 'Write' : 'Read');
}

const CURL_SENDS = list(
  '-d --data --data-raw --data-binary --data-urlencode --json -F --form -T --upload-file -o --output -O --remote-name --output-dir -c --cookie-jar -D --dump-header --trace',
);

function classifyCurl(args: readonly Word[]): Finding {
  const words = known(args);
  const has = (names: readonly string[]): boolean =>
    words.some((word) => names.some((name) => isCurlOption(word, name)));
  if (has(['-K', '--config', '--proxy', '-x', '--unix-socket'])) return effect('Dynamic');
  const method =
    words.find((_word, at) => /^(-[a-zA-Z]*X|--request)$/.test(words[at - 1] ?? '')) ??
    words.find((word) => /^-X./.test(word))?.slice(2);
  if (method?.toUpperCase() === 'DELETE') return effect('Destructive');
  if (has(CURL_SENDS) || (method !== undefined && !['GET', 'HEAD', 'OPTIONS'].includes(method.toUpperCase())))
    return effect('Write');
  // A header or a URL may be unknown; an unknown word alone may be an option.
  return unknown(args, 'Read');
}

function isCurlOption(word: string, name: string): boolean {
  return name.startsWith('--')
    ? word === name || word.startsWith(`${name}=`)
    : /^-[^-]/.test(word) && word.includes(name.slice(1));
}

/** Builtins that set variables, or evaluate arithmetic. */
function classifySetter(args: readonly Word[]): Finding {
  const risky = known(args).some(
    (word) => steering.test(word.split(/[=[]/)[0] ?? '') || holdsSubscript(word),
  );
  return effect(risky ? 'Dynamic' : 'Read');
}
