import { closeSync, openSync, readSync } from "node:fs";

/** A UUID of version 4. Loading node:crypto takes longer than everything else that a start does with an id. */
export function randomUuid(): string {
  const bytes = randomBytes(16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

function randomBytes(count: number): Buffer {
  const bytes = Buffer.alloc(count);
  try {
    const fd = openSync("/dev/urandom", "r");
    try {
      if (readSync(fd, bytes) === count) return bytes;
    } finally {
      closeSync(fd);
    }
  } catch {
    // no such device here: the module knows another way
  }
  return process.getBuiltinModule("node:crypto").randomBytes(count);
}
