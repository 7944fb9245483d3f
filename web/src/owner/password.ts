// A password to say over the phone once: no letters that look alike, 80 bits.

const letters = "abcdefghjkmnpqrstuvwxyz23456789";

export function oneTimePassword(random: (bytes: Uint8Array) => Uint8Array = (bytes) => crypto.getRandomValues(bytes)): string {
  const groups: string[] = [];
  const limit = 256 - (256 % letters.length); // bytes above would favour the first letters
  let pool: number[] = [];
  while (groups.length < 4) {
    let group = "";
    while (group.length < 4) {
      if (pool.length === 0) pool = [...random(new Uint8Array(32))].filter((byte) => byte < limit);
      const byte = pool.pop();
      if (byte !== undefined) group += letters[byte % letters.length];
    }
    groups.push(group);
  }
  return groups.join("-");
}
