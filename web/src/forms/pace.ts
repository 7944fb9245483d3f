/// Two answers that stream in are shown at one pace, so that the faster one wins nothing by being there first: as many pieces of each
/// as the slower one has, until a text is known to be whole.
export class Pace {
  private readonly pieces: [string[], string[]] = [[], []];
  private readonly last: [number, number];

  constructor(private readonly now: () => number = () => performance.now() / 1000, private readonly patience = 0.8) {
    this.last = [now(), now()];
  }

  add(candidate: 0 | 1, text: string): void {
    this.pieces[candidate].push(text);
    this.last[candidate] = this.now();
  }

  /// What may be shown now. One that has been silent for long is taken to be finished and no longer holds the other one back.
  shown(): [string, string] {
    const silent = (candidate: 0 | 1) => this.now() - this.last[candidate] > this.patience;
    const [a, b] = this.pieces;
    const upTo = (mine: string[], other: string[], otherSilent: boolean) => (otherSilent ? mine.length : Math.min(mine.length, other.length));
    return [a.slice(0, upTo(a, b, silent(1))).join(""), b.slice(0, upTo(b, a, silent(0))).join("")];
  }
}
