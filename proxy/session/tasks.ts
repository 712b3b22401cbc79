/** Which task belongs to whom, and what made it: a task id is no proof of anything (2026-07-28 tasks, 2025-11-25 tasks). */
import { mayHaveKey, valueAt } from '../../lib/json/index.ts';
import { Lru } from '../../lib/lru.ts';
import type { Caller, ClientRequest, Identified, Target } from '../exchange.ts';
import { ownerHash } from './sessions.ts';

const MAX_TASKS = 50_000;

export class Tasks {
  readonly #made = new Lru<string, { readonly owner: string; readonly target: Target }>(MAX_TASKS);

  /** Notes the task in an answer, when the answer is one. */
  learn(text: string, { caller, message }: Identified<ClientRequest>): void {
    if (message.target === undefined) return;
    const taskId = taskIdOf(text);
    if (taskId === undefined) return;
    this.#made.set(taskId, { owner: ownerHash(caller), target: message.target });
  }

  /** What made the task, for the caller who made it; undefined for everybody else. */
  targetOf(caller: Caller, taskId: string): Target | undefined {
    const made = this.#made.get(taskId);
    return made?.owner === ownerHash(caller) ? made.target : undefined;
  }
}

/** 2026-07-28: `result.taskId` beside `resultType: "task"`. 2025-11-25: `result.task.taskId`. */
function taskIdOf(text: string): string | undefined {
  if (!mayHaveKey(text, 'taskId')) return undefined;
  const id = valueAt(text, ['result', 'taskId']) ?? valueAt(text, ['result', 'task', 'taskId']);
  return typeof id === 'string' ? id : undefined;
}
