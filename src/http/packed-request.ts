import { IncomingMessage } from 'node:http';

/** A piece of a body that is smaller than this, in bytes, is copied next to others. */
const smallBytes = 2 * 1024;
const packBytes = 16 * 1024;
/** Small pieces of one body. Its connection is closed beyond that: to read each takes as long as to read a large one. */
const maxSmallPieces = 2_048;

/**
 * A request whose body takes no more memory than it has bytes: each piece of a chunked body costs an object of about
 * 150 bytes for as long as it waits, and a client may send pieces of one byte.
 */
export class PackedRequest extends IncomingMessage {
  /** A body of one piece is not copied. */
  #first: Buffer | null = null;
  #pack: Buffer | null = null;
  #packed = 0;
  #smallPieces = 0;

  override push(chunk: unknown, encoding?: BufferEncoding): boolean {
    if (!(chunk instanceof Buffer) || chunk.length >= smallBytes) {
      this.#flush();
      return super.push(chunk, encoding);
    }
    this.#smallPieces += 1;
    if (this.#smallPieces > maxSmallPieces) {
      this.destroy();
    } else if (this.#pack) {
      this.#add(chunk);
    } else if (this.#first) {
      this.#pack = Buffer.allocUnsafe(packBytes);
      this.#add(this.#first);
      this.#add(chunk);
      this.#first = null;
    } else {
      this.#first = chunk;
    }
    return true;
  }

  #add(chunk: Buffer): void {
    if (this.#packed + chunk.length > packBytes) {
      this.#flush();
      this.#pack = Buffer.allocUnsafe(packBytes);
    }
    if (this.#pack) this.#packed += chunk.copy(this.#pack, this.#packed);
  }

  #flush(): void {
    const pieces = this.#pack?.subarray(0, this.#packed) ?? this.#first;
    this.#first = null;
    this.#pack = null;
    this.#packed = 0;
    if (pieces) super.push(pieces);
  }
}
