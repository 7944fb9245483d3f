import type { ComponentChildren } from "preact";
import type { Session } from "../api";
import { Chart } from "../charts/Chart";
import { count, known, nothing, percent, type Estimate } from "../desk/format";
import { Head } from "../desk/Frame";
import { useLoaded } from "../desk/load";
import { Empty, Estimated, Panel, Range, Scroll, Shown } from "../desk/parts";
import { owner } from "./requests";
import { estimate, type Agreement, type Said } from "./types";

const share = (value: number) => percent(value);
const coefficient = (value: number) => value.toFixed(2).replace("-", "−");

interface MeasureProps { name: string; said: Said; show: (value: number) => string; low?: number; marks?: number[]; children: ComponentChildren }

function Measure({ name, said, show, low, marks, children }: MeasureProps) {
  const value = estimate(said);
  return (
    <div class="measure">
      <div><h3>{name}</h3><p class="soft small">{children}</p></div>
      <Range estimate={value} low={low ?? 0} marks={marks} />
      <p class="measure-value"><Estimated estimate={value} show={show} />{value?.n !== undefined && <span class="soft small block">n = {count(value.n)}</span>}</p>
    </div>
  );
}

/// How others' annotators agreed, as marks on the same axis.
function landmarks(reference: Agreement["reference"]): { name: string; value: Estimate }[] {
  return Object.entries(reference ?? {})
    .map(([name, said]) => ({ name, value: estimate(said) }))
    .filter((one): one is { name: string; value: Estimate } => known(one.value?.value));
}

function Shares({ agreement }: { agreement: Agreement }) {
  const known = landmarks(agreement.reference);
  const marks = known.map((one) => one.value.value);
  return (
    <Panel title="Same choice" note="The share of comparisons in which two judgements name the same item.">
      <Measure name="Between annotators" said={agreement.raw} show={share} marks={marks}>Two people, one question.</Measure>
      <Measure name="With gold" said={agreement.with_gold} show={share} marks={marks}>People against known answers.</Measure>
      <Measure name="With the reward model" said={agreement.with_reward_model} show={share} marks={marks}>People against its held-out predictions.</Measure>
      {known.length > 0 && (
        <div class="landmarks">
          <h3 class="small">Published, for comparison</h3>
          <ul>{known.map((one) => <li key={one.name}><span>{one.name}</span><span class="figure">{percent(one.value.value, 1)}</span></li>)}</ul>
        </div>
      )}
    </Panel>
  );
}

function Coefficients({ agreement }: { agreement: Agreement }) {
  return (
    <Panel title="Beyond chance" note="0 is what guessing gives, 1 is full agreement. The hairs are at 0.4 and 0.6.">
      <Measure name="Krippendorff’s α" said={agreement.krippendorff} show={coefficient} low={-0.2} marks={[0, 0.4, 0.6]}>Any number of annotators, gaps allowed.</Measure>
      <Measure name="Fleiss’ κ" said={agreement.fleiss} show={coefficient} low={-0.2} marks={[0, 0.4, 0.6]}>The same number of annotators on each question.</Measure>
    </Panel>
  );
}

/// Five steps of colour; the number is in every cell, so the colour is never the only sign.
const shade = (kappa: number) => Math.max(0, Math.min(4, Math.floor(kappa * 5)));

function Matrix({ cohen }: { cohen: Agreement["cohen"] }) {
  const people = [...new Set(cohen.flatMap((pair) => [pair.a, pair.b]))].sort();
  const pairs = new Map(cohen.flatMap((pair) => [[`${pair.a}\n${pair.b}`, pair], [`${pair.b}\n${pair.a}`, pair]] as const));
  if (people.length === 0) return <Empty title="No two people have answered the same question">Ask for more than one answer in the queue.</Empty>;
  return (
    <Scroll label="Cohen's kappa by pair">
      <table class="matrix">
        <caption class="unseen">Cohen’s kappa of each pair of annotators, with the number of questions both answered</caption>
        <thead><tr><td />{people.map((name) => <th key={name} scope="col"><span>{name}</span></th>)}</tr></thead>
        <tbody>
          {people.map((row) => (
            <tr key={row}>
              <th scope="row">{row}</th>
              {people.map((column) => {
                const pair = pairs.get(`${row}\n${column}`);
                const kappa = estimate(pair?.kappa);
                if (row === column) return <td key={column} class="self"><span class="unseen">the same</span></td>;
                if (!kappa || !known(kappa.value)) return <td key={column} class="soft">{nothing}</td>;
                return <td key={column} class={`shade-${shade(kappa.value)}`}><span class="figure">{coefficient(kappa.value)}</span><span class="cell-note">{count(pair!.n)}</span></td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function OverTime({ agreement }: { agreement: Agreement }) {
  const points = agreement.over_time.map((point) => ({ at: point.at, raw: estimate(point.raw) })).filter((point) => point.raw);
  if (points.length < 2) return <Empty title="Too early to say" />;
  return (
    <Chart
      title="Agreement over time" hideTitle height={220} time xName="Time"
      x={points.map((point) => point.at)} show={share} range={[0.4, 1]}
      series={[{
        name: "Between annotators", tone: "learned", values: points.map((point) => point.raw!.value),
        low: points.map((point) => point.raw!.low ?? null), high: points.map((point) => point.raw!.high ?? null),
      }]}
    />
  );
}

/// How far people agree: with each other, with what is known, and with the reward model.
export default function AgreementPage(_: { session: Session }) {
  const agreement = useLoaded(owner.agreement);
  return (
    <>
      <Head title="Agreement" lead="A reward model learns no more than what people agree on. Bars are 95% intervals." />
      <Shown from={agreement}>
        {(value) => (
          <>
            <div class="columns"><Shares agreement={value} /><Coefficients agreement={value} /></div>
            <Panel title="Over time"><OverTime agreement={value} /></Panel>
            <Panel title="Pair by pair" note="Cohen’s κ; below it, the number of questions both answered."><Matrix cohen={value.cohen} /></Panel>
          </>
        )}
      </Shown>
    </>
  );
}
