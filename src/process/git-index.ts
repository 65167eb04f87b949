/** The entries of a git index that stand for submodules (gitformat-index, versions 2 to 4). */

const headerBytes = 12;
/** Of an entry, up to its flags: times, device, inode, mode, owner, group, size, and the hash of the object. */
const modeAt = 24;
const sizesBytes = 40;
const extendedFlag = 0x4000;
const gitlinkMode = 0xe000;

/** Paths from the top of the working tree. Throws when the bytes are no such index. */
export function gitlinksOf(index: Buffer, hashBytes: 20 | 32 = 20): readonly string[] {
  const version = index.readUInt32BE(4);
  if (index.toString("latin1", 0, 4) !== "DIRC" || version < 2 || version > 4) throw new Error("not a git index");
  const links: string[] = [];
  let at = headerBytes;
  let previous: Buffer = Buffer.alloc(0);
  for (let entry = index.readUInt32BE(8); entry > 0; entry -= 1) {
    const start = at;
    const mode = index.readUInt32BE(start + modeAt) & 0xf000;
    at += sizesBytes + hashBytes;
    const isExtended = (index.readUInt16BE(at) & extendedFlag) !== 0;
    at += isExtended ? 4 : 2;
    let name: Buffer;
    if (version === 4) {
      const { value: dropped, next } = readOffset(index, at);
      const end = index.indexOf(0, next);
      name = Buffer.concat([previous.subarray(0, previous.length - dropped), index.subarray(next, end)]);
      at = end + 1;
      previous = name;
    } else {
      const end = index.indexOf(0, at);
      name = index.subarray(at, end);
      at = start + Math.ceil((end + 1 - start) / 8) * 8;
    }
    if (mode === gitlinkMode) links.push(name.toString());
  }
  return links;
}

/** Seven bits a byte, the high one says that another follows, each of which stands for one more than it holds. */
function readOffset(bytes: Buffer, start: number): { readonly value: number; readonly next: number } {
  let at = start;
  let byte = bytes.readUInt8(at++);
  let value = byte & 0x7f;
  while ((byte & 0x80) !== 0) {
    byte = bytes.readUInt8(at++);
    value = (value + 1) * 128 + (byte & 0x7f);
  }
  return { value, next: at };
}
