/** Programs that run another: shells, and what stands before a command. */
import { effect, type Finding, type Surroundings, type Word } from './facts.ts';
import { list, steering } from './words.ts';

const SHELLS = new Set(list('sh bash dash zsh ksh ash rbash'));

/** Options of wrappers that take the next word, and how many words stand before the command. */
interface Wrapper {
  readonly valued: string;
  readonly switches: string;
  readonly before?: number;
  /** Words of the form name=value stand before the command. */
  readonly assignments?: boolean;
  /** More words than are written come at run time. */
  readonly adds?: boolean;
  /** What it does without a command. */
  readonly alone?: 'Read';
}

const wrappers: Readonly<Record<string, Wrapper>> = {
  sudo: {
    valued: '-u -g -h -p -C -T -U -r -t -D',
    switches: '-n -E -H -S -b -k -i -s -A -P',
    assignments: true,
  },
  doas: { valued: '-u -C', switches: '-n -s' },
  env: {
    valued: '-u -C --unset --chdir',
    switches: '-i -0 - --ignore-environment',
    assignments: true,
    alone: 'Read',
  },
  nohup: { valued: '', switches: '' },
  nice: { valued: '-n', switches: '', alone: 'Read' },
  ionice: { valued: '-c -n -p', switches: '-t' },
  timeout: {
    valued: '-s -k --signal --kill-after',
    switches: '--preserve-status --foreground -v',
    before: 1,
  },
  stdbuf: { valued: '-i -o -e', switches: '' },
  setsid: { valued: '', switches: '-c -f -w' },
  taskset: { valued: '', switches: '-c -a', before: 1 },
  flock: { valued: '-w -E', switches: '-n -x -s -u -o', before: 1 },
  strace: { valued: '-e -p -s', switches: '-f -c -t -v' },
  chroot: { valued: '', switches: '', before: 1 },
  command: { valued: '', switches: '-p' },
  builtin: { valued: '', switches: '' },
  exec: { valued: '-a', switches: '-c -l', alone: 'Read' },
  busybox: { valued: '', switches: '' },
  toybox: { valued: '', switches: '' },
  time: { valued: '-f', switches: '-p -v' },
  xargs: {
    valued: '-n -P -I -L -s -d -E -a',
    switches: '-0 -r -t -p -x --null --no-run-if-empty',
    adds: true,
  },
};

export function classifyWrapper(
  program: string,
  args: readonly Word[],
  surroundings: Surroundings,
): Finding | undefined {
  if (SHELLS.has(program)) return classifyShellCall(args, surroundings);
  if (program === 'su') return classifyShellCall(args, surroundings);
  if (program === 'eval') return evaluate(args, surroundings);
  if (program === 'command' && /^-[vV]+$/.test(args[0] ?? '')) return effect('Read');
  const wrapper = Object.hasOwn(wrappers, program) ? wrappers[program] : undefined;
  return wrapper === undefined ? undefined : unwrap(wrapper, args, surroundings);
}

/** `bash -c text`, a script on standard input, or a file that is not seen here. */
function classifyShellCall(args: readonly Word[], { script, stdin }: Surroundings): Finding {
  if (args.some((word) => word === '--version' || word === '--help')) return effect('Read');
  const at = args.findIndex(
    (word) => word === '--command' || (word !== undefined && /^-[a-zA-Z]*c$/.test(word)),
  );
  if (args.slice(0, at === -1 ? undefined : at).includes(undefined)) return effect('Dynamic');
  if (at !== -1) {
    const text = args[at + 1];
    return text === undefined ? effect('Dynamic') : script(text);
  }
  const readsStdin = args.every((word) => word !== undefined && /^-s?$|^-[elux]+$/.test(word));
  return readsStdin && typeof stdin === 'object' ? script(stdin.text) : effect('Dynamic');
}

/** Words that are joined and read as shell once more. */
function evaluate(args: readonly Word[], { script }: Surroundings): Finding {
  return args.includes(undefined) ? effect('Dynamic') : script(args.join(' '));
}

function unwrap(wrapper: Wrapper, args: readonly Word[], { command }: Surroundings): Finding {
  const start = commandStart(wrapper, args);
  if (start === undefined) return effect('Dynamic');
  const inner = args.slice(start + (wrapper.before ?? 0));
  if (inner.length === 0) return effect(wrapper.alone ?? 'Dynamic');
  return command(wrapper.adds === true ? [...inner, undefined] : inner);
}

/** Where the command begins, behind options and assignments; undefined where that cannot be told. */
function commandStart(wrapper: Wrapper, args: readonly Word[]): number | undefined {
  const valued = list(wrapper.valued);
  let at = 0;
  for (let word = args[at]; word !== undefined; word = args[at]) {
    if (word === '--') return at + 1;
    if (!word.startsWith('-')) {
      const assigned = wrapper.assignments === true ? /^(\w+)=/.exec(word)?.[1] : undefined;
      if (assigned === undefined) return at;
      if (steering.test(assigned)) return undefined;
      at += 1;
    } else if (valued.includes(word)) at += 2;
    else if (isSwitch(word, wrapper)) at += 1;
    else return undefined;
  }
  return at;
}

function isSwitch(word: string, { valued, switches }: Wrapper): boolean {
  const joined = list(valued).some((name) => word.startsWith(name.startsWith('--') ? `${name}=` : name));
  return list(switches).includes(word) || joined;
}
