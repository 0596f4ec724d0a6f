import { connect, type Socket } from 'node:net';

/** A client's end of a WebSocket, with no more in it than a benchmark needs. */
export interface BenchSocket {
  /** Sends a text of at most 65,535 characters, ASCII. */
  send(text: string): void;
  close(): void;
}

export interface BenchSocketOptions {
  readonly port: number;
  readonly onText: (text: string) => void;
  readonly onPing: () => void;
  /** Is told when the connection ends before `close` was called. */
  readonly onLost: (error: Error) => void;
}

const handshake = [
  'GET /graphql HTTP/1.1',
  'Host: 127.0.0.1',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  'Sec-WebSocket-Protocol: graphql-transport-ws',
  '\r\n',
].join('\r\n');

/** Node reads into it and lets go of it before the next read, so one serves all connections. */
const readBuffer = Buffer.allocUnsafe(64 * 1024);

/** Connects. Takes unfragmented text frames from a server, and answers its pings. */
export function openBenchSocket({ port, onText, onPing, onLost }: BenchSocketOptions): Promise<BenchSocket> {
  return new Promise((resolve) => {
    let read = readHandshake;
    let unread: Buffer = Buffer.alloc(0);
    const socket = connect({
      host: '127.0.0.1',
      port,
      noDelay: true,
      onread: { buffer: readBuffer, callback: (length) => receive(readBuffer.subarray(0, length)) },
    });

    function receive(chunk: Buffer): boolean {
      const bytes = unread.length === 0 ? chunk : Buffer.concat([unread, chunk]);
      const used = read(bytes);
      unread = used === bytes.length ? Buffer.alloc(0) : Buffer.from(bytes.subarray(used));
      return true;
    }

    function readHandshake(bytes: Buffer): number {
      const end = bytes.indexOf('\r\n\r\n');
      if (end < 0) return 0;
      if (!bytes.toString('latin1', 0, end).startsWith('HTTP/1.1 101 '))
        onLost(new Error(bytes.toString('latin1')));
      read = (rest) => readFrames(rest, onFrame);
      resolve({
        send: (text) => writeFrame(socket, opcodes.text, text),
        close: () => socket.off('close', lost).destroy(),
      });
      return end + 4;
    }

    function onFrame(opcode: number, payload: string): void {
      if (opcode === opcodes.text) {
        onText(payload);
      } else if (opcode === opcodes.ping) {
        writeFrame(socket, opcodes.pong, payload);
        onPing();
      } else {
        onLost(new Error(`a frame with opcode ${opcode}: ${payload}`));
      }
    }

    function lost(): void {
      onLost(new Error('the server closed a WebSocket'));
    }

    socket.on('connect', () => socket.write(handshake, 'latin1'));
    socket.on('error', onLost);
    socket.on('close', lost);
  });
}

const opcodes = { text: 1, ping: 9, pong: 10 } as const;
const final = 0x80;
const masked = 0x80;

/** Reads the frames that are wholly there, and returns how many bytes they take. */
function readFrames(bytes: Buffer, onFrame: (opcode: number, payload: string) => void): number {
  let at = 0;
  while (at + 2 <= bytes.length) {
    const short = bytes.readUInt8(at + 1);
    const start = at + (short === 126 ? 4 : 2);
    if (start > bytes.length) break;
    const end = start + (short === 126 ? bytes.readUInt16BE(at + 2) : short);
    if (end > bytes.length) break;
    onFrame(bytes.readUInt8(at) & 0x0f, bytes.toString('latin1', start, end));
    at = end;
  }
  return at;
}

/** A client must mask; a mask of zeros leaves the payload as it is. */
function writeFrame(socket: Socket, opcode: number, payload: string): void {
  const { length } = payload;
  const size = length < 126 ? [masked | length] : [masked | 126, length >> 8, length & 0xff];
  socket.write(`${String.fromCharCode(final | opcode, ...size, 0, 0, 0, 0)}${payload}`, 'latin1');
}
