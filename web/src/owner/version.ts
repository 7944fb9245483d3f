/// The version after this one: its last number grows. "1.9" → "1.10", "v2" → "v3", "" → "1".
export function nextVersion(version: string): string {
  if (version === "") return "1";
  const number = /(\d+)(?!.*\d)/.exec(version);
  if (!number) return `${version}-2`;
  return version.slice(0, number.index) + String(BigInt(number[1]!) + 1n) + version.slice(number.index + number[1]!.length);
}
