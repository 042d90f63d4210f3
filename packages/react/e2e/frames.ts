import type { Page } from "playwright-core";

/** One still of a moving picture. */
export interface Frame {
  /** Its file in base64, a WebP. */
  readonly data: string;
  readonly seconds: number;
}

/** Takes a still of what the page shows. */
export async function frame(page: Page, seconds: number): Promise<Frame> {
  const session = await page.context().newCDPSession(page);
  const { data } = await session.send("Page.captureScreenshot", { format: "webp", quality: 82 });
  await session.detach();
  return { data, seconds };
}

/** The size of a picture in pixels. */
interface Size {
  readonly width: number;
  readonly height: number;
}

/** A moving picture of stills as one SVG, which loops. For readers who asked for less motion, it stands still at the last one. */
export function movingPicture(frames: readonly Frame[], { width, height }: Size, title: string): string {
  const total = frames.reduce((sum, { seconds }) => sum + seconds, 0);
  let passed = 0;
  const rules: string[] = [];
  const images: string[] = [];
  for (const [index, { data, seconds }] of frames.entries()) {
    const [from, to] = [passed, passed + seconds].map((time) => ((100 * time) / total).toFixed(2));
    const isLast = index === frames.length - 1;
    rules.push(
      `@keyframes f${index} { 0% { opacity: 0 } ${from}% { opacity: 1 } ${isLast ? "" : `${to}% { opacity: 0 } `}100% { opacity: ${isLast ? 1 : 0} } }`,
    );
    images.push(`<image class="f${index}" width="${width}" height="${height}" href="data:image/webp;base64,${data}"/>`);
    passed += seconds;
  }
  const animations = frames.map((_, index) => `.f${index} { animation: f${index} ${total}s step-end infinite }`).join("\n");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">
<style>${rules.join("\n")}
@media (prefers-reduced-motion: no-preference) { ${animations} }</style>
${images.join("\n")}
</svg>
`;
}
