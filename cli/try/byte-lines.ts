/** A line of input, or that it was too long to be kept. */
export type ByteLine = Uint8Array | 'too long';

const NEWLINE = 0x0a;

/** The lines of a stream as bytes, without their line feed; a last one that is empty is none. Lines beyond `maxBytes` are passed over. */
export async function* byteLines(
  stream: AsyncIterable<Uint8Array | string>,
  maxBytes: number,
): AsyncGenerator<ByteLine> {
  let held: Uint8Array[] = [];
  let size = 0;
  const keep = (piece: Uint8Array): void => {
    size += piece.length;
    if (size <= maxBytes) held.push(piece);
    else held = [];
  };
  const take = (): ByteLine => {
    const line = size <= maxBytes ? Buffer.concat(held) : 'too long';
    held = [];
    size = 0;
    return line;
  };
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk);
    let from = 0;
    for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, from)) {
      keep(bytes.subarray(from, at));
      yield take();
      from = at + 1;
    }
    keep(bytes.subarray(from));
  }
  if (size > 0) yield take();
}
