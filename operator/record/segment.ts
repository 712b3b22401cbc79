/** The segment that is written to. */
import { open, type FileHandle } from 'node:fs/promises';

export class Segment {
  readonly number: number;
  /** Milliseconds since the epoch. */
  readonly openedAt: number;
  readonly #file: FileHandle;
  #bytes: number;

  private constructor(file: FileHandle, at: { number: number; openedAt: number; bytes: number }) {
    this.number = at.number;
    this.openedAt = at.openedAt;
    this.#bytes = at.bytes;
    this.#file = file;
  }

  static async create(path: string, number: number, now: number): Promise<Segment> {
    return new Segment(await open(path, 'w+', 0o600), { number, openedAt: now, bytes: 0 });
  }

  /** Goes on with a segment of which `bytes` are signed for; the rest is cut off. */
  static async resume(path: string, number: number, bytes: number): Promise<Segment> {
    const file = await open(path, 'r+');
    const { birthtimeMs } = await file.stat();
    const segment = new Segment(file, { number, openedAt: birthtimeMs, bytes });
    await segment.cut();
    return segment;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Writes after what is kept and waits for the disk. What is written counts only once `keep` is called. */
  async write(data: Buffer): Promise<void> {
    for (let done = 0; done < data.length;) {
      const { bytesWritten } = await this.#file.write(data, done, data.length - done, this.#bytes + done);
      done += bytesWritten;
    }
    await this.#file.datasync();
  }

  keep(bytes: number): void {
    this.#bytes += bytes;
  }

  /** Cuts off what was written and not kept. */
  async cut(): Promise<void> {
    await this.#file.truncate(this.#bytes);
    await this.#file.datasync();
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
