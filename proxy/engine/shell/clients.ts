/** Clients of databases: what they do is what the statement they are given does. */
import type { CommandEffect } from '../../../crds/bundle.ts';
import { effect, type Finding, type Surroundings, type Word } from './facts.ts';
import { list } from './words.ts';

type Client = (args: readonly Word[], surroundings: Surroundings) => Finding;

/** psql's own commands that only tell (`\d` and its kin, `\l`, `\conninfo`). */
const TELLING = /^\\(d[a-zA-Z+]*|l\+?|conninfo|z|sf|sv|\?|h)( +[\w.*"$-]+)?\s*$/;

const psql: Client = (args, { sql, stdin }) => {
  if (args.includes(undefined)) return effect('Dynamic');
  const words = args.filter((word) => word !== undefined);
  if (words.some((word) => /^(-l|--list|--version|-V|--help)$/.test(word))) return effect('Read');
  if (words.some((word) => /^(-f|-v|--file|--set|--variable|-o|--output|-L)/.test(word)))
    return effect('Dynamic');
  const statements = valuesOf(words, '-c', '--command');
  if (statements.length > 0)
    return all(statements.map((text) => (TELLING.test(text) ? effect('Read') : sql(text, 'PostgreSQL'))));
  return fromStdin(stdin, (text) => sql(text, 'PostgreSQL'));
};

const mysql: Client = (args, { sql, stdin }) => {
  if (args.includes(undefined)) return effect('Dynamic');
  const words = args.filter((word) => word !== undefined);
  if (words.some((word) => /^(--version|-V|--help)$/.test(word))) return effect('Read');
  if (words.some((word) => /^(--init-command|--pager|--tee|--defaults)/.test(word))) return effect('Dynamic');
  const statements = valuesOf(words, '-e', '--execute');
  if (statements.length > 0) return all(statements.map((text) => sql(text, 'MySQL')));
  return fromStdin(stdin, (text) => sql(text, 'MySQL'));
};

const sqlite3: Client = (args, { sql, stdin }) => {
  if (args.includes(undefined)) return effect('Dynamic');
  const words = args.filter((word) => word !== undefined);
  if (words.some((word) => /^-{1,2}(init|cmd|A|archive)$/.test(word))) return effect('Dynamic');
  const [, ...statements] = words.filter((word) => !word.startsWith('-'));
  const judged = (text: string): Finding =>
    /^\.(tables|schema|databases|indexes|help)\b[\w %.]*$/.test(text) ? effect('Read') : sql(text, 'SQLite');
  return statements.length > 0 ? all(statements.map(judged)) : fromStdin(stdin, judged);
};

const REDIS: ReadonlyMap<string, CommandEffect> = new Map(
  (
    [
      [
        'Read',
        `GET MGET EXISTS TYPE TTL PTTL KEYS SCAN HGET HGETALL HMGET HKEYS HVALS HLEN HEXISTS HSCAN LRANGE LLEN LINDEX SMEMBERS
         SCARD SISMEMBER SSCAN ZRANGE ZCARD ZSCORE ZRANK ZCOUNT ZSCAN STRLEN GETRANGE BITCOUNT PFCOUNT XRANGE XLEN XINFO XREAD
         DBSIZE INFO PING ECHO TIME MEMORY OBJECT RANDOMKEY LASTSAVE COMMAND LATENCY ROLE GEOPOS GEODIST DUMP`,
      ],
      [
        'Write',
        `SET MSET SETNX SETEX PSETEX APPEND INCR INCRBY DECR DECRBY HSET HMSET HSETNX HINCRBY LPUSH RPUSH LSET LINSERT SADD
         SMOVE ZADD ZINCRBY EXPIRE EXPIREAT PEXPIRE PERSIST RENAME COPY PUBLISH XADD PFADD GEOADD SETRANGE SETBIT RESTORE
         BGSAVE SAVE BGREWRITEAOF GETSET`,
      ],
      [
        'Destructive',
        `DEL UNLINK FLUSHALL FLUSHDB HDEL LPOP RPOP LREM LTRIM SPOP SREM ZREM ZPOPMIN ZPOPMAX XDEL XTRIM GETDEL SHUTDOWN
         SWAPDB MIGRATE REPLICAOF SLAVEOF FAILOVER DEBUG RESET`,
      ],
    ] as const
  ).flatMap(([name, commands]) => list(commands).map((command) => [command, name] as const)),
);
const REDIS_VALUED = new Set(list('-h -p -a -n -u -s --user --pass -t -r -i --cacert --cert --key'));

/** They ask the server by themselves, where nothing else is given that would go first (`--pipe`, `--cluster`). */
const REDIS_SURVEYS = new Set(list('--scan --bigkeys --memkeys --hotkeys --stat --latency'));
const REDIS_FLAGS = new Set(list('--tls -4 -6 --no-auth-warning --raw --no-raw --csv --json'));
const REDIS_SURVEY_VALUED = new Set([...REDIS_VALUED, '--pattern', '--quoted-pattern', '--count']);

function surveys(words: readonly string[]): boolean {
  let at = 0;
  let found = false;
  while (at < words.length) {
    const word = words[at] ?? '';
    if (REDIS_SURVEY_VALUED.has(word)) at += 2;
    else if (REDIS_SURVEYS.has(word) || REDIS_FLAGS.has(word)) at += 1;
    else return false;
    found ||= REDIS_SURVEYS.has(word);
  }
  return found;
}

const redis: Client = (args) => {
  if (args.includes(undefined)) return effect('Dynamic');
  const words = args.filter((word) => word !== undefined);
  let at = 0;
  if (surveys(words)) return effect('Read');
  while (words[at]?.startsWith('-') === true) at += REDIS_VALUED.has(words[at] ?? '') ? 2 : 1;
  const verb = words[at]?.toUpperCase();
  return verb === undefined ? effect('Dynamic') : { effects: [REDIS.get(verb) ?? 'Dynamic'], verb };
};

const clients: Readonly<Record<string, Client>> = {
  psql,
  mysql,
  mariadb: mysql,
  sqlite3,
  'redis-cli': redis,
};

export function classifyClient(
  program: string,
  args: readonly Word[],
  surroundings: Surroundings,
): Finding | undefined {
  return Object.hasOwn(clients, program) ? clients[program]?.(args, surroundings) : undefined;
}

/** Values of an option: `-c x`, `-cx`, `--command x`, `--command=x`. */
function valuesOf(words: readonly string[], short: string, long: string): string[] {
  return words.flatMap((word, at) => {
    if (word === short || word === long || new RegExp(`^-[a-zA-Z]+${short.slice(1)}$`).test(word))
      return words[at + 1] ?? [];
    if (word.startsWith(`${long}=`)) return word.slice(long.length + 1);
    return word.startsWith(short) && !word.startsWith('--') ? word.slice(short.length) : [];
  });
}

function all(findings: readonly Finding[]): Finding {
  return { effects: findings.flatMap(({ effects }) => [...effects]) };
}

function fromStdin(stdin: Surroundings['stdin'], judge: (text: string) => Finding): Finding {
  return typeof stdin === 'object' ? judge(stdin.text) : effect('Dynamic');
}
