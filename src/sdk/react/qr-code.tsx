import type { ReactElement } from "react";

/**
 * The appliance's QR code, drawn anew from its modules: markup from an answer is never made part of the page, which a page
 * under `require-trusted-types-for 'script'` would refuse besides. Dark on light in every scheme, or cameras fail.
 * @param svg with one `viewBox`, and the dark modules as paths
 */
export function QrCode({ svg, label }: { svg: string; label: string }): ReactElement | null {
  const [, box] = /\bviewBox="([\d. -]+)"/.exec(svg) ?? [];
  const paths = [...svg.matchAll(/<path\b[^>]*\bd="([MmHhVvLlZz\d., -]+)"/g)].map(([, d = ""]) => d);
  if (box === undefined || paths.length === 0) return null;
  return (
    <svg className="sallyport-qr" viewBox={box} role="img" aria-label={label} shapeRendering="crispEdges">
      {paths.map((d) => (
        <path key={d} d={d} fill="#000000" />
      ))}
    </svg>
  );
}
