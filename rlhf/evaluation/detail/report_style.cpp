#include "rlhf/evaluation/detail/report_sections.h"

namespace rlhf::evaluation::detail {

std::string style_sheet() {
  return R"css(
:root {
  color-scheme: light dark;
  --paper: #fbfaf7; --raised: #f3f1eb; --ink: #1d1c1a; --soft: #5f5b54; --rule: #dfdbd2; --hair: #ebe7df;
  --gold: #a2600a; --learned: #2b5fb8; --judge: #0b7365; --plain: #3f3c38; --bad: #b3261e; --good: #2f6b3a;
  --serif: "Iowan Old Style", "Source Serif 4", "Palatino Linotype", Palatino, "Book Antiqua", Georgia, serif;
  --sans: Inter, "Segoe UI", -apple-system, BlinkMacSystemFont, "Helvetica Neue", "Liberation Sans", Arial, sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #171614; --raised: #201f1c; --ink: #ece8e0; --soft: #a39d92; --rule: #3a3732; --hair: #2b2926;
    --gold: #e0a044; --learned: #86aef0; --judge: #58c0ae; --plain: #d3cdc2; --bad: #ef7f74; --good: #83c48f;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.55 var(--sans); font-feature-settings: "cv11", "ss03"; }
main { max-width: 1080px; margin: 0 auto; padding: 56px 32px 96px; }
h1, h2, .sentence { font-family: var(--serif); font-weight: 500; letter-spacing: -0.012em; text-wrap: balance; }
h1 { font-size: 40px; line-height: 1.12; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 25px; line-height: 1.2; margin: 0 0 6px; }
h3 { font-size: 15px; font-weight: 600; margin: 0; }
p { margin: 0; }
.eyebrow, .tag { font-size: 12px; letter-spacing: 0.08em; text-transform: uppercase; font-weight: 600; color: var(--soft); }
.eyebrow { margin-bottom: 10px; }
.facts { margin-top: 12px; color: var(--soft); font-size: 14px; }
.facts span + span::before { content: "\00b7"; padding: 0 8px; }
.verdict { --tone: var(--soft); margin: 36px 0 0; padding: 24px 28px 26px; background: var(--raised); border-radius: 6px; border-left: 5px solid var(--tone); }
.verdict.improved { --tone: var(--good); }
.verdict.worse, .verdict.overoptimized { --tone: var(--bad); }
.verdict .tag { color: var(--tone); }
.sentence { font-size: 26px; line-height: 1.28; margin-top: 6px; max-width: 56ch; }
.advice { margin-top: 12px; font-weight: 600; }
.findings { list-style: none; margin: 18px 0 0; padding: 0; font-size: 14.5px; }
.findings li { padding: 8px 0; border-top: 1px solid var(--rule); display: grid; grid-template-columns: 76px 1fr; }
.findings b { font-weight: 600; color: var(--soft); }
.findings .serious b { color: var(--bad); }
.numbers { display: grid; grid-template-columns: repeat(3, 1fr); margin: 40px 0 0; column-gap: 40px; }
.number { border-top: 1px solid var(--rule); padding: 14px 0 26px; --tone: var(--plain); }
.number.gold { --tone: var(--gold); } .number.judge { --tone: var(--judge); }
.number dt { font-size: 13.5px; color: var(--soft); }
.number dd { margin: 0; }
.number b { display: block; font-size: 36px; line-height: 1.2; font-weight: 500; letter-spacing: -0.025em; color: var(--tone); }
.number span { font-size: 13.5px; color: var(--soft); }
.numbers, table, .tick, .end-value, .chips, .facts { font-variant-numeric: tabular-nums lining-nums; }
.range { display: block; width: 100%; max-width: 240px; height: 14px; margin: 4px 0 6px; overflow: visible; }
.range line { vector-effect: non-scaling-stroke; stroke: var(--tone); }
.range .track { stroke: var(--rule); stroke-width: 2; }
.range .spread { stroke-width: 6; opacity: 0.3; }
.range .start { stroke: var(--soft); stroke-width: 1.5; }
.range .now { stroke-width: 4; }
.note { color: var(--soft); font-size: 13.5px; max-width: 75ch; }
nav { margin-top: 30px; font-size: 14px; display: flex; flex-wrap: wrap; gap: 4px 20px; border-top: 1px solid var(--rule); border-bottom: 1px solid var(--rule); padding: 11px 0; }
nav a { color: var(--soft); text-decoration: none; } nav a:hover { color: var(--ink); text-decoration: underline; }
a:focus-visible, summary:focus-visible, .wide:focus-visible { outline: 2px solid var(--learned); outline-offset: 3px; }
section { margin-top: 60px; scroll-margin-top: 20px; }
.lead { color: var(--soft); max-width: 72ch; margin-bottom: 8px; } .lead b { color: var(--ink); font-weight: 600; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(220px, 1fr)); gap: 18px 22px; margin-top: 22px; } .agent img { width: 100%; display: block; border-radius: 6px; }
.figures { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 36px 40px; margin-top: 22px; }
figure { margin: 0; border-top: 1px solid var(--rule); padding-top: 14px; display: flex; flex-direction: column; }
figcaption p { color: var(--soft); font-size: 13px; line-height: 1.4; min-height: 1.4em; text-wrap: pretty; }
figure svg { display: block; width: 100%; height: auto; margin-top: auto; padding-top: 8px; overflow: visible; font-family: var(--sans); }
.grid { stroke: var(--hair); } .zero { stroke: var(--rule); stroke-width: 1.3; }
.tick, .axis { font-size: 11px; fill: var(--soft); }
.band { fill: var(--soft); opacity: 0.11; }
.band-label { font-size: 10.5px; fill: var(--soft); paint-order: stroke; stroke: var(--paper); stroke-width: 3px; }
.target { stroke: var(--soft); stroke-dasharray: 3 4; }
.series { --tone: var(--plain); color: var(--tone); }
.series.gold, .end.gold, .chips .gold { --tone: var(--gold); }
.series.learned, .end.learned, .chips .learned { --tone: var(--learned); }
.series.judge, .end.judge, .chips .judge { --tone: var(--judge); }
.series.bad, .end.bad { --tone: var(--bad); }
.line { fill: none; stroke: var(--tone); stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.faint .line { stroke-width: 1; opacity: 0.32; } .dashed .line { stroke-dasharray: 5 4; }
.interval { fill: var(--tone); opacity: 0.14; }
.series circle { fill: var(--paper); stroke: var(--tone); stroke-width: 1.8; }
.series circle:hover { fill: var(--tone); }
.scatter circle { fill: var(--tone); stroke: none; opacity: 0.5; } .scatter.faint circle { opacity: 0.3; } .scatter circle:hover { opacity: 1; }
.arm { margin-top: 34px; } .arm + .figures { margin-top: 12px; }
.end { font-size: 11.5px; fill: var(--tone, var(--plain)); } .end-value { font-weight: 650; font-size: 13px; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; font-weight: 500; }
thead th { font-size: 12.5px; color: var(--soft); font-weight: 500; padding: 0 16px 8px 0; border-bottom: 1px solid var(--rule); vertical-align: bottom; }
.samples { margin-top: 20px; table-layout: fixed; }
.samples thead th:first-child { width: 25%; }
.samples tbody th, .samples td { vertical-align: top; padding: 15px 22px 15px 0; border-bottom: 1px solid var(--hair); }
.samples tbody th { color: var(--soft); font-weight: 400; white-space: pre-wrap; overflow-wrap: anywhere; }
.completion { font-family: var(--serif); font-size: 17px; line-height: 1.42; white-space: pre-wrap; overflow-wrap: anywhere; }
.chips { margin-top: 7px; font-size: 12.5px; color: var(--soft); display: flex; flex-wrap: wrap; gap: 2px 14px; }
.chips b { color: var(--tone, inherit); font-weight: 650; }
details { margin-top: 16px; } summary { cursor: pointer; font-size: 14px; color: var(--learned); width: fit-content; }
.pair { display: grid; grid-template-columns: minmax(0, 2fr) minmax(0, 3fr); gap: 48px; margin-top: 18px; align-items: start; }
.pair > :only-child { grid-column: 1 / -1; max-width: 620px; }
.facts-table { margin-top: 8px; } .facts-table th, .facts-table td { padding: 7px 0; border-top: 1px solid var(--hair); }
.facts-table th { font-weight: 400; color: var(--soft); padding-right: 20px; } .facts-table td { text-align: right; padding-left: 14px; white-space: nowrap; }
.facts-table .total th, .facts-table .total td { font-weight: 600; color: var(--ink); border-top-color: var(--rule); }
td.bar { width: 40%; } td.bar i { display: block; height: 8px; border-radius: 1px; background: var(--plain); opacity: 0.55; min-width: 1px; }
.wide { overflow-x: auto; margin-top: 14px; } .data td, .data th { text-align: right; padding: 7px 0 7px 18px; white-space: nowrap; }
.data th { font-size: 12.5px; } .data td { border-bottom: 1px solid var(--hair); font-size: 14px; } .data td:first-child, .data th:first-child { text-align: left; padding-left: 0; }
.settings { margin-top: 14px; font-size: 14px; } .settings th, .settings td { padding: 4px 16px 4px 0; vertical-align: top; overflow-wrap: anywhere; }
.settings tbody th { font-weight: 400; color: var(--soft); } .settings .group th { padding-top: 16px; color: var(--ink); font-weight: 600; }
.settings td:last-child { color: var(--soft); } .settings .changed th, .settings .changed td { color: var(--ink); font-weight: 600; }
code { font: 13px/1.5 ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
footer { margin-top: 72px; padding-top: 14px; border-top: 1px solid var(--rule); color: var(--soft); font-size: 13px; }
@media screen and (max-width: 760px) {
  main { padding: 32px 18px 64px; } h1 { font-size: 30px; } .sentence { font-size: 21px; } .verdict { padding: 18px 18px 20px; }
  .numbers { grid-template-columns: repeat(2, minmax(0, 1fr)); column-gap: 22px; } .number b { font-size: 29px; }
  .figures, .pair { grid-template-columns: minmax(0, 1fr); gap: 30px; } .pair { gap: 34px; } figcaption p { min-height: 0; }
  .findings li { grid-template-columns: 1fr; }
  .samples, .samples tbody, .samples tr, .samples td, .samples tbody th { display: block; width: 100%; } .samples thead { display: none; }
  .samples tr { padding: 14px 0; border-bottom: 1px solid var(--rule); } .samples tbody th, .samples td { border: 0; padding: 5px 0; }
  .samples td::before { content: attr(data-label); font-size: 12px; color: var(--soft); }
}
@media print {
  :root { --paper: #fff; --raised: #fff; --ink: #000; --soft: #555; --rule: #bbb; --hair: #e2e2e2; --gold: #8a5208; --learned: #234f9a; --judge: #095f53; --plain: #333; --bad: #98201a; --good: #285a31; color-scheme: light; }
  @page { margin: 16mm 14mm; }
  body { font-size: 10.5pt; } main { max-width: none; padding: 0; } nav, details:not([open]) { display: none; }
  h1 { font-size: 24pt; } h2 { font-size: 16pt; } h2, h3, .lead { break-after: avoid; } section { margin-top: 30px; }
  .numbers { column-gap: 24px; } .data td, .data th { font-size: 8pt; padding-left: 8px; } .wide { overflow: visible; } .sentence { max-width: none; } .sentence { font-size: 16pt; }
  .verdict { border: 1px solid var(--rule); border-left: 5px solid var(--tone); } .number b { font-size: 22pt; } .number { padding-bottom: 14px; }
  .figures { gap: 20px 28px; break-before: avoid; } .pair { break-inside: avoid; gap: 28px; } figure, tr, .verdict, .number { break-inside: avoid; } .completion { font-size: 11.5pt; }
}
)css";
}

}  // namespace rlhf::evaluation::detail
