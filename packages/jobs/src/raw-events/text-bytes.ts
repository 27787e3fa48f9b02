/**
 * Many texts as bytes in few large buffers: texts of a whole page would outlive every young collection of garbage and be
 * copied by it, at the price of a third of the transformation (measured).
 */

/** Texts one after another, and where each ends. */
export interface TextChunk {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly ends: readonly number[];
}

export const CHUNK_BYTES = 1 << 20;
const MAX_UTF8_BYTES = 3;

export class TextBytes {
  private readonly written: { readonly bytes: Buffer<ArrayBuffer>; readonly ends: number[] }[] = [];
  private readonly spare: Uint8Array<ArrayBuffer>[];
  private used = 0;

  /** @param spare buffers of `CHUNK_BYTES` that nobody uses any more; those that are used are taken out of it */
  constructor(spare: Uint8Array<ArrayBuffer>[] = []) {
    this.spare = spare;
  }

  write(text: string): void {
    const { bytes, at } = this.room(text.length * MAX_UTF8_BYTES);
    this.take(at + bytes.write(text, at));
  }

  /** Where a text of at most so many bytes may be written; `take` says that it was. */
  room(atMost: number): { readonly bytes: Buffer<ArrayBuffer>; readonly at: number } {
    let chunk = this.written.at(-1);
    if (chunk === undefined || chunk.bytes.length - this.used < atMost) {
      chunk = { bytes: this.chunk(atMost), ends: [] };
      this.written.push(chunk);
      this.used = 0;
    }
    return { bytes: chunk.bytes, at: this.used };
  }

  /** Of its own memory, so that it can be handed to another thread. */
  private chunk(atLeast: number): Buffer<ArrayBuffer> {
    const spare = atLeast <= CHUNK_BYTES ? this.spare.pop() : undefined;
    return spare === undefined ? Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, atLeast)) : Buffer.from(spare.buffer);
  }

  /** @param end where in the room that was asked for last a text ends */
  take(end: number): void {
    this.used = end;
    this.written.at(-1)?.ends.push(end);
  }

  chunks(): readonly TextChunk[] {
    return this.written;
  }
}
