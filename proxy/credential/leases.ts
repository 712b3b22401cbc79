/**
 * Lends credentials to the work that they are for (design, section 4): one lease for a request, a session or the pod,
 * made once however many ask, kept alive while it is needed, and given back.
 */
import type { Credential } from '../../crds/bundle.ts';
import { sentenceOf } from '../../lib/errors.ts';
import { DevFiles } from './dev-files.ts';
import { CredentialError } from './error.ts';
import type { Lease } from './lease.ts';
import { LEASE_LIMITS, type LeaseLimits } from './lease/caps.ts';
import type { Whose } from '../session/whose-call.ts';
import type { Lender, LenderDeps } from './lender.ts';
import { VaultLeases } from './lease/vault-leases.ts';
import { unavailable } from './template.ts';
import type { VaultSettings } from './vault/access.ts';

export interface LenderSettings {
  readonly credentials: readonly Pick<Credential, 'name' | 'scope' | 'source'>[];
  readonly vault: VaultSettings | undefined;
  readonly limits?: Partial<LeaseLimits> | undefined;
}

const PRELOAD_MS = 3_000;

export class Leases implements Lender {
  readonly #deps: LenderDeps;
  readonly #files: DevFiles;
  #vault: VaultLeases | undefined;
  #vaultSettings: string | undefined;
  #limits = LEASE_LIMITS;

  constructor(deps: LenderDeps) {
    this.#deps = deps;
    this.#files = new DevFiles({ ...deps, now: () => deps.clock.now() });
  }

  /** Puts a policy in force: what it no longer names is given back, what it names as before goes on. */
  async use({ credentials, vault, limits }: LenderSettings): Promise<void> {
    this.#files.use(credentials);
    this.#limits = { ...LEASE_LIMITS, ...limits };
    const settings = JSON.stringify(vault);
    if (settings !== this.#vaultSettings) {
      void this.#vault?.close();
      this.#vault = vault === undefined ? undefined : await VaultLeases.open(vault, this.#vaultDeps());
      this.#vaultSettings = settings;
    }
    this.#vault?.use(credentials);
    await this.#preload();
  }

  async lend(credential: string, whose: Whose): Promise<Lease> {
    const file = this.#files.get(credential);
    return file === undefined ? this.#needVault(credential).lend(credential, whose) : file.current();
  }

  async replace(credential: string, whose: Whose, refused: Lease): Promise<Lease> {
    const file = this.#files.get(credential);
    if (file === undefined) return this.#needVault(credential).replace(credential, whose, refused);
    const lease = await file.current();
    if (lease === refused)
      throw unavailable(credential, 'the upstream refuses it, and its file holds no newer one');
    return lease;
  }

  endRequest(session: string, request: string): void {
    this.#vault?.endRequest(session, request);
  }

  endSession(session: string): void {
    this.#vault?.endSession(session);
  }

  async close(): Promise<void> {
    await this.#vault?.close();
    this.#vault = undefined;
  }

  /** What is the same for all is fetched before anybody asks, so that it is masked; what fails is logged. */
  async #preload(): Promise<void> {
    const { clock, log } = this.#deps;
    for (const reason of await this.#files.preload()) log.warn(sentenceOf(reason));
    // A Vault that is away must keep no policy from being put in force.
    const late = new Promise<void>((resolve) => clock.after(PRELOAD_MS, resolve));
    await Promise.race([this.#vault?.preload(), late]);
  }

  #vaultDeps(): LenderDeps & { readonly limits: () => LeaseLimits } {
    return { ...this.#deps, limits: () => this.#limits };
  }

  #needVault(credential: string): VaultLeases {
    if (this.#vault !== undefined) return this.#vault;
    throw new CredentialError(
      'credential_invalid',
      `The credential "${credential}" cannot be used: this gateway has none of that name.`,
    );
  }
}
