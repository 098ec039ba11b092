/** A program for Linux on arm64 that prints a text, and needs nothing else: there is no compiler for it here. */
export function armProgram(text: string): Buffer {
  const message = Buffer.from(text);
  const instructions = [
    0xd2800020, // mov x0, #1: the standard output
    0x100000e1, // adr x1, 28 bytes on: the text
    0xd2800002 | (message.length << 5), // mov x2, its length
    0xd2800808, // mov x8, #64: write
    0xd4000001, // svc #0
    0xd2800000, // mov x0, #0
    0xd2800ba8, // mov x8, #93: exit
    0xd4000001, // svc #0
  ];
  const code = Buffer.alloc(4 * instructions.length);
  for (const [index, instruction] of instructions.entries()) code.writeUInt32LE(instruction >>> 0, 4 * index);
  return Buffer.concat([headers(code.length + message.length), code, message]);
}

const ADDRESS = 0x400000n;
const FILE_HEADER = 64;
const PROGRAM_HEADER = 56;

/** One segment that has the whole file. @see https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html */
function headers(size: number): Buffer {
  const start = FILE_HEADER + PROGRAM_HEADER;
  const bytes = Buffer.alloc(start);
  bytes.write('\u007fELF\u0002\u0001\u0001', 'latin1'); // 64 bits, little-endian, version 1
  bytes.writeUInt16LE(2, 16); // ET_EXEC
  bytes.writeUInt16LE(183, 18); // EM_AARCH64
  bytes.writeUInt32LE(1, 20);
  bytes.writeBigUInt64LE(ADDRESS + BigInt(start), 24); // where it begins
  bytes.writeBigUInt64LE(BigInt(FILE_HEADER), 32); // where the program headers lie
  for (const [offset, value] of [
    [52, FILE_HEADER],
    [54, PROGRAM_HEADER],
    [56, 1],
  ] as const)
    bytes.writeUInt16LE(value, offset);
  bytes.writeUInt32LE(1, FILE_HEADER); // PT_LOAD
  bytes.writeUInt32LE(5, FILE_HEADER + 4); // readable, executable
  bytes.writeBigUInt64LE(ADDRESS, FILE_HEADER + 16);
  bytes.writeBigUInt64LE(ADDRESS, FILE_HEADER + 24);
  bytes.writeBigUInt64LE(BigInt(start + size), FILE_HEADER + 32);
  bytes.writeBigUInt64LE(BigInt(start + size), FILE_HEADER + 40);
  bytes.writeBigUInt64LE(0x1000n, FILE_HEADER + 48);
  return bytes;
}
