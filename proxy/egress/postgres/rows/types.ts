/** Values of the types of PostgreSQL as text, from both formats, and masked text as a value of the type again. */
import { WireError } from '../errors.ts';
import { Fields, int32 } from '../messages.ts';
import { readNumeric } from './numeric.ts';

/** OIDs of pg_type.dat. */
const BOOL = 16;
const BYTEA = 17;
const INT8 = 20;
const INT2 = 21;
const INT4 = 23;
const OID = 26;
const JSON_TYPE = 114;
const FLOAT4 = 700;
const FLOAT8 = 701;
const NUMERIC = 1700;
const UUID = 2950;
const JSONB = 3802;

/** name, text, xml, unknown, bpchar, varchar: any text is a value of them, in both formats the same. */
const TEXT_LIKE = new Set([19, 25, 142, 705, 1042, 1043]);
/** Arrays of those: _name, _text, _xml, _bpchar, _varchar, _json, _jsonb. */
const TEXT_ARRAYS = new Set([1003, 1009, 143, 1014, 1015, 199, 3807]);
/** Date and time, geometry and the like in binary: no text stands in them. char, date, time, timestamp(tz), interval, timetz, point … money. */
const NO_TEXT = new Set([
  18, 600, 601, 602, 603, 604, 628, 718, 774, 790, 829, 1082, 1083, 1114, 1184, 1186, 1266,
]);
/** OIDs below are of the system; above them are types that somebody made. */
const FIRST_OF_USERS = 16_384;

/**
 * The value as text, for whoever looks for secrets in it; undefined where no text can stand in it. Throws WireError
 * for a binary value of a type that cannot be read.
 */
export function textOf(type: number, format: number, bytes: Buffer): string | undefined {
  if (format === 0) return type === BYTEA ? byteaText(bytes) : bytes.toString('utf8');
  if (TEXT_LIKE.has(type) || type === JSON_TYPE) return bytes.toString('utf8');
  if (NO_TEXT.has(type)) return undefined;
  const read = BINARY[type];
  if (read !== undefined) return read(bytes);
  const isArray = looksLikeArray(bytes);
  if (isArray !== undefined) return arrayText(bytes, isArray);
  // An enumeration and citext are text in binary too; what else users define is not.
  if (type >= FIRST_OF_USERS && isPlainText(bytes)) return bytes.toString('utf8');
  throw new WireError('42501', `a binary value of the type ${type} cannot be examined; ask for it as text`);
}

const BINARY: Readonly<Record<number, (bytes: Buffer) => string | undefined>> = {
  [BOOL]: () => undefined,
  [BYTEA]: (bytes) => bytes.toString('latin1'),
  [INT2]: (bytes) => String(bytes.readInt16BE()),
  [INT4]: (bytes) => String(bytes.readInt32BE()),
  [INT8]: (bytes) => String(bytes.readBigInt64BE()),
  [OID]: (bytes) => String(bytes.readUInt32BE()),
  [FLOAT4]: (bytes) => String(bytes.readFloatBE()),
  [FLOAT8]: (bytes) => String(bytes.readDoubleBE()),
  [NUMERIC]: readNumeric,
  [UUID]: (bytes) => bytes.toString('hex'),
  [JSONB]: (bytes) => bytes.toString('utf8', 1),
};

/** A value of the type that holds the masked text. Throws WireError where the type cannot hold it. */
export function valueOf(type: number, format: number, masked: string): Buffer {
  if (TEXT_LIKE.has(type) || type >= FIRST_OF_USERS) return Buffer.from(masked, 'utf8');
  if (type === JSON_TYPE || type === JSONB) return jsonValue(type, format, masked);
  if (type === BYTEA) {
    const bytes = Buffer.from(masked, 'latin1');
    return format === 1 ? bytes : Buffer.from(`\\x${bytes.toString('hex')}`);
  }
  if (TEXT_ARRAYS.has(type)) return arrayValue(type, format, masked);
  throw new WireError(
    '42501',
    'its type cannot hold a mask; name the column in fields.columns of the policy, then it is sent as text',
  );
}

function jsonValue(type: number, format: number, masked: string): Buffer {
  const json = Buffer.from(isJson(masked) ? masked : JSON.stringify(masked), 'utf8');
  return type === JSONB && format === 1 ? Buffer.concat([Buffer.of(1), json]) : json;
}

/** An array that is masked is one of a single element: the mask. */
function arrayValue(type: number, format: number, masked: string): Buffer {
  const isOfJson = type === 199 || type === 3807;
  const element = isOfJson ? JSON.stringify(masked) : masked;
  if (format === 0) return Buffer.from(`{"${element.replaceAll(/["\\]/g, '\\$&')}"}`, 'utf8');
  const elementTypes: Readonly<Record<number, number>> = {
    1003: 19,
    1009: 25,
    143: 142,
    1014: 1042,
    1015: 1043,
    199: 114,
    3807: 3802,
  };
  const elementType = elementTypes[type] ?? 25;
  const value = valueOf(elementType, 1, masked);
  const header = [1, 0, elementType, 1, 1, value.length].map((member) => int32(member));
  return Buffer.concat([...header, value]);
}

interface ArrayHead {
  readonly elementType: number;
  readonly elements: number;
  readonly fields: Fields;
}

const MAX_DIMENSIONS = 6;
const ARRAY_HEADER = 12;

/** The binary form of arrays: dimensions, flag for nulls, type of the elements, sizes, elements. */
function looksLikeArray(bytes: Buffer): ArrayHead | undefined {
  if (bytes.length < ARRAY_HEADER) return undefined;
  const fields = new Fields(bytes);
  const dimensions = fields.int32();
  const flags = fields.int32();
  const elementType = fields.int32();
  const isHeader = isWithin(dimensions, 0, MAX_DIMENSIONS) && isWithin(flags, 0, 1) && elementType > 0;
  if (!isHeader || bytes.length < ARRAY_HEADER + 8 * dimensions) return undefined;
  const sizes = Array.from({ length: dimensions }, () => {
    const size = fields.int32();
    fields.int32();
    return size;
  });
  const elements = dimensions === 0 ? 0 : sizes.reduce((product, size) => product * size, 1);
  return isWithin(elements, 0, bytes.length / 4) ? { elementType, elements, fields } : undefined;
}

function isWithin(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
}

function arrayText(bytes: Buffer, { elementType, elements, fields }: ArrayHead): string | undefined {
  const texts: string[] = [];
  for (let at = 0; at < elements; at += 1) {
    const length = fields.int32();
    if (length < 0) continue;
    const text = textOf(elementType, 1, fields.bytes(length));
    if (text !== undefined) texts.push(text);
  }
  if (!fields.atEnd)
    throw new WireError(
      '42501',
      `a binary value of ${bytes.length} bytes cannot be examined; ask for it as text`,
    );
  return texts.length === 0 ? undefined : texts.join('\n');
}

/** Bytes are written in hex; what they spell may be text. */
function byteaText(bytes: Buffer): string {
  const text = bytes.toString('latin1');
  return text.startsWith('\\x') ? Buffer.from(text.slice(2), 'hex').toString('latin1') : text;
}

function isPlainText(bytes: Buffer): boolean {
  const text = bytes.toString('utf8');
  // eslint-disable-next-line no-control-regex -- control characters are what tells a structure from text
  return !/[\u0000-\u0008\u000e-\u001f\ufffd]/.test(text);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
