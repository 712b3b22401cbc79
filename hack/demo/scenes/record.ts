import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gatehouse } from '../command.ts';
import { say, show, told } from '../narrator.ts';
import type { Cast } from '../cast.ts';

export async function record({ parts }: Cast): Promise<void> {
  const list = await gatehouse('sessions', 'list', '--store', parts.store);
  say('The recorded sessions:');
  show(list.output);
  const session = /^(\S+).*\bana\b/m.exec(list.output)?.[1];
  told(list.code === 0 && session !== undefined, "Ana's session is on record", list.output);

  const played = await gatehouse('sessions', 'replay', session, '--store', parts.store);
  say("Ana's session, replayed (the first line of each event):");
  show(firstLines(played.output), 40);
  told(
    played.code === 0 && played.output.includes('DELETE FROM orders'),
    'the session can be replayed',
    played.output,
  );
  const leaked = [parts.apiKey, ...parts.cards].filter((secret) => played.output.includes(secret));
  told(leaked.length === 0, 'nothing in the record was not masked', played.output);

  const verified = await gatehouse('sessions', 'verify', '--store', parts.store);
  say('Every record hangs on the one before it, and the end is signed:');
  show(verified.output);
  told(verified.code === 0, 'the record is whole', verified.output);

  const copy = join(parts.scratch, 'edited');
  await cp(parts.store, copy, { recursive: true });
  await changeOneByte(copy, 'orders WHERE id = 1003', 'orders WHERE id = 1004');
  const edited = await gatehouse('sessions', 'verify', '--store', copy);
  say('In a copy, one byte is changed: order 1004, it now says, was deleted, not 1003. verify:');
  show(edited.output);
  told(edited.code === 1, 'verify finds the record that was changed', edited.output);
}

/** `replay` prints each message whole, indented under the line that says when it came and what became of it. */
function firstLines(replayed: string): string {
  return replayed
    .split('\n')
    .filter((line) => line.startsWith('+'))
    .join('\n');
}

/** Changes the first place, in any file under `directory`, where `before` stands. */
async function changeOneByte(directory: string, before: string, after: string): Promise<void> {
  for (const name of (await readdir(directory, { recursive: true })).sort()) {
    const path = join(directory, name);
    const content = await readFile(path, 'utf8').catch(() => '');
    if (content.includes(before)) {
      await writeFile(path, content.replace(before, after));
      return;
    }
  }
  told(false, 'the deletion is on record', `No file of the record holds ${before}.`);
}
