/** The wire to the operator: HTTPS with the installation's root and a token that is read anew for each request. */
import type { LookupFunction } from 'node:net';
import { Agent, request as send, type Dispatcher } from 'undici';
import type { z } from 'zod';
import { controlProblem, type ControlProblem } from '#control';
import { GatehouseError, sentenceOf } from '../../lib/errors.ts';

export interface ControlOptions {
  readonly url: string;
  /** PEM of the installation's roots, asked with each request. */
  readonly ca: () => Promise<string>;
  readonly token: () => Promise<string>;
  /** Where names lie; without it, where this machine says. */
  readonly lookup?: LookupFunction | undefined;
}

/** The operator said no, and why. */
export class ControlRefused extends GatehouseError {
  readonly code = 'control_refused';
  readonly status: number;
  readonly problem: ControlProblem;

  constructor(status: number, problem: ControlProblem) {
    super(problem.message);
    this.status = status;
    this.problem = problem;
  }
}

/** The operator could not be reached, or answered what nobody can read. */
export class ControlUnavailable extends GatehouseError {
  readonly code = 'control_unavailable';
}

export interface ControlRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until the answer's headers must have come. */
  readonly timeoutMs?: number;
}

/** An operator with a thousand decisions at hand answers late, and what waits for it has waited for a person. */
const ANSWER_MS = 30_000;

export class ControlClient {
  readonly #options: ControlOptions;
  #connection: { readonly ca: string; readonly agent: Agent } | undefined;

  constructor(options: ControlOptions) {
    this.#options = options;
  }

  /** One request and its parsed answer. Throws ControlRefused or ControlUnavailable. */
  async ask<T>(request: ControlRequest, schema: z.ZodType<T>): Promise<T> {
    const response = await this.open(request);
    let body: unknown;
    try {
      body = await response.body.json();
    } catch (cause) {
      throw new ControlUnavailable(
        `The operator's answer to ${request.path} cannot be read: ${sentenceOf(cause)}.`,
        { cause },
      );
    }
    if (response.statusCode >= 300) throw refusedBy(response.statusCode, body);
    const parsed = schema.safeParse(body);
    if (!parsed.success)
      throw new ControlUnavailable(
        `The operator's answer to ${request.path} has another form than this proxy knows.`,
      );
    return parsed.data;
  }

  /** One request that is answered with no body. */
  async tell(request: ControlRequest): Promise<void> {
    const response = await this.open(request);
    const text = await response.body.text();
    if (response.statusCode >= 300) throw refusedBy(response.statusCode, parseOrEmpty(text));
  }

  async open(request: ControlRequest): Promise<Dispatcher.ResponseData> {
    const token = await this.#options.token();
    try {
      const dispatcher = await this.#agent();
      return await send(new URL(request.path, this.#options.url), {
        method: request.method,
        dispatcher,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: request.body === undefined ? null : JSON.stringify(request.body),
        headersTimeout: request.timeoutMs ?? ANSWER_MS,
        ...(request.signal === undefined ? {} : { signal: request.signal }),
      });
    } catch (cause) {
      throw new ControlUnavailable(
        `The operator at ${this.#options.url} cannot be reached: ${sentenceOf(cause)}.`,
        { cause },
      );
    }
  }

  async close(): Promise<void> {
    await this.#connection?.agent.destroy();
  }

  /** What is under way over older roots ends by itself; what begins goes by those of now. */
  async #agent(): Promise<Agent> {
    const ca = await this.#options.ca();
    if (this.#connection?.ca !== ca) {
      void this.#connection?.agent.close();
      const { lookup } = this.#options;
      const connect = { ca, timeout: 5_000, ...(lookup !== undefined && { lookup }) };
      this.#connection = { ca, agent: new Agent({ connect, bodyTimeout: 0 }) };
    }
    return this.#connection.agent;
  }
}

function refusedBy(status: number, body: unknown): ControlRefused {
  const problem = controlProblem.safeParse(body);
  return new ControlRefused(
    status,
    problem.success
      ? problem.data
      : { code: 'unknown', message: `The operator answered with HTTP status ${status}.` },
  );
}

function parseOrEmpty(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
