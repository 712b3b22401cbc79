/** The first packet of a connection, read; and what of a client's wishes for its session is passed on. */
import { WireError } from './errors.ts';
import { Fields } from './messages.ts';

export type FirstPacket =
  | { readonly kind: 'tls' }
  | { readonly kind: 'gss' }
  | { readonly kind: 'cancel'; readonly pid: number; readonly secret: Buffer }
  | Startup;

export interface Startup {
  readonly kind: 'startup';
  /** Minor version of protocol 3 that the client asks for. */
  readonly minor: number;
  readonly parameters: ReadonlyMap<string, string>;
  /** Options of the protocol itself that the client asks for; none is known. */
  readonly protocolOptions: readonly string[];
}

/** As PostgreSQL bounds it (MAX_STARTUP_PACKET_LENGTH). */
export const MAX_STARTUP_BYTES = 10_000;
/** Of a secret key in protocol 3.2. */
const MAX_SECRET_BYTES = 256;

const CANCEL = 80_877_102;
const TLS = 80_877_103;
const GSS = 80_877_104;
const MAJOR = 3;

/** `body` is the packet without its length. Throws WireError. */
export function readFirstPacket(body: Buffer): FirstPacket {
  const fields = new Fields(body);
  const version = fields.int32();
  if (version === TLS) return { kind: 'tls' };
  if (version === GSS) return { kind: 'gss' };
  if (version === CANCEL) return readCancel(fields);
  if (version >> 16 !== MAJOR)
    throw new WireError(
      '08P01',
      `The client speaks version ${version >> 16} of the PostgreSQL protocol; this listener speaks version 3.`,
    );
  return readStartup(fields, version & 0xffff);
}

function readCancel(fields: Fields): FirstPacket {
  const pid = fields.int32();
  const secret = fields.rest();
  if (secret.length === 0 || secret.length > MAX_SECRET_BYTES)
    throw new WireError('08P01', 'A request to cancel holds no key that this listener could have given.');
  return { kind: 'cancel', pid, secret };
}

function readStartup(fields: Fields, minor: number): Startup {
  const parameters = new Map<string, string>();
  const protocolOptions: string[] = [];
  for (;;) {
    const name = fields.text();
    if (name === '') break;
    const value = fields.text();
    if (name.startsWith('_pq_.')) protocolOptions.push(name);
    else parameters.set(name, value);
  }
  if (!fields.atEnd) throw new WireError('08P01', 'There is something behind the end of the startup packet.');
  return { kind: 'startup', minor, parameters, protocolOptions };
}

/** Ours to set: whoever connects is not asked who they are, and the database is the one of the gateway. */
const OURS = new Set(['user', 'database', 'client_encoding', 'standard_conforming_strings', 'replication']);
const ROLE_PARAMETERS = new Set(['role', 'session_authorization']);

/**
 * The settings of the client that the database gets. Statements are judged as UTF-8 with standard strings, so that
 * is what the session is held to. Throws WireError for what may not be.
 */
export function settingsFrom(parameters: ReadonlyMap<string, string>, database: string): Map<string, string> {
  refuseOtherDatabase(parameters, database);
  const settings = new Map<string, string>();
  for (const [written, value] of parameters) {
    const name = written.toLowerCase();
    refuseParameter(name, value);
    if (!OURS.has(name)) settings.set(name, value);
  }
  settings.set('client_encoding', 'UTF8');
  settings.set('standard_conforming_strings', 'on');
  return settings;
}

/** A client that names no database means the one of its user's name. */
function refuseOtherDatabase(parameters: ReadonlyMap<string, string>, database: string): void {
  const asked = parameters.get('database') ?? '';
  if (asked === '' || asked === database || asked === parameters.get('user')) return;
  throw new WireError(
    '3D000',
    `This port leads to the database "${database}" and to no other; the client asked for another one.`,
  );
}

function refuseParameter(name: string, value: string): void {
  if (name === 'options' && value.trim() !== '')
    throw new WireError(
      '42501',
      'The startup parameter "options" is refused, because it could change the role; give settings one by one.',
    );
  if (ROLE_PARAMETERS.has(name))
    throw new WireError(
      '42501',
      `The startup parameter "${name}" is refused: the gateway decides on the role.`,
    );
  if (name === 'replication' && !/^(?:false|off|no|0|)$/i.test(value))
    throw new WireError('42501', 'Replication connections are refused: they carry no statements to judge.');
  if (name === 'client_encoding' && !isUtf8(value))
    throw new WireError(
      '22023',
      'Only client_encoding UTF8 is spoken here, because statements are judged and results masked in it.',
    );
  if (name === 'standard_conforming_strings' && !/^(?:on|true|yes|1)$/i.test(value))
    throw new WireError(
      '22023',
      'standard_conforming_strings must stay on, because statements are judged with it on.',
    );
}

/** As PostgreSQL reads names of encodings: letters and digits alone count. */
export function isUtf8(encoding: string): boolean {
  const name = encoding.replaceAll(/[^A-Za-z0-9]/g, '').toLowerCase();
  return name === 'utf8' || name === 'unicode';
}
