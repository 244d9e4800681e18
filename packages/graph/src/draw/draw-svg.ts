import { type Box, describeOmissions, type Drawing } from "./drawing.js";
import { placeSpots } from "./place-spots.js";
import { rankBoxes } from "./rank-boxes.js";

/** Sizes in pixels. */
const boxHeight = 40;
const rankDistance = 76;
const gap = 24;
/** Room for the line that says what is left out. */
const leastWidth = 300;
/** An estimate for the sans-serif of 12 and 10 pixels: wide letters count as narrow ones. */
const titleLetterWidth = 7.4;
const subtitleLetterWidth = 5.8;
const boxPadding = 12;
/** Longer texts are cut; the whole is the box's tooltip. */
const mostLetters = 36;

const fills: Readonly<Record<Box["kind"], string>> = {
  input: "#d9f0d3",
  product: "#cfe2f8",
  other: "#f2f2f2",
  group: "#fbe8cf",
};

/** Where something is, in pixels; `x` and `y` of its upper left corner. */
interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * A drawing as an SVG image: boxes in ranks from top to bottom, each below what it reads, and a frame around the boxes of
 * a layer where no other box stands between them. Equal drawings give equal texts.
 */
export function drawSvg(drawing: Drawing): string {
  const { boxes } = drawing;
  const ranking = rankBoxes(drawing);
  const widths = ranking.spots.map(({ box }) => (box === -1 ? 0 : widthOf(boxes[box])));
  const middles = placeSpots(ranking, widths, gap);
  const rankOf = new Map(ranking.ranks.flatMap((spots, rank) => spots.map((spot) => [spot, rank])));
  const topOf = (spot: number): number => (rankOf.get(spot) ?? 0) * rankDistance + rankDistance / 2;
  // The first spots are the boxes.
  const areas = boxes.map((_, spot): Area => {
    const width = widths[spot] ?? 0;
    return { x: (middles[spot] ?? 0) - width / 2, y: topOf(spot), width, height: boxHeight };
  });
  const width = Math.ceil(Math.max(leastWidth, ...areas.map((area) => area.x + area.width), ...middles) + gap);
  const height = ranking.ranks.length * rankDistance + rankDistance / 2;
  const routes = ranking.routes.map((route) =>
    drawRoute(route.map((spot) => ({ x: middles[spot] ?? 0, y: topOf(spot), isBox: (widths[spot] ?? 0) > 0 }))),
  );
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" ` +
      `font-family="sans-serif" text-anchor="middle">`,
    `<defs><marker id="end" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">` +
      `<path d="M0 0L8 4L0 8z" fill="#666"/></marker></defs>`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<text x="${gap}" y="18" font-size="10" fill="#444" text-anchor="start">${describeOmissions(drawing) ?? ""}</text>`,
    ...drawFrames(boxes, areas),
    `<g fill="none" stroke="#666" marker-end="url(#end)">`,
    ...routes,
    "</g>",
    ...boxes.flatMap((box, index) => drawBox(box, areas[index])),
    "</svg>",
  ];
  return `${lines.join("\n")}\n`;
}

function widthOf(box: Box | undefined): number {
  const title = shorten(box?.title ?? "").length * titleLetterWidth;
  const subtitle = shorten(box?.subtitle ?? "").length * subtitleLetterWidth;
  return Math.ceil(Math.max(title, subtitle)) + 2 * boxPadding;
}

function drawBox({ title, subtitle, kind }: Box, area: Area | undefined): readonly string[] {
  if (area === undefined) return [];
  const { x, y, width, height } = area;
  const [middle, radius] = [format(x + width / 2), kind === "input" ? height / 2 : 5];
  return [
    `<g><title>${escapeText(`${title}\n${subtitle}`)}</title>`,
    `<rect x="${format(x)}" y="${y}" width="${width}" height="${height}" rx="${radius}" fill="${fills[kind]}" stroke="#888"/>`,
    `<text x="${middle}" y="${y + 17}" font-size="12" font-weight="bold">${escapeText(shorten(title))}</text>`,
    `<text x="${middle}" y="${y + 31}" font-size="10" fill="#444">${escapeText(shorten(subtitle))}</text></g>`,
  ];
}

/** Frames with the layer's name; a layer among whose boxes there are others goes without. */
function drawFrames(boxes: readonly Box[], areas: readonly Area[]): readonly string[] {
  const layers = new Map<string, number[]>();
  for (const [index, { layer }] of boxes.entries()) layers.set(layer, [...(layers.get(layer) ?? []), index]);
  return [...layers].flatMap(([layer, members]) => {
    if (layer === "" || members.length < 2) return [];
    const frame = surround(members.flatMap((index) => areas[index] ?? []));
    const isAlone = areas.every((area, index) => members.includes(index) || !overlaps(area, frame));
    if (!isAlone) return [];
    const { x, y, width, height } = frame;
    return [
      `<rect x="${format(x)}" y="${y}" width="${format(width)}" height="${height}" rx="8" fill="#fafafa" stroke="#bbb" stroke-dasharray="4 3"/>`,
      `<text x="${format(x + 6)}" y="${y + 10}" font-size="9" fill="#888" text-anchor="start">${escapeText(layer)}</text>`,
    ];
  });
}

function surround(areas: readonly Area[]): Area {
  const x = Math.min(...areas.map((area) => area.x)) - 8;
  const y = Math.min(...areas.map((area) => area.y)) - 14;
  const right = Math.max(...areas.map((area) => area.x + area.width)) + 8;
  const bottom = Math.max(...areas.map((area) => area.y + area.height)) + 8;
  return { x, y, width: right - x, height: bottom - y };
}

function overlaps(a: Area, b: Area): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

/** A curve from box to box that is vertical at every spot on the way. */
function drawRoute(spots: readonly { readonly x: number; readonly y: number; readonly isBox: boolean }[]): string {
  const [first, ...rest] = spots;
  const isUpward = (first?.y ?? 0) > (rest.at(-1)?.y ?? 0);
  // Edges begin and end at the boxes' borders, and go straight past the boxes of the ranks between.
  const [near, far] = isUpward ? [boxHeight, 0] : [0, boxHeight];
  let path = `M${format(first?.x ?? 0)} ${(first?.y ?? 0) + far}`;
  let at = { x: first?.x ?? 0, y: (first?.y ?? 0) + far };
  for (const { x, y, isBox } of rest) {
    const bend = (y + near - at.y) / 2;
    path += `C${format(at.x)} ${at.y + bend} ${format(x)} ${y + near - bend} ${format(x)} ${y + near}`;
    if (!isBox) path += `V${y + far}`;
    at = { x, y: y + far };
  }
  return `<path d="${path}"/>`;
}

function format(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function shorten(text: string): string {
  return text.length <= mostLetters ? text : `…${text.slice(1 - mostLetters)}`;
}

const entities: Readonly<Record<string, string>> = { "&": "amp", "<": "lt", ">": "gt", '"': "quot" };

/** For text and attributes; control characters but tab and line feed are not allowed in XML at all. */
function escapeText(text: string): string {
  const allowed = Array.from(text).filter((letter) => letter >= " " || letter === "\n" || letter === "\t");
  return allowed.join("").replaceAll(/[&<>"]/g, (letter) => `&${entities[letter]};`);
}
