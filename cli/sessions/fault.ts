import { GatehouseError } from '../../lib/errors.ts';

/** Where in a store something is wrong. */
export interface FaultPlace {
  /** File within the store. */
  readonly file: string;
  /** From 1; absent for a file that has no lines of records. */
  readonly line?: number;
  /** What the record says of itself, as far as it can still be read. */
  readonly stream?: string;
  readonly seq?: number;
  readonly session?: string;
}

/** The first thing that is wrong with what is verified. */
export class RecordFault extends GatehouseError {
  readonly code = 'record_fault';
  readonly place: FaultPlace;
  /** What is wrong, without the place. */
  readonly what: string;

  constructor(place: FaultPlace, what: string) {
    super(`${describePlace(place)}: ${what}`);
    this.place = place;
    this.what = what;
  }
}

function describePlace({ file, line, stream, seq, session }: FaultPlace): string {
  const parts = [line === undefined ? file : `${file} line ${line}`];
  if (stream !== undefined) parts.push(`stream ${stream}`);
  if (seq !== undefined) parts.push(`seq ${seq}`);
  if (session !== undefined) parts.push(`session ${session}`);
  return parts.join(', ');
}
