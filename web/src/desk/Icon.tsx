// Drawn on a grid of 16, in the colour of the text beside them; never the only sign of anything.
const drawings = {
  overview: "M2.5 9.5h4v4h-4zM9.5 2.5h4v11h-4zM2.5 2.5h4v4h-4z",
  queue: "M2.5 4h11M2.5 8h11M2.5 12h7",
  agreement: "M6 4.2a4 4 0 1 0 0 7.6 4 4 0 0 0 0-7.6zM10 4.2a4 4 0 1 1 0 7.6 4 4 0 0 1 0-7.6z",
  people: "M6 7.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM1.5 13.5c.4-2.4 2.2-4 4.5-4s4.100 1.600 4.500 4M10.500 2.800a2.500 2.500 0 0 1 0 4.400M12 9.800c1.400.500 2.300 1.900 2.500 3.700",
  split: "M8 13.500V8.500M8 8.500L3.500 3.500M8 8.500l4.500-5M3.500 6.500v-3h3M9.500 3.500h3v3",
  search: "M7 12a5 5 0 1 0 0-10 5 5 0 0 0 0 10zM10.700 10.700l3.300 3.300",
  gauge: "M2.500 12a6 6 0 1 1 11 0M8 9.500l2.500-3.500",
  guide: "M3.500 2.500h7l2 2v9h-9zM6 6.500h4M6 9h4",
  export: "M8 2.500v7.500M5 7.200L8 10.200l3-3M2.500 13.500h11",
  projects: "M2.500 4.500h4l1.500 2h5.500v6.500h-11z",
  runs: "M2.500 2.500v11h11M4.500 10.500l3-3.500 2.200 2L13 4.500",
  chat: "M2.500 3.500h11v7.500h-6l-3 2.500v-2.500h-2z",
  answer: "M3 8.500l3.200 3.200L13 4.500",
  menu: "M2.500 4.500h11M2.500 8h11M2.500 11.500h11",
  more: "M8 3.500v9M3.500 8h9",
};
export type IconName = keyof typeof drawings;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon-drawing" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      <path d={drawings[name]} fill="none" stroke="currentColor" stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round" />
    </svg>
  );
}
