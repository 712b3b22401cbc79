/** A thread of its own for what would hold up everybody else. It is started when there is work, and ended when there is none. */
import { Worker } from 'node:worker_threads';
import type { Clock } from '../../../lib/clock.ts';
import type { KnownUpdate } from '../mask/index.ts';
import type { FromWorker, Job, Policies, ToWorker } from './protocol.ts';

export interface ThreadLimits {
  /** Messages that may wait, and how large they may be together, in characters or bytes. */
  readonly waiting: number;
  readonly waitingSize: number;
  /** Milliseconds for one message, with the start of the thread. */
  readonly jobMs: number;
  /** Milliseconds without work after which the thread ends. */
  readonly idleMs: number;
  /** What the thread may allocate, MiB. */
  readonly memoryMb: number;
}

const LIMITS: ThreadLimits = {
  waiting: 32,
  waitingSize: 128 * 1024 * 1024,
  jobMs: 30_000,
  idleMs: 30_000,
  memoryMb: 512,
};

/** Beside this file in the checkout; hack/image/bundle.ts puts it beside the bundle. */
const ENTRY = new URL(
  import.meta.url.endsWith('.ts') ? './worker.ts' : './masking-worker.mjs',
  import.meta.url,
);

/** What a message was answered with, or one sentence that says why it was not looked through. */
export type Answer = FromWorker | { readonly failed: string };

interface Waiting {
  readonly job: Job;
  readonly policies: Policies;
  readonly at: number;
  readonly answer: (answer: Answer) => void;
}

interface Running {
  readonly waiting: Waiting;
  readonly inTime: () => void;
  failed: string;
}

export class MaskingThread {
  readonly #clock: Clock;
  readonly #limits: ThreadLimits;
  readonly #entry: URL;
  readonly #known: () => readonly KnownUpdate[];
  #worker: Worker | undefined;
  /** What the thread masks by now. */
  #policies: Policies | undefined;
  #queue: Waiting[] = [];
  #running: Running | undefined;
  #stopIdling: () => void = () => undefined;
  #closed = false;

  /** `known`: all that a thread has to know when it starts. */
  constructor(
    clock: Clock,
    known: () => readonly KnownUpdate[],
    { limits = {}, entry = ENTRY }: { readonly limits?: Partial<ThreadLimits>; readonly entry?: URL } = {},
  ) {
    this.#clock = clock;
    this.#known = known;
    this.#limits = { ...LIMITS, ...limits };
    this.#entry = entry;
  }

  /** Whether a thread is there now. */
  get isStarted(): boolean {
    return this.#worker !== undefined;
  }

  /** What `owner` holds from now on. Every message that is given later is masked with it. */
  know(owner: string, values: readonly string[]): void {
    const update = { owner, values, at: this.#clock.now() };
    if (this.#worker !== undefined) tell(this.#worker, { kind: 'known', updates: [update] });
  }

  /** Never rejects. Messages are looked at one after the other, in the order in which they are given. */
  run(job: Job, policies: Policies): Promise<Answer> {
    if (this.#closed) return Promise.resolve({ failed: CLOSED });
    if (!this.#hasRoomFor(job)) return Promise.resolve({ failed: FULL });
    return new Promise((answer) => {
      this.#queue.push({ job, policies, at: this.#clock.now(), answer });
      this.#next();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { answer } of this.#queue.splice(0)) answer({ failed: CLOSED });
    if (this.#running !== undefined) this.#running.failed = CLOSED;
    this.#stopIdling();
    await this.#worker?.terminate();
  }

  #hasRoomFor(job: Job): boolean {
    if (this.#queue.length >= this.#limits.waiting) return false;
    const size = this.#queue.reduce((sum, waiting) => sum + sizeOf(waiting.job), 0);
    return this.#queue.length === 0 || size + sizeOf(job) <= this.#limits.waitingSize;
  }

  #next(): void {
    if (this.#running !== undefined) return;
    const waiting = this.#queue.shift();
    if (waiting === undefined) {
      this.#idle();
      return;
    }
    this.#stopIdling();
    const worker = (this.#worker ??= this.#start());
    worker.ref();
    if (this.#policies !== waiting.policies) tell(worker, { kind: 'policies', policies: waiting.policies });
    this.#policies = waiting.policies;
    const inTime = this.#clock.after(this.#limits.jobMs, () => {
      if (this.#running !== undefined) this.#running.failed = LATE;
      void worker.terminate();
    });
    this.#running = { waiting, inTime, failed: FAILED };
    tell(worker, { kind: 'job', job: waiting.job, at: waiting.at });
  }

  #idle(): void {
    const worker = this.#worker;
    if (worker === undefined) return;
    worker.unref();
    this.#stopIdling = this.#clock.after(this.#limits.idleMs, () => {
      this.#forget(worker);
      void worker.terminate();
    });
  }

  #start(): Worker {
    const worker = new Worker(this.#entry, {
      name: 'masking',
      resourceLimits: { maxOldGenerationSizeMb: this.#limits.memoryMb },
    });
    worker.on('message', (answer: FromWorker) => this.#end(answer));
    // What it says may quote the message; `exit` follows.
    worker.on('error', () => undefined);
    worker.on('messageerror', () => void worker.terminate());
    worker.on('exit', () => {
      this.#forget(worker);
      if (this.#running !== undefined) this.#end({ failed: this.#running.failed });
    });
    tell(worker, { kind: 'known', updates: this.#known() });
    return worker;
  }

  #end(answer: Answer): void {
    const running = this.#running;
    this.#running = undefined;
    running?.inTime();
    running?.waiting.answer(answer);
    this.#next();
  }

  #forget(worker: Worker): void {
    if (this.#worker !== worker) return;
    this.#stopIdling();
    this.#worker = undefined;
    this.#policies = undefined;
  }
}

function tell(worker: Worker, what: ToWorker): void {
  worker.postMessage(what);
}

function sizeOf(job: Job): number {
  return job.kind === 'body' ? job.body.byteLength : job.text.length;
}

const FULL =
  'Too many large messages wait to be looked through for secrets; ask for less at a time, or try again later.';
const LATE = 'Looking through the message for secrets took longer than one message may take.';
const FAILED =
  'Looking through the message for secrets took more memory than one message may take, or failed.';
const CLOSED = 'The gateway is shutting down.';
