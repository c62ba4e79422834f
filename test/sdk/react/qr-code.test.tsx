import { expect, test } from "bun:test";
import { renderToString } from "react-dom/server";
import { QrCode } from "../../../src/sdk/react/qr-code.tsx";

const draw = (svg: string) => renderToString(<QrCode svg={svg} label="QR" />);
const LIGHT = '<path fill="#fff" d="M0 0h9v9H0z"/>';
const DARK = '<path fill="#000" d="M1 1h1v1H1z"/>';

test("the background stays light and the modules dark", () => {
  const drawn = draw(`<svg viewBox="0 0 9 9">${LIGHT}${DARK}</svg>`);
  expect(drawn).toContain('viewBox="0 0 9 9"');
  expect(drawn).toContain('<path d="M0 0h9v9H0z" fill="#fff"></path><path d="M1 1h1v1H1z" fill="#000"></path>');
});

test.each([
  ["a script", `<svg viewBox="0 0 9 9"><script>alert(1)</script>${DARK}</svg>`],
  ["a handler", `<svg viewBox="0 0 9 9" onload="alert(1)">${DARK}</svg>`],
  ["a fill from another site", '<svg viewBox="0 0 9 9"><path fill="url(https://evil.example)" d="M1 1h1v1H1z"/></svg>'],
])("leaves out %s", (_name, svg) => {
  expect(draw(svg)).not.toMatch(/alert|evil/);
});

test.each([["no picture"], ['<svg viewBox="0 0 9 9"></svg>'], [`<svg>${DARK}</svg>`]])("%s draws nothing", (svg) => {
  expect(draw(svg)).toBe("");
});
