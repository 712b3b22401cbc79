/** kubectl by its verbs, from its command reference. A verb that is not here is Dynamic. */
import type { CommandEffect } from '../../../crds/bundle.ts';
import { effect, type Finding, type Surroundings, type Word } from '../shell/facts.ts';
import { list } from '../shell/words.ts';

const table: readonly (readonly [CommandEffect, string])[] = [
  [
    'Read',
    `get describe logs top explain api-resources api-versions version cluster-info diff wait events options completion
     kustomize help config:view config:get-contexts config:current-context config:get-clusters config:get-users auth:can-i
     auth:whoami rollout:status rollout:history apply:view-last-applied plugin:list`,
  ],
  [
    'Write',
    `create apply patch label annotate expose autoscale set scale run cp taint cordon uncordon replace config:set
     config:use-context config:set-context config:set-cluster config:set-credentials config:rename-context
     certificate:approve certificate:deny rollout:restart rollout:pause rollout:resume rollout:undo auth:reconcile
     apply:set-last-applied`,
  ],
  ['Destructive', 'delete drain config:delete-context config:delete-cluster config:delete-user config:unset'],
  ['Dynamic', 'edit attach port-forward proxy debug apply:edit-last-applied'],
];

const VERBS: ReadonlyMap<string, CommandEffect> = new Map(
  table.flatMap(([name, verbs]) => list(verbs).map((verb) => [verb, name] as const)),
);
/** Verbs that only a second word makes one. */
const GROUPS = new Set(['config', 'auth', 'rollout', 'certificate', 'plugin']);

/** Options of every verb that take the next word. */
const VALUED = new Set(
  list(`-n --namespace --context --cluster --user --kubeconfig -s --server --token --as --as-group --as-uid -v --v
        --request-timeout --certificate-authority --client-certificate --client-key --cache-dir --tls-server-name --profile
        --profile-output --username --password --log-flush-frequency --vmodule -o --output -l --selector -f --filename -c
        --container --field-selector --sort-by --since --since-time --tail --replicas -p --patch --type -k --kustomize
        --image --port --raw --chunk-size -L --label-columns --template --subresource --for --timeout`),
);
const SWITCHES = new Set(
  list(`-A --all-namespaces -w --watch --all --force --now -R --recursive -h --help --show-labels --no-headers --previous
        -i --stdin -t --tty -it -ti -q --quiet --overwrite --ignore-not-found --prune --wait --insecure-skip-tls-verify
        --match-server-version --warnings-as-errors --disable-compression --server-side --force-conflicts --record
        --save-config --timestamps --follow --client --short --list --all-containers --ignore-daemonsets
        --delete-emptydir-data --containers --watch-only --rm --expose`),
);

export function classifyKubectl(args: readonly Word[], surroundings: Surroundings): Finding {
  const split = args.includes('--') ? args.indexOf('--') : args.length;
  const own = args.slice(0, split).filter((word) => word !== undefined);
  const words = positional(own);
  const unknown = own.length < split;
  if (words === undefined || (words.length === 0 && unknown)) return effect('Dynamic');
  if (words[0] === 'exec') return execute(words, args.slice(split + 1), surroundings);
  const name = nameOf(words);
  const found = graded(VERBS.get(name) ?? 'Dynamic', words[0] ?? '', own);
  // A word that is not known until run time may be an option.
  return { effects: unknown ? [found, 'Dynamic'] : [found], verb: targetOf(name, words) };
}

/** `get`, or `rollout:restart` for verbs of two words. */
function nameOf([verb = 'help', second = 'help']: readonly string[]): string {
  const pair = `${verb}:${second}`;
  if (VERBS.has(pair)) return pair;
  return GROUPS.has(verb) && second === 'help' ? 'help' : GROUPS.has(verb) ? pair : verb;
}

/** Words that are no options. Undefined where an option is not known: it may take the next word or not. */
function positional(args: readonly string[]): string[] | undefined {
  const words: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? '';
    if (!word.startsWith('-') || word === '-') words.push(word);
    else if (VALUED.has(word)) at += 1;
    else if (!word.includes('=') && !SWITCHES.has(word) && words.length === 0) return undefined;
  }
  return words;
}

/** Options that make a verb more, or less, than it is. */
function graded(found: CommandEffect, verb: string, args: readonly string[]): CommandEffect {
  const has = (...options: readonly string[]): boolean => options.some((option) => args.includes(option));
  if (has('-h', '--help')) return 'Read';
  if (found === 'Read' || found === 'Dynamic') return found;
  if (has('--dry-run=client', '--dry-run=server')) return 'Read';
  return takesAway(verb, args) || has('--prune', '--prune=true') ? 'Destructive' : found;
}

function takesAway(verb: string, args: readonly string[]): boolean {
  if (verb === 'replace') return args.includes('--force') || args.includes('--force=true');
  return (
    verb === 'scale' &&
    args.some((word, at) => word === '--replicas=0' || (word === '--replicas' && args[at + 1] === '0'))
  );
}

/** The verb and the kind of resource, never its name. */
function targetOf(name: string, [, kind]: readonly string[]): string {
  const shown = name.replace(':', ' ');
  return kind === undefined || name.includes(':') ? shown : `${shown} ${kind.split('/')[0] ?? ''}`;
}

function execute(words: readonly string[], behind: readonly Word[], { command }: Surroundings): Finding {
  // Without `--` the words behind the pod are the command (deprecated, and still taken).
  const inner = behind.length > 0 ? behind : words.slice(2);
  return { effects: inner.length === 0 ? ['Dynamic'] : command(inner).effects, verb: 'exec' };
}
