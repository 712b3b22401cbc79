/** Command lines of clouds: hundreds of services, whose operations begin with a few verbs. */
import type { CommandEffect } from '../../../crds/bundle.ts';
import { effect, type Finding, type Word } from './facts.ts';
import { list } from './words.ts';

const READS =
  /^(describe|list|get|head|show|batch-get|search|scan|query|lookup|view|read|print|ls|wait|help|presign|filter-log-events|estimate|check|validate|test-.*-syntax)(-|$)/;
const DESTROYS =
  /^(delete|terminate|remove|destroy|purge|deregister|stop|disable|detach|disassociate|revoke|cancel|reboot|reset|release|rm|rb|deallocate|suspend|shutdown|abandon|schedule-key-deletion)(-|$)/;
const WRITES =
  /^(create|put|update|modify|add|attach|associate|authorize|start|enable|tag|untag|set|register|copy|cp|mv|sync|mb|import|upload|restore|replace|apply|patch|grant|allocate|assign|resume|deploy|publish|subscribe|resize|clone|move|export|configure|login|activate|bind)(-|$)/;

const DELETING_OPTIONS = /^--(delete|prune)$/;

function byPrefix(verb: string): CommandEffect {
  if (READS.test(verb)) return 'Read';
  if (DESTROYS.test(verb)) return 'Destructive';
  return WRITES.test(verb) ? 'Write' : 'Dynamic';
}

const AWS_VALUED = new Set(
  list('--profile --region --endpoint-url --output --query --cli-input-json --ca-bundle --color'),
);

/** `aws [options] service operation …` */
function aws(words: readonly string[]): Finding {
  const bare: string[] = [];
  for (let at = 0; at < words.length && bare.length < 2; at++) {
    const word = words[at] ?? '';
    if (AWS_VALUED.has(word)) at += 1;
    else if (!word.startsWith('-')) bare.push(word);
  }
  const [service = 'help', operation = 'help'] = bare;
  const deletes = words.some((word) => DELETING_OPTIONS.test(word));
  return { effects: [deletes ? 'Destructive' : byPrefix(operation)], verb: `${service} ${operation}` };
}

/** `gcloud group … verb name …`: the first word that is a verb. */
function gcloud(words: readonly string[]): Finding {
  const bare = words.filter((word) => !word.startsWith('-'));
  const verb = bare.find((word) => byPrefix(word) !== 'Dynamic');
  return verb === undefined ? effect('Dynamic') : { effects: [byPrefix(verb)], verb };
}

/** `az group … verb --option …`: the last word before the options. */
function az(words: readonly string[]): Finding {
  const options = words.findIndex((word) => word.startsWith('-'));
  const verb = words.slice(0, options === -1 ? undefined : options).at(-1) ?? 'help';
  return { effects: [byPrefix(verb)], verb };
}

const clouds: Readonly<Record<string, (words: readonly string[]) => Finding>> = { aws, gcloud, az };

export function classifyCloud(program: string, args: readonly Word[]): Finding | undefined {
  const classify = Object.hasOwn(clouds, program) ? clouds[program] : undefined;
  if (classify === undefined) return undefined;
  return args.includes(undefined) ? effect('Dynamic') : classify(args.filter((word) => word !== undefined));
}
