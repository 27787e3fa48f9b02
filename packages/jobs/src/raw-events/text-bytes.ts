/**
 * Many texts as bytes in few large buffers: texts of a whole page would outlive every young collection of garbage and be
 * copied by it, at the price of a third of the transformation (measured).
 */

/** Texts one after another, and where each ends. */
export interface TextChunk {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly ends: readonly number[];
}

const CHUNK_BYTES = 1 << 20;
const MAX_UTF8_BYTES = 3;

export class TextBytes {
  private readonly written: { readonly bytes: Buffer<ArrayBuffer>; readonly ends: number[] }[] = [];
  private used = 0;

  write(text: string): void {
    const atMost = text.length * MAX_UTF8_BYTES;
    let chunk = this.written.at(-1);
    if (chunk === undefined || chunk.bytes.length - this.used < atMost) {
      // Of its own memory, so that it can be handed to another thread.
      chunk = { bytes: Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, atMost)), ends: [] };
      this.written.push(chunk);
      this.used = 0;
    }
    this.used += chunk.bytes.write(text, this.used);
    chunk.ends.push(this.used);
  }

  chunks(): readonly TextChunk[] {
    return this.written;
  }
}
