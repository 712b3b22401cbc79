/** One call outward that we can read: judged, given its credentials, and recorded once. */
import { GatehouseError, sentenceOf } from '../../../lib/errors.ts';
import type { Owner } from '../../session/whose-call.ts';
import { formatDestination, type Destination } from '../destination.ts';
import type { OutboundEvent } from '../event.ts';
import { EgressRefused } from '../refused.ts';
import type { CompiledCredential } from './credential.ts';
import { Echo } from './echo.ts';
import { poolKey, type EgressGateway, type Lease } from './gateway.ts';
import { valuesOf, withHeader, type Headers } from './headers.ts';
import { placeholdersIn, putIn, type Carrier } from './swap.ts';

/** A request as its client sent it, hop-by-hop headers and `host` taken off. */
export interface Ask extends Carrier {
  readonly method: string;
  readonly destination: Destination;
  /** Whether it came over TLS and goes on over TLS. */
  readonly secure: boolean;
  /** What the process proved itself with towards the proxy. */
  readonly token: string | undefined;
}

interface Use {
  readonly credential: CompiledCredential;
  readonly placeholder: string | undefined;
  readonly owner: Owner;
  lease: Lease;
}

export class Call {
  readonly ask: Ask;
  readonly gateway: EgressGateway;
  readonly #uses: readonly Use[];
  readonly #startedAt: number;
  #recorded = false;

  private constructor(gateway: EgressGateway, ask: Ask, uses: readonly Use[], startedAt: number) {
    this.gateway = gateway;
    this.ask = ask;
    this.#uses = uses;
    this.#startedAt = startedAt;
  }

  /** Throws EgressRefused, after that was recorded. */
  static async begin(gateway: EgressGateway, ask: Ask): Promise<Call> {
    const startedAt = gateway.deps.now();
    try {
      return new Call(gateway, ask, await usesOf(gateway, ask), startedAt);
    } catch (error) {
      const refused = asRefusal(error);
      recordRefusal(gateway, ask.destination, whatOf(ask), refused);
      throw refused;
    }
  }

  /** What goes out: the request with its credentials in. */
  get outgoing(): Carrier {
    const rendered = this.#uses.map((use) => ({ use, value: use.credential.render(use.lease.fields) }));
    const carrier: Carrier = rendered.reduce<Carrier>(
      (before, { use, value }) => putIn(before, value, use.placeholder),
      this.ask,
    );
    if (this.#uses.length === 0) return carrier;
    // What comes back is read for an echo of the value, which nobody finds in compressed bytes.
    const legible = valuesOf(carrier.headers, 'accept-encoding').length > 0;
    return legible
      ? { ...carrier, headers: withHeader(carrier.headers, 'accept-encoding', 'identity') }
      : carrier;
  }

  get carriesCredential(): boolean {
    return this.#uses.length > 0;
  }

  get pool(): string {
    return poolKey(this.#uses.map(({ owner }) => owner.whose));
  }

  /** Hides in the answer what went out. */
  echo(outgoing: Carrier): Echo {
    const values = this.#uses.map(({ credential, lease }) => credential.render(lease.fields).bare);
    // A Basic header as it went out is one more form of the value.
    const basic = this.carriesCredential
      ? valuesOf(outgoing.headers, 'authorization').map((text) => text.replace(/^\S+ +/, ''))
      : [];
    return new Echo([...values, ...basic]);
  }

  /** After the upstream said 401: whether there are new values to try. */
  async renew(): Promise<boolean> {
    if (this.#uses.length === 0) return false;
    const { replace } = this.gateway.deps;
    try {
      for (const use of this.#uses)
        use.lease = await replace(use.credential.name, use.owner.whose, use.lease);
      return true;
    } catch {
      // It was minted again just now, or cannot be: the client gets the upstream's own answer.
      return false;
    }
  }

  /** Before anything of the answer reaches the client. Throws where it may not go unrecorded and cannot be recorded. */
  recordAnswer(status: number): void {
    this.#record(status, undefined);
  }

  /** How it failed, unless there was an answer before. */
  recordFailure(error: unknown): void {
    unlessUnrecordable(() => this.#record(undefined, sentenceOf(error)));
  }

  #record(status: number | undefined, reason: string | undefined): void {
    if (this.#recorded) return;
    this.#recorded = true;
    this.gateway.deps.record({
      destination: formatDestination(this.ask.destination),
      what: whatOf(this.ask),
      decision: 'allow',
      reason,
      credential: this.#uses.map((use) => use.credential.name).join(', ') || undefined,
      status,
      owner: this.#uses[0]?.owner,
      startedAt: this.#startedAt,
    });
  }
}

export function recordRefusal(
  { deps }: EgressGateway,
  destination: Destination,
  what: string,
  refused: EgressRefused,
): void {
  const event: OutboundEvent = {
    destination: formatDestination(destination),
    what,
    decision: 'deny',
    reason: refused.message,
    credential: undefined,
    status: undefined,
    owner: undefined,
    startedAt: deps.now(),
  };
  unlessUnrecordable(() => deps.record(event));
}

/** What does not happen may go unrecorded when the record cannot be written. */
function unlessUnrecordable(record: () => void): void {
  try {
    record();
  } catch (error) {
    if (!(error instanceof GatehouseError)) throw error;
  }
}

async function usesOf(gateway: EgressGateway, ask: Ask): Promise<Use[]> {
  const route = gateway.policy.route(ask.destination);
  if (route.kind === 'refuse') throw new EgressRefused('not_allowed', route.reason);
  const credentials = route.kind === 'open' ? route.credentials : [];
  if (credentials.length > 0 && !ask.secure)
    throw new EgressRefused(
      'upgrade_to_https',
      `Credentials for ${formatDestination(ask.destination)} are put in over TLS alone; call it by https://.`,
    );
  const carried = carriedIn(gateway, ask, credentials);
  const uses: Use[] = [];
  for (const credential of credentials) {
    const placeholder = carried.get(credential.name);
    // A call without the placeholder is the server's own affair.
    if (credential.placeholder === undefined || placeholder !== undefined)
      uses.push(await lend(gateway, ask, credential, placeholder));
  }
  return uses;
}

async function lend(
  { deps }: EgressGateway,
  ask: Ask,
  credential: CompiledCredential,
  placeholder: string | undefined,
): Promise<Use> {
  const proof = ask.token ?? placeholder;
  const [traceparent] = valuesOf(ask.headers, 'traceparent');
  const owner = deps.whoseCall.ownerOf({ placeholder: proof, traceparent }, credential.whenShared);
  const lease = await deps.lend(credential.name, owner.whose);
  // Here, so that a value that fits no header is a refusal and no surprise later.
  credential.render(lease.fields);
  return { credential, placeholder, owner, lease };
}

/** The placeholders of the request by credential. Throws for one that stands for something else than goes there. */
function carriedIn(
  gateway: EgressGateway,
  ask: Ask,
  credentials: readonly CompiledCredential[],
): ReadonlyMap<string, string> {
  const carried = new Map<string, string>();
  for (const { credential, gateway: owner, value } of placeholdersIn(
    ask,
    gateway.placeholders,
    gateway.prefixes,
  )) {
    const fits = owner === gateway.name && credentials.some(({ name }) => name === credential);
    if (!fits)
      throw new EgressRefused(
        'placeholder_misused',
        `The call to ${formatDestination(ask.destination)} carries the placeholder of the credential "${credential}", which is not for that host.`,
      );
    carried.set(credential, value);
  }
  return carried;
}

/** Without the query, which holds what nobody expects. */
function whatOf({ method, path }: Ask): string {
  const query = path.indexOf('?');
  return `${method} ${query === -1 ? path : `${path.slice(0, query)}?…`}`;
}

function asRefusal(error: unknown): EgressRefused {
  if (error instanceof EgressRefused) return error;
  if (!(error instanceof GatehouseError)) throw error;
  const code = error.code.startsWith('owner') ? 'owner_unknown' : 'credential_unavailable';
  return new EgressRefused(code, error.message, { cause: error });
}

/** The headers of an answer, with nothing in them that went out. */
export function maskedHeaders(headers: Headers, echo: Echo): Headers {
  return echo.isEmpty ? headers : headers.map(([name, value]) => [name, echo.text(value)]);
}
