import { TextField } from "../components/Field";
import type { Session } from "../api";
import { count, duration, money, percent, plural } from "../desk/format";
import { Head } from "../desk/Frame";
import { useEvery, useKept, useLoaded, useNews } from "../desk/load";
import { Badge, Empty, Panel, Scroll, Shown, Stat } from "../desk/parts";
import { Link } from "../router";
import { owner } from "./requests";
import type { FormCount, Overview } from "./types";

function headline({ counts, seconds_left }: Overview): string {
  if (counts.questions === 0) return "No questions yet";
  if (counts.open === 0) return "Every question is answered";
  return seconds_left ? `About ${duration(seconds_left)} to go at this pace` : `${plural(counts.open, "question")} to go`;
}

function Progress({ overview }: { overview: Overview }) {
  const { questions, open, leased } = overview.counts;
  const done = questions - open;
  const share = questions ? done / questions : 0;
  return (
    <section class="panel done-card" aria-label="Progress">
      <div class="progress-text">
        <div>
          <p class="progress-share figure">{percent(share)}</p>
          <p class="soft small">{count(done)} of {plural(questions, "question")} answered</p>
        </div>
        <p class="progress-headline">{headline(overview)}</p>
      </div>
      <div class="meter tall" role="img" aria-label={`${percent(share)} answered, ${count(leased)} with somebody now`}>
        <i style={{ width: percent(share, 2) }} /><i style={{ width: percent(questions ? leased / questions : 0, 2) }} />
      </div>
    </section>
  );
}

function Numbers({ overview }: { overview: Overview }) {
  const { counts, rate_per_hour, seconds_left } = overview;
  return (
    <dl class="stats">
      <Stat name="Answers" value={count(counts.answers)} />
      <Stat name="An hour" value={count(rate_per_hour)} note="lately" />
      <Stat name="Time left" value={duration(seconds_left)} />
      <Stat name="Open" value={count(counts.open)} note={`${count(counts.leased)} with somebody now`} />
      <Stat name="Skipped" value={count(counts.skips)} />
      <Stat name="Taken back" value={count(counts.undone)} />
    </dl>
  );
}

function Cost({ overview }: { overview: Overview }) {
  const [wage, setWage] = useKept("wage", 18);
  const [currency, setCurrency] = useKept("currency", "$");
  const { judgements, seconds } = overview.cost ?? { judgements: 0, seconds: 0 };
  const each = judgements ? seconds / judgements : 0;
  const spent = (seconds / 3600) * wage;
  const left = ((each * overview.counts.open) / 3600) * wage;
  return (
    <Panel title="Cost" note="Active time: the page in view and somebody at it.">
      <div class="wage">
        <TextField label="Pay an hour" type="number" min="0" step="0.5" inputMode="decimal" value={wage} onInput={(event) => setWage(Math.max(0, event.currentTarget.valueAsNumber || 0))} />
        <TextField label="Currency" value={currency} maxLength={4} onInput={(event) => setCurrency(event.currentTarget.value)} />
      </div>
      <dl class="definition" aria-live="polite">
        <dt>Time so far</dt><dd>{duration(seconds)} in {plural(judgements, "judgement")}</dd>
        <dt>A judgement</dt><dd>{judgements ? `${duration(each)}, ${money((each / 3600) * wage, currency)}` : "–"}</dd>
        <dt>So far</dt><dd>{money(spent, currency)}</dd>
        <dt>Still to come</dt><dd>{judgements ? `about ${money(left, currency)}` : "–"}</dd>
      </dl>
    </Panel>
  );
}

function Forms({ forms }: { forms: FormCount[] }) {
  return (
    <Panel title="Forms" flush>
      <Scroll label="Forms">
        <table class="table">
          <thead><tr><th scope="col">Form</th><th scope="col" class="num">Open</th><th scope="col" class="num">Answers</th><th scope="col" class="num">Median time</th></tr></thead>
          <tbody>
            {forms.map((form) => (
              <tr key={form.form}>
                <th scope="row"><Link class="link" href={`/owner/queue?form=${encodeURIComponent(form.form)}`}>{form.form}</Link></th>
                <td class="num">{count(form.open)}</td><td class="num">{count(form.answers)}</td><td class="num">{duration(form.median_seconds)}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {forms.length === 0 && <Empty title="No form has a question yet" />}
      </Scroll>
    </Panel>
  );
}

/// How far the work is, how fast it goes, and what it costs. Counts change as answers come.
export function OverviewPage({ session }: { session: Session }) {
  const overview = useLoaded(owner.overview);
  const live = useNews((news) => news.type === "counts" && overview.reload());
  useEvery(live ? 60 : 10, overview.reload);
  return (
    <>
      <Head title="Overview" lead={`Project ${session.project}`}>
        <span role="status">{live ? <Badge tone="good">Live</Badge> : <Badge>Every 10 s</Badge>}</span>
      </Head>
      <Shown from={overview}>
        {(value) => (
          <>
            <Progress overview={value} />
            <Numbers overview={value} />
            <div class="columns"><Forms forms={value.forms ?? []} /><Cost overview={value} /></div>
          </>
        )}
      </Shown>
    </>
  );
}
