// A password to say over the phone once: no letters that look alike, 79 bits.

const letters = "abcdefghjkmnpqrstuvwxyz23456789";
type Random = (count: number) => Iterable<number>; // bytes

export function oneTimePassword(random: Random = (count) => crypto.getRandomValues(new Uint8Array(count))): string {
  const limit = 256 - (256 % letters.length); // bytes above would favour the first letters
  let made = "";
  while (made.length < 16) {
    for (const byte of random(32)) if (byte < limit && made.length < 16) made += letters[byte % letters.length];
  }
  return made.match(/.{4}/g)!.join("-");
}
