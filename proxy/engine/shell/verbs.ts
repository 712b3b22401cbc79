/** Programs with verbs, from their own references. A verb that is not here is Dynamic. */
import type { CommandEffect } from '../../../crds/bundle.ts';
import { effect, type Finding, type Word } from './facts.ts';
import { list } from './words.ts';

interface VerbTable {
  /** Effect → verbs; two words are joined by a colon. */
  readonly verbs: Readonly<Partial<Record<CommandEffect, string>>>;
  /** Options before the verb that take the next word. */
  readonly valued?: string;
  /** Options that change what the verb is. */
  readonly options?: Readonly<Partial<Record<CommandEffect, string>>>;
}

const containers: VerbTable = {
  valued: '-H --host --context -c --config -l --log-level --tlscacert --tlscert --tlskey',
  verbs: {
    Read: `ps images inspect logs stats top version info port diff events history search image:ls image:list image:inspect
           image:history container:ls container:list container:inspect container:logs container:top container:stats
           volume:ls volume:inspect network:ls network:inspect system:df system:info context:ls compose:ps compose:logs
           compose:config compose:ls compose:images compose:top manifest:inspect node:ls service:ls service:ps service:logs
           stack:ls stack:ps`,
    Write: `pull push tag create start restart pause unpause rename commit save load import export login logout build update
            volume:create network:create network:connect network:disconnect image:pull image:push image:tag image:build
            container:start container:restart compose:up compose:start compose:restart compose:pull compose:build
            compose:create`,
    Destructive: `rm rmi kill stop container:rm container:prune container:kill container:stop image:rm image:prune volume:rm
            volume:prune network:rm network:prune system:prune builder:prune compose:down compose:rm compose:kill compose:stop
            service:rm stack:rm swarm:leave node:rm secret:rm config:rm`,
  },
};

const packages: VerbTable = {
  verbs: {
    Read: 'list ls search show info view outdated why audit check help depends rdepends policy freeze config:list config:get home',
    Write: 'install update upgrade add i ci reinstall download fetch set publish link',
    Destructive: 'remove uninstall purge autoremove rm un erase prune autoclean clean unpublish cleanup',
  },
};

export const verbTables: Readonly<Record<string, VerbTable>> = {
  git: {
    valued: '-C --git-dir --work-tree --namespace',
    verbs: {
      Read: `status log diff show blame grep ls-files ls-tree ls-remote rev-parse rev-list describe shortlog cat-file reflog
             name-rev merge-base for-each-ref count-objects fsck show-ref stash:list stash:show remote:show config:get config:list config:--get config:--get-all config:--list config:-l
             whatchanged cherry range-diff var version check-ignore diff-tree diff-index worktree:list branch tag remote
             submodule:status notes:show notes:list bisect:log`,
      Write: `add commit fetch pull push clone init merge rebase cherry-pick revert stash stash:push stash:save stash:pop
              stash:apply checkout switch restore mv apply am format-patch archive bundle config remote:add remote:set-url
              remote:rename submodule:update submodule:add submodule:init worktree:add notes:add gc repack update-index`,
      Destructive: `rm clean reset stash:drop stash:clear remote:remove remote:rm branch:-D worktree:remove prune filter-branch
              filter-repo update-ref replace reflog:expire reflog:delete checkout:-- checkout:. restore:.`,
    },
    options: {
      Destructive:
        '-f --force --force-with-lease --delete -D -d --hard --mirror --prune --remove --discard-changes',
      Dynamic:
        '-c --config-env --exec-path --exec --upload-pack --receive-pack --ext-diff -O --open-files-in-pager --textconv',
      Write: '--output -m -M --move',
    },
  },
  docker: containers,
  podman: containers,
  nerdctl: containers,
  helm: {
    valued:
      '-n --namespace --kube-context --kubeconfig --kube-apiserver --kube-token --registry-config --repository-config',
    verbs: {
      Read: `list ls status get history show inspect search version env lint template dependency:list dep:list repo:list verify
             plugin:list completion`,
      Write: `install upgrade rollback pull push package create repo:add repo:update repo:index dependency:update
              dependency:build dep:update registry:login registry:logout`,
      Destructive: 'uninstall delete del un repo:remove repo:rm',
    },
    options: { Destructive: '--force --cleanup-on-fail', Dynamic: '--post-renderer' },
  },
  terraform: {
    valued: '',
    verbs: {
      Read: 'plan show output validate version providers graph state:list state:show state:pull workspace:list workspace:show metadata',
      Write:
        'init get fmt import refresh taint untaint state:mv state:push workspace:new workspace:select login logout',
      Destructive: 'apply destroy state:rm workspace:delete force-unlock',
    },
  },
  tofu: {
    verbs: {
      Read: 'plan show output validate version providers graph state:list state:show workspace:list workspace:show',
      Write: 'init get fmt import refresh taint untaint state:mv workspace:new workspace:select',
      Destructive: 'apply destroy state:rm workspace:delete force-unlock',
    },
  },
  systemctl: {
    verbs: {
      Read: `status show cat list-units list-unit-files list-timers list-sockets list-dependencies list-jobs is-active is-enabled
             is-failed is-system-running get-default help show-environment`,
      Write: `start restart reload enable daemon-reload try-restart reload-or-restart set-default preset link unmask edit
              set-property set-environment reset-failed`,
      Destructive:
        'stop disable mask kill isolate poweroff reboot halt suspend hibernate emergency rescue kexec revert clean',
    },
  },
  service: { verbs: { Read: '--status-all' } },
  apt: packages,
  'apt-get': packages,
  'apt-cache': packages,
  yum: packages,
  dnf: packages,
  apk: packages,
  brew: packages,
  npm: packages,
  yarn: packages,
  pnpm: packages,
  pip: packages,
  pip3: packages,
  gem: packages,
  snap: packages,
  ip: {
    verbs: {
      Read: 'a addr r route l link n neigh addr:show a:show route:show r:show link:show neigh:show rule:show netns:list route:get',
      Write: 'addr:add link:set link:add route:add route:replace neigh:add rule:add netns:add',
      Destructive:
        'addr:del addr:flush link:del link:delete route:del route:flush neigh:del neigh:flush rule:del netns:del',
    },
  },
  gsutil: {
    valued: '-h -o -u',
    verbs: {
      Read: 'ls cat stat du version hash help acl:get cors:get lifecycle:get iam:get versioning:get label:get logging:get',
      Write: `cp mv rsync mb compose rewrite setmeta acl:set acl:ch cors:set lifecycle:set iam:set iam:ch versioning:set
              label:set label:ch logging:set notification:create signurl`,
      Destructive: 'rm rb notification:delete',
    },
  },
  zfs: {
    verbs: {
      Read: 'list get',
      Write: 'create set snapshot mount unmount share',
      Destructive: 'destroy rollback',
    },
  },
  btrfs: {
    verbs: {
      Read: 'subvolume:list filesystem:show filesystem:df',
      Destructive: 'subvolume:delete device:remove',
    },
  },
};

const HELP = new Set(list('--help -h --version help'));

interface Compiled {
  readonly verbs: ReadonlyMap<string, CommandEffect>;
  readonly valued: ReadonlySet<string>;
  readonly options: ReadonlyMap<string, CommandEffect>;
}

const compiled: ReadonlyMap<string, Compiled> = new Map(
  Object.entries(verbTables).map(([program, table]) => [program, compile(table)]),
);

function compile({ verbs, valued = '', options = {} }: VerbTable): Compiled {
  return { verbs: byName(verbs), valued: new Set(list(valued)), options: byName(options) };
}

function byName(table: Readonly<Partial<Record<CommandEffect, string>>>): ReadonlyMap<string, CommandEffect> {
  const effects: readonly CommandEffect[] = ['Read', 'Write', 'Destructive', 'Dynamic'];
  return new Map(effects.flatMap((name) => list(table[name] ?? '').map((verb) => [verb, name] as const)));
}

/** What a program with verbs does; undefined for a program that has none here. */
export function classifyByVerb(program: string, args: readonly Word[]): Finding | undefined {
  const table = compiled.get(program);
  return table === undefined ? undefined : classifyWords(args, table);
}

function classifyWords(args: readonly Word[], table: Compiled): Finding {
  const words = args.filter((word) => word !== undefined);
  if (words.length === args.length) return asksForHelp(words) ? effect('Read') : classifyKnown(words, table);
  // A word that is not known until run time may be the verb, or an option.
  const { effects, verb } = classifyKnown(words, table);
  return { effects: [...effects, 'Dynamic'], ...(verb === undefined ? {} : { verb }) };
}

function asksForHelp(words: readonly string[]): boolean {
  return words.length === 0 || HELP.has(words[0] ?? '') || words.at(-1) === '--help';
}

function classifyKnown(words: readonly string[], table: Compiled): Finding {
  const rest = behindOptions(words, table.valued);
  const [verb = '', second = ''] = rest;
  const name = table.verbs.has(`${verb}:${second}`) ? `${verb}:${second}` : verb;
  const base = isNaming(verb, rest) ? 'Write' : (table.verbs.get(name) ?? 'Dynamic');
  if (overwritesRemote(verb, rest)) return { effects: ['Destructive'], verb };
  const changes = words.flatMap((word) => optionEffects(word, table.options));
  return { effects: [...new Set([base, ...changes])], verb: name.replace(':', ' ') };
}

/** Words from the verb on. */
function behindOptions(words: readonly string[], valued: ReadonlySet<string>): readonly string[] {
  let at = 0;
  while (words[at]?.startsWith('-') === true) at += valued.has(words[at] ?? '') ? 2 : 1;
  return words.slice(at);
}

/** `git branch x` and `git tag x` make one, `git branch` lists them. */
function isNaming(verb: string, [, second]: readonly string[]): boolean {
  return (verb === 'branch' || verb === 'tag') && second !== undefined && !second.startsWith('-');
}

/** `git push origin :x` removes x there, `git push origin +x` replaces what is there. */
function overwritesRemote(verb: string, [, ...rest]: readonly string[]): boolean {
  return verb === 'push' && rest.some((word) => /^[:+]/.test(word));
}

function optionEffects(word: string, options: ReadonlyMap<string, CommandEffect>): CommandEffect[] {
  const [given = ''] = word.split('=');
  const whole = options.get(given);
  if (whole !== undefined) return [whole];
  if (!/^-[a-zA-Z]{2,}$/.test(word)) return [];
  return [...options]
    .filter(([name]) => name.length === 2 && word.includes(name.slice(1)))
    .map(([, found]) => found);
}
