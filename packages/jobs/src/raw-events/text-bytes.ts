/**
 * Many texts as bytes in few large buffers: texts of a whole page would outlive every young collection of garbage and be
 * copied by it, at the price of a third of the transformation (measured). What was handed out stays valid.
 */

const CHUNK_BYTES = 1 << 20;
const MAX_UTF8_BYTES = 3;

export class TextBytes {
  private chunk = Buffer.alloc(0);
  private used = 0;

  write(text: string): Buffer {
    const atMost = text.length * MAX_UTF8_BYTES;
    if (this.chunk.length - this.used < atMost) {
      this.chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, atMost));
      this.used = 0;
    }
    const start = this.used;
    this.used += this.chunk.write(text, start);
    return this.chunk.subarray(start, this.used);
  }
}
