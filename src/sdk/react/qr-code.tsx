import type { ReactElement } from "react";

const COLOUR = /^(#[0-9a-f]{3,8}|black|white)$/i;

/**
 * The appliance's QR code, redrawn from its paths. Markup from an answer never becomes part of the page; a page under
 * `require-trusted-types-for 'script'` would refuse it anyway. Dark on light in every scheme, or cameras fail.
 * @param svg has one `viewBox`, and paths of one colour each
 */
export function QrCode({ svg, label }: { svg: string; label: string }): ReactElement | null {
  const box = /\bviewBox="([\d. -]+)"/.exec(svg)?.[1];
  const paths = [...svg.matchAll(/<path\b[^>]*>/g)].flatMap(([path]) => {
    const d = /\bd="([a-z\d., -]+)"/i.exec(path)?.[1];
    const fill = /\bfill="([^"]*)"/.exec(path)?.[1] ?? "";
    return d === undefined ? [] : [{ d, fill: COLOUR.test(fill) ? fill : "#000" }];
  });
  if (box === undefined || paths.length === 0) return null;
  return (
    <svg className="sallyport-qr" viewBox={box} role="img" aria-label={label} shapeRendering="crispEdges">
      {paths.map(({ d, fill }) => (
        <path key={d} d={d} fill={fill} />
      ))}
    </svg>
  );
}
