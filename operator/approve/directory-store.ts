/** ApprovalRequests as one JSON file each. One process owns the directory. */
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makePrivateDirectory, removeDurably, UNFINISHED, writeFileDurably } from '../../lib/durable-file.ts';
import { sentenceOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { approvalRequest, type ApprovalRequest } from './object.ts';
import type { ApprovalStore } from './store.ts';

/** Opens the directory, makes it where it is missing, and takes up what an earlier process left. */
export async function openDirectoryStore(directory: string, log: Logger): Promise<ApprovalStore> {
  await makePrivateDirectory(directory);
  const kept = await load(directory, log);
  const listeners = new Set<(request: ApprovalRequest) => void>();
  const exclusive = oneAtATime();

  const write = async (request: ApprovalRequest): Promise<ApprovalRequest> => {
    await writeFileDurably(fileOf(directory, request.metadata.name), JSON.stringify(request, undefined, 2));
    kept.set(request.metadata.name, request);
    for (const listener of listeners) listener(request);
    return request;
  };

  return {
    get: (id) => Promise.resolve(kept.get(id)),
    latest: (id) => Promise.resolve(kept.get(id)),
    list: () => Promise.resolve([...kept.values()]),
    create: (request) =>
      exclusive(() => {
        if (kept.has(request.metadata.name))
          throw new Error(`The approval ${request.metadata.name} exists already.`);
        return write({ ...request, metadata: { ...request.metadata, resourceVersion: '1' } });
      }),
    update: (request) =>
      exclusive(async () => {
        const { name, resourceVersion } = request.metadata;
        if (kept.get(name)?.metadata.resourceVersion !== resourceVersion) return undefined;
        const next = String(Number(resourceVersion) + 1);
        return write({ ...request, metadata: { ...request.metadata, resourceVersion: next } });
      }),
    remove: (id) =>
      exclusive(async () => {
        await removeDurably(fileOf(directory, id));
        kept.delete(id);
      }),
    watch: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Makes tasks wait for each other: comparing and swapping are two steps with a slow disk between them. */
function oneAtATime(): <T>(task: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const mine = last.then(task, task);
    last = mine;
    return mine;
  };
}

async function load(directory: string, log: Logger): Promise<Map<string, ApprovalRequest>> {
  const kept = new Map<string, ApprovalRequest>();
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    if (name.endsWith(UNFINISHED)) await rm(path, { force: true });
    else if (name.endsWith('.json')) {
      const request = await read(path, log);
      if (request !== undefined) kept.set(request.metadata.name, request);
    }
  }
  return kept;
}

/** A file that is no request approves nothing, so it is left for a person to look at and the rest goes on. */
async function read(path: string, log: Logger): Promise<ApprovalRequest | undefined> {
  try {
    const request = approvalRequest.parse(JSON.parse(await readFile(path, 'utf8')));
    if (!path.endsWith(`/${request.metadata.name}.json`))
      throw new Error('Its name is not that of its request.');
    return request;
  } catch (error) {
    log.warn(
      { path, reason: sentenceOf(error) },
      'A file among the approvals is not a request and is ignored.',
    );
    return undefined;
  }
}

/** Ids are made by us, yet a path is only built from one that cannot leave the directory. */
function fileOf(directory: string, id: string): string {
  if (!/^[a-z0-9][a-z0-9.-]{0,252}$/.test(id))
    throw new Error('The id of an approval has an unexpected form.');
  return join(directory, `${id}.json`);
}
