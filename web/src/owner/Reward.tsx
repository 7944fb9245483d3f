import type { Session } from "../api";
import { Chart } from "../charts/Chart";
import { ago, count, duration, interval, percent } from "../desk/format";
import { Head } from "../desk/Frame";
import { useEvery, useLoaded, useNews } from "../desk/load";
import { Empty, Panel, Shown, Stat } from "../desk/parts";
import { owner } from "./requests";
import type { RewardPoint } from "./types";

const share = (value: number) => percent(value, 1);

function Numbers({ points }: { points: RewardPoint[] }) {
  const last = points[points.length - 1]!;
  const half = points.find((point) => point.labels >= last.labels / 2) ?? points[0]!;
  const gain = last.accuracy - half.accuracy;
  return (
    <dl class="stats">
      <Stat name="Held-out accuracy" value={share(last.accuracy)} note={interval({ value: last.accuracy, low: last.low, high: last.high }, share)} />
      <Stat name="Labels" value={count(last.labels)} note="it was fitted on" />
      <Stat name="Second half of the labels" value={`${gain >= 0 ? "+" : "−"}${(100 * Math.abs(gain)).toFixed(1)}`} note={gain < 0.01 ? "points: more labels help little" : "points: more labels still help"} />
      <Stat name="Fitted" value={ago(last.at, Date.now() / 1000)} note={points.length > 1 ? `${duration(last.at - points[0]!.at)} after the first` : undefined} />
    </dl>
  );
}

/// The reward model that is refitted while people answer, on pairs it never saw.
export default function Reward(_: { session: Session }) {
  const reward = useLoaded(async (signal) => (await owner.reward(signal)).points);
  const live = useNews((news) => news.type === "counts" && reward.reload());
  useEvery(live ? 60 : 15, reward.reload);
  return (
    <>
      <Head title="Reward model" lead="Refitted while people answer; measured on held-out pairs, which it never learns from." />
      <Shown from={reward}>
        {(points) => points.length === 0
          ? <Panel><Empty title="Not fitted yet">The first fit comes when there are enough comparisons.</Empty></Panel>
          : (
            <>
              <Numbers points={points} />
              <Panel>
                <Chart
                  title="Accuracy on held-out pairs" height={340} xName="Labels" x={points.map((point) => point.labels)} show={share}
                  range={[0.4, 1]} lines={[{ value: 0.5, name: "guessing" }]}
                  series={[{ name: "Accuracy", tone: "learned", values: points.map((point) => point.accuracy), low: points.map((point) => point.low), high: points.map((point) => point.high), dots: true }]}
                />
              </Panel>
            </>
          )}
      </Shown>
    </>
  );
}
